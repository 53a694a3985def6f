"""Whole renders, in process: what goes in comes out, painted."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import make_video

from vidstyle import Settings, stylize, stylize_image
from vidstyle.errors import DamagedSourceError, OutputError, SettingsError, SourceError, VidstyleError, WeightsError
from vidstyle.media.stills import images
from vidstyle.media.write.codecs import CODEC_NAMES, EncodeOptions, choose_encoding
from vidstyle.method import objective
from vidstyle.render.api import default_output

QUICK = {"iterations": 2, "first_iterations": 3, "size": 32, "device": "cpu"}


def rgb(seed, height=36, width=48):
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, image[..., ::-1])[1].tobytes())
    return path


@pytest.fixture
def style(tmp_path):
    return save(tmp_path / "starry.png", rgb(7, 60, 80))


@pytest.fixture
def clip(tmp_path):
    return make_video(tmp_path / "clip.mp4", frames=6, size=(64, 48), rate=Fraction(24000, 1001), audio="aac")


def times_and_audio(path):
    with av.open(str(path)) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        audio = [bytes(p) for p in container.demux(audio=0) if p.size] if container.streams.audio else []
    return times, audio


def traces(folder, before):
    return sorted(set(folder.rglob("*")) - set(before))


def test_a_video_keeps_its_timestamps_and_its_sound(clip, style, tmp_path):
    plans, frames = [], []
    result = stylize(
        clip, style, tmp_path / "out.mp4", Settings(**QUICK), on_start=plans.append, on_frame=frames.append
    )
    assert (result.frames, result.width, result.height, result.notes) == (6, 32, 24, ())
    assert times_and_audio(result.output) == times_and_audio(clip)
    assert len(times_and_audio(clip)[1]) > 3
    assert [(plan.frame_count, plan.width, plan.height, plan.network) for plan in plans] == [(6, 32, 24, "compact")]
    assert [(frame.index, frame.done, frame.total) for frame in frames] == [(i, i + 1, 6) for i in range(6)]
    assert [frame.evaluations for frame in frames] == [4, 3, 3, 3, 3, 3]


def test_what_is_encoded_is_what_was_painted(clip, style, tmp_path):
    stylized = []
    settings = Settings(**QUICK | {"first_iterations": 30}, crf=0)
    stylize(clip, style, tmp_path / "out.mkv", settings, on_frame=lambda frame: stylized.append(frame.image.copy()))
    with av.open(str(tmp_path / "out.mkv")) as container:
        written = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(written) == len(stylized) == 6
    for a, b in zip(stylized, written, strict=True):
        # Half-size color planes blur color; luma is kept, but where the blurred color has no RGB in range.
        luma = [image @ np.array([0.2126, 0.7152, 0.0722]) for image in (a, b)]
        assert np.abs(luma[0] - luma[1]).mean() < 4


def test_a_folder_keeps_its_names_and_order(style, tmp_path):
    for number in (2, 10, 1):
        save(tmp_path / "in" / f"shot {number}.jpg", rgb(number))
    seen = []
    result = stylize(tmp_path / "in", style, f"{tmp_path / 'out'}/", Settings(**QUICK), on_frame=seen.append)
    assert result.frames == 3
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["shot 1.png", "shot 10.png", "shot 2.png"]
    first = cv2.imread(str(tmp_path / "out" / "shot 1.png"))[..., ::-1]
    assert np.array_equal(first, seen[0].image)


def test_a_pattern_becomes_a_video_at_the_rate_asked_for(style, tmp_path):
    for number in (7, 8, 9):
        save(tmp_path / f"f.{number:03d}.png", rgb(number))
    stylize(tmp_path / "f.%03d.png", style, tmp_path / "out.mp4", Settings(**QUICK, fps=Fraction(12)))
    assert times_and_audio(tmp_path / "out.mp4")[0] == [Fraction(k, 12) for k in range(3)]


def test_a_picture_to_be_painted_is_decoded_once(tmp_path, monkeypatch):
    content, decoded, decode = save(tmp_path / "a.png", rgb(3)), [], images.decoded_still
    monkeypatch.setattr(images, "decoded_still", lambda data, path: (decoded.append(path), decode(data, path))[1])
    stylized = stylize_image(content, rgb(4), Settings(iterations=0, first_iterations=0))
    assert decoded == [content]
    assert np.array_equal(stylized, rgb(3))
    small = save(tmp_path / "small.png", rgb(3)[:8])
    with pytest.raises(SourceError, match=r"small\.png: 48x8 is too small for a content picture"):
        stylize_image(str(small), rgb(4))


def test_a_still_is_painted_as_stylize_image_does(style, tmp_path):
    still = save(tmp_path / "still.png", rgb(3))
    stylize(still, style, tmp_path / "out.png", Settings(**QUICK))
    stylized = stylize_image(rgb(3), style, Settings(**QUICK))
    assert stylized.shape == (24, 32, 3)
    assert np.array_equal(cv2.imread(str(tmp_path / "out.png"))[..., ::-1], stylized)


def test_odd_sizes_become_even_for_video_only(style, tmp_path):
    odd = make_video(tmp_path / "odd.mkv", frames=2, size=(45, 31), codec="ffv1", audio=None)
    video = stylize(odd, style, tmp_path / "out.mp4", Settings(**QUICK | {"size": "source"}))
    folder = stylize(odd, style, f"{tmp_path / 'out'}/", Settings(**QUICK | {"size": "source"}))
    assert (video.width, video.height) == (44, 32)
    assert (folder.width, folder.height) == (45, 31)


def test_a_range_of_frames_starts_at_zero(clip, style, tmp_path):
    result = stylize(clip, style, tmp_path / "out.mp4", Settings(**QUICK, frames=(2, 5)))
    assert result.frames == 3
    rate = Fraction(24000, 1001)
    assert times_and_audio(result.output)[0] == [k / rate for k in range(3)]


def test_one_frame_of_a_video_makes_a_still(clip, style, tmp_path):
    assert stylize(clip, style, tmp_path / "out.png", Settings(**QUICK, frames=(3, 4))).frames == 1
    with pytest.raises(OutputError, match="one frame"):
        stylize(clip, style, tmp_path / "other.png", Settings(**QUICK))


@pytest.mark.parametrize("name", ["out.mp4", "out.gif"])
def test_the_same_command_writes_the_same_bytes(clip, style, tmp_path, name):
    contents = []
    for _ in range(2):
        stylize(clip, style, tmp_path / name, Settings(**QUICK, overwrite=True, restart=True))
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


def test_pixels_that_are_not_square_become_square_in_pictures(style, tmp_path):
    wide = make_video(tmp_path / "wide.mp4", frames=1, size=(64, 48), aspect=Fraction(16, 11))
    stylize(wide, style, tmp_path / "out.png", Settings(**QUICK | {"size": "source"}, frames=(0, 1)))
    assert cv2.imread(str(tmp_path / "out.png")).shape == (48, 93, 3)


def test_a_frame_that_had_to_be_tried_again_is_noted(style, tmp_path, monkeypatch):
    whole, calls = objective.Objective.__call__, 0

    def breaks_once(self, image):
        nonlocal calls
        calls += 1
        return whole(self, image) * (float("nan") if calls == 3 else 1)

    monkeypatch.setattr(objective.Objective, "__call__", breaks_once)
    still = save(tmp_path / "still.png", rgb(3))
    result = stylize(still, style, tmp_path / "out.png", Settings(**QUICK))
    assert result.notes == ("the objective was not finite in 1 frame, painted again with smaller steps",)


def test_the_input_is_never_written_to(clip, style, tmp_path):
    before = clip.read_bytes(), style.read_bytes()
    for target in (clip, style):
        with pytest.raises(OutputError):
            stylize(clip, style, target, Settings(**QUICK, overwrite=True))
    assert (clip.read_bytes(), style.read_bytes()) == before


def test_an_existing_output_is_left_alone_unless_told_otherwise(clip, style, tmp_path):
    (tmp_path / "out.mp4").write_bytes(b"precious")
    with pytest.raises(OutputError, match="--overwrite"):
        stylize(clip, style, tmp_path / "out.mp4", Settings(**QUICK))
    assert (tmp_path / "out.mp4").read_bytes() == b"precious"
    stylize(clip, style, tmp_path / "out.mp4", Settings(**QUICK, overwrite=True))
    assert len(times_and_audio(tmp_path / "out.mp4")[0]) == 6


def test_a_render_interrupted_before_its_first_frame_leaves_no_trace(clip, style, tmp_path):
    before = list(tmp_path.rglob("*"))

    def stop(plan):
        raise KeyboardInterrupt

    for output in (tmp_path / "out.mp4", f"{tmp_path / 'out'}/"):
        with pytest.raises(KeyboardInterrupt):
            stylize(clip, style, output, Settings(**QUICK), on_start=stop)
    assert traces(tmp_path, before) == []


BAD = {
    "missing": (lambda f: f / "none.mp4", {}, SourceError, "none.mp4"),
    "empty": (lambda f: save_bytes(f / "empty.mp4", b""), {}, SourceError, "empty"),
    "not media": (lambda f: save_bytes(f / "text.mp4", b"hello " * 500), {}, SourceError, "text.mp4"),
    "no pictures": (lambda f: save_bytes(f / "texts" / "a.txt", b"a").parent, {}, SourceError, "texts"),
    "too small": (lambda f: save(f / "tiny.png", rgb(1, 15, 40)), {}, SourceError, "tiny.png"),
    "sizes differ": (
        lambda f: save(save(f / "mixed" / "a.png", rgb(1)).with_name("b.png"), rgb(1, 40, 40)).parent,
        {},
        SourceError,
        r"b\.png",
    ),
    "unknown layer": (lambda f: f / "clip.mp4", {"content_layer": "relu4_2"}, SettingsError, "relu1_1, relu2_1"),
    "fps of a video": (lambda f: f / "clip.mp4", {"fps": Fraction(25)}, SettingsError, "fps"),
    "not weights": (
        lambda f: f / "clip.mp4",
        {"weights": Path(__file__)},
        WeightsError,
        "not a weights file",
    ),
    "range beyond the end": (lambda f: f / "clip.mp4", {"frames": (50, None)}, SourceError, "6"),
}


def save_bytes(path, content):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("case", BAD)
def test_bad_input_has_its_own_error_and_leaves_nothing_behind(case, clip, style, tmp_path):
    make, changes, error, said = BAD[case]
    source = make(tmp_path)
    before = list(tmp_path.rglob("*"))
    with pytest.raises(error, match=said) as caught:
        stylize(source, style, tmp_path / "out.mp4", Settings(**QUICK | changes))
    assert isinstance(caught.value, VidstyleError)
    assert traces(tmp_path, before) == []


@pytest.mark.parametrize(("content", "said"), [(None, "none"), (b"no picture", "style.png"), (b"", "style.png")])
def test_unreadable_styles_are_named(clip, tmp_path, content, said):
    style = tmp_path / "none.png" if content is None else save_bytes(tmp_path / "style.png", content)
    with pytest.raises(SourceError, match=said):
        stylize(clip, style, tmp_path / "out.mp4", Settings(**QUICK))
    assert not (tmp_path / "out.mp4").exists()


def test_a_small_style_is_refused(clip, tmp_path):
    with pytest.raises(SourceError, match="16 px"):
        stylize(clip, save(tmp_path / "s.png", rgb(1, 15, 15)), tmp_path / "out.mp4", Settings(**QUICK))


def test_a_truncated_video_is_painted_only_when_told_to(style, tmp_path):
    whole = make_video(tmp_path / "whole.mkv", frames=50, size=(64, 48), audio=None)
    broken = save_bytes(tmp_path / "broken.mkv", whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    settings = {**QUICK, "iterations": 0, "first_iterations": 1}
    with pytest.raises(DamagedSourceError, match="frame"):
        stylize(broken, style, tmp_path / "out.mp4", Settings(**settings))
    assert not (tmp_path / "out.mp4").exists()
    result = stylize(broken, style, tmp_path / "out.mp4", Settings(**settings, keep_going=True))
    assert 10 < result.frames < 50
    assert "cut off" in result.notes[0]


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("a/film.mov", "video", "film_starry.mp4"),
        ("photo.jpg", "still", "photo_starry.png"),
        ("sticker.webp", "animation", "sticker_starry.mp4"),
        ("a/frames", "frames", "frames_starry/"),
        ("a/shot.%04d.png", "frames", "shot_starry/"),
        ("renders/%04d.png", "frames", "renders_starry/"),
        ("renders/../a", "frames", "a_starry/"),
    ],
)
def test_default_output_is_named_after_source_and_style(source, kind, expected):
    assert default_output(Path(source), [Path("x/starry.jpg")], kind) == expected


@pytest.mark.parametrize(
    ("styles", "expected"),
    [("a.jpg b.jpg", "film_a-b.mp4"), ("x/paintings/", "film_paintings.mp4"), ("a b c d e", "film_a-b-c-2-more.mp4")],
)
def test_default_output_names_several_styles(styles, expected):
    assert default_output(Path("film.mov"), [Path(name) for name in styles.split()], "video") == expected


@pytest.mark.parametrize("codec", ("auto", *CODEC_NAMES))
def test_default_output_can_hold_the_codec(codec):
    output = Path(default_output(Path("film.mp4"), [Path("starry.jpg")], "video", codec))
    assert choose_encoding(output, EncodeOptions(codec)).codec == codec.replace("auto", "h264")


MEMORY = """
import resource, sys
from vidstyle import Settings, stylize

peaks = []
def on_frame(frame):
    if frame.done in (30, frame.total):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peaks.append(peak // (1024 if sys.platform == "linux" else 1024**2))

layers = {"style_layers": ("relu1_1",), "content_layer": "relu2_1"}  # the shallowest: length is what is tried
stylize(*sys.argv[1:], Settings(iterations=1, first_iterations=1, device="cpu", **layers), on_frame=on_frame)
print(*peaks)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read by a POSIX call")
def test_memory_does_not_grow_with_length(style, tmp_path):
    video = make_video(tmp_path / "long.mp4", frames=120, size=(32, 32), audio="aac")
    command = [sys.executable, "-c", MEMORY, str(video), str(style), str(tmp_path / "out.mp4")]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    early_mib, late_mib = map(int, run.stdout.split())
    assert late_mib - early_mib < 25
