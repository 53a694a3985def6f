"""The table's own readers tell what is there, and its expectations can fail."""

import copy
import json
from fractions import Fraction

import numpy as np
import pytest
from media_examples import cases, comparing, drawing, facts, sound, writing
from scripting import loaded_script

from vidstyle import VidstyleError


@pytest.fixture(scope="module")
def benchmark():
    with loaded_script("benchmark_media") as module:
        yield module


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Facts of a file with something of everything."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    color = drawing.Color(drawing.BT709, drawing.BT709, drawing.BT709)
    writing.write_clip(
        path,
        [writing.Video(frames=8, color=color, aspect=Fraction(4, 3))],
        [sound.Sound("flac", language="eng"), sound.Sound("flac", language="deu", seed=2)],
        [writing.Subtitles()],
        writing.Extras(
            chapters=((0.0, 0.2, "a"),), metadata={"title": "t"}, attachments=(("a.ttf", "font/ttf", b"letters"),)
        ),
    )
    return facts.facts_of(path)


@pytest.mark.parametrize(
    ("codes", "full", "pix_fmt", "most"),
    [
        ((1, 1, 1), False, "yuv444p", 0.6),
        ((6, 6, 6), False, "yuv420p", 0.5),
        ((5, 5, 6), True, "yuvj420p", 0.5),
        ((1, 1, 1), True, "yuv422p10le", 0.2),
        ((9, 9, 14), False, "yuv420p10le", 0.3),
    ],
)
def test_pictures_are_written_and_read_by_the_definition_of_their_tags(codes, full, pix_fmt, most, tmp_path):
    video = writing.Video(frames=2, color=drawing.Color(*codes, full), pix_fmt=pix_fmt)
    read = facts.facts_of(writing.write_clip(tmp_path / "a.mkv", [video]))
    for index, frame in enumerate(read.frames):
        assert np.abs(frame - video.shown(index)).mean() < most
    other = drawing.Color(*(1, 1, 1) if codes[0] != 1 else (6, 6, 6), full)
    # Which another matrix or, for BT.2020, other primaries would not give.
    frame = drawing.to_av(video.shown(0), pix_fmt, video.color)
    frame.colorspace, frame.color_primaries, frame.color_trc = other.matrix, other.primaries, other.transfer
    assert np.abs(drawing.from_av(frame) - video.shown(0)).mean() > 2


def test_levels_are_those_of_the_standard():
    white, black = np.full((2, 2, 3), 255, np.float32), np.zeros((2, 2, 3), np.float32)
    limited = drawing.Color(drawing.BT709, drawing.BT709, drawing.BT709)
    assert drawing.to_av(white, "yuv444p", limited).to_ndarray()[0].max() == 235
    assert drawing.to_av(black, "yuv444p", limited).to_ndarray()[0].max() == 16
    # ITU-R BT.2408: SDR white is at 58 % of PQ and 75 % of HLG.
    for transfer, share in ((drawing.PQ, 0.58), (drawing.HLG, 0.75)):
        signal = drawing.encoded_light(white, drawing.Color(drawing.BT2020, drawing.BT2020, transfer))
        assert signal == pytest.approx(share, abs=0.002)


def faults(read, change, **expected):
    """What is found when a perfect result is spoilt by `change`."""
    result = copy.deepcopy(read)
    change(result)
    return comparing.compared(read, result, cases.Expected(**expected), []).faults


def test_what_came_out_as_it_went_in_has_no_fault(read):
    assert faults(read, lambda _: None) == []


def brighter(read):
    read.frames = [frame + 1.1 for frame in read.frames]


def one_brighter(read):
    read.frames[2] = read.frames[2] + 3


def swapped(read):
    read.frames[2], read.frames[3] = read.frames[3], read.frames[2]


def one_less(read):
    del read.frames[4], read.times[4]


def one_twice(read):
    read.frames[4] = read.frames[3]


def one_late(read):
    read.times[3] += Fraction(1, 500)


def back_in_time(read):
    read.times[3] = read.times[2]


def short(read):
    read.last_duration_s /= 2


def later_sound(read):
    times, wave = read.audio[1].wave
    read.audio[1].wave = times + 0.006, wave


def other_sound(read):
    read.audio[0].wave = read.audio[1].wave


