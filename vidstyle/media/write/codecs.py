"""Which codecs, pixel formats and containers go together, and the encoding that fulfills the encode options.

What is not in `LEGAL` is refused before the first frame; a test writes and reads back each line of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
from av.codec.codec import UnknownCodecError
from av.video.format import VideoFormat

from vidstyle.errors import OutputError

AUTO = "auto"
# A choice of bits per channel: as many as the source has.
SOURCE_DEPTH = "source"
# x264's names, which users know; from fast to thorough.
PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
)
_DEFAULT_PRESET = "medium"


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to encode pictures.

    Attributes:
        encoder: FFmpeg's name of it.
        crf: quality by default, or None where quality cannot be chosen. worst_crf: highest number.
        presets: the encoder's own name for each of `PRESETS`; empty where there is nothing to choose.
        sides_px: the least and the greatest width and height.
        segment: FFmpeg's format of a segment file, which must hold the codec's packets untouched.
    """

    encoder: str
    crf: int | None = None
    worst_crf: int = 0
    presets: Mapping[str, str] = field(default_factory=dict)
    sides_px: tuple[int, int] = (2, 16384)
    segment: str = "nut"


_X264_PRESETS = dict(zip(PRESETS, PRESETS, strict=True))
# SVT-AV1 counts from 13 (fast) to 0; VP9's --cpu-used, for good quality, from 5 to 0.
_AV1_PRESETS = dict(zip(PRESETS, ("12", "11", "10", "9", "8", "7", "5", "4", "2", "0"), strict=True))
_VP9_PRESETS = dict(zip(PRESETS, ("5", "5", "5", "5", "5", "4", "3", "2", "1", "0"), strict=True))

CODECS: dict[str, Codec] = {
    "h264": Codec("libx264", 16, 51, _X264_PRESETS),
    "hevc": Codec("libx265", 16, 51, _X264_PRESETS),
    # SVT-AV1 4.1 waits for ever over pictures of 16x256; its authors long promised 64 and more.
    "av1": Codec("libsvtav1", 16, 63, _AV1_PRESETS, sides_px=(64, 16384)),
    "vp9": Codec("libvpx-vp9", 20, 63, _VP9_PRESETS),
    # NUT has no name for it.
    "prores": Codec("prores_ks", segment="mov"),
    "ffv1": Codec("ffv1"),
    "gif": Codec("gif"),
    # Its quality counts the other way round; 0 is lossless. No container holds single WebP pictures: they lie
    # in a row, and each tells its length.
    "webp": Codec("libwebp", 10, 100, sides_px=(2, 16383), segment="image2pipe"),
}
# Those that a user may choose by name; the other two belong to their suffix.
CODEC_NAMES = ("h264", "hevc", "av1", "vp9", "prores", "ffv1")

_H264 = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")
_HEVC = (*_H264, "yuv420p12le", "yuv422p12le", "yuv444p12le", "gbrp", "gbrp10le", "gbrp12le")
_AV1 = ("yuv420p", "yuv420p10le")
_VP9 = ("yuv420p", "yuv422p", "yuv444p", "gbrp")
_PRORES = ("yuv422p10le", "yuv444p10le")
# RGB first: FFV1 is chosen to lose nothing.
_FFV1_RGB = ("bgr0", "gbrp10le", "gbrp12le")
_FFV1 = (*_FFV1_RGB, *_H264, "yuv420p12le", "yuv422p12le", "yuv444p12le")

# Container by suffix -> codec -> pixel formats; the first of each is the default.
LEGAL: dict[str, dict[str, tuple[str, ...]]] = {
    ".mp4": {"h264": _H264, "hevc": _HEVC, "av1": _AV1, "vp9": _VP9},
    ".mkv": {"h264": _H264, "hevc": _HEVC, "av1": _AV1, "vp9": _VP9, "ffv1": _FFV1, "prores": _PRORES},
    ".mov": {"h264": _H264, "hevc": _HEVC, "prores": _PRORES},
    ".webm": {"vp9": _VP9, "av1": _AV1},
    # Neither AVI nor FFV1 itself can note which YUV it is, so FFV1 is RGB there.
    ".avi": {"h264": _H264, "ffv1": _FFV1_RGB},
    ".gif": {"gif": ("pal8",)},
    ".webp": {"webp": ("bgra",)},
}


@dataclass(frozen=True, slots=True)
class EncodeOptions:
    """What a user asked for; `AUTO` and None leave the choice to `choose_encoding`.

    Attributes:
        codec: of `CODEC_NAMES`. pixel_format: FFmpeg's name. crf: see `Codec`. preset: of `PRESETS`.
        bit_depth: bits per channel in words, or `SOURCE_DEPTH`.
    """

    codec: str = AUTO
    pixel_format: str = AUTO
    bit_depth: str = AUTO
    crf: int | None = None
    preset: str = AUTO


@dataclass(frozen=True, slots=True)
class Encoding:
    """How pictures are encoded, with nothing left to choose.

    Attributes:
        codec: key of `CODECS`. pixel_format: FFmpeg's name of it.
        crf: quality in the codec's own numbers, or None. preset: the encoder's own name of it, or None.
    """

    codec: str
    pixel_format: str
    crf: int | None
    preset: str | None

    @property
    def encoder(self) -> str:
        """FFmpeg's name of the encoder."""
        return CODECS[self.codec].encoder

    @property
    def needs_even_sides(self) -> bool:
        """Whether neighboring pixels share their color, so that their number must be even."""
        form = VideoFormat(self.pixel_format, 16, 16)
        return bool(form.chroma_width() < 16)


