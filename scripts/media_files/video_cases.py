"""Files with properties of time, geometry and color."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from media_files.cases import Case, Expected, Maker
from media_files.drawing import (
    BT470BG,
    BT601,
    BT709,
    BT2020,
    HLG,
    PQ,
    Color,
    Levels,
    gray_scene,
    moving_scene,
    scene,
    still_scene,
    woven,
)
from media_files.sound import Sound
from media_files.writing import REORDERED, Extras, Scene, Video, refiltered, write_clip

SDR = ("limited", "itu709", "bt709", "bt709")
_FFV1: dict[str, str] = {}
_MS = Fraction(1, 1000)
_TV709, _FULL709 = Color(BT709, BT709, BT709), Color(BT709, BT709, BT709, full=True)
_UHD = Color(BT2020, BT2020, 14)
_VARYING_MS = (0, 40, 57, 100, 183, 200, 350, 390, 430, 431)


def _clip(name: str, video: Video | None = None, *sounds: Sound, **options: str) -> Maker:
    def make(folder: Path) -> Path:
        return write_clip(folder / name, [video or Video()], sounds, extras=Extras(options=options))

    return make


def _cropped(folder: Path) -> Path:
    whole = write_clip(folder / "whole.mp4", [Video(options=REORDERED)])
    return refiltered(whole, folder / "in.mp4", "h264_metadata=crop_right=6:crop_bottom=4")


def _backwards(folder: Path) -> Path:
    """FFmpeg refuses to write time that runs backwards, so two bytes of a Matroska block are changed."""
    path = write_clip(folder / "in.mkv", [Video(codec="ffv1", options=_FFV1)])
    data = path.read_bytes()
    block = b"\x81" + (200).to_bytes(2, "big") + b"\x00"
    if data.count(block) != 1:
        raise ValueError(f"{path}: the block at 200 ms stands there {data.count(block)} times")
    path.write_bytes(data.replace(block, b"\x81" + (80).to_bytes(2, "big") + b"\x00"))
    return path


def _cropped_picture(index: int) -> Levels:
    return scene(index, 96, 64)[:60, :90]


# Where color has half the size there are no odd sides.
_EVENED = Expected(picture=lambda index: scene(index, 96, 64), displayed_px=(96, 64), error_levels=1.5,
                    notes=("(?i)even|odd",))  # fmt: skip
_NTSC = Fraction(30000, 1001)
TIME = (
    Case("ntsc", "29.97 frames a second, AAC", _clip("in.mp4", Video(rate=_NTSC, frames=24), Sound()),
         expected=Expected(copied=True)),
    Case("vfr_mp4", "variable frame rate, MP4", _clip("in.mp4", Video(pts=_VARYING_MS, base=_MS), Sound())),
    Case("vfr_mkv", "variable frame rate, MKV", _clip("in.mkv", Video(pts=_VARYING_MS, base=_MS), Sound()), "out.mkv"),
    Case("vfr_mkv_mp4", "variable frame rate, MKV to MP4", _clip("in.mkv", Video(pts=_VARYING_MS, base=_MS), Sound())),
    Case("late_mp4", "pictures start 480 ms late, MP4",
         _clip("in.mp4", Video(pts=range(12, 22)), Sound(start_s=-0.48))),
    Case("late_mkv", "pictures start 480 ms late, MKV",
         _clip("in.mkv", Video(pts=range(12, 22)), Sound(start_s=-0.48)), "out.mkv"),
    Case("gap", "a gap of 2 s in the pictures", _clip("in.mkv", Video(pts=[*range(5), *range(55, 60)]), Sound("flac")),
         "out.mkv"),
    Case("b_frames", "B-frames", _clip("in.mp4", Video(options=REORDERED, scene=still_scene), Sound())),
    Case("avi_mpeg4_b", "AVI, MPEG-4 with B-frames: no display times",
         _clip("in.avi", Video(codec="mpeg4", options={"bf": "2", "qscale": "1"}, scene=still_scene), Sound("mp3"))),
    Case("avi_h264_b", "AVI, H.264 with B-frames: no display times",
         _clip("in.avi", Video(options=REORDERED, scene=still_scene))),
    Case("avi_out", "to AVI", _clip("in.mp4", Video(), Sound()), "out.avi"),
    Case("h264_raw", "raw H.264: no times at all",
         _clip("in.h264", Video(options=REORDERED, scene=still_scene))),
    Case("time_stands", "two frames at one time",
         _clip("in.mkv", Video(codec="ffv1", options=_FFV1, base=_MS, pts=range(0, 400, 40),
                               muxed_pts=(0, 40, 80, 80, 160, 200, 240, 280, 320, 360))),
         expected=Expected(times=[Fraction(ms, 1000) for ms in (0, 40, 80, 81, 160, 200, 240, 280, 320, 360)],
                           notes=("repeat or run backwards",))),
    Case("time_backwards", "time runs backwards (bytes changed by hand)", _backwards,
         expected=Expected(times=[Fraction(ms, 1000) for ms in (0, 40, 80, 120, 160, 161, 240, 280, 320, 360)],
                           notes=("repeat or run backwards",))),
    Case("mpegts", "MPEG transport stream, MP2 sound", _clip("in.ts", Video(options=REORDERED, scene=still_scene),
                                                             Sound("mp2"))),
    Case("fast", "240 frames a second", _clip("in.mp4", Video(rate=Fraction(240), frames=24))),
    Case("slow", "one frame in two seconds", _clip("in.mp4", Video(rate=Fraction(1, 2), frames=3), Sound())),
    Case("range", "--frames 3:8 of a clip with sound", _clip("in.mkv", Video(), Sound("flac")), "out.mkv",
         {"frames": (3, 8)}, Expected(frames=range(3, 8), audio=True, copied=None)),
)  # fmt: skip

GEOMETRY = (
    *(
        Case(f"turned_{degrees}", f"rotation tag, {degrees} degrees", _clip("in.mp4", Video(rotation=degrees)))
        for degrees in (90, 180, 270)
    ),
    Case("turned_mkv", "rotation tag, MKV", _clip("in.mkv", Video(rotation=90)), "out.mkv"),
    Case("sar", "pixels of 4:3", _clip("in.mp4", Video(aspect=Fraction(4, 3)))),
    Case("sar_turned", "pixels of 4:3 and a rotation tag",
         _clip("in.mp4", Video(aspect=Fraction(4, 3), rotation=270)), expected=Expected(aspect=Fraction(3, 4))),
    Case("sar_webm", "pixels of 4:3 to WebM, which is scaled", _clip("in.mp4", Video(aspect=Fraction(4, 3))),
         "out.webm",
         expected=Expected(aspect=Fraction(1), displayed_px=(128, 64), notes=("square",),
                                       picture=lambda index: scene(index, 128, 64))),
    Case("odd_ffv1", "odd size, 97x65, 4:2:0",
         _clip("in.mkv", Video(codec="ffv1", options=_FFV1, size=(97, 65))), "out.mkv", expected=_EVENED),
    Case("odd_444", "odd size, 97x65, 4:4:4, MP4", _clip("in.mp4", Video(size=(97, 65), pix_fmt="yuv444p")),
         expected=_EVENED),
    Case("odd_444_kept", "odd size, 97x65, 4:4:4, --pix-fmt yuv444p",
         _clip("in.mp4", Video(size=(97, 65), pix_fmt="yuv444p")), settings={"pix_fmt": "yuv444p"}),
    Case("odd_gif", "odd size, 97x65, to GIF", _clip("in.mp4", Video(size=(97, 65), pix_fmt="yuv444p")), "out.gif",
         expected=Expected(error_levels=4.0)),
    Case("crop", "crop tags of H.264: 90x60 of 96x64", _cropped, expected=Expected(picture=_cropped_picture,
                                                                                  displayed_px=(90, 60))),
    Case("vfr_turned_late", "variable frame rate, rotation, late sound",
         _clip("in.mp4", Video(pts=_VARYING_MS, base=_MS, rotation=90), Sound(start_s=0.12))),
)  # fmt: skip


def _color_case(name: str, what: str, color: Color, pix_fmt: str = "yuv420p", **changes: object) -> Case:
    video = Video(color=color, pix_fmt=pix_fmt)
    case = Case(name, what, _clip("in.mkv", video), "out.mkv", expected=Expected(picture=lambda i: scene(i, 96, 64)))
    return replace(case, **changes)  # type: ignore[arg-type]


def _hdr(transfer: int) -> Color:
    return Color(BT2020, BT2020, transfer)


def _toned(index: int) -> Levels:
    return scene(index, 96, 64)


def _weave(top_first: bool) -> Scene:
    return lambda index, width, height: woven(index, width, height, top_first=top_first)


def _interlaced(name: str, what: str, top_first: bool, codec: str, options: dict[str, str]) -> Case:
    order = "tff" if top_first else "bff"
    video = Video(codec=codec, options={"flags": "+ilme+ildct", **options}, field_order=order,
                  scene=_weave(top_first), color=Color(BT601, BT601, BT601))  # fmt: skip
    expected = Expected(
        picture=lambda index: moving_scene(index, 96, 64), error_levels=3.0, combing=1.0, notes=("(?i)deinterlaced",)
    )
    return Case(name, what, _clip("in.mkv", video), "out.mkv", expected=expected)


_SMALL_FORMATS = Expected(picture=lambda index: gray_scene(index, 96, 64))
COLOR = (
    _color_case("bt709", "BT.709, limited range", _TV709),
    _color_case("bt601_525", "BT.601 (525 lines), limited range", Color(BT601, BT601, BT601)),
    _color_case("bt601_625", "BT.601 (625 lines), full range", Color(BT470BG, BT470BG, BT601, full=True)),
    _color_case("bt709_full", "BT.709, full range", _FULL709),
    _color_case("untagged", "no color tags", Color()),
    _color_case("bt2020", "BT.2020, 10 bits, SDR", _UHD, "yuv420p10le",
                 expected=Expected(picture=_toned, error_levels=1.5)),
    _color_case("ten_bits", "10 bits to 8", _TV709, "yuv420p10le"),
    _color_case("ten_bits_kept", "10 bits, --bit-depth 10", _TV709, "yuv420p10le", settings={"bit_depth": "10"},
                 expected=Expected(picture=_toned, bits=10, error_levels=0.8)),
    _color_case("pq", "PQ, BT.2020, 10 bits", _hdr(PQ), "yuv420p10le",
                 expected=Expected(picture=_toned, error_levels=5, color=SDR, notes=("(?i)tone",))),
    _color_case("hlg", "HLG, BT.2020, 10 bits", _hdr(HLG), "yuv420p10le",
                 expected=Expected(picture=_toned, error_levels=5, color=SDR, notes=("(?i)tone",))),
    _color_case("yuv444", "4:4:4", _TV709, "yuv444p"),
    _color_case("yuv422_10", "4:2:2, 10 bits", _TV709, "yuv422p10le"),
    Case("rgb_h264", "RGB in H.264", _clip("in.mkv", Video(codec="libx264rgb", pix_fmt="rgb24")), "out.mkv"),
    Case("rgb_ffv1", "RGB in FFV1", _clip("in.mkv", Video(codec="ffv1", pix_fmt="bgr0", options=_FFV1)), "out.mkv"),
    Case("alpha_video", "FFV1 with an alpha plane, opaque",
         _clip("in.mkv", Video(codec="ffv1", pix_fmt="yuva420p", options=_FFV1)), "out.mkv"),
    Case("gray_h264", "gray, H.264", _clip("in.mkv", Video(pix_fmt="gray", scene=gray_scene, color=Color(full=True))),
         "out.mkv", expected=_SMALL_FORMATS),
    Case("gray_ffv1", "gray, FFV1, limited range",
         _clip("in.mkv", Video(codec="ffv1", pix_fmt="gray", scene=gray_scene, options=_FFV1)), "out.mkv",
         expected=_SMALL_FORMATS),
    Case("gray10", "gray, 10 bits, FFV1, full range",
         _clip("in.mkv", Video(codec="ffv1", pix_fmt="gray10le", scene=gray_scene, color=_FULL709, options=_FFV1)),
         "out.mkv",
         expected=_SMALL_FORMATS),
    _interlaced("interlaced_tff", "interlaced, top field first, MPEG-2", True, "mpeg2video", {"qscale": "1"}),
    _interlaced("interlaced_bff", "interlaced, bottom field first, MPEG-2", False, "mpeg2video", {"qscale": "1"}),
    _interlaced("interlaced_h264", "interlaced, top field first, H.264", True, "libx264", {"qp": "2"}),
    Case("ten_bits_odd_full", "10 bits, odd size, full range",
         _clip("in.mkv", Video(codec="ffv1", pix_fmt="yuv420p10le", size=(97, 65), color=_FULL709, options=_FFV1)),
         "out.mkv", expected=_EVENED),
    Case("hdr_turned_vfr", "PQ, rotation, variable frame rate",
         _clip("in.mp4", Video(color=_hdr(PQ), pix_fmt="yuv420p10le", rotation=90, pts=_VARYING_MS, base=_MS)),
         expected=Expected(picture=lambda index: scene(index, 64, 96), error_levels=5,
                            color=SDR, notes=("(?i)tone",))),
)  # fmt: skip
