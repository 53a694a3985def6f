#!/usr/bin/env python3
"""Measures how well a cluster is kept busy: real Ray tasks that sleep instead of stylizing frames.

    python scripts/benchmark_cluster.py --frame-ms 2 --workers 2 4 8 16

200 shots go through the scheduling of `--cluster`, each as a task on a node that can take one at a time, and answer a
frame after each sleep. Their lengths are drawn from a log-normal distribution with a median of 2.5 s and a mean of
4 s, cut at 0.4 s and 60 s, at 24 frames a second: feature films of the last decades have mean shot lengths of 3 to 6 s
(Salt's and Cutting's counts), and single shots are distributed log-normally, many short and a few long.

Ideal is max(all the work / workers, the longest shot): no way of giving out whole shots is faster. The last column is
ideal / measured. What it falls short by is Ray's (giving out a task, carrying its answers) and this script's machine,
which plays all nodes at once.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import time
from collections.abc import Iterator
from typing import Any

from vidstyle.cluster.joining import load_ray
from vidstyle.cluster.schedule import Schedule
from vidstyle.cluster.task import together
from vidstyle.shots import Shot

SHOTS, RATE, MEDIAN_S, MEAN_S, SHORTEST_S, LONGEST_S = 200, 24, 2.5, 4.0, 0.4, 60.0


def film(seed: int = 0) -> list[Shot]:
    """Returns shots of film-like lengths."""
    draw = random.Random(seed)
    sigma = math.sqrt(2 * math.log(MEAN_S / MEDIAN_S))
    shots, start = [], 0
    for number in range(SHOTS):
        length_s = min(max(draw.lognormvariate(math.log(MEDIAN_S), sigma), SHORTEST_S), LONGEST_S)
        stop = start + round(length_s * RATE)
        shots.append(Shot(number, start, stop))
        start = stop
    return shots


def sleep_through(start: int, stop: int, frame_s: float) -> Iterator[list[dict[str, Any]]]:
    """Answers as `stylize_shot` does, and sleeps instead of stylizing."""
    yield [{"process": os.getpid()}]
    yield from together(_slept(start, stop, frame_s))


def _slept(start: int, stop: int, frame_s: float) -> Iterator[dict[str, Any]]:
    due = time.perf_counter()
    for position in range(start, stop):
        due += frame_s
        time.sleep(max(0.0, due - time.perf_counter()))
        yield {"position": position}


def measured_s(workers: int, shots: list[Shot], frame_s: float) -> float:
    """Returns how long the shots take on a cluster of so many nodes, each with a process that is already there."""
    from ray.cluster_utils import Cluster

    ray = load_ray()
    store_bytes = 80 << 20
    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": store_bytes}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        # Ray's own processes for a node take 300 MB and more: nodes of four workers each.
        for count in [4] * (workers // 4) + [workers % 4] * bool(workers % 4):
            cluster.add_node(num_cpus=count, object_store_memory=store_bytes)
        ray.init(address=cluster.address, log_to_driver=False)
        options = {"num_returns": "streaming", "max_retries": 0, "_generator_backpressure_num_objects": 4}
        task = ray.remote(sleep_through).options(num_cpus=1, **options)

        def run(of: list[Shot], seconds: float) -> float:
            schedule = Schedule(ray, lambda shot: task.remote(shot.start, shot.stop, seconds), lambda error: error)
            started = time.perf_counter()
            answers = sum("position" in answer for _, several in schedule.run(of) for answer in several or ())
            if answers != sum(shot.stop - shot.start for shot in of):
                raise RuntimeError("frames are missing")
            return time.perf_counter() - started

        # Processes start once, and then work for hours.
        run([Shot(number, 0, 2) for number in range(2 * workers)], 1.0)
        return run(shots, frame_s)
    finally:
        ray.shutdown()
        cluster.shutdown()


def main() -> None:
    """Prints a row for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frame-ms", type=float, default=10.0, help="sleep for a frame")
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4, 8, 16])
    options = parser.parse_args()
    # As on machines that do nothing else.
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    shots, frame_s = film(), options.frame_ms / 1000
    frames, longest = sum(s.stop - s.start for s in shots), max(s.stop - s.start for s in shots)
    print(f"{SHOTS} shots, {frames} frames, the longest {longest}; {options.frame_ms:g} ms a frame")
    print(f"the longest shot bounds what more than {frames / longest:.1f} workers can do")
    for workers in options.workers:
        ideal_s = max(frames / workers, longest) * frame_s
        seconds = measured_s(workers, shots, frame_s)
        print(f"{workers:3} workers  {seconds:7.2f} s  ideal {ideal_s:7.2f} s  {ideal_s / seconds:.3f}", flush=True)


if __name__ == "__main__":
    main()
