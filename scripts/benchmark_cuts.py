"""Counts the cuts that `vidstyle.shots` finds, misses and invents on clips whose boundaries are known.

    python scripts/benchmark_cuts.py                          # drawn scenes
    python scripts/benchmark_cuts.py --photos FOLDER --seeds 5   # the same camera moves over photographs
    python scripts/benchmark_cuts.py clip.mp4 --pyscenedetect # also lists the cuts of a real clip

`--pyscenedetect` runs its AdaptiveDetector, alone and with ThresholdDetector, on the same pictures, if the package
`scenedetect` is there.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np

from vidstyle.frames import Picture
from vidstyle.shots import CutDetector

WIDTH, HEIGHT = 256, 144
Find = Callable[[list[Picture]], tuple[int, ...]]


@dataclass
class Case:
    """A clip with known boundaries.

    Attributes:
        frames: `(H, W, 3)` uint8 RGB.
        cuts: for each new shot, the positions at which it may be said to begin.
        allowed: positions in which one cut more is no fault (inside a dissolve).
    """

    frames: list[Picture] = field(default_factory=list)
    cuts: list[range] = field(default_factory=list)
    allowed: list[range] = field(default_factory=list)

    def cut_to(self, frames: list[Picture], late: int = 0) -> Case:
        """Appends a shot, whose beginning may be put up to `late` frames later."""
        if self.frames:
            self.cuts.append(range(len(self.frames), len(self.frames) + late + 1))
        return self.go_on(frames)

    def go_on(self, frames: list[Picture]) -> Case:
        """Appends frames of the same shot."""
        self.frames += frames
        return self


class Scenes:
    """Large pictures for a camera to move over, in an order of their own for each seed."""

    def __init__(self, seed: int, photos: Path | None) -> None:
        self.rng = np.random.default_rng(seed)
        files = sorted(p for p in photos.iterdir() if p.suffix in {".jpg", ".png"}) if photos else []
        self._files = [files[i] for i in self.rng.permutation(len(files))]
        self._next = 0

    def new(self) -> Picture:
        """Returns the next scene, at least `(270, 480, 3)` uint8 RGB."""
        self._next += 1
        if not self._files:
            return self._draw()
        image = cv2.imread(str(self._files[self._next % len(self._files)]))[..., ::-1]
        scale = max(480 / image.shape[1], 270 / image.shape[0])
        return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)

    def _draw(self) -> Picture:
        """Draws clouds of color with a few discs and bars."""
        picture = np.full((288, 480, 3), self.rng.uniform(40, 200, 3))
        for cells in (3, 8, 24, 80):
            noise = self.rng.normal(0, 60 / cells**0.4, (cells, cells * 5 // 3, 3))
            picture += cv2.resize(noise, (480, 288), interpolation=cv2.INTER_CUBIC)
        for _ in range(14):
            x, y, size = (int(v) for v in self.rng.integers((0, 0, 8), (480, 288, 50)))
            color = self.rng.uniform(0, 255, 3).tolist()
            if self.rng.random() < 0.5:
                cv2.circle(picture, (x, y), size, color, -1)
            else:
                cv2.rectangle(picture, (x, y), (x + size, y + 2 * size), color, -1)
        return np.clip(picture, 0, 255).astype(np.uint8)

    def shot(self, count: int, speed: float = 0.004, *, scene: Picture | None = None) -> list[Picture]:
        """Returns `count` frames of a pan with a slow zoom; `speed` in widths per frame."""
        scene = self.new() if scene is None else scene
        angle = self.rng.uniform(0, 2 * np.pi)
        center = self.rng.uniform(0.4, 0.6, 2) * (scene.shape[1], scene.shape[0])
        step = speed * WIDTH * np.array([np.cos(angle), 0.5 * np.sin(angle)])
        zoom = 1.003 ** np.arange(count)
        return [view(scene, center + step * (i - count / 2), zoom[i]) for i in range(count)]

    def shaken(self, count: int, reach: float) -> list[Picture]:
        """Returns `count` frames from a hand that shakes; `reach` in widths per frame."""
        scene = self.new()
        center = np.array([scene.shape[1], scene.shape[0]]) / 2
        jolts = self.rng.normal(0, reach * WIDTH, (count, 2)) * (self.rng.random((count, 1)) < 0.5)
        return [view(scene, center + jolt, 1.1) for jolt in jolts]


def view(scene: Picture, center: np.ndarray, zoom: float = 1.0, blur_px: int = 1) -> Picture:
    """Returns what a camera over `center` (x, y in pixels) sees, smeared sideways by `blur_px`."""
    shift = center - np.array([WIDTH, HEIGHT]) * zoom / 2
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    picture = cv2.warpAffine(scene, matrix, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return cv2.blur(picture, (blur_px, 1)) if blur_px > 1 else picture


def mixed(frames: list[Picture], other: Picture, shares: np.ndarray) -> list[Picture]:
    """Returns `frames` with a share of `other` in each."""
    return [cv2.addWeighted(a, 1 - s, other, s, 0) for a, s in zip(frames, shares.tolist(), strict=True)]


def hard(scenes: Scenes) -> Case:
    """Slow pans."""
    return joined(scenes.shot(20) for _ in range(6))


def blended(scenes: Scenes) -> Case:
    """Cuts with one frame that mixes both shots, as a change of frame rate leaves them."""
    case = hard(scenes)
    for cut in case.cuts:
        case.frames[cut.start] = cv2.addWeighted(case.frames[cut.start - 1], 0.5, case.frames[cut.start], 0.5, 0)
    case.cuts = [range(cut.start, cut.start + 2) for cut in case.cuts]
    return case


def fast(scenes: Scenes) -> Case:
    """Cuts between pans of 4 to 8 % of the width per frame."""
    return joined(scenes.shot(16, speed) for speed in (0.04, 0.08, 0.06, 0.04, 0.08))


def similar(scenes: Scenes) -> Case:
    """Cuts from one side of a scene to the other, as from one face to the next in the same room."""
    case = Case()
    for _ in range(3):
        scene = scenes.new()
        for x in (0.22, 0.78):
            center = np.array([x * scene.shape[1], 0.5 * scene.shape[0]])
            case.cut_to([view(scene, center + np.array([0.4 * i, 0]), 0.7) for i in range(18)])
    return case


def dark(scenes: Scenes) -> Case:
    """Shots at an eighth of the light, with the noise of a camera at night."""
    case = joined(scenes.shot(18) for _ in range(5))
    case.frames = [grainy(scenes, (frame * 0.125 + 4).astype(np.uint8), 2) for frame in case.frames]
    return case


def montage(scenes: Scenes) -> Case:
    """Shots of 4 to 8 frames."""
    return joined(scenes.shot(count, 0.01) for count in (20, 4, 5, 8, 6, 4, 7, 20))


def slides(scenes: Scenes) -> Case:
    """Stills of 4 to 8 frames, so that nothing moves between cuts."""
    return joined([scenes.shot(1)[0]] * count for count in (12, 4, 6, 4, 8, 12))


def clip_ends(scenes: Scenes) -> Case:
    """Cuts before the second and before the last frame."""
    return joined(scenes.shot(count) for count in (1, 20, 1))


def letterbox(scenes: Scenes) -> Case:
    """Slow pans between black bars, then a fade through white."""
    case = joined(scenes.shot(15) for _ in range(3))
    through(case, scenes, 255, 10, 2)
    for frame in case.frames:
        frame[:20] = frame[-20:] = 0
    return case


def through(case: Case, scenes: Scenes, gray: int, ramp: int, hold: int) -> Case:
    """Fades the last frame out to `gray` and a new shot in, each over `ramp` frames, with `hold` between."""
    plain = np.full((HEIGHT, WIDTH, 3), gray, np.uint8)
    shares = np.arange(1, ramp + 1) / (ramp + 1)
    case.go_on(mixed([case.frames[-1]] * ramp, plain, shares)).go_on([plain.copy() for _ in range(hold)])
    coming = scenes.shot(ramp + 20)
    return case.cut_to(mixed(coming[:ramp], plain, shares[::-1]) + coming[ramp:], late=ramp // 2)


def fades(scenes: Scenes, gray: int) -> Case:
    """Slow and fast fades through `gray`, one without a plain frame that lasts."""
    case = Case().cut_to(scenes.shot(20))
    for ramp, hold in ((12, 6), (20, 1), (5, 2), (30, 12)):
        through(case, scenes, gray, ramp, hold)
    return case


def dissolve(scenes: Scenes) -> Case:
    """Dissolves over 8, 12 and 24 frames: no cut, or one at most."""
    case = Case().go_on(scenes.shot(15))
    for ramp in (8, 12, 24):
        coming = scenes.shot(ramp + 15)
        case.allowed.append(range(len(case.frames), len(case.frames) + ramp + 1))
        case.go_on(mixed(coming[:ramp], case.frames[-1], 1 - np.arange(1, ramp + 1) / (ramp + 1))).go_on(coming[ramp:])
    return case


def whip(scenes: Scenes) -> Case:
    """A camera at rest that is thrown around, smeared, and comes to rest."""
    case = Case()
    for top_speed in (0.1, 0.18):
        scene, place, frames = scenes.new(), 0.2 * WIDTH, []
        for i in range(40):
            speed = top_speed * WIDTH * max(0.0, np.sin((i - 12) / 10 * np.pi)) if 12 < i < 22 else 0.3
            place += speed
            frames.append(view(scene, np.array([place, scene.shape[0] / 2]), 0.8, max(1, round(speed))))
        case.cut_to(frames)
    return case


def flash(scenes: Scenes) -> Case:
    """Camera flashes of 1, 2 and 3 frames, the last one dying away, in a scene filmed by hand."""
    case = Case().go_on(scenes.shaken(60, 0.01))
    for start, lights in ((12, (0.9,)), (25, (1.0, 0.8)), (45, (1.0, 0.7, 0.4, 0.2, 0.1))):
        for i, light in enumerate(lights, start):
            case.frames[i] = cv2.addWeighted(case.frames[i], 1 - light, np.full_like(case.frames[i], 255), light, 0)
    return case.cut_to(scenes.shot(10))


def shake(scenes: Scenes) -> Case:
    """A hand that jolts the camera by up to a tenth of the width, and a cut."""
    return joined(scenes.shaken(40, reach) for reach in (0.02, 0.05))


def stutter(scenes: Scenes) -> Case:
    """A fast pan with repeated and left out frames, as phones and screen recorders write."""
    pans = [scenes.shot(60, 0.02) for _ in range(2)]
    return joined([pan[min(i // 7 * 7, i // 5 * 5)] for i in range(60)] for pan in pans)


def on_twos(scenes: Scenes) -> Case:
    """Animation on twos and threes: each drawing stays for two or three frames; steps differ."""
    return joined([f for f in scenes.shaken(12, 0.04) for _ in range(repeats)] for repeats in (2, 3, 2))


def grain(scenes: Scenes) -> Case:
    """Strong film grain and a flickering lamp over scenes at rest."""
    case = joined([scenes.shot(1)[0]] * 20 for _ in range(4))
    lights = scenes.rng.uniform(0.92, 1.0, len(case.frames))
    case.frames = [
        grainy(scenes, (f * light).astype(np.uint8), 22) for f, light in zip(case.frames, lights, strict=True)
    ]
    return case


def fire(scenes: Scenes) -> Case:
    """Flames that fill the picture and change with every frame, and a cut."""
    size = (HEIGHT, WIDTH, 1)
    noise = [
        sum(cv2.resize(scenes.rng.normal(0, 60 / n**0.4, (n, 2 * n)), (WIDTH, HEIGHT)) for n in (4, 8, 16))
        for _ in range(80)
    ]
    flames = [np.reshape(120 + scenes.rng.normal(0, 20) + heat, size) * (1.0, 0.6, 0.2) for heat in noise]
    return joined([scenes.shot(15), [np.clip(flame, 0, 255).astype(np.uint8) for flame in flames]])


def passing(scenes: Scenes) -> Case:
    """Someone walks past the lens, and captions come and go."""
    case = Case()
    for _ in range(2):
        frames = [frame.copy() for frame in scenes.shot(40, 0.002)]
        for i, x in ((14, 40), (15, 128), (16, 216)):
            cv2.circle(frames[i], (x, HEIGHT // 2), 70, (60, 40, 30), -1)
        for frame in frames[22:32]:
            cv2.putText(frame, "what is said", (20, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 3)
        case.cut_to(frames)
    return case


CASES: dict[str, Callable[[Scenes], Case]] = {
    "hard cuts": hard,
    "blended cuts": blended,
    "cuts in fast pans": fast,
    "similar colors": similar,
    "dark shots": dark,
    "4 to 8 frames": montage,
    "stills": slides,
    "ends of the clip": clip_ends,
    "letterbox": letterbox,
    "through black": lambda scenes: fades(scenes, 0),
    "through white": lambda scenes: fades(scenes, 255),
    "dissolves": dissolve,
    "whip pans": whip,
    "flashes": flash,
    "hand-held": shake,
    "stutter": stutter,
    "on twos, threes": on_twos,
    "grain, flicker": grain,
    "fire": fire,
    "passers-by": passing,
}


def joined(shots: Iterable[list[Picture]]) -> Case:
    """Returns the shots one after the other."""
    case = Case()
    for frames in shots:
        case.cut_to(frames)
    return case


def grainy(scenes: Scenes, frame: Picture, sigma: float) -> Picture:
    """Returns `frame` with noise of `sigma` gray levels."""
    return np.clip(frame + scenes.rng.normal(0, sigma, frame.shape), 0, 255).astype(np.uint8)


def count(case: Case, found: tuple[int, ...]) -> tuple[int, int, int]:
    """Returns how many cuts were found, missed and invented."""
    left, hits = set(found), 0
    for places in [*case.cuts, *case.allowed]:
        hit = next((cut for cut in sorted(left) if cut in places), None)
        left.discard(-1 if hit is None else hit)
        hits += hit is not None and places in case.cuts
    return hits, len(case.cuts) - hits, len(left)


def ours(frames: list[Picture]) -> tuple[int, ...]:
    """Returns the cuts that `vidstyle.shots` finds."""
    detector = CutDetector()
    for frame in frames:
        detector.add(frame)
    return detector.finish()


def peers() -> dict[str, Find]:
    """Returns PySceneDetect's detectors."""
    from scenedetect import AdaptiveDetector, FrameTimecode, ThresholdDetector

    def run(frames: list[Picture], *detectors: object) -> tuple[int, ...]:
        cuts = set()
        for detector in detectors:
            for i, frame in enumerate(frames):
                cuts |= {c.frame_num for c in detector.process_frame(FrameTimecode(i, 25.0), frame[..., ::-1])}
            cuts |= {c.frame_num for c in detector.post_process(FrameTimecode(len(frames) - 1, 25.0))}
        return tuple(sorted(cuts))

    def with_fades(frames: list[Picture]) -> tuple[int, ...]:
        white = ThresholdDetector(threshold=243, method=ThresholdDetector.Method.CEILING)
        return run(frames, AdaptiveDetector(), ThresholdDetector(), white)

    return {
        "adaptive": lambda frames: run(frames, AdaptiveDetector()),
        "adaptive, 4": lambda frames: run(frames, AdaptiveDetector(min_scene_len=4)),
        "and fades": with_fades,
    }


