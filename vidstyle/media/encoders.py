"""From painted pictures to video packets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction

import av
import numpy as np
from av.container import OutputContainer
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from vidstyle.frames import Picture
from vidstyle.media.colour import to_yuv420
from vidstyle.media.containers import ContainerKind

# Fixed, not "as many as there are cores": x264's output depends on it.
ENCODER_THREADS = 4
# Quantisers: x264 counts to 51, VP9 to 63.
_VP9_PER_X264 = Fraction(63, 51)


class PictureEncoder(ABC):
    """One video stream of an output container and what turns pictures into its packets."""

    stream: VideoStream

    @abstractmethod
    def encode(self, image: Picture, pts: int, duration: int) -> list[av.Packet[VideoStream]]:
        """Takes one `(height, width, 3)` uint8 RGB picture; times in ticks of the stream's time base."""

    @abstractmethod
    def flush(self) -> list[av.Packet[VideoStream]]:
        """Returns the packets still to come; nothing may be encoded afterwards."""


class YuvEncoder(PictureEncoder):
    """H.264 or VP9: yuv420p, BT.709, limited range, tagged so."""

    def __init__(
        self,
        container: OutputContainer,
        kind: ContainerKind,
        size: tuple[int, int],
        rate: Fraction,
        time_base: Fraction,
        aspect: Fraction,
        crf: int,
    ) -> None:
        if kind.encoder == "libx264":
            # x264's AVX-512 code for macroblock trees gives another result at every run; what it calls
            # "cpu-independent" leaves that code out, at no cost that could be measured.
            options = {"crf": str(crf), "preset": "medium", "x264-params": "cpu-independent=1"}
            if kind.constant_rate:
                options["bf"] = "0"  # AVI has no place for the display order
                # Nor, as FFmpeg writes it, for the parameter sets, so they go with every key frame.
                options["x264-params"] += ":repeat-headers=1"
        else:
            vp9_crf = str(min(63, round(crf * _VP9_PER_X264)))
            options = {"crf": vp9_crf, "deadline": "good", "cpu-used": "4", "row-mt": "1"}
        stream = container.add_stream(kind.encoder, rate=rate, options=options)
        if not isinstance(stream, VideoStream):
            raise TypeError(f"{kind.encoder} is no video encoder")
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = time_base
        context = stream.codec_context
        context.time_base = time_base
        context.framerate = rate
        context.bit_rate = 0  # the quantiser alone decides
        context.sample_aspect_ratio = aspect
        context.thread_count = ENCODER_THREADS
        context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        context.color_range = ColorRange.MPEG
        self.stream = stream
        self._time_base = time_base
        self._durations: dict[int, int] = {}

    def encode(self, image: Picture, pts: int, duration: int) -> list[av.Packet[VideoStream]]:
        av_frame = to_yuv420(image)
        av_frame.pts, av_frame.time_base = pts, self._time_base
        self._durations[pts] = duration
        return self._timed(self.stream.encode(av_frame))

    def flush(self) -> list[av.Packet[VideoStream]]:
        return self._timed(self.stream.encode(None))

    def _timed(self, packets: list[av.Packet[VideoStream]]) -> list[av.Packet[VideoStream]]:
        """Sets the durations, which encoders forget; without them the last frame has none."""
        for packet in packets:
            if packet.pts is not None:
                packet.duration = self._durations.pop(packet.pts, 0)
        return packets


class GifEncoder(PictureEncoder):
    """GIF with a palette of its own for every frame, so that nothing is held back."""

    def __init__(self, container: OutputContainer, size: tuple[int, int], rate: Fraction, time_base: Fraction) -> None:
        # A global palette would be the first segment's, and wrong for the others.
        stream = container.add_stream("gif", rate=rate, options={"global_palette": "0"})
        if not isinstance(stream, VideoStream):
            raise TypeError("gif is no video encoder")
        stream.width, stream.height = size
        stream.pix_fmt = "pal8"
        stream.time_base = time_base
        stream.codec_context.time_base = time_base
        self.stream = stream
        self._time_base = time_base
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=size[0], height=size[1], format=VideoFormat("rgb24", *size), time_base=time_base
        )
        split = self._graph.add("split")
        palette = self._graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
        # Ordered dither: error diffusion crawls from frame to frame.
        use = self._graph.add("paletteuse", "new=1:dither=bayer:bayer_scale=3")
        sink = self._graph.add("buffersink")
        source.link_to(split)
        split.link_to(use, 0, 0)
        split.link_to(palette, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(sink)
        self._graph.configure()

    def encode(self, image: Picture, pts: int, duration: int) -> list[av.Packet[VideoStream]]:
        av_frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        av_frame.pts, av_frame.time_base, av_frame.duration = pts, self._time_base, duration
        self._graph.vpush(av_frame)
        return self._pull()

    def flush(self) -> list[av.Packet[VideoStream]]:
        self._graph.vpush(None)
        return self._pull() + self.stream.encode(None)

    def _pull(self) -> list[av.Packet[VideoStream]]:
        packets: list[av.Packet[VideoStream]] = []
        while True:
            try:
                av_frame = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return packets
            packets += self.stream.encode(av_frame)
