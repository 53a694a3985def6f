"""Lists of times: what is written is read back exactly, and what is wrong is named with its line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.errors import SourceError
from vidstyle.frames import DEFAULT_FPS
from vidstyle.media.timestamps import TIMESTAMPS_NAME, FolderTimes, folder_times, timestamps_csv, usable_rate

NAMES = ["f1.png", "f2.png", "f10.png"]
FILES = [Path(name) for name in NAMES]


def times_of(folder: Path, text: str | bytes, *, is_whole: bool = True, files: list[Path] = FILES) -> FolderTimes:
    path = folder / TIMESTAMPS_NAME
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder_times(path, files, is_whole=is_whole)


def test_what_is_written() -> None:
    seconds = [Fraction(-1, 2), Fraction(0), Fraction(1001, 24000), Fraction(5, 4), Fraction(7)]
    names = ["a.png", "b,c.png", 'd"e.png', "雪.png", "f.png"]
    want = 'file,seconds\na.png,-0.5\n"b,c.png",0\n"d""e.png",1001/24000\n雪.png,1.25\nf.png,7\n'
    assert timestamps_csv(names, seconds) == want.encode()


@given(
    st.lists(st.integers(-(10**7), 4 * 10**7), unique=True, min_size=1, max_size=30),
    st.sampled_from([Fraction(1, 1000), Fraction(1001, 24000), Fraction(1, 90000), Fraction(1, 10**7), Fraction(2)]),
)
def test_any_times_come_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, ticks: list[int], base: Fraction
) -> None:
    seconds = [tick * base for tick in sorted(ticks)]
    files = [Path(f"s {k}.png") for k in range(len(ticks))]
    text = timestamps_csv([file.name for file in files], seconds)
    times = times_of(tmp_path_factory.mktemp("t"), text, files=files)
    assert [tick * times.time_base for tick in times.ticks] == seconds
    assert not times.is_rounded
    assert base.denominator % times.time_base.denominator == 0
    if len(seconds) > 1:
        exact = (len(seconds) - 1) / (seconds[-1] - seconds[0])
        assert times.rate == (usable_rate(exact) or DEFAULT_FPS)
        assert exact > 1000 or abs(times.rate - exact) <= Fraction(1, 10**6)


@given(st.text(max_size=80))
def test_any_text_is_times_or_an_error_that_names_the_file(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("t")
    for data in (text, f"file,seconds\nf1.png,0\n{text}"):
        try:
            times = times_of(folder, data.encode("utf-8", "surrogatepass"))
        except SourceError as error:
            assert TIMESTAMPS_NAME in str(error)
        else:
            assert len(times.ticks) == 3


BAD = {
    "file,seconds\nf1.png,0\nf2.png,1\n": "has no time for f10.png; add a line",
    "file,seconds\nf1.png,0\nf2.png,1\nf10.png,2\nf3.png,3\n": "line 5: there is no picture f3.png",
    "file,seconds\nf1.png,0\nf2.png,2\nf10.png,1\n": "line 4: f10.png is not later than f2.png",
    "file,seconds\nf1.png,0\nf2.png,1\nf10.png,1\n": "line 4: f10.png is not later than f2.png",
    "file,seconds\nf1.png,0\nf1.png,1\nf2.png,2\nf10.png,3\n": "line 3: f1.png has a time already, in line 2",
    "file,seconds\nf1.png,nan\n": "line 2: 'nan' is no time",
    "file,seconds\nf1.png,1e999999999\n": "line 2: '1e999999999' is no time",
    "file,seconds\nf1.png,1/0\n": "line 2: '1/0' is no time",
    "file,seconds\n\nf1.png\n": "line 3: too short",
    "a,b\n": "line 1: the columns are a,b",
    "": "has no time for f1.png",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError) as caught:
        times_of(tmp_path, text)
    assert BAD[text] in str(caught.value)


def test_the_order_of_rows_other_columns_and_suffixes_do_not_matter(tmp_path: Path) -> None:
    text = "\ufeffseconds , what,FILE\r\n3,x,f10.tif\r\n\r\n1/3,y,f2\r\n 0.25 ,z,f1.png\r\n"
    times = times_of(tmp_path, text)
    assert [tick * times.time_base for tick in times.ticks] == [Fraction(1, 4), Fraction(1, 3), Fraction(3)]


def test_names_that_differ_by_suffix_only_must_be_whole(tmp_path: Path) -> None:
    files = [Path("a.jpg"), Path("a.png")]
    assert times_of(tmp_path, "file,seconds\na.png,1\na.jpg,0\n", files=files).ticks == (0, 1)
    with pytest.raises(SourceError, match=r"line 2: there is no picture a\.tif"):
        times_of(tmp_path, "file,seconds\na.tif,1\na.jpg,0\n", files=files)


def test_a_part_of_the_pictures(tmp_path: Path) -> None:
    text = "file,seconds\nf1.png,0\nf2.png,1\nother.png,7\nf10.png,2\n"
    assert times_of(tmp_path, text, is_whole=False).ticks == (0, 1, 2)


def test_times_finer_than_any_clock_are_rounded_and_stay_apart(tmp_path: Path) -> None:
    text = "file,seconds\nf1.png,0\nf2.png,0.00000000001\nf10.png,0.0333333333333\n"
    times = times_of(tmp_path, text)
    assert (times.ticks, times.time_base, times.is_rounded) == ((0, 1, 33333), Fraction(1, 10**6), True)


def test_a_file_that_is_far_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidstyle.media.timestamps.LARGEST_BYTES", 10)
    with pytest.raises(SourceError, match="far too large"):
        times_of(tmp_path, "file,seconds\nf1.png,0\n")


@pytest.mark.parametrize(
    "words",
    [
        [repr(k * 1001 / 30000) for k in range(3)],
        [f"{k * 1001 / 30000:.6f}" for k in range(2201)],
        [f"{k * 3003 + k % 7}/90000" for k in range(3000)],
    ],
)
def test_any_times_have_a_rate_that_ffmpeg_can_hold(tmp_path: Path, words: list[str]) -> None:
    files = [tmp_path / f"{k}.png" for k in range(len(words))]
    rows = "".join(f"{file.name},{word}\n" for file, word in zip(files, words, strict=True))
    (tmp_path / "timestamps.csv").write_text("file,seconds\n" + rows)
    times = folder_times(tmp_path / "timestamps.csv", files, is_whole=True)
    assert float(times.rate) == pytest.approx(29.97, rel=1e-3)
    assert max(times.rate.numerator, times.rate.denominator, times.time_base.denominator) < 2**31


def test_blanks_around_names_and_times_do_not_count_but_those_in_names_do(tmp_path: Path) -> None:
    files = [tmp_path / " a.png", tmp_path / "b.png"]
    (tmp_path / "timestamps.csv").write_text("file,seconds\n a.png,0\n b.png , 1 \n")
    assert folder_times(tmp_path / "timestamps.csv", files, is_whole=True).ticks == (0, 1)


def test_a_time_in_the_far_future_is_none(tmp_path: Path) -> None:
    (tmp_path / "timestamps.csv").write_text("file,seconds\na.png,99999999999\n")
    with pytest.raises(SourceError, match="'99999999999' is no time"):
        folder_times(tmp_path / "timestamps.csv", [tmp_path / "a.png"], is_whole=True)
