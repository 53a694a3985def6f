"""Frames of a video file, through PyAV."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from vidstyle.errors import DamagedSourceError, SourceError
from vidstyle.frames import DEFAULT_FPS, SMALLEST_SIDE_PX, ClipInfo, Frame, Picture
from vidstyle.media.containers import open_media, video_stream
from vidstyle.media.read.color import BLACK, WHITE, Light, has_alpha, light_of, shows_through, to_rgb, unknown_matrix
from vidstyle.media.read.damage import REORDER_FRAMES, TOLERANCE_S, expected_end_s, expected_packets, whole_frames
from vidstyle.media.read.decoding import Decoder
from vidstyle.media.read.geometry import crop_of, orientation_of
from vidstyle.media.read.source import Source
from vidstyle.media.stills.images import reduced_size
from vidstyle.media.timestamps import FrameClock, usable_rate

# A GIF's transparent parts are shown on white pages; elsewhere players show them black.
_PAGE_FORMAT = "gif"
# FFmpeg's names of containers that tell where key pictures are, and have a timestamp for every picture.
_INDEXED = frozenset({"mp4", "matroska"})
# More than the 16 pictures by which H.264 and HEVC may reorder.
SEEK_BACK_FRAMES = 20


class VideoSource(Source):
    """Reads a video file from its first frame; frames before the range are decoded and skipped.

    Args:
        path: a video file.
        frames: half-open range of frame indices in display order.
        keep_going: leave out what cannot be decoded instead of raising.
        largest_side_px: pictures come reduced to this size, which is enough for an analysis.
        stream: index of the video stream among all streams; None for the one that players show.
        deinterlace: make interlaced pictures whole.
        tone_map: bring high dynamic range and wide gamuts to BT.709's.

    Raises:
        SourceError: the file is missing, empty, no video, too small, without that stream, or the range is empty.
        DamagedSourceError: the file is cut off and the range reaches the damage.
    """

    def __init__(
        self,
        path: Path,
        frames: tuple[int, int | None] = (0, None),
        keep_going: bool = False,
        largest_side_px: int | None = None,
        *,
        stream: int | None = None,
        deinterlace: bool = True,
        tone_map: bool = True,
    ) -> None:
        self.notes: list[str] = []
        self._path = path
        self._largest_side_px = largest_side_px
        self._start, self._stop = frames
        self._keep_going = keep_going
        self._deinterlace, self._tone_map = deinterlace, tone_map
        self._index = 0  # of the next frame to come out of the decoder
        self._last_end_s = Fraction(0)
        self._longest_gap_s = Fraction(0)
        self._done = self._has_sought = False
        self._noted: set[str] = set()
        self._patched: list[int] = []  # frames that the decoder has filled in
        self._pending: av.VideoFrame | None = None  # decoded, not yet handed out
        self._pictures: Generator[av.VideoFrame, None, None] | None = None
        self._clock = FrameClock(Fraction(1))
        self._stored_size = (0, 0)
        # Of the file's first picture, so that all are dimmed alike, wherever a range or a worker begins.
        self._peak_nits: float | None = None
        self._container: InputContainer = open_media(path)
        try:
            self._stream: VideoStream = video_stream(self._container, path, stream)
            self._open()
        except BaseException:
            self.close()
            raise

    def __next__(self) -> Frame:
        index, av_frame, pts = self._advance()
        return Frame(index, self._picture(av_frame), pts, self.info.time_base)

    def skip(self) -> None:
        self._advance()

    def seek(self, index: int, pts: int) -> bool:
        if self._done or not self._is_seekable():
            return False
        if self._index == 0 and self._pending is not None:
            self._stamp(self._pending)  # for `first_pts`
        try:
            self._go_to(pts)
        except (av.FFmpegError, OSError, DamagedSourceError):
            return False
        landed = self._pending
        if landed is None or landed.pts != pts or landed.is_corrupt or not self.is_sound:
            return False
        self._index = index
        return True

    def timestamps(self) -> tuple[int, ...] | None:
        if not self._is_seekable():
            return None
        times = []
        try:
            with open_media(self._path) as container:
                for packet in container.demux(container.streams[self._stream.index]):
                    if packet.size and (packet.pts is None or packet.is_corrupt or packet.is_discard):
                        return None
                    if packet.pts is not None and packet.size:
                        times.append(packet.pts)
        except (av.FFmpegError, OSError, SourceError):
            return None
        is_certain = len(times) == len(set(times)) == self._claimed_frames()
        return tuple(sorted(times))[self._start : self._stop] if is_certain else None

    @property
    def is_sound(self) -> bool:
        # The deinterlacer looks at frames before; those it has not seen after a seek.
        return not self._has_sought or not self._decoder.is_deinterlacing

    def _is_seekable(self) -> bool:
        """Tells whether a seek is exact: an index, true timestamps, and nothing left out."""
        is_indexed = bool(set(self._container.format.name.split(",")) & _INDEXED)
        is_timed = self._clock.nudged == self._clock.invented == 0
        return is_indexed and is_timed and not self._keep_going and not self._decoder.is_deinterlacing

    def _go_to(self, pts: int) -> None:
        """Makes the frame of that timestamp the next one, or, where it cannot be had for certain, a later one."""
        if self._pictures is not None:
            self._pictures.close()
        self._pending, self._has_sought = None, True
        step = 1 / (self._rate * self.info.time_base)
        # Pictures are stored in another order than shown: what is shown before a key picture may lean on what was
        # skipped, so that the one sought must come after it.
        self._container.seek(pts - round(SEEK_BACK_FRAMES * step), stream=self._stream)
        self._decoder = self._new_decoder([])
        self._pictures = self._decoder.pictures()
        landed = next((f for f in self._pictures if f.pts is None or f.pts >= pts), None)
        key_pts = self._decoder.first_key_pts
        self._pending = None if key_pts is None or key_pts > pts else landed

    def _advance(self) -> tuple[int, av.VideoFrame, int]:
        """Returns index, picture and timestamp of the range's next frame; raises StopIteration at its end."""
        while not self._done and (self._stop is None or self._index < self._stop):
            av_frame, self._pending = self._pending or self._next_decoded(), None
            if av_frame is None:
                self._check_end()
                break
            pts = self._stamp(av_frame)
            if av_frame.is_corrupt and self._index >= self._start:
                self._patched.append(self._index)
            index, self._index = self._index, self._index + 1
            if index >= self._start:
                self._note_picture(av_frame)
                return index, av_frame, pts
        if not self._done:
            self._note_patched()
        self.close()
        raise StopIteration

    def _note_patched(self) -> None:
        if self._patched:
            count, first, last = len(self._patched), self._patched[0], self._patched[-1]
            which = f"frame {first} was" if count == 1 else f"{count} frames were"
            among = f", the first {first}, the last {last}" if count > 1 else ""
            self.notes.append(f"{self._path.name}: {which} damaged and patched up by the decoder{among}")

    def close(self) -> None:
        self._done = True
        self._pending = None
        if self._pictures is not None:
            self._pictures.close()
        self._container.close()

    def _open(self) -> None:
        """Decodes the first frame, which alone tells rotation and true size, and fills `info`."""
        stream = self._stream
        if stream.codec_context is None:
            raise SourceError(f"{self._path}: its video codec is unknown here; convert it to H.264 first")
        self._rate = usable_rate(stream.average_rate, stream.guessed_rate) or DEFAULT_FPS
        claim = self._check_damage(self._claimed_frames())
        self._decoder = self._new_decoder(self.notes)
        self._pictures = self._decoder.pictures()
        self._pending = next(self._pictures, None)
        if self._pending is None:
            raise SourceError(f"{self._path}: no frame of its video can be decoded; convert it to H.264 first")
        light = light_of(self._pending)
        self._peak_nits = None if light is None else light.peak_nits
        # Of the first picture, for all: some decoders tell it with key frames only.
        self._orientation = orientation_of(self._pending)
        turned = self._orientation.transposed
        self._stored_size = (self._pending.width, self._pending.height)
        videos = [video.index for video in self._container.streams.video]
        self._crop = crop_of(self._path, self._container.format.name, videos.index(stream.index), *self._stored_size)
        width, height = self._crop.size(*self._stored_size)
        if min(width, height) < SMALLEST_SIDE_PX:
            raise SourceError(
                f"{self._path}: too small ({width}x{height} pixels; at least {SMALLEST_SIDE_PX} on a side); "
                f"enlarge it first"
            )
        aspect = stream.sample_aspect_ratio or Fraction(1)
        aspect = Fraction(aspect) if aspect > 0 else Fraction(1)
        time_base = Fraction(stream.time_base or 1 / self._rate)
        self._clock = FrameClock(1 / (self._rate * time_base))
        if claim is not None and self._start >= claim:
            raise self._empty_range(claim)
        stop = claim if self._stop is None or claim is None else min(self._stop, claim)
        self.info = ClipInfo(
            path=self._path,
            kind="video",
            width=height if turned else width,
            height=width if turned else height,
            rate=self._rate,
            frame_count=None if claim is None or stop is None else stop - self._start,
            time_base=time_base,
            sample_aspect_ratio=1 / aspect if turned else aspect,
            range_start=self._start,
            range_stop=self._stop,
            stream=stream.index,
        )

    def _new_decoder(self, notes: list[str]) -> Decoder:
        options = {"keep_going": self._keep_going, "deinterlace": self._deinterlace}
        return Decoder(self._path, self._container, self._stream, self._rate, notes, **options)

    def _claimed_frames(self) -> int | None:
        """Returns how many frames the file claims to have, or None; a fragmented MP4 counts its first fragment only."""
        count = self._stream.frames
        is_fragmented = "mp4" in self._container.format.name and len(self._stream.index_entries) > count
        return count if count > 0 and not is_fragmented else None

    def _check_damage(self, claim: int | None) -> int | None:
        """Returns the frame count to announce; raises if the file is cut off within the range."""
        found = whole_frames(self._path, self._container, self._stream)
        if found is None or (self._stop is not None and self._stop + REORDER_FRAMES <= found[0]):
            return claim
        whole, whole_s = found[0], f"{float(found[1]):.2f} s"
        if not self._keep_going:
            # FFmpeg's count for a GIF is of what is there.
            of = f" of {claim}" if claim and self._container.format.name != "gif" else ""
            raise DamagedSourceError(
                f"{self._path}: cut off: frame {whole}{of} at {whole_s} and what follows are missing; "
                f"copy or download it again, or use --keep-going to render what is there"
            )
        self.notes.append(
            f"{self._path.name}: the file is cut off at about frame {whole}, {whole_s}; rendered what is there"
        )
        return None

    def _next_decoded(self) -> av.VideoFrame | None:
        return None if self._pictures is None else next(self._pictures, None)

    def _stamp(self, av_frame: av.VideoFrame) -> int:
        before = self._clock.nudged
        pts = self._clock.stamp(av_frame.pts)
        if self._index == 0:
            self.first_pts = pts
        if self._clock.nudged and not before:
            self.notes.append(
                f"{self._path.name}: timestamps repeat or run backwards (first at frame {self._index}); moved forward"
            )
        end_s = (pts + (av_frame.duration or 0)) * self.info.time_base
        self._longest_gap_s = max(self._longest_gap_s, end_s - self._last_end_s)
        self._last_end_s = end_s
        return pts

    def _picture(self, av_frame: av.VideoFrame) -> Picture:
        light = self._light(av_frame)
        background = WHITE if self._container.format.name == _PAGE_FORMAT else BLACK
        # A stream may change its size under way; players scale to the first size, and so is done here.
        size = reduced_size(*self._stored_size, self._largest_side_px)
        try:
            image = to_rgb(av_frame, *size, light, background)
        except (av.FFmpegError, ValueError, MemoryError) as error:
            raise SourceError(
                f"{self._path}: frame {self._index - 1} cannot be turned into RGB ({error}); convert it first"
            ) from error
        return self._orientation.upright(np.ascontiguousarray(self._crop.apply(image, *self._stored_size)))

    def _light(self, av_frame: av.VideoFrame) -> Light | None:
        light = light_of(av_frame) if self._tone_map else None
        if light is None or self._peak_nits is None:
            return light
        return replace(light, peak_nits=self._peak_nits)

    def _note_picture(self, av_frame: av.VideoFrame) -> None:
        """Says once what a user should know about the pictures."""
        size = (av_frame.width, av_frame.height)
        light = light_of(av_frame) if self._tone_map else None
        matrix = unknown_matrix(av_frame)
        askew = self._orientation.askew_degrees
        is_page = self._container.format.name == _PAGE_FORMAT
        where = f"first: frame {self._index - 1}"
        seen = {
            "tone": (light is not None and light.is_hdr, "high dynamic range, tone-mapped to SDR (BT.709)"),
            "wide": (light is not None and not light.is_hdr, "wide or unusual colors, converted to BT.709"),
            "matrix": (matrix is not None, f"color matrix {matrix} is not known here; colors may be wrong"),
            "alpha": (has_alpha(av_frame) and not is_page, "has transparency; shown on black"),
            "page": (
                is_page and "page" not in self._noted and shows_through(av_frame),
                "has transparency; shown on white",
            ),
            "askew": (askew > 0, f"asks to be turned by odd angles; {askew:.0f} degrees of it were left out"),
            "size": (size != self._stored_size, f"the picture size changes ({where}); scaled to the first size"),
        }
        for name, (applies, text) in seen.items():
            if applies and name not in self._noted:
                self._noted.add(name)
                self.notes.append(f"{self._path.name}: {text}")

    def _check_end(self) -> None:
        """Compares what came with what the file promised, at its very end."""
        if self._index <= self._start:
            raise self._empty_range(self._index)
        short = self._shortfall()
        if short and not self._keep_going:
            raise DamagedSourceError(
                f"{self._path}: ends early at frame {self._index} ({short}); "
                f"copy or download it again, or use --keep-going to render what is there"
            )
        if short:
            self.notes.append(f"{self._path.name}: ends early at frame {self._index} ({short})")
        if self._decoder.loss():
            self.notes.append(f"{self._path.name}: {self._decoder.loss()}")

    def _shortfall(self) -> str:
        promised = expected_packets(self._container, self._stream)
        if promised is not None and promised - self._decoder.chunks > TOLERANCE_S * self._rate:
            return f"its header promises {promised} frames"
        end_s = expected_end_s(self._container, self._stream)
        # A slide show's last frame may lack its duration, so the longest frame seen is tolerated as well.
        if end_s is not None and end_s - self._last_end_s > max(TOLERANCE_S, self._longest_gap_s):
            return f"{float(self._last_end_s):.2f} of {float(end_s):.2f} seconds"
        return ""

    def _empty_range(self, count: int) -> SourceError:
        return SourceError(
            f"{self._path}: has {count} frames (0 to {count - 1}), so none from {self._start} on; "
            f"choose an earlier range"
        )
