"""Painted frames and the source's sound, written as a video file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer

from vidstyle.errors import OutputError, VidstyleError
from vidstyle.files import written_whole
from vidstyle.frames import DEFAULT_FPS, ClipInfo, Frame, Picture
from vidstyle.media.base import Sink
from vidstyle.media.containers import CONTAINERS
from vidstyle.media.encoders import GifEncoder, PictureEncoder, YuvEncoder
from vidstyle.media.images import check_picture, resize
from vidstyle.media.opening import media_url
from vidstyle.media.soundtrack import Soundtrack
from vidstyle.media.timing import FrameClock, usable_rate

# Browsers show anything faster at ten frames per second.
_GIF_FASTEST = Fraction(50)
_KEPT_METADATA = ("title", "artist", "album", "composer", "genre", "date", "comment", "description", "copyright")


class _AbandonedError(Exception):
    """Tells `written_whole` to drop the part file."""


class VideoSink(Sink):
    """Encodes frames at their own timestamps, and carries the sound along.

    Args:
        output: the file to write; its suffix chooses container and encoder.
        info: of the source; where it is a video, its sound is read from there a second time.
        width, height: of the painted frames in pixels; even, but for GIF.
        crf: x264's quality scale, 0 (lossless) to 51.

    Raises:
        ValueError: an odd width or height.
    """

    def __init__(self, output: Path, info: ClipInfo, width: int, height: int, crf: int) -> None:
        self.notes: list[str] = []
        self.frames_written = 0
        self._output = output
        self._info = info
        self._size = (width, height)
        self._crf = crf
        self._kind = CONTAINERS[output.suffix.lower()]
        if self._kind.encoder != "gif" and (width % 2 or height % 2):
            raise ValueError(f"yuv420p video needs even sides, not {width}x{height}")
        self._stored_size, self._aspect = self._size, info.sample_aspect_ratio
        if self._kind.square_pixels and self._aspect != 1:
            self._stored_size = (max(2, 2 * round(width * self._aspect / 2)), height)
            self._aspect = Fraction(1)
            self.notes.append(
                f"{output.name}: scaled to {self._stored_size[0]}x{height}, since its pixels can only be square"
            )
        self._rate = usable_rate(info.rate) or DEFAULT_FPS
        self._time_base = self._kind.time_base or info.time_base
        if self._kind.constant_rate:
            self._time_base = 1 / self._rate
        self._clock = FrameClock(1 / (self._rate * self._time_base))
        self._whole: AbstractContextManager[Path] | None = None
        self._container: OutputContainer | None = None
        self._encoder: PictureEncoder | None = None
        self._sound: Soundtrack | None = None
        # Held back by one frame: only the next one tells how long it lasts.
        self._held: tuple[Picture, int] | None = None
        self._last_source_pts: int | None = None
        self._offset_ticks: int | None = None

    def write(self, frame: Frame) -> None:
        check_picture(frame.image)
        if frame.image.shape[:2] != (self._size[1], self._size[0]):
            raise ValueError(f"frame {frame.index} is {frame.image.shape[1]}x{frame.image.shape[0]}, not {self._size}")
        if self._last_source_pts is not None and frame.pts <= self._last_source_pts:
            raise ValueError(f"frame {frame.index} is not later than its predecessor")
        if self._encoder is None:
            raise ValueError("write() outside the sink's with block")
        with self._reported():
            if self._offset_ticks is None:
                self._offset_ticks = self._choose_offset(frame)
            self._last_source_pts = frame.pts
            shown_s = (frame.pts - self._offset_ticks) * frame.time_base
            pts = self._clock.stamp(round(shown_s / self._time_base))
            if self._held is not None:
                self._encode_held(pts - self._held[1])
            # A copy: the caller may paint the next frame into the same array.
            self._held = (resize(frame.image, *self._stored_size).copy(), pts)
            if self._sound is not None:
                self._sound.carry_until(frame.pts * frame.time_base)
        self.frames_written += 1

    def _begin(self) -> None:
        whole = written_whole(self._output)
        part = whole.__enter__()
        self._whole, self._part = whole, part
        with self._reported():
            options = {**self._kind.options, "fflags": "+bitexact"}
            self._container = av.open(media_url(part), mode="w", format=self._kind.format, options=options)
            self._encoder = self._make_encoder(self._container)
            if self._info.kind == "video":
                self._sound = Soundtrack(self._info, self._container, self._kind)
                kept = {k.lower(): v for k, v in self._sound.metadata.items() if k.lower() in _KEPT_METADATA}
                self._container.metadata.update(kept)
        if self._kind.format == "gif" and self._rate > _GIF_FASTEST:
            self.notes.append(f"{self._output.name}: GIF players slow down above 50 frames per second")

    def _make_encoder(self, container: OutputContainer) -> PictureEncoder:
        if self._kind.encoder == "gif":
            return GifEncoder(container, self._stored_size, self._rate, self._time_base)
        return YuvEncoder(
            container, self._kind, self._stored_size, self._rate, self._time_base, self._aspect, self._crf
        )

    def _choose_offset(self, frame: Frame) -> int:
        """Returns the source timestamp that becomes 0, in ticks of the source; the sound is moved by the same."""
        ranged = self._info.range_start > 0 or self._info.range_stop is not None
        ticks = frame.pts
        if self._sound is not None:
            # Where frames are counted, the first one is at 0 whatever comes before it.
            if not ranged and not self._kind.constant_rate:
                # Whole ticks keep every distance between frames exact; what is left is less than one tick.
                ticks = max(0, int(self._sound.start_s // frame.time_base))
            self._sound.begin(ticks * frame.time_base, drop_earlier=self._info.range_start > 0)
        return ticks

    def _encode_held(self, duration: int) -> None:
        if self._held is not None and self._encoder is not None and self._container is not None:
            self._container.mux(self._encoder.encode(*self._held, duration))
        self._held = None

    def _finish(self) -> None:
        if not self.frames_written or self._container is None or self._encoder is None or self._whole is None:
            raise OutputError(f"{self._output}: no frame to write; choose another range")
        with self._reported():
            last_s = self._last_duration_s()
            self._encode_held(max(1, round(last_s / self._time_base)))
            self._container.mux(self._encoder.flush())
            if self._sound is not None:
                stop = None if self._info.range_stop is None else self._last_source_s() + last_s
                self._sound.carry_rest(stop)
                self.notes += self._sound.notes
            self._close_files()
        if self._clock.nudged:
            self.notes.append(
                f"{self._output.name}: {self._clock.nudged} frames were moved: "
                f"{self._kind.format.upper()} cannot hold times so close together"
            )
        self._check_count()
        whole, self._whole = self._whole, None
        whole.__exit__(None, None, None)

    def _last_source_s(self) -> Fraction:
        return (self._last_source_pts or 0) * self._info.time_base

    def _last_duration_s(self) -> Fraction:
        known = self._sound.duration_s(self._last_source_pts) if self._sound is not None else None
        return known or 1 / self._rate

    def _check_count(self) -> None:
        """Counts what was really written, before anyone can see it."""
        try:
            with av.open(media_url(self._part)) as written:
                count = sum(packet.size > 0 for packet in written.demux(written.streams.video[0]))
        except (av.FFmpegError, OSError, IndexError) as error:
            raise OutputError(f"{self._output}: what was written cannot be read back ({error}); try .mkv") from error
        if count != self.frames_written:
            raise OutputError(f"{self._output}: holds {count} of {self.frames_written} frames; try .mkv")

    def _close_files(self) -> None:
        try:
            if self._sound is not None:
                self._sound.close()
        finally:
            container, self._container, self._encoder = self._container, None, None
            if container is not None:
                container.close()

    def _discard(self) -> None:
        self._held = None
        with suppress(av.FFmpegError, OSError, ValueError):
            self._close_files()
        whole, self._whole = self._whole, None
        if whole is not None:
            with suppress(_AbandonedError):
                whole.__exit__(_AbandonedError, _AbandonedError(), None)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Turns what FFmpeg raises into an error that names the output."""
        try:
            yield
        except VidstyleError:
            raise
        except (av.FFmpegError, OSError, MemoryError) as error:
            raise OutputError(f"{self._output}: cannot be written ({error}); check the free space") from error
