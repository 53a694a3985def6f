"""Pieces of a video's pictures, each encoded once to the final codec; `joining` puts them together.

A segment is a NUT file, which holds packets of nearly any codec with exact times; see `codecs` for the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer

from vidstyle.errors import OutputError, VidstyleError
from vidstyle.files import remedy, written_whole
from vidstyle.frames import DEFAULT_FPS, ClipInfo, Picture, resize
from vidstyle.media.containers import CONTAINERS, ContainerKind, media_url
from vidstyle.media.stills.headers import pictures_in_a_row
from vidstyle.media.stills.images import check_picture
from vidstyle.media.timestamps import FrameClock, usable_rate
from vidstyle.media.write.codecs import CODECS, EncodeOptions, Encoding, check_size, choose_encoding
from vidstyle.media.write.encoders import GifEncoder, PictureEncoder, StreamEncoder

SEGMENT_SUFFIX = ".segment"


@dataclass(frozen=True, slots=True)
class VideoSpec:
    """All that a video's packets depend on besides its pictures and their times.

    Attributes:
        kind: of container, by the suffix of the file. encoding: codec, pixel format, quality and speed.
        width, height: of the stylized frames in pixels. rate: frames per second on average.
        source_base: seconds per tick of the source's timestamps. aspect: width of a pixel by its height.
    """

    kind: ContainerKind
    encoding: Encoding
    width: int
    height: int
    rate: Fraction
    source_base: Fraction
    aspect: Fraction

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick of the output's timestamps."""
        return 1 / self.rate if self.kind.constant_rate else self.kind.time_base or self.source_base

    @property
    def segment_format(self) -> str:
        """FFmpeg's name of what a segment is."""
        return CODECS[self.encoding.codec].segment

    @property
    def is_scaled(self) -> bool:
        """Whether pictures are made wider or narrower, since the container knows square pixels only."""
        return self.kind.square_pixels and self.aspect != 1

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height in pixels as stored in the file."""
        if not self.is_scaled:
            return self.width, self.height
        return max(2, 2 * round(self.width * self.aspect / 2)), self.height


def video_spec(output: Path, info: ClipInfo, width: int, height: int, encode_options: EncodeOptions) -> VideoSpec:
    """Returns how frames of `width` x `height` pixels from the source `info` are encoded for `output`.

    Raises:
        OutputError: the encode options cannot be fulfilled, see `choose_encoding`, or not at this size.
        ValueError: an odd width or height, where the pixel format has even ones only.
    """
    encoding = choose_encoding(output, encode_options, info.bit_depth)
    if encoding.needs_even_sides and (width % 2 or height % 2):
        raise ValueError(f"{encoding.pixel_format} video needs even sides, not {width}x{height}")
    kind, rate = CONTAINERS[output.suffix.lower()], usable_rate(info.rate) or DEFAULT_FPS
    spec = VideoSpec(kind, encoding, width, height, rate, info.time_base, info.sample_aspect_ratio)
    check_size(output, encoding, *spec.stored_size)
    return spec


def output_times(timestamps: Sequence[int], spec: VideoSpec, offset: int) -> tuple[list[int], int]:
    """Returns the output's timestamps, in its own ticks, and how many had to be moved to stay apart.

    Args:
        timestamps: all of the render's frames, in ticks of the source, ascending.
        offset: the source tick that becomes 0.
    """
    clock = FrameClock(1 / (spec.rate * spec.time_base))
    times = [clock.stamp(round((pts - offset) * spec.source_base / spec.time_base)) for pts in timestamps]
    return times, clock.nudged


def check_gaps(output: Path, spec: VideoSpec, timestamps: Sequence[int]) -> None:
    """Makes sure that no frame is shown for longer than the container can tell.

    Args:
        timestamps: of all frames, in ticks of the source, ascending.

    Raises:
        OutputError: one is; the message says for how long.
    """
    longest_ticks = spec.kind.longest_ticks
    if longest_ticks is None or len(timestamps) < 2:
        return
    gap_s = max(b - a for a, b in pairwise(timestamps)) * spec.source_base
    longest_s = longest_ticks * spec.time_base
    if gap_s > longest_s:
        raise OutputError(
            f"{output}: a frame is shown for {float(gap_s):,.0f} s, and {spec.kind.format.upper()} can tell "
            f"{float(longest_s):,.0f} s here; end the output in .mkv"
        )


def make_encoder(container: OutputContainer, spec: VideoSpec) -> PictureEncoder:
    """Adds the video stream to a container and returns what encodes for it."""
    size, rate, base = spec.stored_size, spec.rate, spec.time_base
    if spec.encoding.codec == "gif":
        return GifEncoder(container, size, rate, base)
    aspect = Fraction(1) if spec.is_scaled else spec.aspect
    counted = spec.kind.constant_rate
    return StreamEncoder(container, spec.encoding, size, rate, base, aspect, frames_are_counted=counted)


def write_segment(path: Path, spec: VideoSpec, pictures: Iterable[Picture], times: Sequence[int]) -> None:
    """Encodes pictures, `(height, width, 3)` uint8 RGB, into a file that appears whole or not at all.

    Args:
        times: one for each picture and one after the last, in ticks of `spec.time_base`, ascending.

    Raises:
        OutputError: the file cannot be written.
        ValueError: a picture is not of the size agreed on, or there are more or fewer than `times` says.
    """
    with written_whole(path) as part, ffmpeg_reported(path):
        container = av.open(media_url(part), mode="w", format=spec.segment_format, options={"fflags": "+bitexact"})
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


def segment_packets(path: Path, spec: VideoSpec) -> Iterator[av.Packet[av.VideoStream]]:
    """Yields a segment's packets in the order of decoding.

    Raises:
        OutputError: it is not a segment that can be read.
    """
    with ffmpeg_reported(path):
        if spec.encoding.codec == "webp":
            for position, picture in enumerate(pictures_in_a_row(path)):
                packet: av.Packet[Any] = av.Packet(picture)
                packet.pts = packet.dts = position
                yield packet
            return
        with av.open(media_url(path), format=spec.segment_format) as container:
            if not container.streams.video:
                raise OutputError(f"{path}: holds no pictures; run the same command again")
            yield from (packet for packet in container.demux(container.streams.video[0]) if packet.size)


@contextmanager
def ffmpeg_reported(path: Path) -> Iterator[None]:
    """Turns what FFmpeg and PyAV raise into an error that names the file.

    A `ValueError` that is not FFmpeg's passes where a segment is written, since it is a fault of the caller.
    """
    is_video = path.suffix.lower() in CONTAINERS
    try:
        yield
    except VidstyleError:
        raise
    except (av.FFmpegError, OSError, MemoryError, OverflowError, ValueError) as error:
        from_pyav = isinstance(error, ValueError) and not isinstance(error, av.FFmpegError)
        if from_pyav and not is_video:
            raise
        refused = from_pyav or isinstance(error, (av.ArgumentError, OverflowError))
        reason, advice = str(error), "run the same command again"
        if isinstance(error, OSError):
            reason, advice = error.strerror or reason, remedy(error)
        # Trying again does not help where the container refuses.
        if refused and is_video and path.suffix.lower() != ".mkv":
            advice = "try .mkv"
        raise OutputError(f"{path}: cannot be written or read back ({reason}); {advice}") from error
