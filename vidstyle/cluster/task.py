"""What runs in the cluster: one task paints one shot.

Loading the network and measuring the style takes seconds, so that a process keeps them for the next shot of the same
render. (With a GPU, Ray gives each task a process of its own, and they are loaded for each shot.)
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vidstyle.devices import BESIDE_OTHERS

# Each answer costs the machine that takes it in some time, however small it is: quick ones go together.
_TOGETHER_S, _TOGETHER_BYTES = 0.2, 4 << 20


def stylize_shot(
    order: Mapping[str, Any], number: int, memory_fallbacks: Mapping[int, int]
) -> Iterator[list[dict[str, Any]]]:
    """Paints what is missing of a shot and yields answers: who does it, and then frames once they are saved.

    Args:
        order: what the `ClusterPainter` says of the render. number: of the shot.
        economies: see `ShotPainter`; those of this shot.

    Raises:
        ClusterError: this machine is not fit for it. VidstyleError: see `ShotPainter.paint`.
    """
    os.environ.update(BESIDE_OTHERS)  # torch reads them once, when it is imported
    from vidstyle.cluster.joining import load_ray
    from vidstyle.cluster.workplace import workplace_for

    node = load_ray().get_runtime_context().get_node_id()
    yield [{"machine": socket.gethostname(), "node": node, "process": os.getpid()}]
    yield from together(workplace_for(order).stylize(number, memory_fallbacks))


def together(answers: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yields answers as they come where they come slowly, and several at a time where they come quickly.

    What is held back when an error comes is yielded before it is raised.
    """
    held: list[dict[str, Any]] = []
    size_bytes, said_s = 0, time.monotonic()
    try:
        for answer in answers:
            held.append(answer)
            size_bytes += _size_bytes(answer)
            if time.monotonic() - said_s >= _TOGETHER_S or size_bytes >= _TOGETHER_BYTES:
                yield held
                held, size_bytes, said_s = [], 0, time.monotonic()
    except Exception:
        if held:
            yield held
        raise
    if held:
        yield held


def _size_bytes(answer: Mapping[str, Any]) -> int:
    files = [*answer.get("files", {}).values(), answer.get("content", b"")]
    image = answer.get("image")
    return sum(map(len, files)) + (0 if image is None else int(image.nbytes))
