"""Stills, frame folders, animations and damaged files."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from media_files.cases import Case, Expected, Maker, UnwritableError
from media_files.drawing import Levels, gray_scene, scene
from media_files.sound import Sound
from media_files.writing import Video, write_clip

_SIZE = (96, 64)


def _store(path: Path, levels: Levels, *, bits: int = 8, alpha: Any = None) -> Path:
    """Writes a picture with OpenCV."""
    unit = 257 if bits == 16 else 1
    kind = np.uint16 if bits == 16 else np.uint8
    values = np.rint(levels[..., ::-1] * unit).astype(kind)
    if alpha is not None:
        values = np.dstack([values, np.rint(alpha * unit).astype(kind)])
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, values)[1].tobytes())
    return path


def _picture(name: str, *, bits: int = 8, alpha: Callable[[], Any] | None = None) -> Maker:
    return lambda folder: _store(folder / name, scene(0, *_SIZE), bits=bits, alpha=alpha() if alpha else None)


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise UnwritableError("PyAV and OpenCV write no such picture, and Pillow is not here") from error
    return Image


def _drawn() -> Any:
    return _pillow().fromarray(np.rint(scene(0, *_SIZE)).astype(np.uint8))


def _palette(folder: Path) -> Path:
    _drawn().quantize(256, dither=0).save(folder / "in.png")
    return folder / "in.png"


def _palette_shown(index: int) -> Levels:
    return np.asarray(_drawn().quantize(256, dither=0).convert("RGB"), np.float32)


def _cmyk(folder: Path) -> Path:
    """Ink is what light lacks, and no black ink is used: the plain reading, as Pillow's and OpenCV's."""
    inks = np.dstack([255 - np.rint(scene(0, *_SIZE)), np.zeros(_SIZE[::-1])]).astype(np.uint8)
    _pillow().fromarray(inks, "CMYK").save(folder / "in.tif")
    return folder / "in.tif"


def _cmyk_jpeg(folder: Path) -> Path:
    inks = np.dstack([255 - np.rint(scene(0, *_SIZE)), np.zeros(_SIZE[::-1])]).astype(np.uint8)
    _pillow().fromarray(inks, "CMYK").save(folder / "in.jpg", quality=100, subsampling=0)
    return folder / "in.jpg"


def _oriented(orientation: int) -> Maker:
    def make(folder: Path) -> Path:
        image = _pillow().fromarray(np.rint(np.rot90(scene(0, *_SIZE), 1)).astype(np.uint8))
        exif = _pillow().Exif()
        exif[0x0112] = orientation
        image.save(folder / "in.jpg", quality=100, subsampling=0, exif=exif)
        return folder / "in.jpg"

    return make


def _profiled(folder: Path) -> Path:
    """A linear profile: the levels stored are light, not sRGB's."""
    from PIL import ImageCms

    levels = scene(0, *_SIZE) / 255
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    image = _pillow().fromarray(np.rint(light * 255).astype(np.uint8))
    image.save(folder / "in.png", icc_profile=_with_linear_curves(bytes(profile)))
    return folder / "in.png"


def _with_linear_curves(profile: bytes) -> bytes:
    """Points the three curves of a profile to one that does nothing (ICC.1, `curv` without entries)."""
    curve = b"curv" + bytes(8)
    changed = bytearray(profile + curve)
    (count,) = struct.unpack_from(">I", changed, 128)
    for number in range(count):
        at = 132 + 12 * number
        if bytes(changed[at : at + 4]) in (b"rTRC", b"gTRC", b"bTRC"):
            struct.pack_into(">II", changed, at + 4, len(profile), len(curve))
    struct.pack_into(">I", changed, 0, len(changed))
    return bytes(changed)


def _ramp_alpha(index: int = 0) -> Any:
    return np.repeat(np.linspace(0, 255, _SIZE[0])[None].round(), _SIZE[1], axis=0)


def _exr(folder: Path) -> Path:
    path = folder / "in.exr"
    frame = av.VideoFrame(*_SIZE, "gbrpf32le")
    for plane, channel in zip(frame.planes, (1, 2, 0), strict=True):
        plane.update(np.ascontiguousarray(scene(0, *_SIZE)[..., channel] / 255, np.float32).tobytes())
    context = av.CodecContext.create("exr", "w")
    context.width, context.height, context.pix_fmt, context.time_base = *_SIZE, "gbrpf32le", Fraction(1, 25)
    path.write_bytes(b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)]))
    return path


