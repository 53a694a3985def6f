"""Colors of every kind of video, by the formulas of their standards."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from clips import make_video
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.media.read.color import (
    BT709,
    BT2020,
    HLG,
    LINEAR,
    PQ,
    SDR_WHITE_NITS,
    Light,
    dimmed_nits,
    hlg_to_scene,
    luminance_weights,
    nits_to_pq,
    pq_to_nits,
    to_bt709,
    to_rgb,
    to_sdr,
)
from vidstyle.media.read.open_source import open_source

# H.273's KR and KB by matrix code.
MATRICES = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087),
            9: (0.2627, 0.0593)}  # fmt: skip
# Bits, and how many columns and rows share a chroma sample.
FORMATS = {
    "yuv420p": (8, 2, 2), "yuv422p": (8, 2, 1), "yuv444p": (8, 1, 1), "yuv411p": (8, 4, 1), "yuv440p": (8, 1, 2),
    "yuv420p10le": (10, 2, 2), "yuv422p10le": (10, 2, 1), "yuv444p10le": (10, 1, 1), "yuv420p12le": (12, 2, 2),
    "yuv444p12le": (12, 1, 1),
}  # fmt: skip
WIDTH, HEIGHT = 160, 96


def _gradients(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Luma and chroma at places of 0 to 1, on the scale of 8 bits; within limited and full range."""
    return 50 + 120 * x, 128 + 30 * (x - 0.5) + 24 * (y - 0.5), 128 - 20 * (x - 0.5) + 36 * (y - 0.5)


