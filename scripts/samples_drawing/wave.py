"""A woodcut: one great wave, flat inks and dark contour lines on cream paper."""

from __future__ import annotations

import cv2
import numpy as np
from samples_drawing.noise import fbm, mix, smoothstep

Array = np.ndarray
Color = tuple[float, float, float]

WIDTH_PX, HEIGHT_PX = 840, 600
FINE = 3  # drawn hard-edged at this many times the final size
INK: Color = (0.06, 0.13, 0.27)
DEEP: Color = (0.10, 0.24, 0.44)
MIDDLE: Color = (0.25, 0.45, 0.62)
PALE: Color = (0.60, 0.73, 0.75)
FOAM: Color = (0.965, 0.94, 0.86)
OCHRE: Color = (0.84, 0.62, 0.30)

# Both edges of a wave run from its foot to the tip of its lip; final pixels, in the great wave's frame.
BACK_PX = [
    (-260, 640),
    (-120, 470),
    (-20, 320),
    (60, 205),
    (150, 112),
    (262, 58),
    (372, 62),
    (452, 112),
    (486, 186),
]
FACE_PX = [
    (700, 520),
    (560, 520),
    (440, 486),
    (352, 420),
    (318, 335),
    (330, 250),
    (376, 192),
    (432, 172),
    (486, 186),
]


def spline(points_px: list[tuple[float, float]] | Array, count: int) -> Array:
    """Catmull-Rom curve through the points, `(count, 2) float64`."""
    points = np.asarray(points_px, np.float64)
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    position = np.linspace(0, len(points) - 1, count)
    index = np.minimum(position.astype(int), len(points) - 2)
    t = (position - index)[:, None]
    p0, p1, p2, p3 = (padded[index + offset] for offset in range(4))
    return 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)


class Block:
    """The printing block: a canvas for hard-edged ink, `(H, W, 3) uint8` RGB."""

    def __init__(self, paper: Array) -> None:
        """Start from `paper`, `(H, W, 3) float32` RGB in [0, 1]."""
        self.canvas = np.ascontiguousarray(np.round(np.clip(paper, 0, 1) * 255).astype(np.uint8))

    @staticmethod
    def _spots(points_px: Array) -> list[Array]:
        return [np.round(np.asarray(points_px) * FINE * 16).astype(np.int32)]

    def fill(self, points_px: Array, color: Color) -> None:
        """Fill a closed shape."""
        ink = tuple(round(channel * 255) for channel in color)
        cv2.fillPoly(self.canvas, self._spots(points_px), ink, cv2.LINE_AA, 4)

    def line(self, points_px: Array, width_px: float, color: Color = INK, taper: bool = True) -> None:
        """A contour that swells and thins like the cut of a knife."""
        points = np.asarray(points_px, np.float64)
        along = np.gradient(points, axis=0)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
        side = np.stack([-along[:, 1], along[:, 0]], axis=1)
        share = np.linspace(0, 1, len(points))[:, None]
        swell = np.sin(np.pi * np.clip(share, 0.02, 0.98)) ** 0.6 if taper else np.ones_like(share)
        half = 0.5 * width_px * (0.35 + 0.65 * swell)
        self.fill(np.concatenate([points + side * half, (points - side * half)[::-1]]), color)


def finger(block: Block, root_px: Array, angle: float, length_px: float, curl: float, width_px: float) -> None:
    """One claw of foam: a tapering hook with a contour.

    :param angle: direction at the root in radians (0 right, positive down).
    :param curl: how far it turns over its length, in radians.
    """
    share = np.linspace(0, 1, 18)
    turn = angle + curl * share**1.3
    step = length_px / 17
    path = root_px + np.cumsum(np.stack([np.cos(turn), np.sin(turn)], axis=1) * step, axis=0)
    side = np.stack([-np.sin(turn), np.cos(turn)], axis=1)
    half = 0.5 * width_px * (1 - share[:, None]) ** 0.75
    for grow, color in ((1.5, INK), (0.0, FOAM)):
        tip = path[-1:] + np.array([[np.cos(turn[-1]), np.sin(turn[-1])]]) * grow
        edge = np.concatenate([path + side * (half + grow), tip, (path - side * (half + grow))[::-1]])
        block.fill(edge, color)
    # A blue cut along the inside gives the claw its volume.
    block.line((path + side * half * 0.25 * np.sign(curl))[2:13], width_px * 0.16, PALE)


