"""Breaks in time are told from jitter, and sound may change on the way."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from films import clicks_s, make_clicks, passed_through, spliced

from vidstyle.media.containers import CONTAINERS
from vidstyle.media.streams.sound import Recoder

RATE = 48000
PIECE = 4800


def written(path: Path, starts: Sequence[int], rate: int = RATE) -> list[np.ndarray]:
    """Writes a film with pieces of noise that start at these samples, and returns the pieces."""
    rng = np.random.default_rng(1)
    pieces = [rng.integers(-9000, 9000, (1, PIECE), np.int16) for _ in starts]
    with av.open(str(path), "w") as output:
        video, sound = output.add_stream("libx264", rate=25), output.add_stream("pcm_s24le", rate=rate)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound.layout, sound.format = "mono", "s32"
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24").reformat(format="yuv420p")
        picture.pts = 0
        output.mux([*video.encode(picture), *video.encode(None)])
        for start, piece in zip(starts, pieces, strict=True):
            frame = av.AudioFrame.from_ndarray(piece.astype(np.int32) << 16, format="s32", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return pieces


def heard(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)])


@pytest.mark.parametrize(
    ("starts", "come"),
    [
        ([0, 4800, 19200, 24000], [0, 4800, 19200, 24000]),  # a break
        ([0, 4800 + 960], [0, 4800 + 960]),  # a short one
        ([0, 4800 + 48 * 3, 9600], [0, 4800, 9600]),  # jitter
        ([0, 4800 - 960, 9600], [0, 4800 - 960, 9600]),  # an overlap: what comes later is heard from its end on
        ([9600, 14400], [9600, 14400]),  # a late start
        ([0, 4800 + 3 * RATE + 480], [0, 4800 + 3 * RATE + 480]),  # a pause of seconds
    ],
)
def test_sound_keeps_its_time_to_the_sample(tmp_path: Path, starts: list[int], come: list[int]) -> None:
    pieces = written(tmp_path / "in.mkv", starts)
    notes = passed_through(tmp_path / "in.mkv", tmp_path / "out.avi")
    assert "converted to pcm_s16le" in notes[0]
    samples, end = heard(tmp_path / "out.avi"), 0
    for start, piece in zip(come, pieces, strict=True):
        assert not samples[end:start].any()
        begin = max(end, start)
        assert np.array_equal(samples[begin : start + PIECE], piece[0, begin - start :])
        end = start + PIECE
    assert len(samples) == end


def test_sound_goes_on_where_the_clock_runs_back(tmp_path: Path) -> None:
    pieces = written(tmp_path / "in.mkv", [0, 4 * RATE, 4 * RATE + PIECE])
    with av.open(str(tmp_path / "in.mkv")) as source, av.open(str(tmp_path / "out.wav"), "w") as output:
        recoder = Recoder(source.streams.audio[0], output, CONTAINERS[".avi"], "pcm_s16le", None)
        for number, packet in enumerate(source.demux(audio=0)):
            if packet.size:
                packet.pts = [0, 4000, 100][number]
                recoder.send(packet)
        recoder.finish()
    samples = heard(tmp_path / "out.wav")
    assert np.array_equal(samples[4 * RATE :], np.concatenate(pieces[1:], axis=1)[0])


@pytest.mark.parametrize(
    ("codec", "before", "after"),
    [
        ("ac3", ("stereo", 48000), ("mono", 48000)), ("ac3", ("mono", 48000), ("stereo", 48000)),
        ("ac3", ("stereo", 48000), ("5.1", 48000)), ("mp2", ("stereo", 48000), ("stereo", 32000)),
        ("mp2", ("stereo", 44100), ("mono", 48000)),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("suffix", "audio"), [(".mp4", "aac"), (".webm", "auto")])
def test_channels_and_rate_may_change_on_the_way(
    tmp_path: Path, codec: str, before: tuple[str, int], after: tuple[str, int], suffix: str, audio: str
) -> None:
    parts = [
        make_clicks(tmp_path / f"{number}.mkv", codec, rate=rate, layout=layout)
        for number, (layout, rate) in enumerate([before, after])
    ]
    source = spliced(*parts, tmp_path / "in.mkv", 0.68)
    passed_through(source, tmp_path / f"out{suffix}", audio=audio)
    # FFmpeg gives the first frame of another rate the old one; what is apart by so little is set right after eight.
    heard = [time_s for time_s in clicks_s(tmp_path / f"out{suffix}") if not 0.7 < time_s < 1]
    assert heard[:4] == pytest.approx([0.1, 0.35, 0.6, 1.1], abs=0.006)
