"""Pieces of a video's pictures, each encoded once to the final codec; `joining` puts them together.

A segment is a NUT file: it holds packets of any codec with exact times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer

from vidstyle.errors import OutputError, VidstyleError
from vidstyle.files import remedy, written_whole
from vidstyle.frames import DEFAULT_FPS, ClipInfo, Picture
from vidstyle.media.containers import CONTAINERS, ContainerKind
from vidstyle.media.encoders import GifEncoder, PictureEncoder, YuvEncoder
from vidstyle.media.images import check_picture, resize
from vidstyle.media.opening import media_url
from vidstyle.media.timing import FrameClock, usable_rate

SEGMENT_SUFFIX = ".nut"


@dataclass(frozen=True, slots=True)
class VideoSpec:
    """What settles a video's packets besides its pictures and their times.

    Attributes:
        kind: what the file's suffix chose.
        width, height: of the painted frames in pixels. rate: frames per second on average.
        source_base: seconds per tick of the source's timestamps. aspect: width of a pixel by its height.
        crf: x264's quality scale, 0 (lossless) to 51.
    """

    kind: ContainerKind
    width: int
    height: int
    rate: Fraction
    source_base: Fraction
    aspect: Fraction
    crf: int

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick of the output's timestamps."""
        return 1 / self.rate if self.kind.constant_rate else self.kind.time_base or self.source_base

    @property
    def is_scaled(self) -> bool:
        """Whether pictures are made wider or narrower, since the container knows square pixels only."""
        return self.kind.square_pixels and self.aspect != 1

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height in pixels as they stand in the file."""
        if not self.is_scaled:
            return self.width, self.height
        return max(2, 2 * round(self.width * self.aspect / 2)), self.height


def video_spec(output: Path, info: ClipInfo, width: int, height: int, crf: int) -> VideoSpec:
    """Returns how frames of `width` x `height` pixels from the source `info` are encoded for `output`.

    Raises:
        ValueError: an odd width or height, but for GIF.
    """
    kind = CONTAINERS[output.suffix.lower()]
    if kind.encoder != "gif" and (width % 2 or height % 2):
        raise ValueError(f"yuv420p video needs even sides, not {width}x{height}")
    rate = usable_rate(info.rate) or DEFAULT_FPS
    return VideoSpec(kind, width, height, rate, info.time_base, info.sample_aspect_ratio, crf)


def output_times(timestamps: Sequence[int], spec: VideoSpec, offset: int) -> tuple[list[int], int]:
    """Returns the output's timestamps, in its own ticks, and how many had to be moved to stay apart.

    Args:
        timestamps: all of the render's frames, in ticks of the source, ascending.
        offset: the source tick that becomes 0.
    """
    clock = FrameClock(1 / (spec.rate * spec.time_base))
    times = [clock.stamp(round((pts - offset) * spec.source_base / spec.time_base)) for pts in timestamps]
    return times, clock.nudged


def make_encoder(container: OutputContainer, spec: VideoSpec) -> PictureEncoder:
    """Adds the video stream to a container and returns what encodes for it."""
    if spec.kind.encoder == "gif":
        return GifEncoder(container, spec.stored_size, spec.rate, spec.time_base)
    aspect = Fraction(1) if spec.is_scaled else spec.aspect
    return YuvEncoder(container, spec.kind, spec.stored_size, spec.rate, spec.time_base, aspect, spec.crf)


def write_segment(path: Path, spec: VideoSpec, pictures: Iterable[Picture], times: Sequence[int]) -> None:
    """Encodes pictures, `(height, width, 3)` uint8 RGB, into a file that appears whole or not at all.

    Args:
        times: one for each picture and one after the last, in ticks of `spec.time_base`, ascending.

    Raises:
        OutputError: the file cannot be written.
        ValueError: a picture is not of the size agreed on, or there are more or fewer than `times` says.
    """
    with written_whole(path) as part, ffmpeg_reported(path):
        container = av.open(media_url(part), mode="w", format="nut", options={"fflags": "+bitexact"})
        try:
            encoder = make_encoder(container, spec)
            for image, pts, following in zip(pictures, times[:-1], times[1:], strict=True):
                check_picture(image)
                if image.shape[:2] != (spec.height, spec.width):
                    raise ValueError(f"a picture is {image.shape[1]}x{image.shape[0]}, not {spec.width}x{spec.height}")
                container.mux(encoder.encode(resize(image, *spec.stored_size), pts, following - pts))
            container.mux(encoder.flush())
        finally:
            container.close()


def segment_packets(path: Path) -> Iterator[av.Packet[av.VideoStream]]:
    """Yields a segment's packets in the order of decoding.

    Raises:
        OutputError: it is not a segment that can be read.
    """
    with ffmpeg_reported(path), av.open(media_url(path), format="nut") as container:
        yield from (packet for packet in container.demux(container.streams.video[0]) if packet.size)


@contextmanager
def ffmpeg_reported(path: Path) -> Iterator[None]:
    """Turns what FFmpeg raises into an error that names the file."""
    try:
        yield
    except VidstyleError:
        raise
    except (av.FFmpegError, OSError, MemoryError, IndexError) as error:
        reason, advice = str(error), "run the same command again"
        if isinstance(error, OSError):
            reason, advice = error.strerror or reason, remedy(error)
        raise OutputError(f"{path}: cannot be written or read back ({reason}); {advice}") from error