def _yuv_frame(name: str) -> av.VideoFrame:
    bits, columns, rows = FORMATS[name]
    frame = av.VideoFrame(WIDTH, HEIGHT, name)
    for number, plane in enumerate(frame.planes):
        across, down = (columns, rows) if number else (1, 1)
        # On the left of the columns that share it, between the rows: where untagged chroma lies.
        x = np.arange(plane.width) * across / (WIDTH - 1)
        y = (np.arange(plane.height) * down + (down - 1) / 2) / (HEIGHT - 1)
        values = np.rint(_gradients(*np.meshgrid(x, y))[number] * (1 << (bits - 8)))
        dtype = np.dtype("<u2" if bits > 8 else np.uint8)
        padded = np.zeros((plane.height, plane.line_size // dtype.itemsize), dtype)
        padded[:, : plane.width] = values
        plane.update(padded.tobytes())
    return frame


def _exact(bits: int, kr: float, kb: float, full: bool) -> np.ndarray:
    y, cb, cr = _gradients(*np.meshgrid(np.arange(WIDTH) / (WIDTH - 1), np.arange(HEIGHT) / (HEIGHT - 1)))
    peak = ((1 << bits) - 1) / (1 << (bits - 8))
    luma, blue, red = (y / peak, (cb - 128) / peak, (cr - 128) / peak) if full else (
        (y - 16) / 219, (cb - 128) / 224, (cr - 128) / 224)  # fmt: skip
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    return 255 * np.clip(np.stack([r, (luma - kr * r - kb * b) / (1 - kr - kb), b], axis=-1), 0, 1)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("name", FORMATS)
def test_yuv_by_the_formula(name: str, matrix: int, full: bool) -> None:
    frame = _yuv_frame(name)
    frame.colorspace, frame.color_range = matrix, 2 if full else 1
    error = to_rgb(frame, WIDTH, HEIGHT) - _exact(FORMATS[name][0], *MATRICES[matrix], full)
    assert np.abs(error).mean() < 0.6
    # swscale takes 4:1:1 to lie between the columns, which nothing in a frame can say otherwise.
    assert np.abs(error.mean((0, 1))).max() < (0.7 if name == "yuv411p" else 0.5)
    assert np.abs(error).max() < 3


@pytest.mark.parametrize(
    ("size", "primaries", "matrix"),
    [((720, 576), 2, 6), ((720, 480), 2, 6), ((1280, 534), 2, 1), ((1920, 1080), 2, 1), ((720, 1280), 2, 1),
     ((64, 48), 9, 9), ((64, 48), 1, 1), ((1920, 1080), 5, 6)],
)  # fmt: skip
def test_what_untagged_pictures_are_taken_for(size: tuple[int, int], primaries: int, matrix: int) -> None:
    frame = av.VideoFrame(*size, "yuv444p")
    for plane, value in zip(frame.planes, (120, 100, 160), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.color_primaries = primaries
    untagged = to_rgb(frame, 16, 16)
    frame.colorspace, frame.color_range = matrix, 1
    assert np.array_equal(to_rgb(frame, 16, 16), untagged)


RGB_FORMATS = ["rgb24", "bgr24", "rgba", "bgra", "argb", "gbrp", "gbrp10le", "gbrp12le", "gbrap", "gbrap12le",
               "rgb48le", "rgba64le"]  # fmt: skip


@pytest.mark.parametrize("name", RGB_FORMATS)
def test_rgb_is_taken_as_it_is(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=name)
    assert np.array_equal(to_rgb(frame, 64, 48), image)


@pytest.mark.parametrize(("color_range", "want"), [(0, [16, 235]), (1, [0, 255]), (2, [16, 235])])
def test_gray_has_the_full_range_unless_it_says_otherwise(color_range: int, want: list[int]) -> None:
    image = np.full((48, 64), 16, np.uint8)
    image[:, 32:] = 235
    frame = av.VideoFrame.from_ndarray(image, "gray")
    frame.color_range = color_range
    assert to_rgb(frame, 64, 48)[10, [10, 50]].tolist() == [[value] * 3 for value in want]


@pytest.mark.parametrize("name", ["rgba", "gbrap", "yuva444p"])
def test_transparent_parts_show_the_background(name: str) -> None:
    rgba = np.full((48, 64, 4), (200, 100, 50, 255), np.uint8)
    rgba[:, 20:40, 3], rgba[:, 40:, 3] = 128, 0
    frame = av.VideoFrame.from_ndarray(rgba, "rgba")
    if name != "rgba":
        frame = frame.reformat(format=name, dst_colorspace=5, dst_color_range=1 if name[0] == "y" else 2)
    for background in (0, 255):
        shown = to_rgb(frame, 64, 48, background=background)[24, [10, 30, 50]].astype(int)
        half = (np.array([200, 100, 50]) * 128 + background * 127) / 255
        assert np.abs(shown - [[200, 100, 50], half, [background] * 3]).max() < 1.2


@pytest.mark.parametrize(("location", "shift_px"), [(0, 0.0), (1, -0.5), (2, 0.0)])
def test_chroma_lies_where_the_file_says(tmp_path: Path, location: int, shift_px: float) -> None:
    """A ramp of Cb whose samples stand for the left of their columns; 1 says that they lie between them."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        options = {"qp": "0", "preset": "ultrafast", "x264-params": f"chromaloc={location}"}
        stream = output.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.colorspace = 1
        frame = av.VideoFrame(128, 96, "yuv420p")
        for plane, ramp in zip(
            frame.planes, (np.full(128, 120), np.arange(64) * 2 + 64, np.full(64, 128)), strict=True
        ):
            row = np.zeros(plane.line_size, np.uint8)
            row[: len(ramp)] = ramp
            plane.update(row.tobytes() * plane.height)
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with open_source(path) as source:
        blue = next(source).image[48, 48:80, 2].astype(float)
    per_px = 255 * 2 * (1 - 0.0722) / 224
    exact = (120 - 16) / 219 * 255 + per_px * (np.arange(48, 80) - 64)
    assert (blue - exact).mean() / per_px == pytest.approx(shift_px, abs=0.1)


def test_an_unknown_matrix_is_said(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", options={"x264-params": "colormatrix=YCgCo"})
    with open_source(path) as source:
        list(source)
        assert source.notes == ["a.mkv: color matrix 8 is not known here; colors may be wrong"]


LIGHTS = [Light(PQ, BT2020), Light(PQ, BT2020, 4000.0), Light(HLG, BT2020), Light(1, BT2020), Light(LINEAR, BT709)]


def _shown(signal: np.ndarray, light: Light) -> np.ndarray:
    """RGB signals of 0 to 1, `(n, 3)`, to levels."""
    codes = np.rint(np.asarray(signal, float).reshape(-1, 1, 3) * 65535).astype(np.uint16)
    return to_sdr(codes, light)[:, 0]


def test_pq_at_the_values_of_its_standards() -> None:
    # BT.2408, table 1: signals of 58 %, 75 % and 38 % are 203, 1000 (rounded) and 26 nits.
    assert pq_to_nits([0.0, 1.0]) == pytest.approx([0, 10_000])
    assert nits_to_pq([26, 203, 1000, 10_000]) == pytest.approx([0.38, 0.58, 0.75, 1], abs=0.005)


def test_hlg_at_the_values_of_its_standards() -> None:
    # BT.2100: 1/12 of the scene's light is coded as 0.5; BT.2408: white at 75 % is 203 nits of 1000 after the OOTF.
    assert hlg_to_scene([0, 0.5, 1]) == pytest.approx([0, 1 / 12, 1], abs=1e-6)
    assert 1000 * hlg_to_scene(0.75) ** 1.2 == pytest.approx(203, abs=1)


@given(st.floats(0, 10_000))
def test_pq_there_and_back(nits: float) -> None:
    assert pq_to_nits(nits_to_pq(nits)) == pytest.approx(nits, rel=1e-6, abs=1e-6)


@given(st.floats(1, 10_000), st.lists(st.floats(0, 10_000), min_size=2, max_size=20))
def test_the_curve_rises_and_keeps_to_its_bounds(peak_nits: float, nits: list[float]) -> None:
    dimmed = dimmed_nits(sorted(nits), peak_nits)
    assert np.isfinite(dimmed).all()
    assert all(a <= b + 1e-6 for a, b in pairwise(dimmed))
    assert dimmed.min() >= 0
    assert dimmed.max() <= SDR_WHITE_NITS
    assert (dimmed <= np.sort(nits) * (1 + 1e-6) + 1e-6).all()


def test_the_curve_leaves_mid_tones_and_brings_the_peak_to_white() -> None:
    assert dimmed_nits([0, 1, 26, 50], 1000) == pytest.approx([0, 1, 26, 50])
    assert dimmed_nits([1000, 5000], 1000) == pytest.approx([203, 203], rel=1e-3)
    assert dimmed_nits([50, 150, 300], 100) == pytest.approx([50, 150, 203])


@pytest.mark.parametrize("light", LIGHTS)
class TestEveryLight:
    def test_gray_stays_gray_and_rises(self, light: Light) -> None:
        gray = _shown(np.repeat(np.linspace(0, 1, 1025)[:, None], 3, axis=1), light).astype(int)
        assert np.abs(gray - gray[:, :1]).max() == 0
        assert (np.diff(gray[:, 0]) >= 0).all()
        assert (gray[0, 0], gray[-1, 0]) == (0, 255)

    def test_pixels_do_not_depend_on_their_place(self, light: Light) -> None:
        codes = np.random.default_rng(1).integers(0, 65536, (100, 7, 3), np.uint16)
        assert np.array_equal(to_sdr(codes, light)[37:51, 2:], to_sdr(np.ascontiguousarray(codes[37:51, 2:]), light))


@pytest.mark.parametrize("light", [Light(PQ, BT2020), Light(HLG, BT2020)])
def test_white_is_bright_and_light_above_it_is_not_lost(light: Light) -> None:
    steps = [26.0, 100.0, 203.0, 400.0, 600.0]
    if light.transfer == PQ:
        signal = nits_to_pq(steps)
    else:
        table = np.linspace(0, 1, 100_001)
        signal = np.interp(steps, 1000 * hlg_to_scene(table) ** 1.2, table)
    levels = _shown(np.repeat(signal[:, None], 3, axis=1), light)[:, 0].astype(int)
    assert all(a < b for a, b in pairwise(levels))
    assert 220 <= levels[2] <= 240
    assert levels[4] < 255
    # Faces and the like are as bright as in SDR.
    assert levels[0] == pytest.approx(255 * (26 / 203) ** (1 / 2.4), abs=1)


@pytest.mark.parametrize("light", [Light(PQ, BT2020), Light(HLG, BT2020)])
def test_colors_are_those_of_the_formulas(light: Light) -> None:
    signals = np.random.default_rng(2).random((2000, 3))
    if light.transfer == PQ:
        nits = pq_to_nits(signals)
    else:
        scene = hlg_to_scene(signals)
        nits = 1000 * scene * (scene @ luminance_weights(BT2020))[:, None] ** 0.2
    brightest = nits.max(1, keepdims=True)
    nits = nits * dimmed_nits(brightest, 1000) / brightest
    exact = 255 * np.clip(nits / 203 @ to_bt709(BT2020).T, 0, 1) ** (1 / 2.4)
    assert np.abs(_shown(signals, light) - exact).max() < 1


def test_wide_gamut_sdr_is_converted_by_the_formula() -> None:
    signals = np.random.default_rng(3).random((2000, 3))
    for primaries in (BT2020, 12):
        exact = 255 * np.clip(signals**2.4 @ to_bt709(primaries).T, 0, 1) ** (1 / 2.4)
        assert np.abs(_shown(signals, Light(1, primaries)) - exact).max() < 0.6


def test_primaries() -> None:
    # BT.2087, annex, and BT.2020's luminance weights.
    bt2087 = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    assert np.abs(to_bt709(BT2020) - bt2087).max() < 1e-4
    assert luminance_weights(BT2020) == pytest.approx([0.2627, 0.6780, 0.0593], abs=1e-4)
    for primaries in (1, 4, 8, 9, 11, 12):
        assert to_bt709(primaries) @ [1, 1, 1] == pytest.approx([1, 1, 1])
    assert to_bt709(BT709) == pytest.approx(np.eye(3), abs=1e-12)


def _hdr_video(path: Path, signals: list[float], transfer: int, primaries: int = 9, extra: str = "") -> Path:
    """Gray patches side by side, 10 bits, limited range, lossless."""
    with av.open(str(path), "w") as output:
        options = {"x265-params": f"log-level=none:lossless=1:bframes=0:pools=none:frame-threads=1{extra}"}
        stream = output.add_stream("libx265", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 16 * len(signals), 64, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = transfer, primaries, 9, 1
        frame = av.VideoFrame(16 * len(signals), 64, "yuv420p10le")
        for number, plane in enumerate(frame.planes):
            values = np.full((plane.height, plane.line_size // 2), 512, "<u2")
            for k, signal in enumerate(signals if number == 0 else ()):
                values[:, 16 * k : 16 * k + 16] = round(64 + 876 * signal)
            plane.update(values.tobytes())
        for pts in range(2):
            frame.pts = pts
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_hdr_video_is_tone_mapped_and_said_so_once(tmp_path: Path, transfer: int) -> None:
    signals = [0.0, 0.2, 0.38, 0.5, 0.58, 0.75, 1.0]
    path = _hdr_video(tmp_path / "a.mkv", signals, transfer)
    with open_source(path) as source:
        image = [frame.image for frame in source][1].astype(int)
        assert source.notes == ["a.mkv: high dynamic range, tone-mapped to SDR (BT.709)"]
    exact = _shown(np.repeat(np.array(signals)[:, None], 3, axis=1), Light(transfer, BT2020)).astype(int)
    assert np.abs(image[32, 8::16] - exact).max() <= 1


def test_tone_mapping_may_be_switched_off(tmp_path: Path) -> None:
    path = _hdr_video(tmp_path / "a.mkv", [0.0, 0.5, 1.0], PQ)
    with open_source(path, tone_map=False) as source:
        assert next(source).image[32, 8::16, 0].tolist() == [0, 128, 255]
        list(source)
        assert source.notes == []


def test_the_curve_reaches_as_far_as_the_file_says(tmp_path: Path) -> None:
    levels = []
    mastered = ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(40000000,50)"
    for number, extra in enumerate(["", mastered, ":max-cll=4000,400", f"{mastered}:max-cll=600,300"]):
        path = _hdr_video(tmp_path / f"{number}.mkv", [float(nits_to_pq(203))] * 2, PQ, extra=extra)
        with open_source(path) as source:
            levels.append(int(next(source).image[32, 8, 0]))
    white = [255 * (dimmed_nits(203, peak) / 203) ** (1 / 2.4) for peak in (1000, 4000, 4000, 600)]
    assert levels == pytest.approx(white, abs=1.5)
    assert levels[1] == levels[2] < levels[0] < levels[3]


def test_wide_gamut_video_is_converted_and_said_so(tmp_path: Path) -> None:
    with open_source(_hdr_video(tmp_path / "a.mkv", [0.0, 0.5, 1.0], 14)) as source:
        assert np.abs(next(source).image[32, 8::16].astype(int) - [[0] * 3, [128] * 3, [255] * 3]).max() <= 1
        assert source.notes == ["a.mkv: wide or unusual colors, converted to BT.709"]


def test_every_way_in_dims_alike(tmp_path: Path) -> None:
    """The curve is that of the file's first picture, also where a range, or a worker's first shot, begins later."""
    bright, dark = (
        _hdr_video(tmp_path / f"{light}.hevc", [0.3, 0.58, 0.7], PQ, extra=f":max-cll={light},100:repeat-headers=1")
        for light in (4000, 600)
    )
    path = tmp_path / "a.hevc"
    path.write_bytes(bright.read_bytes() + dark.read_bytes())
    with open_source(path) as source:
        whole = [frame.image.tobytes() for frame in source]
    with open_source(path, frames=(2, None)) as source:
        assert [frame.image.tobytes() for frame in source] == whole[2:]
    with open_source(path) as source:
        for _ in range(3):
            source.skip()
        assert next(source).image.tobytes() == whole[3]
    assert len(whole) == 4
