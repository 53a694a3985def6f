"""The last step: outputs appear whole, where they belong, whatever was there."""

import numpy as np
import pytest
from clips import level, make_folder, picture, times_s
from jobs import finish, make_job

from vidstyle.errors import JobError, OutputError
from vidstyle.files import move_whole
from vidstyle.job import publishing
from vidstyle.job.folder import JobFolder
from vidstyle.job.publishing import is_published_video, is_publishing, publish_frames, publish_video
from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.images import read_image
from vidstyle.media.streams.side_streams import StreamSelection

NAMES = [f"in{k}.png" for k in range(12)]


def test_a_video_is_joined_checked_and_named(tmp_path):
    job, output = finish(make_job(tmp_path / "job")), tmp_path / "out.mp4"
    assert not is_published_video(job, output, StreamSelection())
    assert publish_video(job, output, StreamSelection(), overwrite=False) == []
    assert is_published_video(job, output, StreamSelection())
    for other in (StreamSelection("none"), StreamSelection("aac"), StreamSelection(location=False)):
        assert not is_published_video(job, output, other)
    with open_source(output) as source:
        assert [level(frame.image) for frame in source] == list(range(12))
    output.write_bytes(b"another")
    assert not is_published_video(job, output, StreamSelection())


def test_a_video_that_fails_its_check_is_not_named(tmp_path):
    job = finish(make_job(tmp_path / "job"))
    job.segment_files()[1].write_bytes(job.segment_files()[0].read_bytes())
    with pytest.raises(OutputError):
        publish_video(job, tmp_path / "out.mp4", StreamSelection(), overwrite=False)
    assert [p.name for p in tmp_path.iterdir()] == ["job"]
    assert not list(job.path.glob("joined*"))


def test_frames_appear_together(tmp_path):
    job = finish(make_job(tmp_path / "job", kind="frames"))
    assert not is_publishing(job, tmp_path / "out")
    publish_frames(job, tmp_path / "out", NAMES)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(NAMES)
    assert np.array_equal(read_image(tmp_path / "out" / "in7.png"), picture(7))


def test_frames_do_not_touch_what_is_not_theirs(tmp_path):
    job = finish(make_job(tmp_path / "job", kind="frames"))
    folder = make_folder(tmp_path / "out", ["in0.png", "mine.png"])
    (folder / "notes.txt").write_text("keep")
    mine = (folder / "mine.png").read_bytes()
    publish_frames(job, folder, NAMES)
    assert sorted(p.name for p in folder.iterdir()) == sorted([*NAMES, "mine.png", "notes.txt"])
    assert (folder / "mine.png").read_bytes() == mine


def test_a_folder_in_the_way_is_found_before_anything_is_moved(tmp_path):
    job = finish(make_job(tmp_path / "job", kind="frames"))
    (tmp_path / "out" / "in5.png").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"in5\.png: a folder is in the way"):
        publish_frames(job, tmp_path / "out", NAMES)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["in5.png"]
    (tmp_path / "out" / "in5.png").rmdir()
    publish_frames(job, tmp_path / "out", NAMES)
    assert len(list((tmp_path / "out").iterdir())) == 12


def test_a_link_to_a_folder_is_filled_not_replaced(tmp_path):
    job = finish(make_job(tmp_path / "job", kind="frames"))
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    publish_frames(job, tmp_path / "link", NAMES)
    assert (tmp_path / "link").is_symlink()
    assert len(list((tmp_path / "real").iterdir())) == 12


def test_a_frame_that_vanished_is_an_error(tmp_path):
    job = finish(make_job(tmp_path / "job", kind="frames"))
    job.frame_path(3).unlink()
    with pytest.raises(JobError, match=r"00000003\.png: gone or damaged"):
        publish_frames(job, tmp_path / "out", NAMES)
    assert not (tmp_path / "out").exists()


