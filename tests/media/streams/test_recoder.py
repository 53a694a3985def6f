"""Breaks in time are told from jitter, and sound may change on the way."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from beside import carried, clicks_s, make_clicks, spliced
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.media.streams.sound import GAP_S, STEADY_FRAMES, Drift

milliseconds = st.integers(-39, 39).map(lambda number: Fraction(number, 1000))


@given(st.lists(st.tuples(milliseconds, st.booleans()), max_size=40))
def test_jitter_around_the_right_time_moves_nothing(jitter: list[tuple[Fraction, bool]]) -> None:
    drift = Drift()
    for number, (apart_s, _) in enumerate(jitter):
        assert drift.correction_s(apart_s if number % STEADY_FRAMES else Fraction(0)) == 0


@given(milliseconds)
def test_what_stays_is_corrected(apart_s: Fraction) -> None:
    drift = Drift()
    moved = [drift.correction_s(apart_s) for _ in range(STEADY_FRAMES)]
    assert moved == [0] * (STEADY_FRAMES - 1) + [apart_s if abs(apart_s) > Fraction(4, 1000) else 0]


def test_breaks_are_corrected_at_once_and_broken_clocks_not() -> None:
    drift = Drift()
    assert drift.correction_s(GAP_S * 2) == GAP_S * 2
    assert drift.correction_s(Fraction(3600)) == 3600
    assert drift.correction_s(-GAP_S * 2) == -GAP_S * 2
    assert drift.correction_s(Fraction(-2)) == 0


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
    carried(source, tmp_path / f"out{suffix}", audio=audio)
    # FFmpeg gives the first frame of another rate the old one; what is apart by so little is set right after eight.
    heard = [time_s for time_s in clicks_s(tmp_path / f"out{suffix}") if not 0.7 < time_s < 1]
    assert heard[:4] == pytest.approx([0.1, 0.35, 0.6, 1.1], abs=0.006)
