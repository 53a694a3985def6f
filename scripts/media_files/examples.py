"""Random clips, and the one property that all of them have: what goes in comes out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from media_files.cases import FINE_CRF, UNPAINTED, Expected
from media_files.comparing import compared
from media_files.drawing import scene
from media_files.facts import Facts, facts_of
from media_files.rendering import style_picture
from media_files.sound import Sound
from media_files.writing import LOSSLESS, Video, write_clip
from vidstyle import Settings, stylize

# Wide enough for encoders, small enough for hundreds of clips.
SMALLEST_PX, LARGEST_PX = 16, 40
FEWEST_FRAMES, MOST_FRAMES = 3, 8
LARGEST_ERROR_LEVELS = 1.5
SHORTEST_SOUND_S = 0.3
RATES = (Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(50), Fraction(12), Fraction(60))


@dataclass(frozen=True)
class Container:
    """What a kind of file is written with here, and whether it knows rotation and times of its own."""

    codec: str
    options: dict[str, str]
    sounds: tuple[str, ...]
    turns: bool = False
    times: bool = True
    aspects: bool = True
    odd: str = ""


SOURCES = {
    ".mp4": Container("libx264", LOSSLESS, ("aac", "mp3", "ac3"), turns=True, odd="yuv444p"),
    ".mov": Container("libx264", LOSSLESS, ("aac", "pcm_s16le"), turns=True, odd="yuv444p"),
    ".mkv": Container("ffv1", {}, ("aac", "flac", "libopus", "mp3", "pcm_s16le"), turns=True, odd="yuv420p"),
    # PCM only: what encoders put before the first sample makes FFmpeg's AVI leave a hole after the first picture.
    ".avi": Container("mpeg4", {"qscale": "1", "bf": "2"}, ("pcm_s16le",), times=False, aspects=False),
    ".webm": Container("libvpx-vp9", {"lossless": "1", "cpu-used": "8", "deadline": "realtime"}, ("libopus",),
                       aspects=False, odd="yuv420p"),
    ".ts": Container("libx264", LOSSLESS, ("aac", "mp2"), aspects=False),
}  # fmt: skip
RESULTS = (".mp4", ".mov", ".mkv", ".webm", ".avi")
_SOUND_RATES = {"libopus": (48000,), "ac3": (48000,), "mp2": (44100, 48000), "mp3": (22050, 44100, 48000)}
_MORE_CHANNELS = frozenset({"aac", "ac3", "flac", "libopus"})
_LAYOUTS = ("mono", "stereo", "5.1")


@dataclass(frozen=True)
class RandomClip:
    """A clip to be rendered into a file with the suffix `result`."""

    source: str
    result: str
    video: Video
    sounds: tuple[Sound, ...]


@st.composite
def clips(draw: Callable[..., object]) -> RandomClip:
    """Draws a clip: containers, size, rate or varying times, start, rotation, shape of pixels, and sound."""
    source = draw(st.sampled_from(sorted(SOURCES)))
    kind = SOURCES[source]
    result = draw(st.sampled_from(RESULTS))
    side = st.integers(SMALLEST_PX, LARGEST_PX)
    size = (draw(side), draw(side))
    if not kind.odd:
        size = (size[0] // 2 * 2, size[1] // 2 * 2)
    is_odd = size[0] % 2 or size[1] % 2
    # Where frames are counted there are neither gaps nor pixels of a shape of their own, and WebM has only square ones.
    shaped = kind.aspects and result in (".mp4", ".mov", ".mkv")
    video = Video(
        size=size,
        pix_fmt=kind.odd if is_odd else "yuv420p",
        codec=kind.codec,
        options=dict(kind.options),
        rotation=draw(st.sampled_from((0, 90, 180, 270))) if kind.turns else 0,
        aspect=draw(st.sampled_from((None, Fraction(4, 3), Fraction(8, 9)))) if shaped else None,
        **draw(_times(kind.times and result != ".avi", FEWEST_FRAMES if source != ".ts" else 5)),
    )
    return RandomClip(source, result, video, draw(_sounds(kind.sounds, video)))


@st.composite
def _times(draw: Callable[..., object], may_vary: bool, fewest: int) -> dict[str, object]:
    """Draws a constant rate, or steps of 5 to 200 ms; and how late the first frame is."""
    count = draw(st.integers(fewest, MOST_FRAMES))
    rate = draw(st.sampled_from(RATES))
    if not may_vary:
        return {"frames": count, "rate": rate}
    late = draw(st.integers(0, 20))
    if draw(st.booleans()):
        return {"rate": rate, "pts": tuple(range(late, late + count))}
    steps = draw(st.lists(st.integers(5, 200), min_size=count - 1, max_size=count - 1))
    times = [late * 40]
    for step in steps:
        times.append(times[-1] + step)
    return {"pts": tuple(times), "base": Fraction(1, 1000)}


@st.composite
def _sounds(draw: Callable[..., object], codecs: tuple[str, ...], video: Video) -> tuple[Sound, ...]:
    """Draws up to three tracks, each with a start of its own; none starts before time does."""
    tracks = []
    first_s = float(video.ticks[0] * video.time_base)
    length_s = float((video.ticks[-1] - video.ticks[0]) * video.time_base + 1 / video.rate)
    for number in range(draw(st.integers(0, 3))):
        codec = draw(st.sampled_from(codecs))
        layouts = _LAYOUTS if codec in _MORE_CHANNELS else _LAYOUTS[:2]
        start_s = max(-first_s, draw(st.integers(-300, 300)) / 1000)
        tracks.append(
            Sound(
                codec,
                draw(st.sampled_from(_SOUND_RATES.get(codec, (8000, 22050, 44100, 48000)))),
                draw(st.sampled_from(layouts)),
                start_s,
                max(SHORTEST_SOUND_S, length_s - start_s),
                draw(st.sampled_from(("", "eng", "ita"))),
                seed=number + 1,
            )
        )
    return tuple(tracks)


def faults_of(clip: RandomClip, folder: Path) -> list[str]:
    """Writes a clip, renders it unpainted, and returns what is wrong with what came out.

    Raises:
        VidstyleError: it could not be rendered.
    """
    place = folder / "clip"
    place.mkdir()
    try:
        source = write_clip(place / f"in{clip.source}", [clip.video], clip.sounds)
        result = place / f"out{clip.result}"
        outcome = stylize(source, style_picture(folder), str(result), Settings(**UNPAINTED, crf=FINE_CRF))
        before, after = facts_of(source), facts_of(result)
        return compared(before, after, _expected(clip, before, after), outcome.notes).faults
    finally:
        shutil.rmtree(place)


def _expected(clip: RandomClip, before: Facts, after: Facts) -> Expected:
    """Returns the property; where color has half the size there are no odd sides, so one pixel comes or goes."""
    spoken = clip.result != ".avi"  # which has no place for languages
    size = before.displayed_px
    if "420" in after.pix_fmt:
        size = (_evened(size[0], after.displayed_px[0]), _evened(size[1], after.displayed_px[1]))
    picture = None if size == before.displayed_px else lambda index: scene(index, *size)
    return Expected(displayed_px=size, picture=picture, error_levels=LARGEST_ERROR_LEVELS, languages=spoken)


def _evened(side: int, got: int) -> int:
    return got if abs(got - side) <= side % 2 else side


def run_examples(count: int, folder: Path) -> int:
    """Prints a line for each clip that comes out wrong and how many there were; returns the exit status."""
    tried, wrong = 0, 0

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(clips())
    def try_all(clip: RandomClip) -> None:
        nonlocal tried, wrong
        try:
            faults = faults_of(clip, folder)
        except Exception as error:  # whatever it is, the others are tried as well
            faults = [f"fell over: {type(error).__name__}: {error}"]
        tried, wrong = tried + 1, wrong + bool(faults)
        if faults:
            print(f"{clip}: {'; '.join(faults)}", flush=True)

    try_all()
    print(f"{tried} clips, {wrong or 'none'} wrong")
    return int(wrong > 0)
