"""From stylized pictures to video packets.

`coded_picture` converts RGB to BT.709, each number rounded once; YUV is of limited range, RGB of full range. The
conversion of FFmpeg rounds twice, and puts 4:2:0 chroma between the columns, where no decoder looks for it.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.plane import VideoPlane
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc
from av.video.stream import VideoStream

from vidstyle.frames import FloatPicture, Picture
from vidstyle.media.write.codecs import Encoding

# Fixed, not "as many as there are cores": what comes out may depend on it.
ENCODER_THREADS = 4
# Apple's players take HEVC under this name only; it means that the parameter sets are in the header.
_HEVC_TAG = "hvc1"
_PRORES_PROFILES = {"yuv422p10le": "hq", "yuv444p10le": "4444"}
# Without this, SVT-AV1 writes its settings to the standard error; 1 leaves errors only.
os.environ.setdefault("SVT_LOG", "1")


class PictureEncoder(ABC):
    """Turns pictures into packets of one video stream of an output container."""

    stream: VideoStream

    @abstractmethod
    def encode(self, image: Picture, pts: int, duration: int) -> list[av.Packet[VideoStream]]:
        """Takes one `(height, width, 3)` uint8 RGB picture; times in ticks of the stream's time base."""

    @abstractmethod
    def flush(self) -> list[av.Packet[VideoStream]]:
        """Returns the packets still to come; nothing may be encoded afterwards."""


class StreamEncoder(PictureEncoder):
    """Any codec but GIF's: pictures in the encoding's pixel format, tagged with what they are.

    Args:
        container: its name decides where display order, parameter sets or tags need care.
        aspect: width of a pixel by its height.
    """

    def __init__(
        self,
        container: OutputContainer,
        encoding: Encoding,
        size: tuple[int, int],
        rate: Fraction,
        time_base: Fraction,
        aspect: Fraction,
        *,
        frames_are_counted: bool,
    ) -> None:
        options = _options(encoding, frames_are_counted)
        stream = container.add_stream(encoding.encoder, rate=rate, options=options)
        if not isinstance(stream, VideoStream):
            raise TypeError(f"{encoding.encoder} is no video encoder")
        stream.width, stream.height = size
        stream.pix_fmt = encoding.pixel_format
        stream.time_base = time_base
        context = stream.codec_context
        context.time_base = time_base
        context.framerate = rate
        context.bit_rate = 0  # the quantizer alone decides
        context.sample_aspect_ratio = aspect
        context.thread_count = ENCODER_THREADS
        context.colorspace, context.color_range = tags_of(encoding.pixel_format)
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        if encoding.codec == "hevc" and container.format.name in ("mp4", "mov"):
            context.codec_tag = _HEVC_TAG
        self.stream = stream
        self._pixel_format = encoding.pixel_format
        self._time_base = time_base
        self._durations: dict[int, int] = {}

    def encode(self, image: Picture, pts: int, duration: int) -> list[av.Packet[VideoStream]]:
        av_frame = coded_picture(image, self._pixel_format)
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


def _options(encoding: Encoding, frames_are_counted: bool) -> dict[str, str]:
    """Returns the options of the encoder: quality, speed, and whatever makes its bytes the same every time."""
    crf, preset = str(encoding.crf), str(encoding.preset)
    match encoding.codec:
        case "h264":
            # x264's AVX-512 code for macroblock trees gives another result at every run; what it calls
            # "cpu-independent" leaves that code out, at no cost that could be measured.
            options = {"crf": crf, "preset": preset, "x264-params": "cpu-independent=1"}
            if frames_are_counted:
                options["bf"] = "0"  # AVI has no place for the display order
                # Nor, as FFmpeg writes it, for the parameter sets, so they go with every key frame.
                options["x264-params"] += ":repeat-headers=1"
        case "hevc":
            # Rows are encoded at once only where there are threads, and that changes the result.
            same = f"pools={ENCODER_THREADS}:frame-threads=2:wpp=1"
            options = {"crf": crf, "preset": preset, "x265-params": f"{same}:open-gop=0:info=0:log-level=none"}
        case "av1":
            # FFmpeg's own option takes 0, the best, for "not given".
            options = {"preset": preset, "svtav1-params": f"lp={ENCODER_THREADS}:crf={crf}"}
        case "vp9":
            options = {"crf": crf, "deadline": "good", "cpu-used": preset, "row-mt": "1"}
        case "prores":
            options = {"profile": _PRORES_PROFILES[encoding.pixel_format], "vendor": "apl0"}
        case "ffv1":
            # As archives require: every frame coded by itself, each slice with a checksum.
            options = {"level": "3", "slices": str(ENCODER_THREADS), "slicecrc": "1", "g": "1"}
        case _:
            quality = str(100 - (encoding.crf or 0))
            options = {"lossless": str(int(encoding.crf == 0)), "quality": quality, "compression_level": "4"}
    if encoding.needs_even_sides:
        options["chroma_sample_location"] = "left"
    return options


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


