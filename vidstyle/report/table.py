"""The numbers behind a page: a row a frame, as CSV."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import math
from collections.abc import Iterator

from vidstyle.report.facts import JOURNALLED, MEASURED, Facts

HEADER = ("frame", "time_s", "shot", *JOURNALLED, *MEASURED)
WHOLE = {"evaluations", "retries", "fallback"}
# Longer tables are compressed: browsers and mail programs are slow with long addresses.
_LARGEST_PLAIN_BYTES = 200_000


def rows(facts: Facts, most: int | None = None) -> Iterator[list[str]]:
    """Yields a row of words a frame, in the order of `HEADER`; what is not known is empty."""
    first, shot = facts.render_record.manifest.info.range_start, 0
    cuts = set(facts.cuts)
    for position in range(facts.count if most is None else min(most, facts.count)):
        shot += position in cuts
        values = [_word(name, float(facts.columns[name][position])) for name in (*JOURNALLED, *MEASURED)]
        yield [str(first + position), f"{facts.times_s[position]:.6g}", str(shot + 1), *values]


def csv_text(facts: Facts) -> str:
    """Returns all rows beneath the header."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows(facts))
    return text.getvalue()


def csv_address(text: str) -> tuple[str, str]:
    """Returns a `data:` address that holds the text, and the suffix of a file of it; long ones are compressed."""
    data, suffix, kind = text.encode(), ".csv", "text/csv"
    if len(data) > _LARGEST_PLAIN_BYTES:
        data, suffix, kind = gzip.compress(data, mtime=0), ".csv.gz", "application/gzip"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}", suffix


def _word(name: str, value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.0f}" if name in WHOLE else f"{value:.5g}"
