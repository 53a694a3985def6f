"""Media made at run time: nothing is downloaded, nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import wraps
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import cv2
import numpy as np

from vidstyle.frames import ClipInfo, Frame
from vidstyle.media.write.codecs import EncodeOptions
from vidstyle.media.write.joining import join_video
from vidstyle.media.write.segments import SEGMENT_SUFFIX, output_times, video_spec, write_segment

SAMPLE_RATE = 48000
# FFmpeg's own AAC encoder is slow otherwise, and nothing is compared by ear.
AUDIO_OPTIONS = {"aac": {"aac_coder": "fast"}}


def made_once(make: Callable[..., Path]) -> Callable[..., Path]:
    """Makes a file with the same arguments only once in a process; the first argument is its path."""
    contents: dict[str, bytes] = {}

    @wraps(make)
    def remembered(path: Path, *arguments: Any, **options: Any) -> Path:
        key = f"{path.suffix} {arguments!r} {options!r}"
        if any(isinstance(value, list) and value and isinstance(value[0], np.ndarray) for value in options.values()):
            return make(path, *arguments, **options)
        if key not in contents:
            contents[key] = make(path, *arguments, **options).read_bytes()
        path.write_bytes(contents[key])
        return path

    return remembered


def picture(index: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """A gradient with a level that tells the frame: `(H, W, 3)` uint8 RGB."""
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    image[:, :, 0] = np.linspace(0, 200, width, dtype=np.uint8)
    image[:, :, 1] = np.linspace(0, 200, height, dtype=np.uint8)[:, None]
    image[:, :, 2] = 20 + index * 12 % 200
    return image


def level(image: np.ndarray) -> int:
    """The frame number that `picture` drew into the blue channel."""
    return round((float(image[:, :, 2].mean()) - 20) / 12)


@made_once
def make_video(
    path: Path,
    frames: int = 12,
    size: tuple[int, int] = (64, 48),
    rate: Fraction = Fraction(25),
    audio: str | None = None,
    audio_tracks: int = 1,
    audio_delay_s: float = 0.0,
    audio_s: float | None = None,
    pts: list[int] | None = None,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rotation: float | None = None,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    aspect: Fraction | None = None,
    colorspace: int | None = None,
    images: list[np.ndarray] | None = None,
) -> Path:
    """Writes a clip; `pts` in units of `time_base` (default 1/rate); the sound is a tone with a click per track."""
    base = time_base or 1 / rate
    images = images or [picture(i, size) for i in range(frames)]
    times = pts or list(range(len(images)))
    with av.open(str(path), "w", options=container or {}) as output:
        # x264's AVX-512 code gives another result at every run.
        same = {"x264-params": "cpu-independent=1"} if codec == "libx264" else {}
        video = output.add_stream(codec, rate=rate, options=same | (options or {}))
        video.width, video.height = size
        video.pix_fmt = pix_fmt
        video.codec_context.time_base = base
        video.time_base = base
        video.codec_context.thread_count = 1
        if aspect is not None:
            video.codec_context.sample_aspect_ratio = aspect
        if rotation is not None:
            video.set_display_rotation(rotation)
        if colorspace is not None:
            video.codec_context.colorspace = colorspace
            video.codec_context.color_range = 1
        tracks = [_Tone(output, audio, 440 * (n + 1), n) for n in range(audio_tracks)] if audio else []
        length_s = audio_s if audio_s is not None else float((times[-1] - times[0] + 1) * base)
        for image, stamp in zip(images, times, strict=True):
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            matrix = {} if colorspace is None else {"dst_colorspace": colorspace, "dst_color_range": 1}
            frame = frame.reformat(format=pix_fmt, **matrix)
            frame.pts, frame.time_base = stamp, base
            output.mux(video.encode(frame))
            for track in tracks:
                track.until(audio_delay_s, min(length_s, float((stamp - times[0] + 1) * base)))
        output.mux(video.encode(None))
        for track in tracks:
            track.until(audio_delay_s, length_s)
            track.flush()
    return path


class _Tone:
    """A sine with a full-scale click at its very first sample."""

    def __init__(self, output: Any, codec: str, hertz: int, number: int) -> None:
        self.output, self.hertz, self.done = output, hertz, 0
        self.stream = output.add_stream(codec, rate=SAMPLE_RATE, options=AUDIO_OPTIONS.get(codec, {}))
        self.stream.layout = "stereo"
        self.stream.metadata["language"] = ["eng", "deu", "fra"][number % 3]
        self.format = self.stream.codec_context.codec.audio_formats[0].name
        self.stream.codec_context.format = self.format
        self.stream.codec_context.open()
        self.chunk = self.stream.codec_context.frame_size or 1024

    def until(self, delay_s: float, length_s: float) -> None:
        while self.done < length_s * SAMPLE_RATE:
            n = np.arange(self.done, self.done + self.chunk) / SAMPLE_RATE
            wave = 0.3 * np.sin(2 * np.pi * self.hertz * n)
            if self.done == 0:
                wave[:32] = 0.95
            wave[n >= length_s] = 0
            stereo = np.stack([wave, wave])
            if self.format.startswith("s16"):
                stereo = (stereo * 32767).astype(np.int16)
            elif self.format.startswith("s32"):
                stereo = (stereo * (2**31 - 1)).astype(np.int32)
            else:
                stereo = stereo.astype(np.float32)
            if not self.format.endswith("p"):
                stereo = stereo.T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(stereo), format=self.format, layout="stereo")
            frame.sample_rate, frame.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
            frame.pts = self.done + round(delay_s * SAMPLE_RATE)
            self.output.mux(self.stream.encode(frame))
            self.done += self.chunk

    def flush(self) -> None:
        self.output.mux(self.stream.encode(None))


def make_sound(path: Path, cover: bool = False) -> Path:
    """Writes an AAC file without video, with a cover picture if asked."""
    with av.open(str(path), "w") as output:
        tone = _Tone(output, "aac", 440, 0)
        art = None
        if cover:
            art = output.add_stream("mjpeg", rate=25)
            art.width, art.height, art.pix_fmt = 64, 48, "yuvj420p"
            art.disposition = av.stream.Disposition.attached_pic
            frame = av.VideoFrame.from_ndarray(picture(0), "rgb24")
            frame.pts = 0
            output.mux(art.encode(frame))
            output.mux(art.encode(None))
        tone.until(0, 0.5)
        tone.flush()
    return path


def make_folder(folder: Path, names: list[str], size: tuple[int, int] = (64, 48)) -> Path:
    """Writes one PNG or JPEG per name, numbered in the order given."""
    folder.mkdir(exist_ok=True)
    for index, name in enumerate(names):
        write_raw(folder / name, picture(index, size))
    return folder


def write_raw(path: Path, image: np.ndarray) -> Path:
    """Writes RGB (or gray, or BGRA as it is) without any code of the project."""
    stored = image[:, :, ::-1] if image.ndim == 3 and image.shape[2] == 3 else image
    path.write_bytes(cv2.imencode(path.suffix, np.ascontiguousarray(stored))[1].tobytes())
    return path


def cut(path: Path, share: float) -> Path:
    """Cuts a file down to a share of its bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def end_to_end(first: Path, second: Path, path: Path) -> Path:
    """Puts two transport streams end to end, with packet counters that go on, as recorders do."""
    counters: dict[int, int] = {}
    data = bytearray()
    for part in (first, second):
        offsets: dict[int, int] = {}
        for packet in np.frombuffer(part.read_bytes(), np.uint8).reshape(-1, 188).copy():
            pid = int(packet[1] & 31) << 8 | int(packet[2])
            if pid not in offsets:
                offsets[pid] = counters.get(pid, -1) + 1 - int(packet[3] & 15)
            packet[3] = packet[3] & 0xF0 | (int(packet[3] & 15) + offsets[pid]) % 16
            counters[pid] = int(packet[3] & 15)
            data += packet.tobytes()
    path.write_bytes(data)
    return path


