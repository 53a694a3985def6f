"""What runs in the cluster: one task stylizes one shot.

Loading the network and measuring the style takes seconds, so a process keeps them for the next shot of the same render.
(With a GPU, Ray gives each task a process of its own, which loads them for its shot.)
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vidstyle.devices import BESIDE_OTHERS

# Each answer costs time where it is taken in, however small it is, so several that come quickly are sent together.
_TOGETHER_S, _TOGETHER_BYTES = 0.2, 4 << 20


def stylize_shot(order: Mapping[str, Any], number: int, fallbacks: Mapping[int, int]) -> Iterator[list[dict[str, Any]]]:
    """Stylizes the missing frames of a shot; yields answers: which machine it is, then each frame once it is saved.

    Args:
        order: see `ClusterStylizer`. number: of the shot. fallbacks: see `ShotStylizer`; those of this shot.

    Raises:
        ClusterError: this machine cannot do it. VidstyleError: see `ShotStylizer.stylize`.
    """
    os.environ.update(BESIDE_OTHERS)  # torch reads them when it is imported
    from vidstyle.cluster.joining import load_ray
    from vidstyle.cluster.workplaces import workplace_for

    node = load_ray().get_runtime_context().get_node_id()
    yield [{"machine": socket.gethostname(), "node": node, "process": os.getpid()}]
    yield from together(workplace_for(order).stylize(number, fallbacks))


def together(answers: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yields answers in lists: each at once where they come slowly, several at a time where they come quickly.

    Before an error is raised, the answers that came before it are yielded.
    """
    waiting: list[dict[str, Any]] = []
    size_bytes, last_s = 0, time.monotonic()
    try:
        for answer in answers:
            waiting.append(answer)
            size_bytes += _size_bytes(answer)
            if time.monotonic() - last_s >= _TOGETHER_S or size_bytes >= _TOGETHER_BYTES:
                yield waiting
                waiting, size_bytes, last_s = [], 0, time.monotonic()
    except Exception:
        if waiting:
            yield waiting
        raise
    if waiting:
        yield waiting


def _size_bytes(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(map(_size_bytes, value.values()))
    return len(value) if isinstance(value, bytes) else int(getattr(value, "nbytes", 0))
