"""Tags, timecodes, chapters, fonts, cover pictures and data: what is kept, what is not, and what notes say."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from clips import make_video
from films import TAGS, Film, Sub, chapters, cover_picture, make_film, passed_through, tags
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.media.streams.metadata import advanced_timecode, cut_chapters, is_cover, is_location, kept_tags, lost_tags

APPLE = {
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.creationdate": "2020-01-02T03:04:05+0200",
    "com.apple.quicktime.location.ISO6709": "+48.8500+002.2900+035.000/",
}


@pytest.mark.parametrize(
    ("made", "suffix"), [(".mp4", ".mkv"), (".mkv", ".mp4"), (".mkv", ".mkv"), (".mkv", ".mov"), (".mkv", ".webm")]
)
@pytest.mark.parametrize("location", [True, False])
def test_tags_are_kept_and_places_on_request_not(tmp_path: Path, made: str, suffix: str, location: bool) -> None:
    source = make_film(tmp_path / f"in{made}", Film(tags=TAGS))
    assert passed_through(source, tmp_path / f"out{suffix}", location=location) == []
    before, after = tags(source), tags(tmp_path / f"out{suffix}")
    assert {key: after[key] for key in ("title", "artist", "creation_time")} == {
        "title": "A film", "artist": "me", "creation_time": "2020-01-02T03:04:05.000000Z"
    }  # fmt: skip
    assert ("location" in after) == location
    if location:
        assert after["location"].startswith(before["location"][:6])
    else:
        assert b"48.85" not in (tmp_path / f"out{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_the_tags_of_a_telephone(tmp_path: Path, suffix: str) -> None:
    film = Film(tags=TAGS | APPLE, options={"movflags": "use_metadata_tags"})
    source = make_film(tmp_path / "in.mov", film)
    assert passed_through(source, tmp_path / f"out{suffix}") == []
    after = tags(tmp_path / f"out{suffix}")
    assert {key.lower(): value for key, value in APPLE.items()}.items() <= after.items()
    assert after["title"] == "A film"
    passed_through(source, tmp_path / f"less{suffix}", location=False)
    less = tags(tmp_path / f"less{suffix}")
    assert "com.apple.quicktime.make" in less
    assert [key for key in less if is_location(key)] == []
    assert b"48.85" not in (tmp_path / f"less{suffix}").read_bytes()


@pytest.mark.parametrize(("suffix", "word"), [(".mp4", "MP4"), (".mov", "MOV"), (".avi", "AVI")])
def test_tags_without_a_place_are_noted(tmp_path: Path, suffix: str, word: str) -> None:
    source = make_film(tmp_path / "in.mkv", Film(tags={"title": "A film", "director": "she"}))
    notes = passed_through(source, tmp_path / f"out{suffix}")
    assert notes == [f"in.mkv: tags left out, since {word} has no place for them: director"]


def test_what_tells_of_the_old_file_is_left_behind(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", Film(tags=TAGS, video_tags={"encoder": "old"}))
    passed_through(source, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        names = {key.lower() for key in (*container.metadata, *container.streams.video[0].metadata)}
    assert names == {"title", "artist", "creation_time", "location", "location-eng", "encoder", "duration"}
    assert tags(tmp_path / "out.mkv")["encoder"] == "Lavf"  # without a version


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_title_and_language_of_the_pictures(tmp_path: Path, suffix: str) -> None:
    source = make_film(tmp_path / "in.mkv", Film(video_tags={"language": "ita", "title": "Main"}))
    passed_through(source, tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        found = container.streams.video[0].metadata
    assert (found["language"], found.get("title") or found["name"]) == ("ita", "Main")


@pytest.mark.parametrize("made", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_timecode_runs_on(tmp_path: Path, made: str, suffix: str) -> None:
    source = make_film(tmp_path / f"in{made}", Film(video_tags={"timecode": "01:02:03:20"}))
    for frames, expected in (((0, None), "01:02:03:20"), ((7, 20), "01:02:04:02")):
        assert passed_through(source, tmp_path / f"out{suffix}", frames) == []
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            found = {key.lower(): value for key, value in container.streams.video[0].metadata.items()}
        assert found["timecode"] == expected


def test_timecode_into_avi_is_noted(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mov", Film(video_tags={"timecode": "01:02:03:20"}))
    notes = passed_through(source, tmp_path / "out.avi")
    assert notes == ["in.mov: tags left out, since AVI has no place for them: timecode"]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_timecode_with_one_digit_for_the_frame(tmp_path: Path, suffix: str) -> None:
    silent = make_video(tmp_path / "silent.mkv", rate=Fraction(10))
    source = tmp_path / "in.mov"
    with av.open(str(silent)) as container, av.open(str(source), "w") as output:
        stream = output.add_stream_from_template(container.streams.video[0])
        stream.metadata["timecode"] = "01:02:03:4"
        for packet in container.demux(video=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    for frames, expected in (((0, None), "01:02:03:4"), ((7, 12), "01:02:04:1")):
        assert passed_through(source, tmp_path / f"out{suffix}", frames) == []
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            found = {key.lower(): value for key, value in container.streams.video[0].metadata.items()}
        assert found["timecode"] == expected


def test_timecodes_count_as_broadcasters_do() -> None:
    rate = Fraction(30000, 1001)
    assert advanced_timecode("00:00:59;29", 1, rate) == "00:01:00;02"
    assert advanced_timecode("00:09:59;29", 1, rate) == "00:10:00;00"
    assert advanced_timecode("01:00:00;00", -1, rate) == "00:59:59;29"
    assert advanced_timecode("00:00:59;59", 1, 2 * rate) == "00:01:00;04"
    assert advanced_timecode("00:00:00;00", 107892, rate) == "01:00:00;00"  # an hour has 107,892 frames
    assert advanced_timecode("23:59:59:24", 1, Fraction(25)) == "00:00:00:00"
    for wrong in ("", "1:2:3:4", "00:00:00:25", "00:60:00:00", "00:00:00;00"):
        assert advanced_timecode(wrong, 1, Fraction(25)) is None


@given(st.integers(0, 2_000_000), st.integers(0, 200_000), st.sampled_from([24, 25, 30, 60]), st.booleans())
def test_timecodes_add_up(start: int, more: int, nominal: int, drops: bool) -> None:
    rate = Fraction(nominal * 1000, 1001)
    zero = "00:00:00;00" if drops and nominal in (30, 60) else "00:00:00:00"
    once = advanced_timecode(zero, start, rate)
    assert once is not None
    assert advanced_timecode(once, more, rate) == advanced_timecode(zero, start + more, rate)
    assert advanced_timecode(once, -start, rate) == zero


def test_places_have_many_names() -> None:
    places = ["location", "location-eng", "LOCATION", "com.apple.quicktime.location.ISO6709", "GPSLatitude", "xyz"]
    assert all(is_location(key) for key in places)
    assert not any(is_location(key) for key in ("title", "comment", "creation_time", "make"))
    assert kept_tags({"location": "x", "title": "y", "encoder": "z"}, location=False) == {"title": "y"}


def test_lost_tags_know_the_languages_that_mp4_adds() -> None:
    assert lost_tags(["title", "Location-eng", "foo"], ["TITLE", "location-eng", "location"]) == ["foo"]
    assert lost_tags(["location-eng"], ["location"]) == []


def test_languages_without_a_place_are_noted(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", Film(subs=[Sub("subrip", language="swe"), Sub("subrip", language="deu")]))
    notes = passed_through(source, tmp_path / "out.mov")
    assert notes == ["in.mkv: tags left out, since MOV has no place for them: language swe"]
    assert passed_through(source, tmp_path / "out.mp4") == []


THREE = ((0, 400, "one"), (400, 720, "two"), (720, 1000, "three"))


@pytest.mark.parametrize(
    ("made", "suffix"), [(".mp4", ".mkv"), (".mkv", ".mp4"), (".mkv", ".mkv"), (".mkv", ".mov"), (".mkv", ".webm")]
)
def test_chapters_stay_where_they_are(tmp_path: Path, made: str, suffix: str) -> None:
    # AAC's priming samples make Matroska move all packets by 21 ms.
    source = make_film(tmp_path / f"in{made}", Film(chapters=THREE, sound=True))
    assert [title for *_, title in chapters(source)] == ["one", "two", "three"]
    passed_through(source, tmp_path / f"out{suffix}")
    for got, expected in zip(chapters(tmp_path / f"out{suffix}"), chapters(source), strict=True):
        assert got[2] == expected[2]
        assert max(abs(got[0] - expected[0]), abs(got[1] - expected[1])) <= 0.0015


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_chapters_of_a_range(tmp_path: Path, suffix: str) -> None:
    source = make_film(tmp_path / "in.mkv", Film(chapters=THREE))
    passed_through(source, tmp_path / f"out{suffix}", (12, 20))
    assert chapters(tmp_path / f"out{suffix}") == [(0.0, 0.24, "two"), (0.24, 0.32, "three")]


def test_chapters_are_noted(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", Film(chapters=THREE))
    assert passed_through(source, tmp_path / "out.avi") == ["in.mkv: the chapters were left out, AVI holds none"]


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


def covers_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams.video if is_cover(stream)]
        return [bytes(p) for p in container.demux(*streams) if p.size] if streams else []


def test_fonts_go_to_mkv_and_are_noted_elsewhere(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", Film(fonts=["a.ttf", "b.ttf"]))
    assert passed_through(source, tmp_path / "out.mkv") == []
    with av.open(str(tmp_path / "out.mkv")) as container:
        found = [(s.name, s.mimetype, s.data) for s in container.streams.attachments]
    mimetype = "application/x-truetype-font"
    assert found == [("a.ttf", mimetype, b"a.ttf" * 30), ("b.ttf", mimetype, b"b.ttf" * 30)]
    for suffix, word in ((".mp4", "MP4"), (".mov", "MOV"), (".webm", "WEBM"), (".avi", "AVI")):
        notes = passed_through(source, tmp_path / f"out{suffix}")
        assert notes == [f"in.mkv: the attached files (a.ttf, b.ttf) were left out, {word} holds none"]


@pytest.mark.parametrize(("made", "frames"), [(".mkv", (0, None)), (".mp4", (5, 9))])
def test_the_cover_is_copied(tmp_path: Path, made: str, frames: tuple[int, int | None]) -> None:
    source = make_film(tmp_path / f"in{made}", Film(cover=True, tags={"title": "x"}))
    assert covers_of(source) == [cover_picture()]
    for suffix in (".mkv", ".mp4"):
        assert passed_through(source, tmp_path / f"out{suffix}", frames) == []
        assert covers_of(tmp_path / f"out{suffix}") == [cover_picture()]
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            shown = sum(1 for packet in container.demux(container.streams.video[0]) if packet.size)
        assert shown == (25 if frames[1] is None else 4)
    for suffix, word in ((".mov", "MOV"), (".webm", "WEBM")):
        notes = passed_through(source, tmp_path / f"out{suffix}", frames)
        assert notes == [f"in{made}: the cover pictures were left out, {word} holds none"]


def data_of(path: Path) -> list[tuple[float, float, bytes]]:
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(container.streams.data[0]) if p.size]
        return [(float(p.pts * p.time_base), float(p.duration * p.time_base), bytes(p)) for p in packets]


def test_data_is_copied_in_mp4_and_mov(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", Film(data="bin_data"))
    assert [start for start, *_ in data_of(source)] == [0, 0.4, 0.8]
    for suffix in (".mp4", ".mov"):
        output = tmp_path / f"out{suffix}"
        assert passed_through(source, output) == []
        assert data_of(output) == data_of(source)
        passed_through(source, output, (5, 15))
        assert data_of(output) == [(0.0, 0.2, b"position"), (0.2, 0.2, b"position")]
        notes = passed_through(source, output, location=False)
        assert notes == ["in.mp4: 1 data track was left out, which may tell places"]
        with av.open(str(output)) as container:
            assert len(container.streams.data) == 0


def test_data_elsewhere_is_noted(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.ts", Film(data="klv"))
    for suffix, word in ((".mkv", "MKV"), (".mp4", "MP4")):
        notes = passed_through(source, tmp_path / f"out{suffix}")
        assert notes == [f"in.ts: 1 data track was left out, {word} does not take such"]


def test_a_cover_with_the_tags_of_a_telephone_is_noted(tmp_path: Path) -> None:
    # FFmpeg has either QuickTime's tags or a cover in MP4.
    source = make_film(tmp_path / "in.mkv", Film(cover=True, tags={"com.apple.quicktime.make": "Apple"}))
    assert passed_through(source, tmp_path / "out.mp4") == ["in.mkv: the cover pictures were left out, MP4 holds none"]
    assert covers_of(tmp_path / "out.mp4") == []
