"""A worker process, started by `pool`: stylizes the shots whose numbers it gets.

It reads JSON lines from its standard input: first the task, then a shot's number each. It answers with JSON lines; a
frame's line is followed by the picture's bytes. When its standard input ends without `END`, the process that started it
has died, and it ends at once.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

END = {"end": True}
# Exit status of a worker whose parent process has died.
ORPHANED = 3


def main() -> int:
    """Works until the message `END` comes; returns the exit status."""
    # Ctrl-C goes to all processes of a terminal; the parent process ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get among the answers
    first = sys.stdin.buffer.readline()
    if not first:
        return ORPHANED
    orders: queue.Queue[Mapping[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, orders), daemon=True).start()
    try:
        _work(json.loads(first), orders, answers)
    except BaseException as error:
        with suppress(OSError):
            failure = {"error": type(error).__name__, "message": str(error), "traceback": traceback.format_exc()}
            _send(answers, failure)
        return 1
    return 0


def _listen(stream: BinaryIO, orders: queue.Queue[Mapping[str, Any]]) -> None:
    for line in stream:
        order = json.loads(line)
        orders.put(order)
        if order == END:
            return
    os._exit(ORPHANED)


def _work(task: Mapping[str, Any], orders: queue.Queue[Mapping[str, Any]], answers: BinaryIO) -> None:
    # Imported here, since torch reads the environment, which chooses this process's device, when it is imported.
    import torch

    from vidstyle.devices import keep_freed_memory
    from vidstyle.job.folder import JobFolder
    from vidstyle.job.identity import check_look
    from vidstyle.job.lock import locked_by_worker
    from vidstyle.job.manifest import read_manifest
    from vidstyle.job.source import open_with_settings
    from vidstyle.looks.frame_masks import Masks
    from vidstyle.looks.stylizer import Stylizer
    from vidstyle.media.read.frame_reader import FrameReader
    from vidstyle.settings import Settings
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
            while (order := orders.get()) != END:
                shot = manifest.shots[order["shot"]]
                for frame in shot_stylizer.stylize([shot]):
                    image = frame.stylized.image
                    _send(answers, frame.to_json() | {"shape": image.shape}, image.tobytes())
                _send(answers, {"shot": shot.number})


def _send(stream: BinaryIO, answer: Mapping[str, Any], body: bytes = b"") -> None:
    stream.write(json.dumps(answer).encode() + b"\n" + body)
    stream.flush()


def run() -> None:
    """Works, and ends the process at once, without waiting for the thread that reads the standard input."""
    os._exit(main())
