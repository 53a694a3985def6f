"""What is asked for in `--audio`, and refused."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from beside import carried, clicks_s, make_clicks
from clips import info_of, make_video

from vidstyle.errors import OutputError
from vidstyle.frames import ClipInfo
from vidstyle.media.soundtrack import check_sound
from vidstyle.media.sources import open_source


def info(path: Path, frames: tuple[int, int | None] = (0, None)) -> ClipInfo:
    with open_source(path, frames=frames) as source:
        return source.info


@pytest.mark.parametrize(
    ("audio", "suffix"),
    [("aac", ".mp4"), ("aac", ".mkv"), ("aac", ".mov"), ("opus", ".mp4"), ("opus", ".mkv"), ("opus", ".webm")],
)
@pytest.mark.parametrize("codec", ["aac", "libopus"])
def test_sound_becomes_what_was_asked_for(tmp_path: Path, audio: str, suffix: str, codec: str) -> None:
    source = make_clicks(tmp_path / "in.mkv", codec)
    output = tmp_path / f"out{suffix}"
    check_sound(output, info(source), audio)
    assert carried(source, output, audio=audio) == []
    with av.open(str(output)) as container:
        assert [s.codec_context.codec.canonical_name for s in container.streams.audio] == [audio]
    assert clicks_s(output) == pytest.approx(clicks_s(source), abs=0.005)


@pytest.mark.parametrize(
    ("audio", "suffix", "takers"),
    [
        ("aac", ".webm", ".mp4, .mkv, .mov"), ("aac", ".avi", ".mp4, .mkv, .mov"), ("aac", ".gif", ".mp4, .mkv, .mov"),
        ("opus", ".mov", ".mp4, .mkv, .webm"), ("opus", ".avi", ".mp4, .mkv, .webm"),
    ],
)  # fmt: skip
def test_what_a_container_does_not_take_is_refused(tmp_path: Path, audio: str, suffix: str, takers: str) -> None:
    with pytest.raises(OutputError) as caught:
        check_sound(tmp_path / f"o{suffix}", info_of(tmp_path), audio)
    assert str(caught.value) == (
        f"{tmp_path / f'o{suffix}'}: does not take {audio} sound; end the output in {takers}, or use --audio auto, "
        "which converts what has to be"
    )


def test_copies_are_refused_where_they_cannot_be(tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mkv", audio="libopus")
    for suffix in (".mp4", ".mkv", ".webm"):
        check_sound(tmp_path / f"o{suffix}", info(source), "copy")
    for suffix in (".mov", ".avi", ".gif"):
        with pytest.raises(OutputError, match=r"as it is \(opus\); end the output in \.mp4, \.mkv, \.webm, or use"):
            check_sound(tmp_path / f"o{suffix}", info(source), "copy")
    pcm = make_video(tmp_path / "in.mov", audio="pcm_s16le")
    check_sound(tmp_path / "o.avi", info(pcm), "copy")
    with pytest.raises(OutputError, match=r"\(pcm_s16le\); end the output in \.mkv, \.mov, or"):
        check_sound(tmp_path / "o.avi", info(pcm, (3, 9)), "copy")


def test_silent_sources_refuse_nothing(tmp_path: Path) -> None:
    check_sound(tmp_path / "o.gif", info(make_video(tmp_path / "in.mp4")), "copy")
    check_sound(tmp_path / "o.gif", info_of(tmp_path), "copy")
    check_sound(tmp_path / "o.gif", info(make_video(tmp_path / "in.mp4", audio="aac")), "auto")