def depth_of(pixel_format: str) -> int:
    """Returns the bits per channel of a pixel format that FFmpeg knows."""
    return 8 if pixel_format == "pal8" else int(VideoFormat(pixel_format, 16, 16).components[0].bits)


def choose_encoding(output: Path, encode_options: EncodeOptions, source_depth: int = 8) -> Encoding:
    """Returns the first legal encoding that fulfills the encode options.

    Args:
        output: the file; its suffix is one of `LEGAL`. source_depth: bits per channel of the input.

    Raises:
        OutputError: there is none; the message lists what is legal. Or FFmpeg, as it is here, lacks the encoder.
    """
    codec, pixel_format = _chosen(output, encode_options, source_depth)
    encoding = Encoding(
        codec, pixel_format, _crf(output, codec, encode_options), _preset(output, codec, encode_options)
    )
    _check_built(output, encoding)
    return encoding


def check_size(output: Path, encoding: Encoding, width: int, height: int) -> None:
    """Makes sure that the codec takes pictures of `width` x `height` pixels.

    Raises:
        OutputError: it does not.
    """
    least, most = CODECS[encoding.codec].sides_px
    if not least <= min(width, height) <= max(width, height) <= most:
        raise OutputError(
            f"{output}: {encoding.codec} takes sides of {least} to {most} pixels, not {width}x{height}; choose another "
            "--size or --codec"
        )


def _chosen(output: Path, encode_options: EncodeOptions, source_depth: int) -> tuple[str, str]:
    legal = LEGAL[output.suffix.lower()]
    possible = [
        (codec, pixel_format)
        for codec, formats in legal.items()
        for pixel_format in formats
        if encode_options.codec in (AUTO, codec) and encode_options.pixel_format in (AUTO, pixel_format)
    ]
    depth = _requested_depth([pixel_format for _, pixel_format in possible], encode_options.bit_depth, source_depth)
    for codec, pixel_format in possible:
        if depth in (None, depth_of(pixel_format)):
            return codec, pixel_format
    asked = [] if encode_options.codec == AUTO else [encode_options.codec]
    asked += [] if encode_options.pixel_format == AUTO else [encode_options.pixel_format]
    asked += [] if encode_options.bit_depth == AUTO else [f"bit depth {encode_options.bit_depth}"]
    listed = "; ".join(f"{name}: {', '.join(formats)}" for name, formats in _relevant(legal, encode_options.codec))
    elsewhere = [
        suffix
        for suffix, codecs in LEGAL.items()
        if encode_options.codec in codecs and encode_options.codec not in legal
    ]
    advice = f"; {encode_options.codec} goes into {', '.join(elsewhere)}" if elsewhere else ""
    raise OutputError(
        f"{output}: {' with '.join(asked)} cannot be written to {output.suffix.lower()}, which takes {listed}{advice}"
    )


def _relevant(legal: Mapping[str, tuple[str, ...]], codec: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields what to list: the codec's own pixel formats where it is legal, else all there is."""
    yield from ((name, formats) for name, formats in legal.items() if codec not in legal or name == codec)


def _requested_depth(formats: Sequence[str], bit_depth: str, source_depth: int) -> int | None:
    """Returns the bits per channel to look for among `formats`, None for any."""
    if bit_depth == AUTO or not formats:
        return None
    if bit_depth != SOURCE_DEPTH:
        return int(bit_depth)
    depths = sorted({depth_of(pixel_format) for pixel_format in formats})
    return next((depth for depth in depths if depth >= source_depth), depths[-1])


def _crf(output: Path, codec: str, encode_options: EncodeOptions) -> int | None:
    default, worst = CODECS[codec].crf, CODECS[codec].worst_crf
    if encode_options.crf is None:
        return default
    if default is None:
        raise OutputError(f"{output}: {codec} has no quality to choose; leave --crf out")
    if encode_options.crf > worst:
        raise OutputError(f"{output}: --crf {encode_options.crf} is too high for {codec}; use 0 (best) to {worst}")
    return encode_options.crf


def _preset(output: Path, codec: str, encode_options: EncodeOptions) -> str | None:
    presets = CODECS[codec].presets
    if not presets:
        if encode_options.preset != AUTO:
            known = ", ".join(name for name in CODEC_NAMES if CODECS[name].presets)
            raise OutputError(f"{output}: {codec} has no presets (only {known} have); leave --preset out")
        return None
    return presets[_DEFAULT_PRESET if encode_options.preset == AUTO else encode_options.preset]


def _check_built(output: Path, encoding: Encoding) -> None:
    """Makes sure that this build of FFmpeg has the encoder, and the encoder the pixel format."""
    here = f"FFmpeg {av.ffmpeg_version_info}, as it comes with PyAV {av.__version__} here,"
    try:
        formats = av.Codec(encoding.encoder, "w").video_formats or []
    except UnknownCodecError as error:
        present = [name for name in CODEC_NAMES if CODECS[name].encoder in av.codecs_available]
        raise OutputError(
            f"{output}: {here} lacks the encoder {encoding.encoder}; choose --codec {' or '.join(present)}, or "
            "install PyAV's own wheel: pip install --force-reinstall av"
        ) from error
    names = {form.name for form in formats}
    if encoding.pixel_format not in names:
        here_legal = [name for name in LEGAL[output.suffix.lower()][encoding.codec] if name in names]
        raise OutputError(
            f"{output}: {here} has no {encoding.pixel_format} in {encoding.encoder}; it takes {', '.join(here_legal)}"
        )
