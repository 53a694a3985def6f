"""A source and what was rendered from it, fact by fact: what went in, what came out, and what is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from media_files.cases import Expected
from media_files.drawing import Levels, combing
from media_files.facts import Facts, Track
from media_files.sound import Wave, lag_ms

LARGEST_LAG_MS = 5.0
# Two encodings of the same noise are this alike at least; another track's, or another channel's, less than half.
ALIKE = 0.7
# A single frame may be so many times farther off than all of them on average may.
WORST_FRAME = 2
# Lossy encoders leave nothing of one frame that could be taken for another's: neighbors are 1.7 levels apart or more.
_CUE_S = 0.005


@dataclass
class Comparison:
    """One line of the table, cell by cell, and what is wrong."""

    cells: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def expect(self, holds: bool, fault: str) -> None:
        """Notes a fault unless something holds."""
        if not holds:
            self.faults.append(fault)


def compared(source: Facts, result: Facts, expected: Expected, notes: Sequence[str]) -> Comparison:
    """Returns what became of a file."""
    outcome = Comparison()
    order = list(expected.frames if expected.frames is not None else range(len(source.frames)))
    _compare_frames(outcome, source, result, expected, order)
    _compare_times(outcome, source, result, expected, order)
    _compare_geometry(outcome, source, result, expected)
    _compare_format(outcome, source, result, expected)
    _compare_sound(outcome, source, result, expected)
    _compare_extras(outcome, source, result, expected)
    for wanted in expected.notes:
        outcome.expect(any(re.search(wanted, note) for note in notes), f"no note says /{wanted}/")
    return outcome


def _arrow(before: Any, after: Any) -> str:
    return str(before) if before == after else f"{before} -> {after}"


def _compare_frames(outcome: Comparison, source: Facts, result: Facts, expected: Expected, order: list[int]) -> None:
    """Each frame must look like its own picture, and more so than like any other."""
    outcome.cells["frames"] = _arrow(len(source.frames), len(result.frames))
    outcome.expect(len(result.frames) == len(order), f"{len(result.frames)} frames instead of {len(order)}")
    outcome.expect(not result.lost, f"{result.lost} packets of it cannot be decoded")
    pictures = [expected.picture(index) if expected.picture else source.frames[index] for index in order]
    pairs = [(a, b) for a, b in zip(pictures, result.frames, strict=False) if a is not None and b is not None]
    sizes = {a.shape for a, _ in pairs} | {b.shape for _, b in pairs}
    if len(sizes) > 1:
        outcome.cells["color error"] = "-"
        outcome.faults.append(f"frames of {_shape(pairs[0][1])} instead of {_shape(pairs[0][0])}")
        return
    errors = [_apart(a, b) for a, b in pairs]
    mean = float(np.mean(errors)) if errors else math.nan
    outcome.cells["color error"] = f"{mean:.2f}" if errors else "-"
    outcome.expect(mean <= expected.error_levels, f"colors {mean:.2f} levels off")
    outcome.expect(
        max(errors, default=0) <= WORST_FRAME * expected.error_levels,
        f"a frame {max(errors, default=0):.2f} levels off",
    )
    kept = [(place, picture) for place, picture in enumerate(pictures) if picture is not None]
    for place, frame in enumerate(result.frames):
        if frame is None or not kept:
            continue
        distances = [_apart(picture, frame) for _, picture in kept]
        nearest = kept[int(np.argmin(distances))][0]
        own = [d for (k, _), d in zip(kept, distances, strict=True) if k == place]
        if nearest != place and (not own or own[0] > min(distances) + 0.05):
            outcome.faults.append(f"frame {place} is the source's {order[nearest]}")
            break
    if expected.combing is not None and result.frames:
        outcome.expect(
            max(combing(frame) for frame in result.frames) <= expected.combing,
            f"combs of {max(combing(frame) for frame in result.frames):.1f} levels",
        )


def _apart(one: Levels, other: Levels) -> float:
    return float(np.abs(one - other).mean())


def _shape(levels: Levels) -> str:
    return f"{levels.shape[1]}x{levels.shape[0]}"


def _compare_times(outcome: Comparison, source: Facts, result: Facts, expected: Expected, order: list[int]) -> None:
    """Where one shift brings every frame within half a tick of its time, the spread is at most a tick."""
    outcome.cells["gap ms"] = "-"
    if result.names or not result.times or not order:
        return
    wanted = list(expected.times) if expected.times is not None else [source.times[index] for index in order]
    gaps = [(b - result.times[0]) - (a - wanted[0]) for a, b in zip(wanted, result.times, strict=False)]
    largest = max((abs(gap) for gap in gaps), default=Fraction(0))
    outcome.cells["gap ms"] = f"{float(1000 * largest):.2f}"
    outcome.expect(
        max(gaps) - min(gaps) <= result.tick_s + Fraction(1, 10**6),
        f"times up to {float(1000 * largest):.1f} ms off (a tick is {float(1000 * result.tick_s):.2f})",
    )
    steps = [b - a for a, b in zip(result.times, result.times[1:], strict=False)]
    outcome.expect(all(step > 0 for step in steps), "times do not ascend")
    before, after = source.last_duration_s, result.last_duration_s
    if expected.times is None and expected.frames is None and before and after:
        outcome.expect(
            abs(before - after) <= 2 * max(source.tick_s, result.tick_s, Fraction(1, 1000)),
            f"the last frame lasts {float(1000 * after):.0f} ms instead of {float(1000 * before):.0f}",
        )


def _compare_geometry(outcome: Comparison, source: Facts, result: Facts, expected: Expected) -> None:
    turned_aspect = source.aspect if source.rotation % 180 == 0 else 1 / source.aspect
    size, aspect = expected.displayed_px or source.displayed_px, expected.aspect or turned_aspect
    outcome.cells["size"] = _arrow("{}x{}".format(*source.displayed_px), "{}x{}".format(*result.displayed_px))
    outcome.cells["sar"] = _arrow(source.aspect, result.aspect)
    outcome.expect(
        result.displayed_px == size, "displayed at {}x{} instead of {}x{}".format(*result.displayed_px, *size)
    )
    outcome.expect(result.aspect == aspect, f"pixels of {result.aspect} instead of {aspect}")
    outcome.expect(result.rotation == 0, f"a rotation tag of {result.rotation} is left")


def _compare_format(outcome: Comparison, source: Facts, result: Facts, expected: Expected) -> None:
    before, after = " ".join(source.color), " ".join(result.color)
    outcome.cells["color"] = _arrow(before, after) if source.color[0] or result.color[0] else "-"
    outcome.cells["format"] = _arrow(
        f"{source.codec} {source.pix_fmt}".strip(), f"{result.codec} {result.pix_fmt}".strip()
    )
    tagged = result.videos and result.codec not in ("gif", "webp")
    if tagged:
        outcome.expect("-" not in result.color and "2" not in result.color, f"colors not tagged in full: {after}")
    if expected.color is not None:
        outcome.expect(result.color == expected.color, f"tagged {after} instead of {' '.join(expected.color)}")
    outcome.expect(result.bits == expected.bits, f"{result.bits} bits instead of {expected.bits}")
    outcome.expect(not result.interlaced, f"{result.interlaced} frames are still interlaced")
    outcome.expect(expected.codec in ("", result.codec), f"{result.codec} instead of {expected.codec}")
    outcome.expect(expected.pix_fmt in ("", result.pix_fmt), f"{result.pix_fmt} instead of {expected.pix_fmt}")
    if expected.names is not None:
        outcome.expect(tuple(result.names) == expected.names, f"files {result.names} instead of {list(expected.names)}")
    if expected.alpha is not None:
        for place, plane in enumerate(result.alpha):
            wanted = expected.alpha(place)
            same = plane is not None and plane.shape == wanted.shape and float(np.abs(plane - wanted).max()) <= 0.5
            outcome.expect(same, f"the alpha of picture {place} is {'another' if plane is not None else 'gone'}")


def _compare_sound(outcome: Comparison, source: Facts, result: Facts, expected: Expected) -> None:
    outcome.cells["audio"] = _arrow(_sound_words(source), _sound_words(result))
    outcome.cells["sync ms"] = outcome.cells["same packets"] = "-"
    wanted = source.audio if expected.audio else []
    outcome.expect(len(result.audio) == len(wanted), f"{len(result.audio)} audio tracks instead of {len(wanted)}")
    lags, same = [], []
    from_s = float(source.times[expected.frames[0]] - source.times[0]) if expected.frames else None
    for number, (before, after) in enumerate(zip(wanted, result.audio, strict=False)):
        what = f"audio track {number}"
        lag, alike = lag_ms(_within(before, after, from_s), after.wave)
        lags.append(f"{lag:+.1f}")
        same.append(before.digest == after.digest)
        outcome.expect(abs(lag) <= LARGEST_LAG_MS, f"{what} is {lag:.1f} ms late")
        outcome.expect(alike >= ALIKE, f"{what} sounds otherwise (alike by {alike:.2f})")
        outcome.expect(after.layout == before.layout, f"{what} is {after.layout} instead of {before.layout}")
        spoken = before.language if expected.languages else after.language
        outcome.expect(after.language == spoken, f"{what} is in {after.language!r}, not {before.language!r}")
        outcome.expect(
            expected.audio_codec in ("", after.codec), f"{what} is {after.codec}, not {expected.audio_codec}"
        )
        spans = [track.wave[0][-1] if len(track.wave[0]) else 0 for track in (before, after)]
        outcome.expect(
            from_s is not None or spans[1] > spans[0] - 0.05, f"{what} ends {1000 * (spans[0] - spans[1]):.0f} ms early"
        )
    if same:
        outcome.cells["sync ms"] = " ".join(lags)
        outcome.cells["same packets"] = "yes" if all(same) else "no" if not any(same) else "some"
    if expected.copied is not None and same:
        outcome.expect(all(same) == expected.copied, f"audio {'copied' if all(same) else 'encoded again'}")


def _within(track: Track, other: Track, from_s: float | None) -> tuple[Any, Wave]:
    """Returns what of a track should be heard in another that begins `from_s` later (None: all of it)."""
    if from_s is None or not len(other.wave[0]):
        return track.wave
    times = track.wave[0] - from_s
    there = (times >= other.wave[0][0] - 0.001) & (times <= other.wave[0][-1] + 0.001)
    return times[there], track.wave[1][:, there]


def _sound_words(facts: Facts) -> str:
    return ", ".join(f"{track.codec} {track.rate} {track.layout}" for track in facts.audio) or "-"


def _compare_extras(outcome: Comparison, source: Facts, result: Facts, expected: Expected) -> None:
    counts = {
        "subtitles": (len(source.subtitles), len(result.subtitles), expected.subtitles),
        "chapters": (len(source.chapters), len(result.chapters), expected.chapters),
        "attachments": (len(source.attachments), len(result.attachments), expected.attachments),
        "covers": (source.covers, result.covers, expected.covers),
    }
    for name, (before, after, wanted) in counts.items():
        outcome.cells[name] = _arrow(before, after) if before or after else "-"
        wanted = before if wanted is None else wanted
        outcome.expect(after == wanted, f"{after} {name} instead of {wanted}")
    for (_, tongue, before), (_, language, after) in zip(source.subtitles, result.subtitles, strict=False):
        texts = [text for _, text in before], [text for _, text in after]
        outcome.expect(texts[0] == texts[1], f"subtitles say {texts[1]} instead of {texts[0]}")
        late = max((abs(a - b) for (a, _), (b, _) in zip(before, after, strict=False)), default=0)
        outcome.expect(late <= _CUE_S, f"subtitles are {1000 * late:.0f} ms off")
        outcome.expect(tongue == language, f"subtitles are in {language!r}, not {tongue!r}")
    for one, other in zip(source.chapters, result.chapters, strict=False):
        close = max(abs(one[0] - other[0]), abs(one[1] - other[1])) <= _CUE_S
        outcome.expect(close and one[2] == other[2], f"chapter {other} instead of {one}")
    if expected.metadata is not None:
        missing = [key for key, value in expected.metadata.items() if not _tag(result, key).startswith(value)]
        outcome.cells["metadata"] = f"{len(expected.metadata) - len(missing)} of {len(expected.metadata)}"
        outcome.expect(not missing, f"metadata lost: {', '.join(missing)}")
    else:
        outcome.cells["metadata"] = "-"


def _tag(facts: Facts, key: str) -> str:
    return facts.metadata.get(key, "")
