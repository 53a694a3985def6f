"""Packets of a recording whose clock jumps, brought onto one timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.stream import Stream

# Transport and program streams may jump by design: recordings joined end to end, advertisements put in.
_JUMPING = frozenset({"mpegts", "mpeg"})
# What ffmpeg itself takes for a jump of the clock and not for a gap (its -dts_delta_threshold).
JUMP_S = Fraction(10)
# And backwards: less than this is a sloppy muxer.
_BACK_S = Fraction(1, 10)


def continuous(container: InputContainer, wanted: Sequence[Stream], clock: Stream) -> Iterator[av.Packet[Any]]:
    """Yields the wanted streams' packets in file order, and then their empty ones, as `demux` does.

    In transport and program streams, where decoding times of the `clock` stream run back or leap ahead by more
    than ten seconds, that packet and all packets after it, of any stream, are moved so that time goes on.
    Everything else passes as it is.

    Args:
        clock: the video stream; one and the same for all who read the file, so that they agree.

    Raises:
        av.FFmpegError, OSError: the file cannot be read on.
    """
    if container.format.name not in _JUMPING:
        yield from container.demux(*wanted)
        return
    numbers = {stream.index for stream in wanted}
    streams = [*wanted] if clock.index in numbers else [*wanted, clock]
    shift_s, last_s, step_s = Fraction(0), None, Fraction(0)
    for packet in container.demux(*streams):
        if packet.time_base is not None and packet.size:
            base = Fraction(packet.time_base)
            if packet.stream.index == clock.index and packet.dts is not None:
                now_s = packet.dts * base + shift_s
                if last_s is not None and not -_BACK_S <= now_s - last_s <= JUMP_S:
                    shift_s += last_s + step_s - now_s
                    now_s = last_s + step_s
                elif last_s is not None:
                    step_s = max(now_s - last_s, Fraction(0))
                last_s = now_s
            if shift_s:
                ticks = round(shift_s / base)
                packet.dts = None if packet.dts is None else packet.dts + ticks
                packet.pts = None if packet.pts is None else packet.pts + ticks
        if packet.stream.index in numbers:
            yield packet
