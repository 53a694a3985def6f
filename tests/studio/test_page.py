"""The page in a real browser: the whole way of a painter, and what is refused.

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

FRAMES = 60


@pytest.fixture
def place(tmp_path):
    """The folder that the studio serves, beside things that are none of its business."""
    place = tmp_path / "place"
    place.mkdir()
    make_video(place / "clip.mp4", frames=FRAMES, audio="aac")
    for number in (3, 5):
        write_raw(place / f"style{number}.png", picture(number))
    (tmp_path / "secret.png").write_bytes((place / "style3.png").read_bytes())
    return place


@pytest.fixture
def page():
    """A page of a browser that notes every request to another machine, and every error of a script."""
    with playwright.sync_playwright() as plays:
        browser = plays.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(1000 * PATIENCE_S)
        page.outside, page.faults = [], []
        page.on("request", lambda request: note_outside(page, request.url))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        yield page
        browser.close()


def note_outside(page, url):
    if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
        page.outside.append(url)


def open_page(page, server):
    page.goto(server.url)
    page.wait_for_selector("#clip input")


def drop(page, where, *files):
    page.set_input_files(f"#{where} input[type=file]", files)


def until_told(page, text):
    page.wait_for_selector(f"#told:has-text('{text}')")


def stylized(page):
    """Returns the painted picture that the page shows, as an array."""
    source = page.locator("#picture img").last.get_attribute("src")
    with urllib.request.urlopen(source) as answer:
        return np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGB"), np.float32)


def phase(page, name):
    page.wait_for_selector(f".job.{name}")


def test_from_a_dropped_clip_to_a_finished_film(page, place, tmp_path):
    mine, style = make_video(tmp_path / "mine.mp4", frames=FRAMES), write_raw(tmp_path / "paint.png", picture(6))
    with StudioServer(place) as server:
        open_page(page, server)
        drop(page, "clip-drop", mine)
        page.wait_for_function("document.querySelector('#clip input').value == 'mine.mp4 (dropped)'")
        drop(page, "style-drop", style)
        until_told(page, "As it will be")
        full = stylized(page)
        page.fill("#strength input[type=number]", "0.2")
        page.keyboard.press("Tab")
        page.wait_for_function("document.querySelector('#command .cm-content').innerText.includes('--strength 0.2')")
        until_told(page, "As it will be")
        until(lambda: np.abs(stylized(page) - full).mean() > 2)  # levels of 255
        assert "strength = 0.2" in page.inner_text("#config .cm-content")

        assert page.input_value("#output textarea, #output input") == "mine_paint.mp4"
        page.click("#start")
        phase(page, "painting")
        page.wait_for_selector("#caption:has-text('Last finished frame')")
        page.reload()  # in the middle
        page.get_by_role("tab", name="Render").click()
        phase(page, "painting")
        page.wait_for_selector("#caption:has-text('Last finished frame')")
        page.click("#pause")
        phase(page, "paused")
        status = vidstyle.job_status(place / "mine_paint.mp4")
        assert not status.is_running
        assert 0 < status.done < FRAMES
        page.click("#continue")
        phase(page, "finished")
        page.wait_for_selector("#loss svg, #loss canvas")
        with page.expect_download() as download:
            page.click("#finished a.download")
        film = Path(download.value.path())
        assert film.read_bytes() == (place / "mine_paint.mp4").read_bytes()
        assert vidstyle.job_status(place / "mine_paint.mp4").total == FRAMES
        assert server.is_alive
    assert page.outside == []
    assert page.faults == []
    assert not list(server.temporary.glob("vidstyle-studio-*"))
    assert not list(Path(tmp_path).glob("**/*.part*"))


def choose(page, where, name):
    page.click(f"#{where} input")
    page.locator(f"[role=option][aria-label='{name}']:visible").last.click()
    page.keyboard.press("Escape")


def turn(page, where, value):
    page.fill(f"#{where} input[type=number]", str(value))
    page.keyboard.press("Tab")


def test_what_was_chosen_is_there_again_and_new_files_show_up(page, place):
    make_video(place / "short.mp4", frames=6)
    with StudioServer(place) as server:
        open_page(page, server)
        choose(page, "clip", "clip.mp4")
        choose(page, "styles", "style3.png")
        until_told(page, "frame 0")
        for strength in (0.9, 0.8, 0.7):  # faster than anything is painted
            turn(page, "strength", strength)
            page.wait_for_timeout(300)
            assert page.locator("#picture img").count() == 2  # before and after
            assert page.inner_text("#told")
        page.wait_for_function("document.querySelector('#command .cm-content').innerText.includes('--strength 0.7')")
        page.reload()
        page.wait_for_selector("#clip input")
        page.wait_for_function("document.querySelector('#clip input').value == 'clip.mp4'")
        page.wait_for_function("document.querySelector('#strength input[type=number]').value == '0.7'")
        until_told(page, "frame 0")

        turn(page, "frame", 20)
        until_told(page, "frame 20")
        choose(page, "clip", "short.mp4")
        page.wait_for_function("document.querySelector('#frame input[type=number]').value == '5'")
        until_told(page, "frame 5")

        write_raw(place / "<b>new.png", picture(7))
        page.wait_for_timeout(5000)
        choose(page, "styles", "<b>new.png")
        page.wait_for_function("document.querySelector('#command .cm-content').innerText.includes('new.png')")
        (place / "<b>new.png").write_bytes(b"no picture")
        page.click("#color label:has-text('matched')")
        page.get_by_text("cannot be painted").first.wait_for()
        assert page.locator("#told b").count() == 0
        assert server.is_alive
    assert page.faults == []


def test_what_may_not_be_is_refused_and_the_server_lives(page, place, tmp_path):
    large, secret = tmp_path / "large.mp4", tmp_path / "secret.png"
    large.write_bytes(b"0" * (4 << 20))
    whole = make_video(tmp_path / "whole.mp4")
    broken = cut(Path(shutil.copy(whole, tmp_path / "broken.mp4")), 0.3)
    with StudioServer(place, "--max-upload-mib", "1", end_by=signal.SIGTERM) as server:
        open_page(page, server)
        drop(page, "clip-drop", broken)
        until_told(page, "broken.mp4 cannot be read")
        drop(page, "clip-drop", large)
        page.get_by_text("exceed the maximum allowed size").first.wait_for()
        assert status_of(f"{server.url}gradio_api/upload", data=large.read_bytes()) == 413  # past the page's script
        assert page.input_value("#clip input") == ""

        for path in (
            f"gradio_api/file={secret}",
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

        page.click("#clip input")
        page.locator("[role=option][aria-label='clip.mp4']:visible").click()
        page.click("#styles input")
        page.locator("[role=option][aria-label='style3.png']:visible").last.click()
        until_told(page, "As it will be")  # the server lives
        for name in ("../out.mp4", "/tmp/out.mp4", "C:\\out.mp4"):
            page.fill("#output textarea, #output input", name)
            page.click("#start")
            page.get_by_text("without folders").first.wait_for()
        assert page.locator(".job").count() == 0
        assert list(server.temporary.glob("vidstyle-studio-*"))
        assert server.is_alive
    assert not list(server.temporary.glob("vidstyle-studio-*"))
    assert page.outside == []
    assert sorted(file.name for file in tmp_path.iterdir() if file.suffix == ".mp4") == [
        "broken.mp4",
        "large.mp4",
        "whole.mp4",
    ]
    assert sorted(file.name for file in place.iterdir()) == [".vidstyle-studio", "clip.mp4", "style3.png", "style5.png"]


def status_of(url, headers=None, data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers or {})) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