def _folder(numbers: Sequence[int], pattern: str = "f{}.png", **options: Any) -> Maker:
    def make(folder: Path) -> Path:
        for index, number in enumerate(numbers):
            _store(folder / "frames" / pattern.format(number), scene(index, *_SIZE), **options)
        return folder / "frames"

    return make


def _timed_folder(folder: Path) -> Path:
    made = _folder(range(5))(folder)
    rows = [f"f{number}.png,{ms / 1000}" for number, ms in enumerate((0, 40, 140, 150, 400))]
    (made / "timestamps.csv").write_text("\n".join(["file,seconds", *rows]) + "\n", encoding="utf-8")
    return made


def _mixed(folder: Path) -> Path:
    made = _folder(range(3))(folder)
    _store(made / "f9.png", scene(9, 48, 48))
    return made


_MISSING = (7, 8, 10, 15, 100)
_ORDERED = tuple(f"f{number}.png" for number in sorted(map(str, _MISSING)))
STILLS = (
    Case("png16", "16-bit PNG", _picture("in.png", bits=16), "out.png"),
    Case("tiff16", "16-bit TIFF", _picture("in.tif", bits=16), "out.tif"),
    Case("alpha_png", "PNG with alpha", _picture("in.png", alpha=_ramp_alpha), "out.png",
         expected=Expected(alpha=_ramp_alpha)),
    Case("gray_png", "gray PNG", lambda folder: _store(folder / "in.png", gray_scene(0, *_SIZE)), "out.png"),
    Case("palette", "PNG with a palette", _palette, "out.png", expected=Expected(picture=_palette_shown)),
    Case("cmyk_jpeg", "CMYK JPEG", _cmyk_jpeg, "out.png",
         expected=Expected(picture=lambda index: scene(index, *_SIZE), error_levels=2.0)),
    Case("cmyk_tiff", "CMYK TIFF", _cmyk, "out.png",
         expected=Expected(picture=lambda index: scene(index, *_SIZE), error_levels=2.0)),
    Case("exif", "JPEG, EXIF orientation 6", _oriented(6), "out.png",
         expected=Expected(picture=lambda index: scene(index, *_SIZE), displayed_px=_SIZE)),
    # Eight bits of linear light are coarse in the dark: that alone is 1.2 levels.
    Case("icc", "PNG with an ICC profile of linear light", _profiled, "out.png",
         expected=Expected(picture=lambda index: scene(index, *_SIZE), error_levels=2.0)),
    Case("exr", "OpenEXR, which OpenCV's wheels leave out", _exr, "out.png", expected=Expected(error="(?i)exr")),
)  # fmt: skip

FOLDERS = (
    Case("folder_gaps", "frame folder, numbers 7 to 100 with gaps", _folder(_MISSING), "out/",
         expected=Expected(names=_ORDERED)),
    Case("folder_mp4", "frame folder to MP4 at 30 frames a second", _folder(range(8)), "out.mp4",
         {"fps": Fraction(30)}, Expected(times=[Fraction(number, 30) for number in range(8)])),
    Case("folder_alpha", "frame folder with alpha", _folder(range(3), alpha=_ramp_alpha()), "out/",
         expected=Expected(alpha=_ramp_alpha)),
    Case("folder_jpeg", "frame folder, --frame-format jpg", _folder(range(3)), "out/", {"frame_format": "jpg"},
         Expected(names=("f0.jpg", "f1.jpg", "f2.jpg"), error_levels=2.0)),
    Case("folder_16", "frame folder of 16-bit TIFF, odd size", _folder(range(3), "f{}.tif", bits=16), "out/"),
    Case("folder_mixed", "frame folder with a picture of another size", _mixed, "out/",
         expected=Expected(error="48x48 pixels")),
    Case("folder_times", "frame folder with timestamps.csv to MKV", _timed_folder, "out.mkv",
         expected=Expected(times=[Fraction(ms, 1000) for ms in (0, 40, 140, 150, 400)])),
    Case("video_folder", "video to frame folder",
         lambda folder: write_clip(folder / "in.mkv", [Video(frames=4)]), "out/"),
)  # fmt: skip

