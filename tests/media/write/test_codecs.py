"""Every legal pair of container, codec and pixel format is written and read back; the others are refused."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from clips import VideoWriter, info_of, times_s

from vidstyle.errors import OutputError
from vidstyle.frames import Frame
from vidstyle.media.write.codecs import (
    AUTO,
    CODEC_NAMES,
    CODECS,
    LEGAL,
    PRESETS,
    EncodeOptions,
    choose_encoding,
    depth_of,
)
from vidstyle.media.write.joining import join_video
from vidstyle.media.write.segments import SEGMENT_SUFFIX
from vidstyle.settings import Settings

PAIRS = [(suffix, codec) for suffix, codecs in LEGAL.items() for codec in codecs]
STREAMS = [pair for pair in PAIRS if pair[0] not in (".gif", ".webp")]
FRAMES, EACH, SIZE = 3, 2, (160, 96)
RGB, BT709, UNSPECIFIED = 0, 1, 2
LIMITED, FULL = 1, 2


def scene(index: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Flat patches above, a gradient below that moves: what coding of color gets wrong is seen at once."""
    width, height = size
    patches = np.array([[[200, 60, 90], [20, 230, 30], [10, 20, 240], [128, 128, 128]]], np.uint8)
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2] = cv2.resize(patches, (width, height // 2), interpolation=cv2.INTER_NEAREST)
    ramp = np.linspace(0, 250, width)
    image[height // 2 :] = np.stack([ramp, 255 - ramp, ramp / 2 + index * 8], axis=1)
    return cv2.GaussianBlur(image, (0, 0), 5)


def written(output: Path, inputs: Path, each: int = EACH, **encode_options: Any) -> Path:
    """Writes three scenes in two segments."""
    writer = VideoWriter(output, info_of(inputs, width=SIZE[0], height=SIZE[1]), *SIZE, **encode_options)
    for index in range(FRAMES):
        writer.write(Frame(index, scene(index), index, Fraction(1, 25)))
    segments = writer.segments(inputs, each)
    join_video(output, writer.info, writer.spec, segments, writer.timestamps)
    return output


def rgb_of(frame: av.VideoFrame) -> np.ndarray:
    """Returns a decoded picture as float RGB on the scale of 255, by the formulas of BT.709 and nothing else."""
    form = frame.format
    bits, planes = form.components[0].bits, []
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        values = rows[:, : plane.width * (4 if form.name == "bgr0" else (bits + 7) // 8)]
        planes.append(np.ascontiguousarray(values).view(np.uint8 if bits == 8 else "<u2").astype(float))
    if form.name == "bgr0":
        return planes[0].reshape(frame.height, frame.width, 4)[:, :, 2::-1]
    if form.is_rgb:
        return np.stack([planes[2], planes[0], planes[1]], axis=2) * 255 / (2**bits - 1)
    y, u, v = planes[0], *(upsampled(plane, frame) for plane in planes[1:])
    step = 2 ** (bits - 8)
    y, u, v = (y / step - 16) / 219, (u / step - 128) / 224, (v / step - 128) / 224
    red, blue = y + 1.5748 * v, y + 1.8556 * u
    return np.stack([red, (y - 0.2126 * red - 0.0722 * blue) / 0.7152, blue], axis=2) * 255


def upsampled(plane: np.ndarray, frame: av.VideoFrame) -> np.ndarray:
    """Chroma for every pixel: on the left column of each pair, between the rows where those are halved too."""
    columns = np.minimum(np.arange(frame.width) / (frame.width / plane.shape[1]), plane.shape[1] - 1)
    ratio = frame.height / plane.shape[0]
    rows = np.clip((np.arange(frame.height) + 0.5) / ratio - 0.5, 0, plane.shape[0] - 1)
    x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    return cv2.remap(plane.astype(np.float32), x, y, cv2.INTER_LINEAR).astype(float)


@pytest.mark.parametrize(("suffix", "codec"), STREAMS)
def test_every_legal_combination_is_written_in_its_colors_and_tagged(
    place: Path, inputs: Path, suffix: str, codec: str
) -> None:
    for pixel_format in LEGAL[suffix][codec]:
        crf = {} if CODECS[codec].crf is None else {"crf": 8}
        preset = {"preset": "ultrafast"} if CODECS[codec].presets and codec != "av1" else {}
        encode_options = {"codec": codec, "pixel_format": pixel_format} | crf | preset
        output = written(place / f"{pixel_format}{suffix}", inputs, each=FRAMES, **encode_options)
        assert times_s(output) == [Fraction(k, 25) for k in range(FRAMES)] or suffix == ".avi", pixel_format
        with av.open(str(output)) as container:
            stream = container.streams.video[0]
            frames = list(container.decode(stream))
            assert stream.codec_context.codec.canonical_name == codec
            # FFmpeg decodes all ProRes 4444 as 12 bits.
            stored = "yuv444p12le" if (codec, pixel_format) == ("prores", "yuv444p10le") else pixel_format
            assert frames[0].format.name == stored
            want = (RGB, FULL, BT709, BT709) if frames[0].format.is_rgb else (BT709, LIMITED, BT709, BT709)
            if (suffix, codec) == (".avi", "ffv1"):
                want = (UNSPECIFIED, 0, UNSPECIFIED, UNSPECIFIED)  # no place for tags, which RGB can do without
            assert {tags_of(tagged) for tagged in (stream.codec_context, *frames)} == {want}, pixel_format
        assert len(frames) == FRAMES
        assert max(np.abs(rgb_of(frame) - scene(k)).mean() for k, frame in enumerate(frames)) < 1, pixel_format


def tags_of(tagged: Any) -> tuple[int, int, int, int]:
    return tagged.colorspace, tagged.color_range, tagged.color_primaries, tagged.color_trc


# What has no place in the codec itself stands in the container only: VP9 knows matrix and range, FFV1 nothing.
@pytest.mark.parametrize(
    ("suffix", "codec", "want"),
    [
        (".mkv", "h264", (BT709, LIMITED, BT709, BT709)),
        (".mp4", "hevc", (BT709, LIMITED, BT709, BT709)),
        (".webm", "av1", (BT709, LIMITED, BT709, BT709)),
        (".mkv", "vp9", (BT709, LIMITED, UNSPECIFIED, UNSPECIFIED)),
        (".mov", "prores", (BT709, LIMITED, BT709, BT709)),
    ],
)
def test_the_pictures_themselves_say_what_they_are(
    place: Path, inputs: Path, suffix: str, codec: str, want: tuple[int, ...]
) -> None:
    output = written(place / f"o{suffix}", inputs, codec=codec)
    with av.open(str(output)) as container:
        stream = container.streams.video[0]
        alone = av.CodecContext.create(stream.codec_context.name, "r")
        alone.extradata = stream.codec_context.extradata
        packets = [packet for packet in container.demux(stream) if packet.size]
        frames = [frame for packet in [*packets, None] for frame in alone.decode(packet)]
    assert {tags_of(frame) for frame in frames} == {want}


@pytest.mark.parametrize(("suffix", "codec"), PAIRS)
def test_the_same_pictures_give_the_same_bytes_and_each_segment_begins_afresh(
    place: Path, inputs: Path, suffix: str, codec: str
) -> None:
    files = [written(place / f"{n}{suffix}", inputs, **named(codec)) for n in range(2)]
    assert files[0].read_bytes() == files[1].read_bytes()
    segments = sorted(inputs.glob(f"*{SEGMENT_SUFFIX}"))
    assert len(segments) == 2
    if codec == "webp":
        return
    for segment, count in zip(segments, (EACH, FRAMES - EACH), strict=True):
        with av.open(str(segment)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        assert packets[0].is_keyframe
        assert packets[0].pts == min(packet.pts for packet in packets)
        assert len(packets) == count


def named(codec: str) -> dict[str, str]:
    return {"codec": codec} if codec in CODEC_NAMES else {}


@pytest.mark.parametrize("codec", [name for name in CODECS if CODECS[name].crf is not None])
def test_crf_and_preset_reach_the_encoder(place: Path, inputs: Path, codec: str) -> None:
    suffix = next(suffix for suffix, codecs in LEGAL.items() if codec in codecs)
    size = [written(place / f"{n}{suffix}", inputs, crf=n, **named(codec)).stat().st_size for n in (0, 2, 45)]
    assert size[0] > size[1] > 1.2 * size[2]
    if CODECS[codec].presets:
        bytes_of = [
            written(place / f"{name}{suffix}", inputs, preset=name, **named(codec)).read_bytes()
            for name in ("ultrafast", "medium", "slower")
        ]
        assert len(set(bytes_of)) == 3


@pytest.mark.parametrize(("suffix", "profile"), [(".mov", b"apch"), (".mov", b"ap4h"), (".mkv", b"apch")])
def test_prores_profile_follows_the_pixel_format(place: Path, inputs: Path, suffix: str, profile: bytes) -> None:
    pixel_format = "yuv444p10le" if profile == b"ap4h" else "yuv422p10le"
    output = written(place / f"o{suffix}", inputs, codec="prores", pixel_format=pixel_format)
    assert profile in output.read_bytes()


def test_hevc_is_named_as_apples_players_need_it(place: Path, inputs: Path) -> None:
    for suffix in (".mp4", ".mov"):
        data = written(place / f"o{suffix}", inputs, codec="hevc").read_bytes()
        assert b"hvc1" in data
        assert b"hev1" not in data
        assert data.index(b"moov") < data.index(b"mdat")  # players start before all is there


def test_ffv1_is_version_3_with_checksums_and_loses_nothing(place: Path, inputs: Path) -> None:
    output = written(place / "o.mkv", inputs, codec="ffv1")
    with av.open(str(output)) as container:
        assert all(np.array_equal(rgb_of(f), scene(k)) for k, f in enumerate(container.decode(video=0)))
    data = bytearray(output.read_bytes())
    start = len(data) - 3000  # within the last picture
    data[start : start + 4] = bytes(byte ^ 255 for byte in data[start : start + 4])
    output.write_bytes(data)
    av.logging.set_level(av.logging.WARNING)
    with av.logging.Capture() as messages, av.open(str(output)) as container:
        list(container.decode(video=0))
    assert any("CRC" in text for _, _, text in messages), messages


@pytest.mark.parametrize("crf", [0, 5])
def test_webp_moves_at_its_own_times(place: Path, inputs: Path, crf: int) -> None:
    writer = VideoWriter(place / "o.webp", info_of(inputs, time_base=Fraction(1, 1000)), *SIZE, crf=crf)
    stamps = [0, 40, 140, 150, 400]
    for index, stamp in enumerate(stamps):
        writer.write(Frame(index, scene(index), stamp, Fraction(1, 1000)))
    join_video(writer.output, writer.info, writer.spec, writer.segments(inputs, 2), stamps)
    whole, animation = cv2.imreadanimation(str(writer.output))
    assert whole
    assert animation.loop_count == 0
    assert list(animation.durations) == [40, 100, 10, 250, 40]
    errors = [np.abs(image[:, :, 2::-1].astype(int) - scene(k)).mean() for k, image in enumerate(animation.frames)]
    assert len(errors) == 5
    assert max(errors) == 0 if crf == 0 else 0 < max(errors) < 2


REFUSED = {
    "a codec": (
        ".mp4",
        {"codec": "prores"},
        r"prores cannot be written to \.mp4.*h264: .*goes into \.mkv, \.mov",
    ),
    "a format": (".mov", {"codec": "prores", "pixel_format": "yuv420p"}, r"prores: yuv422p10le, yuv444p10le$"),
    "a format nobody has": (".mp4", {"pixel_format": "rgb24"}, "rgb24 cannot be written.*hevc: .*gbrp"),
    "a depth": (".webm", {"codec": "vp9", "bit_depth": "10"}, "vp9 with bit depth 10.*vp9: yuv420p, yuv422p"),
    "a contradiction": (".mp4", {"pixel_format": "yuv420p", "bit_depth": "10"}, "yuv420p with bit depth 10"),
    "a codec for GIF": (".gif", {"codec": "h264"}, "takes gif: pal8"),
    "a quality": (".mp4", {"crf": 52}, r"--crf 52 is too high for h264; use 0 \(best\) to 51"),
    "no quality": (".mkv", {"codec": "ffv1", "crf": 1}, "ffv1 has no quality to choose"),
    "no preset": (".mov", {"codec": "prores", "preset": "slow"}, r"prores has no presets \(only h264, hevc, av1, vp9"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_impossible_is_refused_with_what_is_legal(what: str) -> None:
    suffix, encode_options, message = REFUSED[what]
    with pytest.raises(OutputError, match=message) as caught:
        choose_encoding(Path(f"o{suffix}"), EncodeOptions(**encode_options))
    assert "\n" not in str(caught.value)


def test_what_is_not_in_the_table_is_refused() -> None:
    formats = {name for codecs in LEGAL.values() for listed in codecs.values() for name in listed}
    for suffix, legal in LEGAL.items():
        for codec in CODEC_NAMES:
            for pixel_format in formats - set(legal.get(codec, ())):
                with pytest.raises(OutputError, match="cannot be written"):
                    choose_encoding(Path(f"o{suffix}"), EncodeOptions(codec, pixel_format))


def test_sizes_that_a_codec_does_not_take(place: Path, inputs: Path) -> None:
    for name, size, encode_options in (("o.mkv", (640, 32), {"codec": "av1"}), ("o.webp", (16384, 64), {})):
        with pytest.raises(OutputError, match=f"not {size[0]}x{size[1]}"):
            VideoWriter(place / name, info_of(inputs), *size, **encode_options)


@pytest.mark.parametrize(
    ("suffix", "encode_options", "source_depth", "want"),
    [
        (".mp4", {}, 10, ("h264", "yuv420p")),
        (".mp4", {"bit_depth": "source"}, 10, ("h264", "yuv420p10le")),
        (".mp4", {"bit_depth": "source"}, 8, ("h264", "yuv420p")),
        (".mp4", {"bit_depth": "source"}, 16, ("hevc", "yuv420p12le")),
        (".webm", {"bit_depth": "source"}, 10, ("av1", "yuv420p10le")),
        (".mp4", {"bit_depth": "source", "codec": "hevc"}, 16, ("hevc", "yuv420p12le")),
        (".mov", {"bit_depth": "source", "codec": "prores"}, 8, ("prores", "yuv422p10le")),
        (".webm", {}, 8, ("vp9", "yuv420p")),
        (".webm", {"bit_depth": "10"}, 8, ("av1", "yuv420p10le")),
        (".mp4", {"pixel_format": "gbrp"}, 8, ("hevc", "gbrp")),
        (".mkv", {"codec": "ffv1"}, 8, ("ffv1", "bgr0")),
        (".mkv", {"codec": "ffv1", "bit_depth": "10"}, 8, ("ffv1", "gbrp10le")),
    ],
)
def test_the_first_that_fulfills_all_options_is_chosen(
    suffix: str, encode_options: dict[str, str], source_depth: int, want: tuple[str, str]
) -> None:
    encoding = choose_encoding(Path(f"o{suffix}"), EncodeOptions(**encode_options), source_depth)
    assert (encoding.codec, encoding.pixel_format) == want
    assert encode_options.get("bit_depth") not in ("8", "10") or depth_of(encoding.pixel_format) == int(
        encode_options["bit_depth"]
    )


def test_an_ffmpeg_without_the_encoder_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CODECS, "hevc", replace(CODECS["hevc"], encoder="libx999"))
    with pytest.raises(OutputError, match=r"lacks the encoder libx999; choose --codec h264 or av1 or"):
        choose_encoding(Path("o.mp4"), EncodeOptions("hevc"))
    monkeypatch.setitem(LEGAL, ".mp4", {"av1": ("yuv444p", "yuv420p")})
    with pytest.raises(OutputError, match="has no yuv444p in libsvtav1; it takes yuv420p"):
        choose_encoding(Path("o.mp4"), EncodeOptions("av1", "yuv444p"))


def test_the_settings_know_the_same_words() -> None:
    choices = {spec.name: spec.metadata["kind"].choices for spec in fields(Settings)}
    assert choices["codec"] == (AUTO, *CODEC_NAMES)
    assert choices["preset"] == (AUTO, *PRESETS)
    assert choose_encoding(Path("o.mp4"), EncodeOptions(preset=AUTO)) == choose_encoding(
        Path("o.mp4"), EncodeOptions(preset="medium")
    )