def times_s(path: Path) -> list[Fraction]:
    """Presentation times of all decoded video frames in seconds."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def audio_packets(path: Path, track: int = 0) -> list[tuple[Fraction, bytes]]:
    """(time in seconds, bytes) of every audio packet of one track."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[track]
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size]


def audio_digest(path: Path, track: int = 0) -> str:
    """SHA-256 over the bytes of all audio packets of one track."""
    return sha256(b"".join(data for _, data in audio_packets(path, track))).hexdigest()


def click_s(path: Path, track: int = 0) -> float:
    """When the click that `make_video` puts first is heard, in seconds after the first picture."""
    with av.open(str(path)) as container:
        for frame in container.decode(audio=track):
            wave = frame.to_ndarray().astype(float)
            if not frame.format.is_planar:
                wave = wave.reshape(-1, frame.layout.nb_channels).T
            peak = np.abs(wave[0]) / (32767 if frame.format.name.startswith("s16") else 1)
            hits = np.flatnonzero(peak > 0.45)
            if len(hits):
                heard = float(frame.pts * frame.time_base) + hits[0] / frame.sample_rate
                return heard - float(times_s(path)[0])
    raise AssertionError(f"{path}: no click")


def info_of(path: Path, **changes: object) -> ClipInfo:
    """An invented frame folder of twelve frames at 25 per second."""
    info = ClipInfo(path, "frames", 64, 48, Fraction(25), 12, Fraction(1, 25))
    return replace(info, **changes)  # type: ignore[arg-type]


def frames_of(count: int = 12) -> list[Frame]:
    return [Frame(i, picture(i), i, Fraction(1, 25), f"in{i}") for i in range(count)]


class VideoWriter:
    """Takes frames one by one and writes a video as a job does: in segments, here of eight frames, then joined."""

    def __init__(self, output: Path, info: ClipInfo, width: int = 64, height: int = 48, **encode_options: Any) -> None:
        self.notes: list[str] = []
        self.output, self.info = output, info
        self.spec = video_spec(output, info, width, height, EncodeOptions(**encode_options))
        self.images: list[np.ndarray] = []
        self.timestamps: list[int] = []

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, frame: Frame) -> None:
        self.images.append(frame.image.copy())
        self.timestamps.append(frame.pts)

    def segments(self, folder: Path, each_frames: int = 8) -> list[Path]:
        times, _ = output_times(self.timestamps, self.spec, self.timestamps[0])
        times.append(times[-1] + 1)
        files = []
        for start in range(0, len(self.images), each_frames):
            images = self.images[start : start + each_frames]
            files.append(folder / f"{start:04}{SEGMENT_SUFFIX}")
            write_segment(files[-1], self.spec, images, times[start : start + len(images) + 1])
        return files

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            with TemporaryDirectory() as folder:
                segments = self.segments(Path(folder))
                self.notes = join_video(self.output, self.info, self.spec, segments, self.timestamps)


def video_to(output: Path, inputs: Path, **changes: object) -> VideoWriter:
    return VideoWriter(output, info_of(inputs, **changes))