def lobe(block: Block, center_px: Array, radius_px: float, rng: np.random.Generator) -> None:
    """A round bulge of foam with a scalloped edge."""
    turn = np.linspace(0, 2 * np.pi, 48)
    wobble = 1 + 0.10 * np.sin(turn * 5 + rng.uniform(0, 6)) + 0.06 * np.sin(turn * 9 + rng.uniform(0, 6))
    shape = np.stack([np.cos(turn), np.sin(turn)], axis=1) * wobble[:, None]
    block.fill(center_px + shape * (radius_px + 1.4), INK)
    block.fill(center_px + shape * radius_px, FOAM)
    start = rng.uniform(0.2, 1.0)
    arc = np.linspace(start, start + 1.7, 14)
    inner = np.stack([np.cos(arc), np.sin(arc)], axis=1) * radius_px * 0.58
    block.line(center_px + inner, max(1.0, radius_px * 0.15), PALE)


def _body(block: Block, place: Array, seed: int) -> tuple[Array, Array]:
    """The water of one wave as bands that sweep up from the trough into the lip."""
    rng = np.random.default_rng(seed)
    back = spline(BACK_PX, 220) @ place[:2, :2].T + place[:2, 2]
    face = spline(FACE_PX, 220) @ place[:2, :2].T + place[:2, 2]
    size = np.sqrt(abs(np.linalg.det(place[:2, :2])))
    block.fill(np.concatenate([back, face[::-1]]), DEEP)
    share = np.linspace(0, 1, 220)[:, None]

    def between(amount: float, wave: float) -> Array:
        bent = amount + 0.018 * np.sin(share * 9 + wave) * np.sin(np.pi * amount)
        return face + (back - face) * bent

    edges = np.sort(np.concatenate([[0.0], np.linspace(0.05, 0.95, 15) + rng.uniform(-0.018, 0.018, 15), [1.0]]))
    tones = [
        PALE,
        DEEP,
        MIDDLE,
        DEEP,
        FOAM,
        DEEP,
        MIDDLE,
        INK,
        PALE,
        DEEP,
        MIDDLE,
        DEEP,
        PALE,
        INK,
        MIDDLE,
        DEEP,
    ]
    for number, tone in enumerate(tones):
        first, last = between(edges[number], number), between(edges[number + 1], number + 1)
        # Light bands start late and end in a point, as cuts do.
        begin = int(rng.uniform(0, 55)) if tone in (FOAM, PALE) else 0
        end = int(rng.uniform(150, 212)) if tone in (FOAM, PALE) else 220
        if tone in (FOAM, PALE):
            cut = np.clip((np.arange(220) - begin) / (end - 1 - begin), 0.0, 1.0)[:, None]
            last = first + (last - first) * np.abs(np.sin(np.pi * cut)) ** 0.5
        block.fill(np.concatenate([first[begin:end], last[begin:end][::-1]]), tone)
        block.line(first[begin:end], 1.5 * size + 0.5)
    block.line(face, 2.4 * size + 0.8, taper=False)
    block.line(back, 2.8 * size + 0.8, taper=False)
    return back, face


