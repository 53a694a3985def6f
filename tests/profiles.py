"""ICC profiles made by hand, from the format's specification (ICC.1:2001-04): nothing is stored, no license asked."""

from __future__ import annotations

import struct

import numpy as np

# Primaries and white as chromaticities, and the exponent of the tone curve.
PRIMARIES = {
    "sRGB-like": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "P3": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    "Adobe RGB": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
}
D65 = (0.3127, 0.3290)
D50_XYZ = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def xyz_matrix(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    """RGB to XYZ, both relative to D65."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    white = np.array([D65[0] / D65[1], 1, (1 - sum(D65)) / D65[1]])
    return columns * np.linalg.solve(columns, white)


def _to_d50(matrix: np.ndarray) -> np.ndarray:
    cones = BRADFORD @ matrix.sum(1), BRADFORD @ D50_XYZ
    return np.linalg.inv(BRADFORD) @ np.diag(cones[1] / cones[0]) @ BRADFORD @ matrix


def _profile(space: bytes, kind: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"    ", 0x02400000, kind, space, connection)
    head += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp").ljust(128 - 24 - 60, b"\0")
    head = head.ljust(64, b"\0") + struct.pack(">I", 0) + _s15(*D50_XYZ)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _s15(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _common(name: str) -> dict[bytes, bytes]:
    text = name.encode() + b"\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78
    return {b"desc": described, b"cprt": b"text\0\0\0\0none\0", b"wtpt": b"XYZ \0\0\0\0" + _s15(*D50_XYZ)}


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def rgb_profile(name: str, gamma: float = 2.2) -> bytes:
    """A display's profile with the primaries named, D65 and a pure power curve."""
    matrix = _to_d50(xyz_matrix(PRIMARIES[name]))
    tags = _common(name)
    for channel, column in zip((b"r", b"g", b"b"), matrix.T, strict=True):
        tags[channel + b"XYZ"] = b"XYZ \0\0\0\0" + _s15(*column)
        tags[channel + b"TRC"] = _curve(gamma)
    return _profile(b"RGB ", b"mntr", b"XYZ ", tags)


def gray_profile(gamma: float) -> bytes:
    """A gray profile with a pure power curve."""
    return _profile(b"GRAY", b"mntr", b"XYZ ", _common("gray") | {b"kTRC": _curve(gamma)})


def cmyk_profile() -> bytes:
    """A printer's profile whose inks do what they are named for, in the coarsest table there is."""
    corners = np.array(np.meshgrid(*[[0, 1]] * 4, indexing="ij")).reshape(4, -1).T
    table = b""
    for c, m, y, k in corners:
        light = 100 * (1 - k) * (1 - 0.3 * c) * (1 - 0.4 * m) * (1 - 0.05 * y)
        a, b = (1 - k) * (70 * m - 40 * c), (1 - k) * (80 * y - 40 * c)
        table += bytes([round(light * 2.55), round(np.clip(a + 128, 0, 255)), round(np.clip(b + 128, 0, 255))])
    ramp = bytes(range(256))
    identity = _s15(1, 0, 0, 0, 1, 0, 0, 0, 1)
    lookup = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + table + ramp * 3
    return _profile(b"CMYK", b"prtr", b"Lab ", _common("inks") | {b"A2B0": lookup})


def to_srgb(color: np.ndarray, name: str, gamma: float = 2.2) -> np.ndarray:
    """What colors `(..., 3)` of `rgb_profile` are in sRGB, of 255, by the formulas of IEC 61966-2-1."""
    matrix = np.linalg.solve(xyz_matrix(PRIMARIES["sRGB-like"]), xyz_matrix(PRIMARIES[name]))
    linear = np.clip((color / 255) ** gamma @ matrix.T, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
