"""Chapters: shifted and cut with the pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from films import Film, chapters, make_film, passed_through
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.media.streams.metadata import cut_chapters

THREE = ((0, 400, "one"), (400, 720, "two"), (720, 1000, "three"))


@pytest.mark.parametrize("made", [".mp4", ".mkv"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_chapters_stay_where_they_are(tmp_path: Path, made: str, suffix: str) -> None:
    # AAC's priming samples make Matroska move all packets by 21 ms.
    source = make_film(tmp_path / f"in{made}", Film(chapters=THREE, sound=True))
    assert [title for *_, title in chapters(source)] == ["one", "two", "three"]
    passed_through(source, tmp_path / f"out{suffix}")
    for got, wanted in zip(chapters(tmp_path / f"out{suffix}"), chapters(source), strict=True):
        assert got[2] == wanted[2]
        assert max(abs(got[0] - wanted[0]), abs(got[1] - wanted[1])) <= 0.0015


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_chapters_of_a_range(tmp_path: Path, suffix: str) -> None:
    source = make_film(tmp_path / "in.mkv", Film(chapters=THREE))
    passed_through(source, tmp_path / f"out{suffix}", (12, 20))
    assert chapters(tmp_path / f"out{suffix}") == [(0.0, 0.24, "two"), (0.24, 0.32, "three")]


@pytest.mark.parametrize(("suffix", "word"), [(".avi", "AVI"), (".gif", "GIF")])
def test_chapters_are_missed_aloud(tmp_path: Path, suffix: str, word: str) -> None:
    source = make_film(tmp_path / "in.mkv", Film(chapters=THREE))
    assert passed_through(source, tmp_path / f"out{suffix}") == [
        f"in.mkv: the chapters were left out, {word} holds none"
    ]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(0, 99), st.integers(1, 99), st.integers(0, 9))
def test_cut_chapters_cover_what_is_rendered(lengths: list[int], first: int, count: int, lead: int) -> None:
    ends = [sum(lengths[: k + 1]) for k in range(len(lengths))]
    whole = [
        {"id": k, "start": end - length, "end": end, "time_base": Fraction(1, 10), "metadata": {"title": str(k)}}
        for k, (length, end) in enumerate(zip(lengths, ends, strict=True))
    ]
    kept = cut_chapters(whole, Fraction(first, 10), Fraction(first + count, 10), Fraction(lead, 10))
    for chapter in kept:
        assert lead * 10**5 <= chapter["start"] < chapter["end"] <= (lead + count) * 10**5
    shown = max(0, min(ends[-1], first + count) - first)
    assert sum(chapter["end"] - chapter["start"] for chapter in kept) == shown * 10**5
    assert [chapter["id"] for chapter in kept] == sorted(chapter["id"] for chapter in kept)
