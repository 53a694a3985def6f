"""Writes the clip: H.264 picture with BT.709 colors and AAC sound in an MP4 file."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from samples_drawing.layers import FRAME_HEIGHT_PX, FRAME_RATE_HZ, FRAME_WIDTH_PX
from samples_drawing.sound import SAMPLE_RATE_HZ

Array = np.ndarray

BT709 = 1  # the value of ITU-R BT.709 in the primaries and transfer fields of H.264


def write_clip(path: Path, frames: Iterable[Array], sound: Array, crf: int) -> None:
    """Encode `frames` (`(H, W, 3) float32` RGB in [0, 1]) with `sound` (`(2, samples) float32`)."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        # A fixed number of threads keeps the file the same on machines with more cores.
        options = {"crf": str(crf), "preset": "slow", "threads": "2"}
        video = container.add_stream("libx264", rate=FRAME_RATE_HZ, options=options)
        video.width, video.height, video.pix_fmt = FRAME_WIDTH_PX, FRAME_HEIGHT_PX, "yuv420p"
        context = video.codec_context
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries = context.color_trc = BT709
        audio = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="stereo")
        audio.bit_rate = 128_000
        for number, frame in enumerate(frames):
            rgb = av.VideoFrame.from_ndarray(np.round(frame * 255).astype(np.uint8), format="rgb24")
            picture = rgb.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
            picture.pts, picture.time_base = number, Fraction(1, FRAME_RATE_HZ)
            picture.color_primaries = picture.color_trc = BT709
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        wave = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), format="fltp", layout="stereo")
        wave.sample_rate, wave.pts, wave.time_base = SAMPLE_RATE_HZ, 0, Fraction(1, SAMPLE_RATE_HZ)
        container.mux(audio.encode(wave))
        container.mux(audio.encode(None))