# -- from RGB to pixel formats --------------------------------------------------------------------

# H.273 matrix codes.
RGB_MATRIX, BT709_MATRIX = 0, 1
# ITU-R BT.709-6, table 3: weights of red and blue in luma.
_RED, _BLUE = 0.2126, 0.0722
_Plane = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


def coded_picture(image: Picture, pixel_format: str) -> av.VideoFrame:
    """Returns `(H, W, 3)` uint8 RGB in a pixel format of FFmpeg, tagged with matrix, range, primaries and transfer.

    4:2:0 chroma lies on the left column of each 2x2 block (H.264's default, AV1's "vertical"), 4:2:2 chroma on the
    left pixel of each pair.

    Args:
        pixel_format: planar YUV of any depth and 4:2:0, 4:2:2 or 4:4:4; `gbrp` of any depth; `bgr0` or `bgra`. Sides
            are even where chroma is subsampled.
    """
    height, width = image.shape[:2]
    av_frame = av.VideoFrame(width, height, pixel_format)
    form = VideoFormat(pixel_format, width, height)
    if pixel_format in ("bgr0", "bgra"):
        planes = [_packed(image)]
    elif form.is_rgb:
        planes = _green_blue_red(image, form.components[0].bits)
    else:
        planes = _luma_and_chroma(image, form)
    for plane, values in zip(av_frame.planes, planes, strict=True):
        _fill(plane, values)
    av_frame.colorspace, av_frame.color_range = tags_of(pixel_format)
    av_frame.color_trc, av_frame.color_primaries = ColorTrc.BT709, ColorPrimaries.BT709
    return av_frame


def tags_of(pixel_format: str) -> tuple[int, ColorRange]:
    """Returns the H.273 matrix code and the range of what `coded_picture` makes."""
    if VideoFormat(pixel_format, 16, 16).is_rgb:
        return RGB_MATRIX, ColorRange.JPEG
    return BT709_MATRIX, ColorRange.MPEG


def _packed(image: Picture) -> _Plane:
    pixels = np.full((*image.shape[:2], 4), 255, np.uint8)
    pixels[:, :, :3] = image[:, :, ::-1]
    return pixels.reshape(image.shape[0], -1)


def _green_blue_red(image: Picture, bits: int) -> list[_Plane]:
    planes = [image[:, :, channel] for channel in (1, 2, 0)]
    if bits == 8:
        return [np.ascontiguousarray(plane) for plane in planes]
    return [_rounded(plane.astype(np.float64) * ((1 << bits) - 1) / 255, bits) for plane in planes]


def _luma_and_chroma(image: Picture, form: VideoFormat) -> list[_Plane]:
    bits, width, height = form.components[0].bits, form.width, form.height
    step = float(1 << (bits - 8))
    luma = np.array([_RED, 1 - _RED - _BLUE, _BLUE])
    blue = (np.array([0, 0, 1]) - luma) / (2 * (1 - _BLUE))
    red = (np.array([1, 0, 0]) - luma) / (2 * (1 - _RED))
    # BT.709-6, table 3: 16 to 235 for luma, 16 to 240 around 128 for chroma, times 2 for every bit above 8.
    matrix = np.column_stack([np.stack([luma * 219, blue * 224, red * 224]) / 255, [16, 128, 128]]) * step
    exact: FloatPicture = np.asarray(cv2.transform(image.astype(np.float32), matrix), np.float32)
    chroma: list[FloatPicture] = [exact[:, :, channel] for channel in (1, 2)]
    if form.chroma_width() < width:
        chroma = [_every_other_column(plane) for plane in chroma]
    if form.chroma_height() < height:
        chroma = [(plane[0::2] + plane[1::2]) * np.float32(0.5) for plane in chroma]
    return [_rounded(plane, bits) for plane in (exact[:, :, 0], *chroma)]


def _every_other_column(plane: FloatPicture) -> FloatPicture:
    """Returns the even columns, each with a quarter of its neighbors on either side."""
    wide = np.pad(plane, ((0, 0), (1, 1)), mode="edge")
    return np.asarray((wide[:, :-2:2] + 2 * wide[:, 1:-1:2] + wide[:, 2::2]) / 4, np.float32)


def _rounded(plane: npt.NDArray[np.floating[Any]], bits: int) -> _Plane:
    whole = np.rint(plane)
    coded: _Plane = whole.astype(np.uint8) if bits == 8 else whole.astype("<u2")
    return coded


def _fill(plane: VideoPlane, values: _Plane) -> None:
    """Writes rows into a plane, whose rows may be longer than the picture is wide."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    data = np.ascontiguousarray(values).view(np.uint8).reshape(values.shape[0], -1)
    rows[: len(data), : data.shape[1]] = data
