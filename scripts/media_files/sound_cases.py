"""Files with sound, subtitles, chapters, metadata, attachments and several video streams; and other outputs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from media_files.cases import Case, Expected, Maker
from media_files.drawing import scene
from media_files.sound import Sound
from media_files.writing import LOSSLESS, Extras, Subtitles, Video, write_clip

_LONG = Video(frames=20)
_CHAPTERS = ((0.0, 0.4, "Dawn"), (0.4, 0.8, "Dusk"))
_TAGS = {"title": "A walk", "artist": "Somebody", "comment": "by hand"}
_CREATED, _PLACE = "2020-01-02T03:04:05.000000Z", "+48.1000+011.5000/"
_TWO_LANGUAGES = (Sound(language="eng", seed=1), Sound(language="deu", seed=2))
_FONT = ("letters.ttf", "font/ttf", bytes(range(256)) * 4)


def _clip(
    name: str, *sounds: Sound, video: Video = _LONG, subtitles: tuple[Subtitles, ...] = (), **extras: object
) -> Maker:
    def make(folder: Path) -> Path:
        return write_clip(folder / name, [video], sounds, subtitles, Extras(**extras))  # type: ignore[arg-type]

    return make


def _two_videos(folder: Path) -> Path:
    first, second = Video(frames=8, first_scene=0), Video(frames=8, first_scene=12, is_default=False)
    return write_clip(folder / "in.mkv", [first, second])


SOUND = (
    Case("two_tracks", "two AAC tracks in two languages", _clip("in.mp4", *_TWO_LANGUAGES),
         expected=Expected(copied=True)),
    Case("german_mov", "a German track, MP4 to MOV", _clip("in.mp4", Sound(language="deu")), "out.mov"),
    Case("three_tracks_mkv", "FLAC, Opus and MP3 in MKV",
         _clip("in.mkv", Sound("flac", language="eng"), Sound("libopus", seed=2), Sound("mp3", seed=3)), "out.mkv",
         expected=Expected(copied=True)),
    Case("late_sound_mp4", "sound starts 300 ms after the pictures, MP4", _clip("in.mp4", Sound(start_s=0.3))),
    Case("late_sound_mkv", "sound starts 300 ms after the pictures, MKV", _clip("in.mkv", Sound(start_s=0.3)),
         "out.mkv"),
    Case("late_sound_avi", "sound starts 300 ms after the pictures, to AVI", _clip("in.mkv", Sound(start_s=0.3)),
         "out.avi"),
    Case("late_sound_webm", "sound starts 300 ms after the pictures, AAC to WebM", _clip("in.mp4", Sound(start_s=0.3)),
         "out.webm"),
    Case("long_sound", "sound goes on after the pictures", _clip("in.mkv", Sound("flac", length_s=1.5)), "out.mkv"),
    Case("mono_22050", "mono at 22.05 kHz", _clip("in.mp4", Sound(rate=22050, layout="mono"))),
    Case("mono_8000_webm", "mono at 8 kHz, PCM to WebM", _clip("in.mkv", Sound("pcm_s16le", rate=8000, layout="mono")),
         "out.webm"),
    Case("five_one", "5.1, AAC", _clip("in.mp4", Sound(layout="5.1"))),
    Case("five_one_webm", "5.1, AAC to WebM", _clip("in.mp4", Sound(layout="5.1")), "out.webm"),
    Case("mp3", "MP3 at 44.1 kHz", _clip("in.mp4", Sound("mp3", rate=44100))),
    Case("mp3_avi", "MP3 to AVI", _clip("in.mkv", Sound("mp3", rate=44100)), "out.avi"),
    Case("ac3_avi", "AC-3 to AVI", _clip("in.mp4", Sound("ac3")), "out.avi"),
    Case("opus_webm", "Opus in WebM", _clip("in.webm", Sound("libopus"), video=Video(codec="libvpx-vp9", frames=20,
         options={"lossless": "1", "cpu-used": "8"})), "out.webm", expected=Expected(copied=True)),
    Case("vorbis_mkv_mp4", "Vorbis, MKV to MP4", _clip("in.mkv", Sound("vorbis"))),
    Case("pcm_mov", "PCM in MOV", _clip("in.mov", Sound("pcm_s16le")), "out.mov", expected=Expected(copied=True)),
    Case("pcm_24_mp4", "24-bit PCM, MOV to MP4", _clip("in.mov", Sound("pcm_s24le", sample_format="s32"))),
    Case("no_audio", "--no-audio", _clip("in.mp4", Sound()), settings={"no_audio": True},
         expected=Expected(audio=False)),
    Case("audio_opus", "--audio opus", _clip("in.mp4", *_TWO_LANGUAGES), settings={"audio": "opus"},
         expected=Expected(audio_codec="opus", copied=False)),
    Case("audio_aac", "--audio aac from FLAC", _clip("in.mkv", Sound("flac")), "out.mkv", {"audio": "aac"},
         Expected(audio_codec="aac", copied=False)),
    Case("audio_copy", "--audio copy", _clip("in.mkv", Sound("flac")), "out.mkv", {"audio": "copy"},
         Expected(copied=True)),
)  # fmt: skip

_TITLES = (Subtitles(),)
_NO_PLACE = "(?i)subtitle"
EXTRAS = (
    Case("srt_mkv", "SRT subtitles in MKV", _clip("in.mkv", subtitles=_TITLES), "out.mkv"),
    Case("two_srt", "SRT subtitles in two languages, late pictures",
         _clip("in.mkv", Sound(start_s=-0.48), video=Video(pts=range(12, 24)),
               subtitles=(Subtitles(), Subtitles(language="deu"))), "out.mkv"),
    Case("mov_text", "subtitles of MP4", _clip("in.mp4", subtitles=(Subtitles("mov_text"),))),
    Case("ass_mkv", "ASS subtitles in MKV", _clip("in.mkv", subtitles=(Subtitles("ass"),)), "out.mkv"),
    Case("srt_to_mp4", "SRT subtitles, MKV to MP4", _clip("in.mkv", subtitles=_TITLES)),
    Case("srt_to_avi", "SRT subtitles, MKV to AVI, which has no place for them", _clip("in.mkv", subtitles=_TITLES),
         "out.avi", expected=Expected(subtitles=0, notes=(_NO_PLACE,))),
    Case("chapters_mkv", "chapters in MKV", _clip("in.mkv", Sound(), chapters=_CHAPTERS), "out.mkv"),
    Case("chapters_mp4", "chapters in MP4", _clip("in.mp4", Sound(), chapters=_CHAPTERS)),
    Case("chapters_late", "chapters, and pictures that start late",
         _clip("in.mkv", Sound(start_s=-0.48), video=Video(pts=range(12, 24)), chapters=_CHAPTERS), "out.mkv"),
    Case("metadata_mp4", "title, artist, creation time and place in MP4",
         _clip("in.mp4", metadata={**_TAGS, "location": _PLACE, "creation_time": _CREATED}),
         expected=Expected(metadata={**_TAGS, "location": _PLACE, "creation_time": _CREATED})),
    Case("metadata_mkv", "title, artist and comment in MKV", _clip("in.mkv", metadata=_TAGS), "out.mkv",
         expected=Expected(metadata=_TAGS)),
    Case("attachment", "a font attached, MKV", _clip("in.mkv", subtitles=_TITLES, attachments=(_FONT,)), "out.mkv"),
    Case("attachment_mp4", "a font attached, MKV to MP4, which has no place for it",
         _clip("in.mkv", attachments=(_FONT,)), expected=Expected(attachments=0, notes=("(?i)attach",))),
    Case("cover", "an attached picture, MP4", _clip("in.mp4", Sound(), cover=True)),
    Case("two_videos", "two video streams: the default one", _two_videos, "out.mkv",
         expected=Expected(picture=lambda index: scene(index, 96, 64))),
    Case("second_video", "two video streams, --stream 1", _two_videos, "out.mkv", {"stream": 1},
         Expected(picture=lambda index: scene(12 + index, 96, 64)), stream=1),
)  # fmt: skip

_CLIP = _clip("in.mp4", Sound(), video=Video(options=LOSSLESS))
OUTPUT = (
    Case("to_hevc", "--codec hevc", _CLIP, settings={"codec": "hevc"}, expected=Expected(codec="hevc")),
    Case("to_av1", "--codec av1", _CLIP, "out.mkv", {"codec": "av1"}, Expected(codec="libdav1d")),
    Case("to_vp9", "--codec vp9", _CLIP, "out.webm", {"codec": "vp9"}, Expected(codec="vp9")),
    Case("to_prores", "--codec prores", _CLIP, "out.mov", {"codec": "prores"}, Expected(codec="prores", bits=10)),
    Case("to_ffv1", "--codec ffv1", _CLIP, "out.mkv", {"codec": "ffv1"}, Expected(codec="ffv1")),
    Case("to_444", "--pix-fmt yuv444p", _CLIP, settings={"pix_fmt": "yuv444p"}, expected=Expected(pix_fmt="yuv444p")),
    Case("hevc_ten_bits", "--codec hevc --bit-depth 10 from 10 bits, 23.976 frames a second",
         _clip("in.mkv", Sound(), video=Video(pix_fmt="yuv420p10le", rate=Fraction(24000, 1001))), "out.mkv",
         {"codec": "hevc", "bit_depth": "10"}, Expected(codec="hevc", bits=10)),
    Case("prores_mp4", "--codec prores to MP4, which is refused", _CLIP, settings={"codec": "prores"},
         expected=Expected(error="(?i)prores")),
    Case("vp9_422_mp4", "--codec h264 --pix-fmt rgb48le, which is refused", _CLIP,
         settings={"codec": "h264", "pix_fmt": "rgb48le"}, expected=Expected(error="(?i)rgb48le")),
)  # fmt: skip
