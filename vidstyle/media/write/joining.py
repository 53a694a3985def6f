"""Joins segments and the source's side streams to a video file, without encoding a picture again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer

from vidstyle.errors import OutputError, counted_were
from vidstyle.frames import ClipInfo
from vidstyle.media.containers import media_url
from vidstyle.media.stills.headers import frame_durations_ms
from vidstyle.media.streams.metadata import shown_name
from vidstyle.media.streams.side_streams import SideStreams, StreamSelection
from vidstyle.media.streams.sound import SYNC_TOLERANCE_S
from vidstyle.media.write.segments import VideoSpec, ffmpeg_reported, make_encoder, output_times, segment_packets

# Browsers show anything faster at ten frames per second.
_GIF_FASTEST = Fraction(50)
# Signature and logical screen, without a global palette.
_GIF_HEADER_BYTES = 13
# Containers may move sound by an encoder's priming samples, and round its times.
_SOUND_TOLERANCE_S = Fraction(1, 20)


def join_video(
    output: Path,
    info: ClipInfo,
    spec: VideoSpec,
    segments: Sequence[Path],
    timestamps: Sequence[int],
    selection: StreamSelection | None = None,
) -> list[str]:
    """Writes a video of all segments and the side streams, reads it back, and returns what the user should know.

    Args:
        output: the file to write; it is not complete before the function returns.
        info: of the source; where it is a video, sound, subtitles, chapters and tags are read from there.
        segments: in order. timestamps: of all their frames, in ticks of the source.
        selection: of the side streams; None: all, copied where that is possible.

    Raises:
        OutputError: it cannot be written, or what was written is not what it should be.
    """
    if not timestamps:
        raise OutputError(f"{output}: no frame to write; choose another range")
    notes = _notes_of(output, spec)
    with ffmpeg_reported(output):
        side_streams = SideStreams(info, spec.kind, selection or StreamSelection()) if info.kind == "video" else None
        options = {
            **spec.kind.options,
            **(side_streams.options if side_streams is not None else {}),
            "fflags": "+bitexact",
        }
        try:
            with closing(av.open(media_url(output), mode="w", format=spec.kind.format, options=options)) as container:
                joined = _JoinedStream(container, spec, segments, timestamps)
                if side_streams is not None:
                    side_streams.add_to(container, joined.stream)
                times, moved = _begin(info, spec, timestamps, side_streams)
                joined.write(times, info, side_streams)
        finally:
            if side_streams is not None:
                side_streams.close()
    if moved:
        why = f"{shown_name(spec.kind)} cannot hold times so close together"
        notes.append(f"{output.name}: {counted_were(moved, 'frame')} moved: {why}")
    check_video(output, spec, times, side_streams.last_packets_s if side_streams is not None else [])
    return notes + (side_streams.losses(output) if side_streams is not None else [])


def _notes_of(output: Path, spec: VideoSpec) -> list[str]:
    notes = []
    if spec.is_scaled:
        width, height = spec.stored_size
        notes.append(f"{output.name}: scaled to {width}x{height}, since its pixels can only be square")
    if spec.kind.format == "gif" and spec.rate > _GIF_FASTEST:
        notes.append(f"{output.name}: GIF players slow down above 50 frames per second")
    return notes


def _begin(
    info: ClipInfo, spec: VideoSpec, timestamps: Sequence[int], side_streams: SideStreams | None
) -> tuple[list[int], int]:
    """Chooses the source timestamp that becomes 0, for pictures and side streams alike; see `output_times`."""
    ranged = info.range_start > 0 or info.range_stop is not None
    offset = timestamps[0]
    if side_streams is not None:
        # Where frames are counted, the first one is at 0 whatever comes before it.
        if not ranged and not spec.kind.constant_rate:
            # Whole ticks keep every distance between frames exact; what is left is less than one tick.
            offset = max(0, int(side_streams.start_s // spec.source_base))
        end_s = timestamps[-1] * spec.source_base + 1 / spec.rate
        side_streams.begin(offset * spec.source_base, end_s, spec.rate)
    return output_times(timestamps, spec, offset)


class _JoinedStream:
    """The segments' packets as one stream: new times, and nothing else."""

    def __init__(
        self, container: OutputContainer, spec: VideoSpec, segments: Sequence[Path], timestamps: Sequence[int]
    ) -> None:
        self._container, self._spec, self._segments, self._timestamps = container, spec, segments, timestamps
        # The encoder is made for what it puts into the file's header; no picture is sent to it.
        self.stream = make_encoder(container, spec).stream
        self._positions = self._display_order()
        # How many frames a packet is stored ahead of where it is shown, at most.
        self._delay_frames = max(i - position for i, position in enumerate(self._positions))

    def write(self, times: Sequence[int], info: ClipInfo, side_streams: SideStreams | None) -> None:
        """Muxes every packet at the output's `times`, with the packets of the side streams in between."""
        base, last = self._spec.time_base, len(times) - 1
        step = times[1] - times[0] if last else 1
        last_s = Fraction(0)
        number = 0
        for path in self._segments:
            for stored in segment_packets(path, self._spec):
                packet = _without_gif_header(stored) if number and self._spec.kind.format == "gif" else stored
                position = self._positions[number]
                early = number - self._delay_frames
                if position < last:
                    duration = times[position + 1] - times[position]
                else:
                    # Not before the last frame, since the source is read up to there for it.
                    last_s = self._last_duration_s(info, side_streams)
                    duration = max(1, round(last_s / base))
                packet.time_base, packet.pts = base, times[position]
                # Decoding times are the display times in order, as many frames earlier as the codec reorders.
                packet.dts = times[early] if early >= 0 else times[0] + early * step
                packet.duration = duration
                packet.stream = self.stream
                self._container.mux(packet)
                number += 1
                if side_streams is not None:
                    side_streams.write_until(self._timestamps[position] * self._spec.source_base)
        if side_streams is not None:
            last_frame_s = self._timestamps[-1] * self._spec.source_base
            side_streams.write_rest(None if info.range_stop is None else last_frame_s + last_s)

    def _display_order(self) -> list[int]:
        """Returns the position in the render of every packet, in the order of decoding."""
        positions: list[int] = []
        for path in self._segments:
            stamps = [packet.pts or 0 for packet in segment_packets(path, self._spec)]
            rank = {pts: place for place, pts in enumerate(sorted(stamps))}
            positions += [len(positions) + rank[pts] for pts in stamps]
        if sorted(positions) != list(range(len(self._timestamps))):
            raise OutputError(
                f"{self._segments[0].parent}: its segments hold {len(positions)} of {len(self._timestamps)} frames; "
                "run the command again with --restart"
            )
        return positions

    def _last_duration_s(self, info: ClipInfo, side_streams: SideStreams | None) -> Fraction:
        known = side_streams.duration_s(self._timestamps[-1]) if side_streams is not None else None
        if known is None and not self._spec.kind.constant_rate:
            known = info.last_duration_s
        return known or 1 / self._spec.rate


