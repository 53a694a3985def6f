"""What runs in the cluster: one task paints one shot.

Loading the network and measuring the style takes seconds, so that a process keeps them for the next shot of the same
render. (With a GPU, Ray gives each task a process of its own, and they are loaded for each shot.)
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from typing import Any

# As `workers` does it: idle threads must not spin on cores that others need.
_SHARING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}


def paint_shot(order: Mapping[str, Any], number: int, economies: Mapping[int, int]) -> Iterator[dict[str, Any]]:
    """Paints what is missing of a shot and yields answers: who does it, and then each frame once it is saved.

    Args:
        order: what the painter says of the render; see `painter`. number: of the shot.
        economies: see `ShotPainter`; those of this shot.

    Raises:
        ClusterError: this machine is not fit for it. VidstyleError: see `ShotPainter.paint`.
    """
    os.environ.update(_SHARING)  # torch reads them once, when it is imported
    from vidstyle.cluster.bench import bench_for
    from vidstyle.cluster.joining import load_ray

    node = load_ray().get_runtime_context().get_node_id()
    yield {"machine": socket.gethostname(), "node": node, "process": os.getpid()}
    yield from bench_for(order).paint(number, economies)
