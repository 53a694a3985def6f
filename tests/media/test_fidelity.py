"""What goes in comes out, whatever the size, the rate, the start and the sound."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from media_examples import examples

# The same code tries hundreds: `scripts/benchmark_media.py --examples 300`.
EXAMPLES = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("clips")


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(clip=examples.clips())
def test_every_frame_comes_out_once_at_its_time_with_its_colors_and_its_sound(clip, folder):
    assert examples.faults_of(clip, folder) == []