def _without_gif_header(packet: av.Packet[av.VideoStream]) -> av.Packet[Any]:
    """Returns a packet without the file header that every GIF encoder puts before its first picture."""
    data = bytes(packet)
    if not data.startswith(b"GIF89a"):
        return packet
    return av.Packet(data[_GIF_HEADER_BYTES:])


def check_video(output: Path, spec: VideoSpec, times: Sequence[int], last_packets_s: Sequence[Fraction | None]) -> None:
    """Reads a written video back and compares it with what it should hold.

    Args:
        times: of all frames, in ticks of `spec.time_base`.
        last_packets_s: when each audio stream's last packet starts, in seconds of the output; None: it has none.

    Raises:
        OutputError: frames are missing, are shown at other times, or sound is missing.
    """
    try:
        shown, tick_s, last_sounds_s = (
            _read_back_webp(output) if spec.kind.format == "webp" else _read_back(output, spec)
        )
    except (av.FFmpegError, OSError, IndexError) as error:
        raise OutputError(f"{output}: what was written cannot be read back ({error}); try .mkv") from error
    if len(shown) != len(times):
        raise OutputError(f"{output}: holds {len(shown)} of {len(times)} frames; try .mkv")
    # AVI counts frames, and FFmpeg's reader shows those of H.264 one late.
    if not spec.kind.constant_rate:
        apart_s = max(
            abs((a - min(shown)) * tick_s - (b - times[0]) * spec.time_base)
            for a, b in zip(sorted(shown), times, strict=True)
        )
        if apart_s > max(tick_s, SYNC_TOLERANCE_S):
            raise OutputError(f"{output}: frames are shown {float(apart_s):.3f} s from their time; try .mkv")
    # Matroska moves all so that no priming samples are before 0.
    moved_s = Fraction(0) if spec.kind.constant_rate else min(shown) * tick_s - times[0] * spec.time_base
    _check_sound(output, [time_s - moved_s for time_s in last_sounds_s], last_packets_s)


def _read_back(output: Path, spec: VideoSpec) -> tuple[list[int], Fraction, list[Fraction]]:
    """Returns the pictures' times, their tick in seconds, and when each audio stream's last packet starts."""
    with av.open(media_url(output)) as written:
        video = written.streams.video[0]
        shown, last_sounds_s = [], dict.fromkeys((stream.index for stream in written.streams.audio), Fraction(0))
        for packet in written.demux():
            stamp = packet.pts if packet.pts is not None else packet.dts
            if not packet.size or stamp is None:
                continue
            if packet.stream.index == video.index:
                shown.append(stamp)
            elif packet.stream.index in last_sounds_s:
                last_sounds_s[packet.stream.index] = stamp * Fraction(packet.time_base)
        return shown, Fraction(video.time_base or spec.time_base), list(last_sounds_s.values())


def _read_back_webp(output: Path) -> tuple[list[int], Fraction, list[Fraction]]:
    """Returns the same of an animation, which FFmpeg writes but does not read."""
    durations = frame_durations_ms(output)
    return list(accumulate(durations[:-1], initial=0)), Fraction(1, 1000), []


def _check_sound(output: Path, found_s: Sequence[Fraction], expected_s: Sequence[Fraction | None]) -> None:
    if len(found_s) == len([last_s for last_s in expected_s if last_s is not None]):
        expected_s = [last_s for last_s in expected_s if last_s is not None]  # MP4 has no tracks without packets
    if len(found_s) != len(expected_s):
        raise OutputError(f"{output}: holds {len(found_s)} of {len(expected_s)} audio streams; try .mkv")
    for got_s, last_s in zip(found_s, expected_s, strict=True):
        if last_s is not None and abs(got_s - last_s) > _SOUND_TOLERANCE_S:
            at = f"{float(got_s):.2f} s, not {float(last_s):.2f} s"
            raise OutputError(f"{output}: the last sound is at {at}; try .mkv")