def _crest(block: Block, back: Array, face: Array, size: float, flip: float, seed: int) -> None:
    """Foam along the lip: bulges on the back, claws that reach down over the face."""
    rng = np.random.default_rng(seed)
    lip = np.concatenate([face[168:], back[110:][::-1]])
    middle = (back[120:] + face[120:]) / 2
    # The sheet of foam starts as a point on the back and widens toward the tip.
    reach = 0.60 * np.linspace(0, 1, 108)[:, None] ** 0.8
    sheet = back[112:] + (face[112:] - back[112:]) * reach
    block.fill(np.concatenate([back[112:], sheet[::-1]]), FOAM)
    block.line(sheet, 1.8 * size + 0.5, taper=False)
    for number in range(6, 92, 3):
        flow = sheet[number - 4] - sheet[number + 4]
        angle = np.arctan2(flow[1], flow[0]) - flip * rng.uniform(0.25, 0.75)
        length = rng.uniform(16, 42) * size * (0.5 + 0.6 * number / 92)
        finger(block, sheet[number], angle, length, flip * rng.uniform(0.3, 1.3), rng.uniform(7, 11) * size)
    for number in rng.permutation(np.arange(112, 219, 3)):
        spot = back[number] + rng.normal(0, 2.5, 2) * size
        lobe(block, spot, rng.uniform(8, 15) * size * (0.55 + 0.45 * (number - 112) / 107), rng)
    for number in np.arange(30, len(middle), 3):
        spot = middle[number] + (back[120 + number] - middle[number]) * rng.uniform(0.25, 0.95)
        lobe(block, spot, rng.uniform(6, 12) * size, rng)
    for number in np.linspace(0, 50, 34).astype(int):
        root = lip[number] + rng.normal(0, 2.0, 2) * size
        angle = np.pi / 2 - flip * rng.uniform(-0.35, 0.75)
        length = rng.uniform(30, 76) * size
        finger(block, root, angle, length, flip * rng.uniform(1.1, 2.4), rng.uniform(9, 15) * size)
    for number in np.linspace(55, len(lip) - 30, 22).astype(int):
        root = lip[number]
        angle = -flip * 0.2 + (0 if flip > 0 else np.pi) + rng.normal(0, 0.35)
        finger(
            block,
            root,
            angle,
            rng.uniform(18, 38) * size,
            flip * rng.uniform(0.9, 2.0),
            rng.uniform(6, 10) * size,
        )


def _spray(block: Block, rng: np.random.Generator) -> None:
    for _ in range(120):
        spot = np.array([470.0, 150.0]) + rng.normal(0, 1, 2) * np.array([78, 70])
        radius = rng.uniform(1.0, 3.6) * np.exp(-np.hypot(*(spot - [470, 150])) / 220)
        turn = np.linspace(0, 2 * np.pi, 16)
        dot = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        block.fill(spot + dot * (radius + 0.9), INK)
        block.fill(spot + dot * radius, FOAM)


def _mountain(block: Block) -> None:
    left = spline([(470, 440), (540, 396), (592, 350), (622, 316)], 40)
    right = spline([(646, 315), (676, 348), (732, 396), (830, 446)], 40)
    outline = np.concatenate([left, [[630, 320], [638, 313]], right])
    block.fill(outline, MIDDLE)
    cap = [
        (622, 316), (630, 320), (638, 313), (646, 315), (668, 339), (655, 352), (650, 338),
        (640, 362), (632, 340), (622, 357), (616, 341), (603, 352), (597, 345),
    ]  # fmt: skip
    block.fill(np.array(cap), FOAM)
    block.line(outline, 2.2, taper=False)
    for offset in (0.2, 0.4, 0.62, 0.8):
        start = np.array([604 + 52 * offset, 366 + 10 * np.sin(offset * 9)])
        ridge = start + np.linspace(0, 1, 12)[:, None] * np.array([(offset - 0.5) * 150, 64])
        block.line(ridge, 2.2, DEEP)


def _boat(block: Block) -> None:
    keel = spline([(560, 470), (590, 494), (650, 502), (712, 486), (752, 452)], 40)
    deck = spline([(560, 470), (600, 480), (655, 486), (706, 474), (752, 452)], 40)
    block.fill(np.concatenate([keel, deck[::-1]]), OCHRE)
    block.line(keel, 3.0, taper=False)
    block.line(deck, 1.8, taper=False)
    block.line((keel + deck) / 2, 1.2)
    for x, y in ((612, 476), (632, 479), (652, 480), (672, 478), (691, 473)):
        turn = np.linspace(0, 2 * np.pi, 20)
        body = np.stack([x + 8 * np.cos(turn), y + 1 + 9 * np.sin(turn) * (np.sin(turn) < 0.2)], axis=1)
        block.fill(body, DEEP)
        block.line(body, 1.2, taper=False)
        block.fill(np.stack([x + 3 + 4.2 * np.cos(turn), y - 11 + 4.6 * np.sin(turn)], axis=1), (0.88, 0.74, 0.56))
        block.line(np.stack([x + 3 + 4.2 * np.cos(turn), y - 11 + 4.6 * np.sin(turn)], axis=1), 1.1, taper=False)