# -- animations and damage ---------------------------------------------------------------------------

_GIF = Video(codec="gif", pix_fmt="gray", options={}, scene=gray_scene, pts=(0, 10, 30, 36, 60), base=Fraction(1, 100))
_WEBP = Video(codec="libwebp_anim", pix_fmt="bgra", options={"lossless": "1"}, frames=6)
ANIMATIONS = (
    Case("gif_mp4", "GIF to MP4, variable frame rate", lambda folder: write_clip(folder / "in.gif", [_GIF])),
    Case("gif_gif", "GIF to GIF, variable frame rate", lambda folder: write_clip(folder / "in.gif", [_GIF]), "out.gif",
         expected=Expected(error_levels=3.0)),
    Case("mp4_gif", "MP4 with sound to GIF", lambda folder: write_clip(folder / "in.mp4", sounds=[Sound()]), "out.gif",
         expected=Expected(error_levels=4.0, audio=False, notes=("(?i)sound|audio",))),
    Case("webp_mp4", "animated WebP to MP4", lambda folder: write_clip(folder / "in.webp", [_WEBP])),
    Case("mp4_webp", "MP4 to animated WebP", lambda folder: write_clip(folder / "in.mp4", [Video()]), "out.webp",
         expected=Expected(error_levels=2.0)),
    Case("gif_webp", "GIF to animated WebP", lambda folder: write_clip(folder / "in.gif", [_GIF]), "out.webp",
         expected=Expected(error_levels=2.0)),
)  # fmt: skip

_WHOLE = Video(frames=20, options={"qp": "2", "preset": "veryfast", "x264-params": "keyint=1"})
_LOST = 9


def _cut_off(name: str) -> Maker:
    def make(folder: Path) -> Path:
        path = write_clip(folder / name, [_WHOLE])
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
        return path

    return make


def _spoilt(folder: Path) -> Path:
    """One picture's bytes are gone, and every picture stands for itself."""
    path = write_clip(folder / "in.mkv", [_WHOLE])
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][_LOST]
        wanted = bytes(packet)
    data = path.read_bytes()
    at = data.index(wanted)
    path.write_bytes(data[:at] + b"\xff" * len(wanted) + data[at + len(wanted) :])
    return path


_REST = [index for index in range(20) if index != _LOST]
DAMAGE = (
    Case("cut_off", "cut off after 60 %, MKV", _cut_off("in.mkv"), "out.mkv",
         expected=Expected(error=r"frame \d+.*\d s")),
    Case("cut_off_kept", "cut off after 60 %, MKV, --keep-going", _cut_off("in.mkv"), "out.mkv", {"keep_going": True},
         Expected(notes=("cut off|ends early",))),
    Case("spoilt", "frame 9 of 20 is spoilt", _spoilt, "out.mkv", expected=Expected(error=rf"frame {_LOST}\b.*\d s")),
    Case("spoilt_kept", "frame 9 of 20 is spoilt, --keep-going", _spoilt, "out.mkv", {"keep_going": True},
         Expected(picture=lambda index: scene(index, *_SIZE), frames=_REST, error_levels=1.5,
                  times=[Fraction(index, 25) for index in _REST], notes=("left out|lost|damaged",))),
    Case("pipe", "an address instead of a file", lambda folder: Path("http://example.org/in.mp4"),
         expected=Expected(error="(?i)download")),
)  # fmt: skip

# What FFmpeg through PyAV writes to no file: tried, or there is nothing to set.
UNWRITABLE = {
    "crop tags of MKV and MP4": "PyAV sets no stream side data but the rotation; the crop of H.264 is tried instead",
    "times that run backwards": "FFmpeg's muxers refuse them; bytes are changed by hand in time_backwards",
    "mastering and light level of HDR": "PyAV sets no stream side data but the rotation; white is at 203 cd/m2",
    "color primaries of PNG (cHRM, cICP)": "neither PyAV nor OpenCV sets them; icc has a profile instead",
    "GPS of Matroska": "there is no such tag in it; MP4's place is in metadata_mp4",
}


def unwritable(name: str) -> Case:
    """Returns a line of the table for what cannot be made."""

    def make(folder: Path) -> Path:
        raise UnwritableError(UNWRITABLE[name])

    return Case("-", name, make)
