"""Subtitles: copied or converted, in time, cut with the pictures."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import pytest
from av.stream import Disposition
from films import STYLES, Film, Sub, make_film, passed_through, texts
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.media.streams.subtitles import LARGEST_EVENT_BYTES, Overlaps

MOV_TEXT = ((b"\0\5hello", 200, 300), (b"\0\3end", 600, 200))
PLAIN = ((b"hello", 200, 300), (b"end", 600, 200))
ASS = ((rb"0,0,Default,,0,0,0,,{\i1}hello{\i0}", 200, 300), (rb"1,0,Default,,0,0,0,,end", 600, 200))


def subs_of(path: Path) -> list[tuple[str, dict[str, str], int]]:
    with av.open(str(path)) as container:
        streams = container.streams.subtitles
        return [(s.codec_context.codec.canonical_name, s.metadata, int(s.disposition)) for s in streams]


@pytest.mark.parametrize(
    ("made", "sub", "suffix", "becomes"),
    [
        (".mkv", Sub("subrip", PLAIN), ".mkv", "subrip"), (".mkv", Sub("subrip", PLAIN), ".mp4", "mov_text"),
        (".mkv", Sub("subrip", PLAIN), ".mov", "mov_text"), (".mkv", Sub("subrip", PLAIN), ".webm", "webvtt"),
        (".mp4", Sub("mov_text", MOV_TEXT), ".mp4", "mov_text"), (".mp4", Sub("mov_text", MOV_TEXT), ".mkv", "subrip"),
        (".mov", Sub("mov_text", MOV_TEXT), ".mov", "mov_text"), (".mp4", Sub("mov_text", MOV_TEXT), ".webm", "webvtt"),
        (".mkv", Sub("ass", ASS, header=STYLES), ".mkv", "ass"),
        (".mkv", Sub("ass", ASS, header=STYLES), ".mp4", "mov_text"),
        (".mkv", Sub("webvtt", PLAIN), ".webm", "webvtt"), (".mkv", Sub("webvtt", PLAIN), ".mp4", "mov_text"),
    ],
)  # fmt: skip
def test_text_in_time(tmp_path: Path, made: str, sub: Sub, suffix: str, becomes: str) -> None:
    source = make_film(tmp_path / f"in{made}", Film(subs=[sub], start=5))
    before = [(start, length, text.strip()) for start, length, text in texts(source)]
    assert [text for *_, text in before] == ["hello" if sub.codec != "ass" else r"{\i1}hello{\i0}", "end"]
    output = tmp_path / f"out{suffix}"
    assert passed_through(source, output) == []
    ((name, tags, _),) = subs_of(output)
    assert name == becomes
    assert tags.get("title") or tags.get("name") == "Texte"
    assert tags["language"] == "fra"
    after = texts(output)
    assert [text.replace(r"{\i1}", "").replace(r"{\i0}", "") for *_, text in after] == ["hello", "end"]
    for (start, length, _), (wanted_start, wanted_length, _) in zip(after, before, strict=True):
        assert abs(start - wanted_start) <= 0.001
        assert abs(length - wanted_length) <= 0.001


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".webm"])
def test_a_range_cuts_what_hangs_over(tmp_path: Path, suffix: str) -> None:
    events = [(b"before", 0, 100), (b"into", 200, 300), (b"inside", 520, 40), (b"out", 600, 300), (b"after", 720, 90)]
    source = make_film(tmp_path / "in.mkv", Film(subs=[Sub("subrip", events)]))
    passed_through(source, tmp_path / f"out{suffix}", (10, 18))
    shown = [(round(start, 3), round(length, 3), text) for start, length, text in texts(tmp_path / f"out{suffix}")]
    assert shown == [(0.0, 0.1, "into"), (0.12, 0.04, "inside"), (0.2, 0.12, "out")]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".webm"])
def test_several_tracks_and_their_marks(tmp_path: Path, suffix: str) -> None:
    subs = [
        Sub("subrip", PLAIN, "deu", "Alles"),
        Sub("subrip", PLAIN[1:], "eng", "Signs", disposition=Disposition.forced),
        Sub("subrip", PLAIN, "fra", "Pour sourds", disposition=Disposition.hearing_impaired),
    ]
    output = tmp_path / f"out{suffix}"
    assert passed_through(make_film(tmp_path / "in.mkv", Film(subs=subs)), output) == []
    found = subs_of(output)
    assert [tags["language"] for _, tags, _ in found] == ["deu", "eng", "fra"]
    assert [tags.get("title") or tags["name"] for _, tags, _ in found] == ["Alles", "Signs", "Pour sourds"]
    marks = Disposition.forced | Disposition.hearing_impaired
    if suffix != ".mkv":  # the others know "forced" only
        marks = Disposition.forced
    assert [mark & marks for *_, mark in found] == [0, Disposition.forced, Disposition.hearing_impaired & marks]
    assert [len(texts(output, track)) for track in range(3)] == [2, 1, 2]


def test_pictures_of_text_are_copied_or_noted(tmp_path: Path) -> None:
    # Two segments of a presentation graphics stream: a composition without objects, and the end.
    blank = b"\x16\0\x0b\0\x40\0\x30\x10\0\1\x80\0\0\0" + b"\x80\0\0"
    sub = Sub("hdmv_pgs_subtitle", ((blank, 200, 0), (blank, 500, 0)))
    source = make_film(tmp_path / "in.mkv", Film(subs=[sub]))
    assert passed_through(source, tmp_path / "out.mkv") == []
    with av.open(str(tmp_path / "out.mkv")) as container:
        packets = [p for p in container.demux(container.streams.subtitles[0]) if p.size]
        assert [(p.pts, bytes(p)) for p in packets] == [(200, blank), (500, blank)]
    for suffix, word in ((".mp4", "MP4"), (".webm", "WEBM"), (".gif", "GIF")):
        notes = passed_through(source, tmp_path / f"out{suffix}")
        assert notes == [f"in.mkv: 1 subtitle track was left out, {word} does not take such (hdmv_pgs_subtitle)"]


def test_text_into_avi_is_noted(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", Film(subs=[Sub("subrip"), Sub("subrip")]))
    notes = passed_through(source, tmp_path / "o.avi")
    assert notes == ["in.mkv: 2 subtitle tracks were left out, AVI does not take such (subrip)"]


def test_events_that_cannot_be_converted_are_counted(tmp_path: Path) -> None:
    events = [(b"x" * (LARGEST_EVENT_BYTES + 1), 100, 100), (b"fine", 400, 100)]
    source = make_film(tmp_path / "in.mkv", Film(subs=[Sub("subrip", events)]))
    assert passed_through(source, tmp_path / "o.mp4") == [
        "in.mkv: 1 subtitle was left out, which could not be converted"
    ]
    assert [text for *_, text in texts(tmp_path / "o.mp4")] == ["fine"]


OVERLAPPING = ((b"sign", 200, 700), (b"one", 320, 80), (b"A", 480, 120), (b"B", 480, 120), (b"late", 800, 160))


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_texts_at_once_are_shown_at_once(tmp_path: Path, suffix: str) -> None:
    source = make_film(tmp_path / "in.mkv", Film(subs=[Sub("subrip", OVERLAPPING)]))
    assert passed_through(source, tmp_path / f"out{suffix}") == []
    shown = [(round(start, 3), round(length, 3), text) for start, length, text in texts(tmp_path / f"out{suffix}")]
    assert shown == [
        (0.2, 0.12, "sign"), (0.32, 0.08, "sign\none"), (0.4, 0.08, "sign"), (0.48, 0.12, "sign\nA\nB"),
        (0.6, 0.2, "sign"), (0.8, 0.1, "sign\nlate"), (0.9, 0.06, "late"),
    ]  # fmt: skip


events = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)), max_size=12)


@given(events)
def test_overlaps_show_at_each_moment_what_was_shown(spans: list[tuple[int, int]]) -> None:
    overlaps, found = Overlaps(), []
    spans = sorted(spans, key=lambda span: span[0])
    for number, (start, length) in enumerate(spans):
        found += overlaps.until(start)
        overlaps.add(start + length, [b"%d" % number])
    found += overlaps.until(None)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    for moment in range(60):
        expected = [b"%d" % k for k, (start, length) in enumerate(spans) if start <= moment < start + length]
        assert [shown for start, stop, shown in found if start <= moment < stop] == ([expected] if expected else [])
