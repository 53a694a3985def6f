"""The first half of the page, without a browser: what it does of what is asked."""

import asyncio
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

LOOKS = (1, 1, 30, 1, 1, 1, 1, "style", 320, "compact")


async def built(previews, renders):
    """Returns the page; in a loop, since Gradio would else begin some that it never ends."""
    with gr.Blocks():
        return LookPage(previews, renders)


@pytest.fixture
def look_page(tmp_path, monkeypatch):
    place = tmp_path / "place"
    place.mkdir()
    make_video(place / "clip.mp4", frames=4)
    folder, said = Folder(place), []
    monkeypatch.setattr("vidstyle.studio.look_page.warn", lambda error, title="": said.append(str(error)))
    with Uploads(1 << 20) as uploads:
        previews = Previews(folder, uploads)
        page = asyncio.run(built(previews, Renders(folder)))
        page.said = said
        yield page
        previews.close()


def test_the_knobs_stand_first_as_a_render_paints_by_itself(look_page):
    assert look_of(*(knob.value for knob in look_page.controls)).settings() == Settings(keep_job=True)


@pytest.mark.parametrize(("name", "match"), [("../out.mp4", "plain name"), ("taken.mp4", "is there already")])
def test_nothing_is_copied_into_the_folder_for_a_render_that_cannot_begin(look_page, name, match):
    previews = look_page._previews
    (previews.folder.path / "taken.mp4").touch()
    upload = previews.uploads.take(write_raw(previews.uploads.received / "mine.png", picture(4)), is_style=True)
    assert look_page.begin("clip.mp4", [upload.key], *LOOKS, name) is None
    assert match in look_page.said[0]
    assert not (previews.folder.path / "studio-uploads").exists()
    assert look_page.begin("clip.mp4", [upload.key], *LOOKS, "out.mp4") == "out.mp4"
    assert (previews.folder.path / "studio-uploads" / upload.path.name).is_file()


@pytest.mark.parametrize("ask", ["_preview", "_three"])
def test_both_ways_of_looking_hint_paint_and_refuse_alike(look_page, ask):
    folder = look_page._previews.folder.path
    write_raw(folder / "a.png", picture(1))
    before = (0,) if ask == "_preview" else ()

    def told(*chosen):
        steps = getattr(look_page, ask)(SimpleNamespace(session_hash="me"), *before, *chosen, *LOOKS)
        return [text for _, text in steps if isinstance(text, str)]

    assert "Choose a clip and a style" in told("clip.mp4", [])[0]
    stylized = told("clip.mp4", ["a.png"])
    assert "will be" in stylized[-1]
    assert not any("will be" in text for text in stylized[:-1])
    (folder / "a.png").write_bytes(b"no picture")
    assert "**That cannot be painted.**" in told("clip.mp4", ["a.png"])[-1]
