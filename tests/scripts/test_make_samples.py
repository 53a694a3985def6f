"""The samples: there, small, sound, and with the exact flow that later tests rely on."""

from pathlib import Path

import av
import numpy as np
import pytest
from scripting import loaded_script

ROOT = Path(__file__).parents[2]
LARGEST_BYTES = 6_000_000


@pytest.fixture(scope="module")
def samples():
    with loaded_script("make_samples") as module:
        yield module


def test_samples_are_small_together():
    assert 0 < sum(path.stat().st_size for path in (ROOT / "samples").iterdir()) < LARGEST_BYTES


def test_the_clip_is_four_seconds_with_sound():
    with av.open(str(ROOT / "samples" / "clip.mp4")) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        frames = sum(1 for _ in container.decode(video))
        assert (video.width, video.height, frames, float(video.average_rate)) == (640, 360, 96, 24.0)
        assert audio.codec_context.name == "aac"
        assert float(audio.duration * audio.time_base) == pytest.approx(4, abs=0.1)


def test_the_exact_flow_carries_one_frame_into_the_next(samples):
    previous, current = samples.render_frame(39), samples.render_frame(40)
    flow, visible = samples.exact_flow(40)
    assert flow.shape == (360, 640, 2)
    assert visible.mean() > 0.8
    still = samples.warp_error(previous, current, np.zeros_like(flow), visible)
    assert samples.warp_error(previous, current, flow, visible) < 4 < 10 < still
    assert samples.warp_error(previous, current, -flow, visible) > still


def test_the_clip_shows_the_frames_that_the_script_draws(samples):
    with av.open(str(ROOT / "samples" / "clip.mp4")) as container:
        decoded = next(container.decode(video=0)).to_ndarray(format="rgb24")
    drawn = samples.render_frame(0) * 255
    assert np.abs(decoded - drawn).mean() < 8
