"""What goes wrong while FFmpeg writes, in words that help."""

from __future__ import annotations

from errno import EINVAL, ENOSPC
from pathlib import Path

import av
import pytest
from clips import make_sound, video_to

from vidstyle.errors import OutputError
from vidstyle.media.write.segments import ffmpeg_reported, segment_packets


@pytest.mark.parametrize(
    ("name", "error", "advice"),
    [
        ("o.mp4", av.ArgumentError(EINVAL, "Invalid argument"), "try .mkv"),
        ("o.mp4", OverflowError("value too large"), "try .mkv"),
        ("o.mov", ValueError("no such stream"), "try .mkv"),
        ("o.mkv", av.ArgumentError(EINVAL, "Invalid argument"), "run the same command again"),
        ("0.segment", av.ArgumentError(EINVAL, "Invalid argument"), "run the same command again"),
        ("0.segment", OverflowError("value too large"), "run the same command again"),
        ("o.mp4", av.InvalidDataError(-1094995529, "Invalid data"), "run the same command again"),
        ("o.mp4", MemoryError("no memory"), "run the same command again"),
        ("o.mp4", OSError(ENOSPC, "No space left"), "make room, then run the same command again"),
    ],
)
def test_advice_is_what_may_help(name: str, error: Exception, advice: str) -> None:
    with pytest.raises(OutputError) as caught, ffmpeg_reported(Path(name)):
        raise error
    assert str(caught.value).startswith(f"{name}: cannot be written or read back (")
    assert str(caught.value).endswith(f"); {advice}")


@pytest.mark.parametrize(("name", "error"), [("0.segment", ValueError("ours")), ("o.mp4", IndexError("ours"))])
def test_faults_of_ours_stay_what_they_are(name: str, error: Exception) -> None:
    with pytest.raises(type(error), match="ours"), ffmpeg_reported(Path(name)):
        raise error


def test_a_segment_without_pictures_is_an_error(tmp_path: Path, inputs: Path) -> None:
    spec = video_to(tmp_path / "o.mp4", inputs).spec
    sound = make_sound(tmp_path / "sound.nut")
    with pytest.raises(OutputError, match="holds no pictures; run the same command again"):
        list(segment_packets(sound, spec))
