"""What of a folder may be chosen, and what may be written to it."""

import os

import pytest
from clips import make_folder, picture, write_raw
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.studio.folder import Folder, RefusedError


@pytest.fixture
def folder(tmp_path):
    place, outside = tmp_path / "place", tmp_path / "outside"
    place.mkdir()
    outside.mkdir()
    write_raw(outside / "secret.png", picture(1))
    write_raw(place / "style.png", picture(1))
    write_raw(place / ".hidden.png", picture(1))
    (place / "clip.mp4").write_bytes(b"0")
    (place / "notes.txt").write_bytes(b"0")
    make_folder(place / "shots", ["f1.png", "f2.png"])
    make_folder(place / "one", ["f1.png"])
    (place / "old.mp4.vidstyle").mkdir()
    write_raw(place / "old.mp4.vidstyle" / "0.png", picture(1))
    return Folder(place)


def test_clips_are_videos_pictures_and_folders_of_frames(folder):
    assert folder.clips() == ["clip.mp4", "one/f1.png", "shots/", "style.png"]


def test_styles_are_pictures(folder):
    assert folder.styles() == ["one/f1.png", "shots/f1.png", "shots/f2.png", "style.png"]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_links_that_lead_out_are_not_listed(folder):
    outside = folder.path.parent / "outside"
    (folder.path / "link.png").symlink_to(outside / "secret.png")
    (folder.path / "linked").symlink_to(outside)
    (folder.path / "shots" / "f3.png").symlink_to(outside / "secret.png")
    (folder.path / "circle.png").symlink_to(folder.path / "circle.png")
    (folder.path / "inside.png").symlink_to(folder.path / "style.png")
    assert folder.styles() == ["inside.png", "one/f1.png", "shots/f1.png", "shots/f2.png", "style.png"]
    assert "shots/" not in folder.clips()
    assert "linked/" not in folder.clips()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../outside/secret.png",
        "notes.txt",
        ".hidden.png",
        "nothing.png",
        "old.mp4.vidstyle/0.png",
        "shots/../style.png",
    ],
)
def test_only_what_is_listed_can_be_chosen(folder, name):
    with pytest.raises(RefusedError, match="not in the folder"):
        folder.chosen(name)
    with pytest.raises(RefusedError, match="not in the folder"):
        folder.chosen(str(folder.path.parent / "outside" / "secret.png"))
    assert folder.chosen("style.png") == folder.path / "style.png"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a.mp4", "/tmp/a.mp4", "a/b.mp4", "a\\b.mp4", "C:a.mp4", "C:\\a.mp4", ".a.mp4", "-o.mp4",
     "a.mp4 .", "con.mp4", "NUL.png", "a\x00.mp4", "a\n.mp4", "a.txt", "a", "a.mp4.vidstyle",
     "x" * 130 + ".mp4", "~/a.mp4"],
)  # fmt: skip
def test_an_output_is_a_plain_name(folder, name):
    with pytest.raises(RefusedError):
        folder.output(name)


@settings(max_examples=40)
@given(st.text(max_size=40))
def test_no_name_leads_out_of_the_folder(tmp_path_factory, name):
    place = tmp_path_factory.getbasetemp()
    for asked in (name, f"{name}.mp4"):
        try:
            path = Folder(place).output(asked)
        except RefusedError:
            continue
        assert path.parent == place.resolve()
        assert path.name == asked.strip()


def test_plain_names_are_taken(folder):
    for name in ("a.mp4", "My film 2.webm", "größe_ü.png", "a.b-c.mkv"):
        assert folder.output(name) == folder.path / name


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_an_output_that_is_a_link_is_refused(folder):
    (folder.path / "out.mp4").symlink_to(folder.path.parent / "outside" / "new.mp4")
    (folder.path / "in.mp4.vidstyle").symlink_to(folder.path.parent / "outside")
    for name in ("out.mp4", "in.mp4"):
        with pytest.raises(RefusedError, match="link"):
            folder.output(name)


def test_a_folder_must_be_there(tmp_path):
    with pytest.raises(RefusedError, match="no such folder"):
        Folder(tmp_path / "nothing")