def _paper() -> Array:
    rows, columns = np.mgrid[0 : HEIGHT_PX * FINE, 0 : WIDTH_PX * FINE].astype(np.float32) / FINE
    rng = np.random.default_rng(7)
    base = mix(np.array([0.80, 0.76, 0.66]), np.array([0.93, 0.85, 0.66]), smoothstep(0, 210, rows))
    # The printer wipes the block by hand: darker at the top and above the horizon.
    base = mix(base, np.array([0.42, 0.52, 0.58]), 0.85 * smoothstep(85, -30, rows))
    base = mix(base, np.array([0.88, 0.66, 0.42]), 0.75 * np.exp(-(((rows - 440) / 85) ** 2)))
    disc = np.hypot(columns - 660, rows - 150)
    base = mix(
        base,
        np.array([0.80, 0.33, 0.17]),
        smoothstep(62.6, 61.4, disc) * (0.82 + 0.1 * fbm(rows.shape, 90.0, 3, rng)),
    )
    clouds = fbm(rows.shape, (34.0 * FINE, 330.0 * FINE), 3, rng)
    band = smoothstep(0.10, 0.13, clouds) * smoothstep(60, 130, rows) * smoothstep(400, 320, rows)
    return mix(base, np.array([0.955, 0.91, 0.79]), 0.75 * band)


def _printed(picture: Array) -> Array:
    """Wood grain and uneven ink over the finished block."""
    rng = np.random.default_rng(8)
    shape = picture.shape[:2]
    knots = fbm(shape, (150.0, 420.0), 3, rng) * 34
    rows = np.mgrid[0 : shape[0], 0 : shape[1]][0].astype(np.float32)
    grain = np.sin((rows + knots) * 0.95) * 0.5 + fbm(shape, (2.0, 90.0), 3, rng)
    ink = fbm(shape, 70.0, 4, rng)
    speck = fbm(shape, 2.0, 2, rng)
    darkness = 1 - picture.mean(axis=2, keepdims=True)
    texture = (0.030 * grain + 0.05 * ink + 0.035 * speck)[..., None] * (0.45 + darkness)
    return np.clip(picture * (1 + texture) + 0.35 * texture * darkness, 0, 1)


def paint_wave() -> Array:
    """The finished print: `(600, 840, 3) float32` RGB in [0, 1]."""
    block = Block(_paper())
    _mountain(block)
    rng = np.random.default_rng(9)
    sea = spline([(-20, 452), (200, 440), (420, 446), (600, 436), (860, 448)], 80)
    block.fill(np.concatenate([sea, [[860, 640], [-20, 640]]]), DEEP)
    block.line(sea, 2.4, taper=False)
    for number in range(30):
        y = 452 + number * 5.5
        x = rng.uniform(330, 820)
        stripe = spline([(x, y), (x + 40, y - 4), (x + 80, y + 2), (x + 130, y - 3)], 30)
        block.line(stripe, rng.uniform(2.5, 6.0), (MIDDLE, PALE, INK)[number % 3])
    small = np.array([[-0.46, 0.03, 905.0], [0.02, 0.42, 292.0]])
    back, face = _body(block, small, 21)
    _crest(block, back, face, 0.46, -1.0, 22)
    _boat(block)
    great = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    back, face = _body(block, great, 23)
    _crest(block, back, face, 1.0, 1.0, 24)
    _spray(block, rng)
    front = np.array([[0.52, -0.05, 120.0], [0.03, 0.36, 415.0]])
    back, face = _body(block, front, 25)
    _crest(block, back, face, 0.48, 1.0, 26)
    picture = cv2.resize(block.canvas, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return _printed(picture.astype(np.float32) / 255).astype(np.float32)
