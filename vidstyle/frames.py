"""Plain data that everything else passes on: pictures, frames, moments, plans and results."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

# Smaller pictures leave the networks nothing to look at.
SMALLEST_SIDE_PX = 16
# What pictures without timing get, and videos that name no rate: ffmpeg's own habit.
DEFAULT_FPS = Fraction(25)
# (H, W, 3) uint8 RGB, or (H, W) where a function says so.
Picture = npt.NDArray[np.uint8]
# The same as float32, on the same scale of 0 to 255.
FloatPicture = npt.NDArray[np.float32]
# (H, W) bool.
Mask = npt.NDArray[np.bool_]
# A frame's index, or seconds after the first frame of the input.
Moment = int | Fraction

MOMENT_FORMS = "a frame index (120), seconds (12.5s), MM:SS(.fff) or HH:MM:SS(.fff)"
_INDEX = re.compile(r"[0-9]{1,15}")
_SECONDS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,12})?)s")
_CLOCK = re.compile(r"(?:([0-9]{1,6}):(?=[0-5]?[0-9]:))?([0-9]{1,6}):([0-5]?[0-9](?:\.[0-9]{1,12})?)")


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the input, at its own time.

    Attributes:
        index: position in display order, from 0, counted over the whole input.
        image: `(H, W, 3)` uint8 RGB, upright.
        pts: presentation timestamp in units of `time_base`; 0-based for frame folders and stills.
        time_base: seconds per unit of `pts`.
        name: file stem for frames that come from files, else empty.
        alpha: `(H, W)` uint8, 255 is opaque, or None where the input holds none.
    """

    index: int
    image: Picture
    pts: int
    time_base: Fraction
    name: str = ""
    alpha: Picture | None = None


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """What is known of an input before its first frame is read.

    Attributes:
        path: the file, folder or pattern that was asked for.
        kind: "video", "animation", "frames" or "still".
        width, height: size of the frames as shown, in pixels.
        rate: frames per second on average, or None where the input does not say (stills).
        frame_count: frames that will come (after `--frames`), or None where the input does not say.
        time_base: seconds per unit of the frames' timestamps.
        sample_aspect_ratio: width of a pixel divided by its height.
        bit_depth: bits per channel as stored; pictures come as 8 bits all the same.
        range_start, range_stop: half-open range of frame indices asked for; stop None: to the end.
        stream: index of the video stream among all streams of the file; None where there are none.
        last_duration_s: how long the last frame is shown, in seconds; None where that is not known from the start.
    """

    path: Path
    kind: str
    width: int
    height: int
    rate: Fraction | None
    frame_count: int | None
    time_base: Fraction
    sample_aspect_ratio: Fraction = Fraction(1)
    range_start: int = 0
    range_stop: int | None = None
    bit_depth: int = 8
    stream: int | None = None
    last_duration_s: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a render is about to do; handed to `on_start` before the first frame.

    Attributes:
        source, output: paths.
        output_kind: "video", "frames" or "still".
        frame_count: frames to be stylized, or None where the input does not say.
        width, height: size of the stylized frames in pixels.
        network, device, precision: what paints them.
        done: frames that an earlier run has finished. shots: how many shots there are.
        job: the job folder, or None for stills. command: what continues the render if it is interrupted.
        is_clustered: whether the machines of a cluster paint it.
    """

    source: Path
    output: Path
    output_kind: str
    frame_count: int | None
    width: int
    height: int
    network: str
    device: str
    precision: str
    done: int = 0
    shots: int = 1
    job: Path | None = None
    command: str = ""
    is_clustered: bool = False


@dataclass(frozen=True, slots=True)
class FrameDone:
    """One frame is finished; handed to `on_frame`.

    Attributes:
        index: the frame's index in the input. done: frames finished so far, by earlier runs too.
        total: or None if unknown.
        seconds: time spent on this frame. loss: the objective at the picture that was kept.
        evaluations: how often the objective and its gradient were computed.
        image: the stylized frame, `(H, W, 3)` uint8 RGB; copy it before changing it.
        shots_done: shots that are finished. machines: how many are at work.
    """

    index: int
    done: int
    total: int | None
    seconds: float
    loss: float
    evaluations: int
    image: Picture
    shots_done: int = 0
    machines: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """What a render wrote.

    Attributes:
        output: the file or folder. frames: how many it holds. seconds: how long this run took.
        width, height: size of the frames in pixels. notes: what the user should know, one line each.
        stylized: frames stylized by this run; the others were there from an earlier one.
        was_finished: whether the same render had finished it before, so that nothing was done.
    """

    output: Path
    frames: int
    seconds: float
    width: int
    height: int
    notes: tuple[str, ...] = field(default=())
    stylized: int = 0
    was_finished: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a render would do and take; nothing of it has been done.

    Attributes:
        plan: as `on_start` gets it. codec: how pictures are encoded, in words.
        duration_s: of the input's range, or None for stills and what is finished.
        cuts: indices of the frames that begin a shot, but for the first one.
        is_finished: whether the same render has finished it before, so that nothing is left to do.
        first_frame_s: seconds for a shot's first frame, or a still. later_frame_s: for another one, if it moves.
        total_s: for all that is left. These three are None where they cannot be told: weights are to be fetched.
        disk_bytes: the most that job folder and output take together, by a rule of thumb. free_bytes: on that disk.
        memory_bytes: what painting takes at its peak, of the GPU's where one paints; None as above.
        notes: what the user should know, one line each.
        look: names, such as "style" or "mask", and in words what the settings say of these.
    """

    plan: Plan
    codec: str
    duration_s: float | None
    cuts: tuple[int, ...]
    is_finished: bool
    first_frame_s: float | None
    later_frame_s: float | None
    total_s: float | None
    disk_bytes: int
    free_bytes: int
    memory_bytes: int | None
    notes: tuple[str, ...] = ()
    look: tuple[tuple[str, str], ...] = ()


