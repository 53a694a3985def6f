"""The first tab of the page, without a browser."""

import asyncio
import html
from types import SimpleNamespace

import pytest
from clips import make_video, picture, write_raw

pytest.importorskip("gradio", reason="Gradio is not installed: pip install 'vidstyle[studio]'")
import gradio as gr

from vidstyle import Settings
from vidstyle.studio.folder import Folder
from vidstyle.studio.look_page import LookPage, look_of
from vidstyle.studio.looks import Previews
from vidstyle.studio.renders import Renders
from vidstyle.studio.uploads import Uploads

VALUES = (1, 1, 30, 1, 1, 1, 1, "style", 320, "compact")


async def built(previews, renders):
    """Returns the tab; in an event loop, since Gradio would otherwise start one that it never closes."""
    with gr.Blocks():
        return LookPage(previews, renders)


@pytest.fixture
def look_page(tmp_path, monkeypatch):
    place = tmp_path / "place"
    place.mkdir()
    make_video(place / "clip.mp4", frames=4)
    folder, warnings = Folder(place), []
    monkeypatch.setattr(gr, "Warning", lambda message, title="": warnings.append(html.unescape(message)))
    with Uploads(1 << 20) as uploads:
        previews = Previews(folder, uploads)
        page = asyncio.run(built(previews, Renders(folder)))
        page.warnings = warnings
        yield page
        previews.close()


def test_the_controls_begin_with_the_defaults_of_a_render(look_page):
    assert look_of(*(control.value for control in look_page.controls)).settings() == Settings(keep_job=True)


@pytest.mark.parametrize(("name", "match"), [("../out.mp4", "plain name"), ("taken.mp4", "is there already")])
def test_nothing_is_copied_into_the_folder_for_a_render_that_cannot_begin(look_page, name, match):
    previews = look_page._previews
    (previews.folder.path / "taken.mp4").touch()
    upload = previews.uploads.take(write_raw(previews.uploads.received / "mine.png", picture(4)), is_style=True)
    assert look_page.begin("clip.mp4", [upload.key], *VALUES, name) is None
    assert match in look_page.warnings[0]
    assert not (previews.folder.path / "studio-uploads").exists()
    assert look_page.begin("clip.mp4", [upload.key], *VALUES, "out.mp4") == "out.mp4"
    assert (previews.folder.path / "studio-uploads" / upload.path.name).is_file()


@pytest.mark.parametrize("ask", ["_preview", "_three"])
def test_both_ways_of_looking_hint_paint_and_refuse_alike(look_page, few_steps, ask):
    folder = look_page._previews.folder.path
    write_raw(folder / "a.png", picture(1))
    before = (0,) if ask == "_preview" else ()

    def messages(*chosen):
        steps = getattr(look_page, ask)(SimpleNamespace(session_hash="me"), *before, *chosen, *VALUES)
        return [text for _, text in steps if isinstance(text, str)]

    assert "Choose a clip and a style" in messages("clip.mp4", [])[0]
    stylized = messages("clip.mp4", ["a.png"])
    assert "will be" in stylized[-1]
    assert not any("will be" in text for text in stylized[:-1])
    (folder / "a.png").write_bytes(b"no picture")
    assert "**That cannot be painted.**" in messages("clip.mp4", ["a.png"])[-1]
