"""Data for reports, without a render."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from clips import picture
from jobs import make_manifest

from vidstyle.job.journal import JournalEntry
from vidstyle.job.render_record import RenderRecord
from vidstyle.reporting.data import JOURNAL_COLUMNS, MEASURED_COLUMNS, ReportData
from vidstyle.reporting.thumbnails import FramePair, encode_pairs

needs_matplotlib = pytest.mark.skipif(
    find_spec("matplotlib") is None, reason="Matplotlib draws the curves: pip install 'vidstyle[report]'"
)


def make_render_record(count: int = 12, **changes: Any) -> RenderRecord:
    """A finished render of frames that took 0.5, 1.5, 2.5 ... seconds; one not yet in any cache."""
    manifest = make_manifest(timestamps=tuple(range(count)), cuts=tuple(cut for cut in (7,) if cut < count))
    values: dict[str, Any] = {
        "manifest": manifest,
        "entries": tuple(JournalEntry(k, k + 0.5, 1 / (k + 1), 3 * k, 0, 0) for k in range(count)),
        "styles": ("starry.jpg",),
        "command": "vidstyle in --style starry.jpg -o out.mp4",
        "config": 'style = "starry.jpg"\n',
        "notes": (),
        "folder": ".",
        "content": "",
    }
    return RenderRecord(**values | changes)


def make_report_data(count: int = 12, **changes: Any) -> ReportData:
    """The data of its report: numbers that grow with the position, and two pairs of pictures."""
    render_record = make_render_record(count)
    columns = {name: np.array([float(getattr(e, name)) for e in render_record.entries]) for name in JOURNAL_COLUMNS}
    rising = np.arange(count, dtype=float)
    rising[0] = np.nan
    columns |= {name: rising * (number + 1) for number, name in enumerate(MEASURED_COLUMNS)}
    positions = [0, count - 1] if count > 1 else [0]
    values: dict[str, Any] = {
        "render_record": render_record,
        "times_s": np.arange(count) / 25,
        "columns": columns,
        "drift": 1.25,
        "pairs": encode_pairs([FramePair(p, p / 25, picture(p), 255 - picture(p)) for p in positions]),
        "styles": (("starry.jpg", None),),
        "missing": (),
    }
    return ReportData(**values | changes)