def test_a_folder_on_another_disk_appears_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "_same_disk", lambda *_: False)
    moves = []

    def move(source, target):
        assert not (tmp_path / "out").exists()
        if len(moves) == 5:
            moves.append("cut")
            raise OutputError("power cut")
        moves.append(target)
        move_whole(source, target)

    monkeypatch.setattr(publishing, "move_whole", move)
    job = finish(make_job(tmp_path / "job", kind="frames"))
    with pytest.raises(OutputError, match="power cut"):
        publish_frames(job, tmp_path / "out", NAMES)
    assert is_publishing(job, tmp_path / "out")
    assert not is_publishing(job, tmp_path / "elsewhere")
    publish_frames(job, tmp_path / "out", NAMES)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["job", "out"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("stop", [3, 11, 12, 15, 25])
def test_frames_of_another_format_survive_a_stop_anywhere(tmp_path, monkeypatch, stop):
    """Encoded to a name each, noted, then moved; a stop before or after the note loses nothing."""
    names, beside = [f"in{k}.jpg" for k in range(12)], {"times.csv": b"file,seconds\n"}
    whole = finish(make_job(tmp_path / "whole", kind="frames"))
    publish_frames(whole, tmp_path / "out1", names, beside)
    job, left = finish(make_job(tmp_path / "job", kind="frames")), [stop]
    (tmp_path / "out2").mkdir()

    def stopping(kept):
        def change(*arguments):
            left[0] -= 1
            if not left[0]:
                raise OutputError("power cut")
            return kept(*arguments)

        return change

    for name in ("_convert", "write_whole", "move_whole"):
        monkeypatch.setattr(publishing, name, stopping(getattr(publishing, name)))
    with pytest.raises(OutputError, match="power cut"):
        publish_frames(job, tmp_path / "out2", names, beside)
    stray = job.path / "painted" / ".in3.part1.jpg"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"half")
    publish_frames(job, tmp_path / "out2", names, beside)
    got, want = ({p.name: p.read_bytes() for p in (tmp_path / out).iterdir()} for out in ("out2", "out1"))
    assert got == want
    assert len(got) == 13
    assert job.has_frame(3)


def test_an_encoded_frame_that_vanished_is_encoded_again(tmp_path):
    names = [f"in{k}.webp" for k in range(12)]
    job, output = finish(make_job(tmp_path / "job", kind="frames")), tmp_path / "out"
    (output / "in5.webp").mkdir(parents=True)
    with pytest.raises(OutputError, match="in the way"):
        publish_frames(job, output, names)
    (output / "in5.webp").rmdir()
    (job.path / "painted" / "in7.webp").unlink()
    publish_frames(job, output, names)
    assert np.array_equal(read_image(output / "in7.webp"), picture(7))


@pytest.mark.parametrize("where", ["frames", "painted"])
def test_a_frame_that_was_damaged_at_the_last_step_is_painted_again(tmp_path, where):
    job = finish(make_job(tmp_path / "job", kind="frames"))
    output = tmp_path / "out"
    if where == "painted":
        (output / "in5.png").mkdir(parents=True)
        with pytest.raises(OutputError, match="in the way"):
            publish_frames(job, output, NAMES)
        (output / "in5.png").rmdir()
        output.rmdir()
    damaged = job.frame_path(4) if where == "frames" else job.path / "painted" / "in4.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    with pytest.raises(JobError, match=r"00000004\.png: gone or damaged; run the same command again"):
        publish_frames(job, output, NAMES)
    assert not output.exists()
    assert not is_publishing(job, output)
    again = JobFolder(job.path, job.manifest)
    assert [p for shot in job.manifest.shots for p in again.missing_positions(shot)] == [4]


def test_a_file_moves_from_one_disk_to_another(tmp_path, monkeypatch):
    """Where a rename is refused because the disks differ: the real refusal, raised by hand."""
    rename = type(tmp_path).replace

    def refused(self, target):
        if self.name == "a.mp4":
            raise OSError(18, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", refused)
    (tmp_path / "a.mp4").write_bytes(b"film")
    move_whole(tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("b.mp4", b"film")]


def test_times_are_those_of_the_source(tmp_path):
    job = finish(make_job(tmp_path / "job", timestamps=(0, 1, 2, 3, 7, 8, 9, 10, 20, 21, 22, 30)))
    publish_video(job, tmp_path / "out.mp4", StreamSelection(), overwrite=False)
    assert [t * 25 for t in times_s(tmp_path / "out.mp4")] == list(job.manifest.timestamps)
