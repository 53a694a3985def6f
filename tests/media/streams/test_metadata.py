"""Tags: what is kept, what is not, and in which words."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from clips import make_video
from films import TAGS, Film, Sub, make_film, passed_through, tags
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.media.streams.metadata import advanced_timecode, is_location, kept_tags, lost_tags

APPLE = {
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.creationdate": "2020-01-02T03:04:05+0200",
    "com.apple.quicktime.location.ISO6709": "+48.8500+002.2900+035.000/",
}


@pytest.mark.parametrize("made", [".mp4", ".mkv"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
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
def test_a_telephones_tags(tmp_path: Path, suffix: str) -> None:
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


@pytest.mark.parametrize(("suffix", "word"), [(".mp4", "MP4"), (".mov", "MOV"), (".avi", "AVI"), (".gif", "GIF")])
def test_tags_without_a_place_are_missed_aloud(tmp_path: Path, suffix: str, word: str) -> None:
    source = make_film(tmp_path / "in.mkv", Film(tags={"title": "A film", "director": "she"}))
    missing = "director, title" if suffix == ".gif" else "director"
    notes = passed_through(source, tmp_path / f"out{suffix}")
    assert notes == [f"in.mkv: tags left out, since {word} has no place for them: {missing}"]


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
    for frames, wanted in (((0, None), "01:02:03:20"), ((7, 20), "01:02:04:02")):
        assert passed_through(source, tmp_path / f"out{suffix}", frames) == []
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            found = {key.lower(): value for key, value in container.streams.video[0].metadata.items()}
        assert found["timecode"] == wanted


def test_timecode_into_avi_is_missed_aloud(tmp_path: Path) -> None:
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
    for frames, wanted in (((0, None), "01:02:03:4"), ((7, 12), "01:02:04:1")):
        assert passed_through(source, tmp_path / f"out{suffix}", frames) == []
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            found = {key.lower(): value for key, value in container.streams.video[0].metadata.items()}
        assert found["timecode"] == wanted


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


def test_languages_without_a_place_are_missed_aloud(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", Film(subs=[Sub("subrip", language="swe"), Sub("subrip", language="deu")]))
    notes = passed_through(source, tmp_path / "out.mov")
    assert notes == ["in.mkv: tags left out, since MOV has no place for them: language swe"]
    assert passed_through(source, tmp_path / "out.mp4") == []
