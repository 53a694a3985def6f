"""A worker process: paints the shots it is told to; started by `workers`.

It reads JSON lines from its standard input: first what to work on, then a shot's number each. It answers
with JSON lines; a painted frame's line is followed by the picture's bytes. When the standard input ends
without a farewell, the process that started it is dead, and it ends at once.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

FAREWELL = {"end": True}
ORPHANED = 3


def main() -> int:
    """Works until told to end; returns the exit status."""
    # The one at the terminal decides what an interrupt means, and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not come between the answers
    first = sys.stdin.buffer.readline()
    if not first:
        return ORPHANED
    orders: queue.Queue[Mapping[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, orders), daemon=True).start()
    try:
        _work(json.loads(first), orders, answers)
    except BaseException as error:
        from vidstyle.workers.answers import error_answer

        with suppress(OSError):
            _send(answers, error_answer(error))
        return 1
    return 0


def _listen(stream: BinaryIO, orders: queue.Queue[Mapping[str, Any]]) -> None:
    for line in stream:
        order = json.loads(line)
        orders.put(order)
        if order == FAREWELL:
            return
    os._exit(ORPHANED)


def _work(task: Mapping[str, Any], orders: queue.Queue[Mapping[str, Any]], answers: BinaryIO) -> None:
    # Only now: the device that this process may see is chosen by its environment, which torch reads once.
    import torch

    from vidstyle.devices import keep_freed_memory
    from vidstyle.job.fingerprints import check_look
    from vidstyle.job.folder import JobFolder
    from vidstyle.job.lock import locked_by_worker
    from vidstyle.job.manifest import read_manifest
    from vidstyle.job.source import open_with_settings
    from vidstyle.looks.frame_masks import Masks
    from vidstyle.media.read.frame_reader import FrameReader
    from vidstyle.method.stylizer import Stylizer
    from vidstyle.settings import Settings
    from vidstyle.workers.answers import frame_answer
    from vidstyle.workers.shot_stylizer import ShotStylizer, fallbacks_of

    keep_freed_memory()
    settings, folder = Settings(**task["settings"]), Path(task["job"])
    with locked_by_worker(folder, task["number"]):
        manifest = read_manifest(folder)
        torch.set_num_threads(manifest.threads)
        job = JobFolder(folder, manifest)
        stylizer = Stylizer(task["styles"], settings)
        check_look(manifest.identity.files, [Path(style) for style in task["styles"]], settings)
        source = Path(task["source"])
        with (
            FrameReader(lambda: open_with_settings(source, settings), manifest.timestamps) as reader,
            Masks(settings) as masks,
        ):
            shot_stylizer = ShotStylizer(job, reader, stylizer, masks, fallbacks_of(job))
            while (order := orders.get()) != FAREWELL:
                shot = manifest.shots[order["shot"]]
                for frame in shot_stylizer.stylize(shot):
                    image = frame.stylized.image
                    _send(answers, frame_answer(frame) | {"shape": image.shape}, image.tobytes())
                _send(answers, {"shot": shot.number})


def _send(stream: BinaryIO, answer: Mapping[str, Any], body: bytes = b"") -> None:
    stream.write(json.dumps(answer).encode() + b"\n" + body)
    stream.flush()


def run() -> None:
    """Works, and ends the process at once: the thread that listens would be in the way of an orderly end."""
    os._exit(main())
