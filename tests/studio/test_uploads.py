"""What is dropped onto the page: checked, kept under names of ours, and gone at the end."""

import shutil

import pytest
from clips import cut, picture, write_raw

from vidstyle.studio.folder import Folder, RefusedError
from vidstyle.studio.uploads import Uploads


@pytest.fixture
def uploads():
    with Uploads(1 << 20) as uploads:
        yield uploads


def received(uploads, file, name=None):
    return shutil.copy(file, uploads.received / (name or file.name))


def test_a_clip_and_a_style_are_kept_under_names_of_ours(uploads, silent_clip, still):
    clip = uploads.take(received(uploads, silent_clip, "my <b>film.mp4"), is_style=False)
    style = uploads.take(received(uploads, still), is_style=True)
    assert clip.label == "my <b>film.mp4"
    assert clip.path.read_bytes() == silent_clip.read_bytes()
    assert clip.path.name.startswith("clip-")
    assert (clip.path.parent.parent, clip.path.suffix) == (uploads.path, ".mp4")
    assert uploads.get(clip.key) is clip
    assert uploads.listed(is_style=False) == [clip]
    assert uploads.listed(is_style=True) == [style]
    assert list(uploads.received.iterdir()) == []


def test_a_broken_file_is_refused_and_removed(uploads, silent_clip, tmp_path):
    broken = cut(shutil.copy(silent_clip, tmp_path / "broken.mp4"), 0.3)
    with pytest.raises(RefusedError, match=r"^broken\.mp4 cannot be read: broken\.mp4"):
        uploads.take(received(uploads, broken), is_style=False)
    assert [file for file in uploads.path.rglob("*") if file.is_file()] == []


def test_a_file_of_another_kind_is_refused(uploads, silent_clip, tmp_path):
    (tmp_path / "run.sh").write_text("exit")
    with pytest.raises(RefusedError, match="a clip ends in one of"):
        uploads.take(received(uploads, tmp_path / "run.sh"), is_style=False)
    with pytest.raises(RefusedError, match="a style ends in one of"):
        uploads.take(received(uploads, silent_clip), is_style=True)


def test_a_large_file_is_refused(uploads, tmp_path):
    (tmp_path / "large.mp4").write_bytes(b"0" * ((1 << 20) + 1))
    with pytest.raises(RefusedError, match="larger than 1 MiB"):
        uploads.take(received(uploads, tmp_path / "large.mp4"), is_style=False)


def test_what_is_dropped_in_all_is_limited(uploads, still):
    for number in range(5):
        (uploads._kept / f"{number}.mp4").write_bytes(b"0" * (1 << 20))
    with pytest.raises(RefusedError, match="too much was dropped"):
        uploads.take(received(uploads, still), is_style=True)
    assert list(uploads.received.iterdir()) == []


def test_no_file_from_elsewhere_is_taken(uploads, still, tmp_path):
    for path in (still, "", "/etc/passwd", uploads.received / ".." / "kept", tmp_path):
        with pytest.raises(RefusedError, match="dropped here"):
            uploads.take(path, is_style=True)
    assert still.exists()
    link = uploads.received / "link.png"
    link.symlink_to(still)
    with pytest.raises(RefusedError, match="dropped here"):
        uploads.take(link, is_style=True)


def test_what_is_rendered_is_copied_into_the_folder_once(uploads, still, tmp_path):
    (tmp_path / "place").mkdir()
    folder = Folder(tmp_path / "place")
    upload = uploads.take(received(uploads, still), is_style=True)
    kept = uploads.keep(upload, folder)
    assert kept == uploads.keep(upload, folder)
    assert kept.parent == folder.path / "studio-uploads"
    assert kept.read_bytes() == still.read_bytes()
    assert folder.chosen(f"studio-uploads/{kept.name}") == kept


def test_all_is_gone_at_the_end(still):
    with Uploads(1 << 20) as uploads:
        uploads.take(received(uploads, still), is_style=True)
    assert not uploads.path.exists()


def test_the_same_file_dropped_again_is_the_same_thing(uploads, tmp_path):
    first = uploads.take(received(uploads, write_raw(tmp_path / "a.png", picture(2))), is_style=True)
    second = uploads.take(received(uploads, tmp_path / "a.png", "b.png"), is_style=True)
    assert first.key == second.key
    assert [upload.label for upload in uploads.listed(is_style=True)] == ["b.png"]