def middles(count: int, most: int) -> list[int]:
    """Returns the positions of up to `most` frames spread over `count`: the middles of as many equal parts."""
    parts = min(most, count)
    return [(2 * part + 1) * count // (2 * parts) for part in range(parts)]


def resize(image: Picture, width: int, height: int) -> Picture:
    """Returns `(H, W, 3)` or `(H, W)` uint8 at `width` x `height` pixels; the same object if it has that size.

    Averages areas when shrinking, bicubic when enlarging.
    """
    # Imported here: `vidstyle --help` is to answer without it.
    import cv2

    have_height, have_width = image.shape[:2]
    if (have_width, have_height) == (width, height):
        return image
    shrinks = width * height < have_width * have_height
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), dtype=np.uint8)


def parse_moment(text: str) -> Moment | None:
    """Returns a frame index as an integer, a time as a fraction of seconds, or None if it is neither."""
    if _INDEX.fullmatch(text):
        return int(text)
    if seconds := _SECONDS.fullmatch(text):
        return Fraction(seconds[1])
    if clock := _CLOCK.fullmatch(text):
        return 3600 * int(clock[1] or 0) + 60 * int(clock[2]) + Fraction(clock[3])
    return None


def same_moment(text: str) -> str:
    """Returns a moment's words in the one way that all words for it have: an index, or seconds, and 0 for both.

    Raises:
        ValueError: it is none.
    """
    moment = parse_moment(text)
    if moment is None:
        raise ValueError(text)
    if not moment or isinstance(moment, int):
        return str(int(moment))
    # As many digits as a time can have.
    return f"{Decimal(moment.numerator) / Decimal(moment.denominator):f}s"


def split_moment(text: str) -> tuple[str, str]:
    """Returns the two parts of "12.5s:b.jpg" or "1:02.5:b.jpg": a moment, the longest there is, and a name.

    Raises:
        ValueError: it does not begin with a moment, or no name follows.
    """
    for colon in reversed([place for place, character in enumerate(text) if character == ":"]):
        if text[colon + 1 :] and parse_moment(text[:colon]) is not None:
            return text[:colon], text[colon + 1 :]
    raise ValueError(text)


def join_moment(moment: str, name: str) -> str:
    """Returns what `split_moment` splits into this moment and the path of this name."""
    text = f"{moment}:{name}"
    # A name such as 12:30.png would make another moment of it.
    return text if split_moment(text) == (moment, name) else f"{moment}:./{name}"