def read_clip(path: Path) -> list[Picture]:
    """Returns all frames of a video at 256 pixels on the long side."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        scale = 256 / max(stream.width, stream.height)
        size = {"width": round(stream.width * scale), "height": round(stream.height * scale)}
        return [frame.to_ndarray(format="rgb24", **size) for frame in container.decode(stream)]


def main() -> None:
    """Prints a row for each kind of clip, and the cuts of each given clip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP", help="list the cuts of this video")
    parser.add_argument("--photos", type=Path, help="a folder of photographs to film instead of drawn scenes")
    parser.add_argument("--seeds", type=int, default=1, help="how many clips of each kind to make")
    parser.add_argument("--pyscenedetect", action="store_true", help="compare with PySceneDetect")
    options = parser.parse_args()
    finders: dict[str, Find] = {"vidstyle": ours, **(peers() if options.pyscenedetect else {})}
    totals = {name: np.zeros(3, int) for name in finders}
    seconds = dict.fromkeys(finders, 0.0)
    frame_count = 0
    print("found/missed/false    " + "".join(f"{name:>14s}" for name in finders))
    for kind, make in CASES.items():
        sums = {name: np.zeros(3, int) for name in finders}
        for seed in range(options.seeds):
            case = make(Scenes(seed, options.photos))
            frame_count += len(case.frames)
            for name, find in finders.items():
                started = time.perf_counter()
                sums[name] += count(case, find(case.frames))
                seconds[name] += time.perf_counter() - started
        print(f"  {kind:20s}" + "".join(f"{'/'.join(map(str, row)):>14s}" for row in sums.values()))
        totals = {name: totals[name] + row for name, row in sums.items()}
    print(f"  {'all':20s}" + "".join(f"{'/'.join(map(str, row)):>14s}" for row in totals.values()))
    print(f"  {'ms per frame':20s}" + "".join(f"{1000 * s / frame_count:14.2f}" for s in seconds.values()))
    for path, (name, find) in itertools.product(options.clips, finders.items()):
        frames = read_clip(path)
        print(f"{path.name}, {len(frames)} frames, {name}: cuts at {', '.join(map(str, find(frames))) or 'none'}")


if __name__ == "__main__":
    main()
