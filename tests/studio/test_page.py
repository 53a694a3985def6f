"""The page in a real browser: one walk from a dropped clip to a finished film, and what is refused on the way.

Needs Gradio, Playwright's Python package, and a Chromium of the system's (or named by VIDSTYLE_BROWSER).
"""

from __future__ import annotations

import io
import shutil
import signal
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from browsers import BROWSER, FLAGS
from clips import cut, make_video, picture, write_raw
from PIL import Image
from studios import PATIENCE_S, StudioServer, until

import vidstyle

pytest.importorskip("gradio", reason="Gradio is not installed: pip install 'vidstyle[studio]'")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright's Python package is not installed")
if BROWSER is None:
    pytest.skip("no browser is installed: apt-get install chromium, or see VIDSTYLE_BROWSER", allow_module_level=True)

FRAMES = 30


@pytest.fixture
def place(tmp_path):
    """The folder that the studio serves, beside files that it must not serve."""
    place = tmp_path / "place"
    place.mkdir()
    make_video(place / "clip.mp4", frames=6)
    write_raw(place / "style.png", picture(3))
    write_raw(tmp_path / "secret.png", picture(3))
    return place


@pytest.fixture
def page():
    """A page of a browser that notes every request to another machine, and every error of a script."""
    with playwright.sync_playwright() as plays:
        browser = plays.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 700})
        page.set_default_timeout(1000 * PATIENCE_S)
        page.outside, page.faults = [], []
        page.on("request", lambda request: note_outside(page, request.url))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        yield page
        browser.close()


def note_outside(page, url):
    if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
        page.outside.append(url)


def drop(page, where, *files):
    page.set_input_files(f"#{where} input[type=file]", files)


def until_message(page, text):
    page.wait_for_selector(f"#message:has-text('{text}')")


def until_value(page, where, value):
    page.wait_for_function(f"document.querySelector('#{where} input').value == '{value}'")


def until_command(page, text):
    page.wait_for_function(f"document.querySelector('#command .cm-content').innerText.includes('{text}')")


def choose(page, where, name):
    page.click(f"#{where} input")
    page.locator(f"[role=option][aria-label='{name}']:visible").last.click()
    page.keyboard.press("Escape")


def change(page, where, value):
    page.fill(f"#{where} input[type=number]", str(value))
    page.keyboard.press("Tab")


def painted(page):
    """Returns the painted picture that the page shows, as an array."""
    source = page.locator("#picture img").last.get_attribute("src")
    with urllib.request.urlopen(source) as answer:
        return np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGB"), np.float32)


def status_of(url, headers=None, data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers or {})) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.slow
def test_the_way_from_a_dropped_clip_to_a_finished_film(page, place, tmp_path):
    mine, style = make_video(tmp_path / "mine.mp4", frames=FRAMES), write_raw(tmp_path / "paint.png", picture(6))
    with StudioServer(place, "--max-upload-mib", "1") as server:
        page.goto(server.url)
        page.wait_for_selector("#clip input")
        files_and_requests_are_refused(page, server, place, tmp_path)
        page.faults.clear()  # the browser reports requests that were refused
        drop(page, "clip-drop", mine)
        until_value(page, "clip", "mine.mp4 (dropped)")
        drop(page, "style-drop", style)
        a_look_is_found_and_bad_names_are_refused(page, place)
        a_render_is_paused_continued_and_downloaded(page, place)
        other_clips_and_new_files_are_chosen(page, place)
        assert server.is_alive
        assert list(server.temporary.glob("vidstyle-studio-*"))
        server.end(signal.SIGTERM)
    assert not list(server.temporary.glob("vidstyle-studio-*"))
    assert not list(tmp_path.glob("**/*.part*"))
    assert page.outside == []
    assert page.faults == []


