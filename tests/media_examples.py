"""The files and clips of `scripts/benchmark_media.py`, for tests: made, rendered and compared by the same code."""

from __future__ import annotations

import sys
from pathlib import Path

_SCRIPTS = str(Path(__file__).parent.parent / "scripts")

sys.path.insert(0, _SCRIPTS)
try:
    from media_files import cases, comparing, drawing, examples, facts, rendering, sound, writing
finally:
    sys.path.remove(_SCRIPTS)

__all__ = ["cases", "comparing", "drawing", "examples", "facts", "rendering", "sound", "writing"]