def cut_sound(read):
    times, wave = read.audio[0].wave
    read.audio[0].wave = times[: len(times) * 2 // 3], wave[:, : len(times) * 2 // 3]


def no_title(read):
    read.metadata = {}


def other_words(read):
    codec, language, cues = read.subtitles[0]
    read.subtitles[0] = codec, language, [(cues[0][0], "Nothing"), *cues[1:]]


def late_words(read):
    codec, language, cues = read.subtitles[0]
    read.subtitles[0] = codec, language, [(start + 0.02, text) for start, text in cues]


def late_chapter(read):
    read.chapters = [(start + 0.02, end, title) for start, end, title in read.chapters]


def attribute(name, value):
    return lambda read: setattr(read, name, value)


SPOILT = {
    "colors": brighter,
    "a frame 3.00 levels": one_brighter,
    "frame 2 is the source's 3": swapped,
    "7 frames instead of 8": one_less,
    "frame 4 is the source's 3": one_twice,
    "times up to 2.0 ms": one_late,
    "times do not ascend": back_in_time,
    "the last frame lasts": short,
    "track 1 is 6.0 ms late": later_sound,
    "track 0 sounds otherwise": other_sound,
    "track 0 ends": cut_sound,
    "metadata lost: title": no_title,
    "subtitles say": other_words,
    "subtitles are 20 ms off": late_words,
    "chapter": late_chapter,
    "0 audio tracks": attribute("audio", []),
    "0 subtitles": attribute("subtitles", []),
    "0 chapters": attribute("chapters", []),
    "0 attachments": attribute("attachments", []),
    "pixels of 1": attribute("aspect", Fraction(1)),
    "a rotation tag": attribute("rotation", 180),
    "displayed at": attribute("size", (98, 64)),
    "not tagged in full": attribute("color", ("limited", "2", "-", "-")),
    "10 bits": attribute("bits", 10),
    "still interlaced": attribute("interlaced", 3),
    "cannot be decoded": attribute("lost", 1),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_a_wrong_result_is_told(fault, read):
    assert any(fault in said for said in faults(read, SPOILT[fault], metadata={"title": "t"}))


def test_a_note_that_is_not_said_is_missed(read):
    assert faults(read, lambda _: None, notes=("tone",)) == ["no note says /tone/"]


def test_the_table_has_a_line_for_each_file(benchmark, tmp_path, capsys):
    names = ["vfr_mp4", "turned_90", "two_tracks", "folder_mixed"]
    assert benchmark.main(["--only", *names, "--json", str(tmp_path / "all.json")]) == 0
    shown = capsys.readouterr().out.splitlines()
    rows = [line.split(" | ") for line in shown if line.startswith("| ")]
    assert [row[0].strip("| ") for row in rows[1:]] == names
    assert shown[-1] == "4 ok"
    kept = json.loads((tmp_path / "all.json").read_text())
    assert [line["file"] for line in kept] == names
    assert kept[2]["cells"]["audio"] == "aac 48000 stereo, aac 48000 stereo"


def test_a_render_that_fails_is_a_line_too(benchmark, monkeypatch, capsys):
    def fail(*_):
        raise VidstyleError("out of paint")

    monkeypatch.setattr("media_files.rendering.stylize", fail)
    assert benchmark.main(["--only", "ntsc", "folder_mixed"]) == 1
    shown = capsys.readouterr().out
    assert "wrong: refused: out of paint |" in shown
    assert "which does not say /48x48 pixels/" in shown


def test_the_judge_is_asked_about_each_file(benchmark, tmp_path, capsys):
    judge = tmp_path / "judge.py"
    judge.write_text(
        "import json, sys\n"
        "assert sys.argv[1] == 'media' and sys.argv[2].endswith('in.mp4') and sys.argv[3].endswith('out.mp4')\n"
        "print(json.dumps({'largest_timestamp_gap_ms': 0.25, 'audio_sync_ms': [1.5], 'audio_identical': True}))\n"
    )
    assert benchmark.main(["--only", "ntsc", "--judge", str(judge)]) == 0
    assert "| 0.25, [1.5], yes | ok |" in capsys.readouterr().out


def test_all_files_have_names_of_their_own_and_there_are_many(benchmark):
    made = [case.name for case in benchmark.CASES if case.name != "-"]
    assert len(made) == len(set(made))
    assert len(made) >= 30


def test_an_unknown_name_is_refused(benchmark):
    with pytest.raises(SystemExit, match="no file is called nonsense"):
        benchmark.main(["--only", "nonsense"])