def files_and_requests_are_refused(page, server, place, tmp_path):
    large, broken = tmp_path / "large.mp4", tmp_path / "broken.mp4"
    large.write_bytes(b"0" * (4 << 20))
    cut(Path(shutil.copy(place / "clip.mp4", broken)), 0.3)
    drop(page, "clip-drop", broken)
    until_message(page, "broken.mp4 cannot be read")
    drop(page, "clip-drop", large)
    page.get_by_text("exceed the maximum allowed size").first.wait_for()
    assert status_of(f"{server.url}gradio_api/upload", data=large.read_bytes()) == 413  # past the page's script
    assert page.input_value("#clip input") == ""
    for path in (
        f"gradio_api/file={tmp_path / 'secret.png'}",
        f"gradio_api/file={place / 'clip.mp4'}",
        "gradio_api/file=/etc/passwd",
        "gradio_api/file=../secret.png",
        "download/..%2Fsecret.png",
        "download/clip.mp4",
        "download/C%3A%5Csecret.png",
    ):
        assert status_of(f"{server.url}{path}") in (403, 404), path
    assert status_of(server.url, {"Host": "evil.example"}) == 403
    assert status_of(server.url, {"Origin": "http://evil.example"}) == 403
    large.unlink()
    broken.unlink()


def a_look_is_found_and_bad_names_are_refused(page, place):
    until_message(page, "As it will be")
    full = painted(page)
    for strength in (0.9, 0.8, 0.2):  # faster than anything is painted
        change(page, "strength", strength)
        page.wait_for_timeout(300)
        assert page.locator("#picture img").count() == 2  # before and after
        assert page.inner_text("#message")
    until_command(page, "--strength 0.2")
    until_message(page, "As it will be")
    until(lambda: np.abs(painted(page) - full).mean() > 2, lambda: page.inner_text("#message"))  # levels of 255
    assert "strength = 0.2" in page.inner_text("#config .cm-content")
    name = "#output textarea, #output input"
    assert page.input_value(name) == "mine_paint.mp4"
    for bad in ("../out.mp4", "/tmp/out.mp4", "C:\\out.mp4"):
        page.fill(name, bad)
        page.click("#start")
        page.get_by_text("without folders").first.wait_for()
    assert page.locator(".job").count() == 0
    assert sorted(file.name for file in place.iterdir()) == [".vidstyle-studio", "clip.mp4", "style.png"]
    page.fill(name, "mine_paint.mp4")


def a_render_is_paused_continued_and_downloaded(page, place):
    page.click("#start")
    page.wait_for_selector(".job.painting")
    page.wait_for_selector("#caption:has-text('Last finished frame')")
    page.click("#pause")
    page.wait_for_selector(".job.paused")
    status = vidstyle.job_status(place / "mine_paint.mp4")
    assert not status.is_running
    assert 0 < status.done < FRAMES
    page.reload()  # in the middle
    page.wait_for_selector("#clip input")
    until_value(page, "clip", "mine.mp4 (dropped)")
    page.wait_for_function("document.querySelector('#strength input[type=number]').value == '0.2'")
    page.get_by_role("tab", name="Render").click()
    page.wait_for_selector(".job.paused")
    page.wait_for_selector("#caption:has-text('Last finished frame')")
    page.click("#continue")
    page.wait_for_selector(".job.finished")
    page.wait_for_selector("#loss svg, #loss canvas")
    with page.expect_download() as download:
        page.click("#finished a.download")
    film = Path(download.value.path())
    assert film.read_bytes() == (place / "mine_paint.mp4").read_bytes()
    assert vidstyle.job_status(place / "mine_paint.mp4").total == FRAMES


def other_clips_and_new_files_are_chosen(page, place):
    page.get_by_role("tab", name="Look").click()
    change(page, "frame", 20)
    until_message(page, "frame 20")
    choose(page, "clip", "clip.mp4")
    page.wait_for_function("document.querySelector('#frame input[type=number]').value == '5'")
    until_message(page, "frame 5")
    write_raw(place / "<b>new.png", picture(7))
    page.wait_for_timeout(4000)
    choose(page, "styles", "<b>new.png")
    until_command(page, "new.png")
    (place / "<b>new.png").write_bytes(b"no picture")
    page.click("#color label:has-text('matched')")
    page.get_by_text("cannot be painted").first.wait_for()
    assert page.locator("#message b").count() == 0
