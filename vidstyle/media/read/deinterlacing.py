"""Interlaced pictures made whole by libavfilter, one picture out for one picture in."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction

import av
from av.filter import Graph

# Whole pictures, not one per field; the decoder knows which field is first; progressive pictures pass untouched.
_FILTER, _OPTIONS = "bwdif", "mode=send_frame:parity=auto:deint=interlaced"
# Pictures are counted in it while they are inside the filter, which must not see the file's own timestamps: it
# would make something of gaps and repetitions.
_COUNT_BASE = Fraction(1, 1000)


class Deinterlacer:
    """Passes pictures through FFmpeg's bwdif from the first interlaced one on.

    The filter looks at the picture after, so that each comes out when its successor goes in. Number, order,
    timestamps and durations stay the decoder's.

    Attributes:
        is_active: whether an interlaced picture has come.
    """

    def __init__(self) -> None:
        self.is_active = False
        self._graph: Graph | None = None
        self._layout: tuple[int, int, str] | None = None
        self._count = 0
        self._inside: deque[tuple[int, int | None, int | None, Fraction | None]] = deque()

    def push(self, av_frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """Takes the next picture and yields those that are ready.

        Raises:
            av.FFmpegError, ValueError: the filter does not take the picture, or has lost one.
        """
        if not self.is_active and not av_frame.interlaced_frame:
            yield av_frame
            return
        self.is_active = True
        layout = (av_frame.width, av_frame.height, av_frame.format.name)
        if layout != self._layout:
            yield from self.flush()
            self._graph, self._layout = _graph(av_frame), layout
        self._inside.append((self._count, av_frame.pts, av_frame.duration, av_frame.time_base))
        av_frame.pts, av_frame.time_base = self._count, _COUNT_BASE
        self._count += 1
        if self._graph is not None:
            self._graph.vpush(av_frame)
        yield from self._ready()

    def flush(self) -> Iterator[av.VideoFrame]:
        """Yields what the filter still holds; it may be pushed to again."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._ready()
        self._graph = self._layout = None

    def _ready(self) -> Iterator[av.VideoFrame]:
        while self._graph is not None and self._inside:
            try:
                av_frame = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            number, pts, duration, time_base = self._inside.popleft()
            if _count_of(av_frame) != number:
                raise ValueError("the filter has lost count")
            av_frame.pts = pts
            av_frame.duration = duration or 0
            if time_base is not None:
                av_frame.time_base = time_base
            yield av_frame


def _count_of(av_frame: av.VideoFrame) -> Fraction | None:
    """Returns which picture it is; the filter has a time base of its own."""
    if av_frame.pts is None or av_frame.time_base is None:
        return None
    return av_frame.pts * Fraction(av_frame.time_base) / _COUNT_BASE


def _graph(av_frame: av.VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=av_frame.width, height=av_frame.height, format=av_frame.format, time_base=_COUNT_BASE
    )
    graph.link_nodes(source, graph.add(_FILTER, _OPTIONS), graph.add("buffersink")).configure()
    return graph
