"""The report on a finished render: one HTML file, with its pictures, curves and numbers inside."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vidstyle.errors import JobError, OutputError, ReportError, VidstyleError
from vidstyle.files import check_writable, written_whole
from vidstyle.job.render_record import RenderRecord, output_digest, recall_record, recorded
from vidstyle.reporting.curves import MOST_POINTS, Curve, check_plotting, draw_curves
from vidstyle.reporting.data import JOURNAL_COLUMNS, MEASURED_COLUMNS, OnReport, ReportData, read_report_data
from vidstyle.text import clock, report_figures, report_lead
from vidstyle.version import __version__

SUFFIXES = (".html", ".htm")
# Stands near the beginning of every report, whichever version of vidstyle wrote it.
MARK = "vidstyle report"
_MARK_WITHIN_BYTES = 1024
MOST_ROWS = 1000
_MOST_CUTS = 300
CSV_COLUMNS = ("frame", "time_s", "shot", *JOURNAL_COLUMNS, *MEASURED_COLUMNS)
WHOLE_NUMBERS = {"evaluations", "retries", "fallback"}
# Longer tables are compressed: browsers and mail programs are slow with long addresses.
_LARGEST_PLAIN_CSV_BYTES = 200_000
_CURVES = (
    (
        "loss",
        "Loss",
        "what was minimized, at the picture that was kept; of keyframes, if there are any",
        (("loss", ""),),
    ),
    ("seconds", "Seconds a frame", "time spent on painting it", (("seconds", ""),)),
    ("evaluations", "Evaluations", "of the objective and its gradient", (("evaluations", ""),)),
    (
        "stability",
        "Warping error",
        "from frame to frame, along the motion; levels of 255",
        (("warp_error", "painted"), ("source_warp_error", "input")),
    ),
)
_HERE = Path(__file__).parent


# -- writing -------------------------------------------------------------------------------


def report(output: str | Path, page: str | Path, *, overwrite: bool = False, on_report: OnReport | None = None) -> Path:
    """Writes a page on a finished render, one HTML file that stands alone, and returns its path.

    It holds settings, a contact sheet, pictures before and after, curves of loss, time, evaluations and warping error,
    cuts, versions, notes, and all numbers. Input and output are read once, a frame at a time.

    Args:
        output: what the render has written; nothing is stylized. page: `.html`; a report that is there is replaced.
        overwrite: whether any other file may be replaced, too.
        on_report: called with the number of frames compared so far, and of all frames.

    Raises:
        JobError: no finished render is known by this name, or it was changed since.
        ReportError: Matplotlib is not installed. OutputError: the page cannot be written there.
        SourceError: the output cannot be read.
    """
    output, page = Path(output), Path(page)
    check_page(page, overwrite=overwrite)
    render_record = recall_record(output)
    if render_record is None:
        record = recorded(output)
        if record and record.get("content") != output_digest(output):
            raise JobError(f"{output}: was changed since it was painted; render it again, with --report {page}")
        raise JobError(
            f"{output}: no finished render is known by this name; check it, or give the command that painted it again, "
            f"with --report {page}"
        )
    write_page(render_record, output, page, on_report, overwrite=overwrite)
    return page


def check_page(page: Path, *, overwrite: bool = False) -> None:
    """Checks, before hours are spent on a render, that its report can be drawn and written.

    Raises:
        ReportError: Matplotlib is not installed. OutputError: the page cannot be written there.
    """
    if page.suffix.lower() not in SUFFIXES:
        raise OutputError(f"{page}: a report is a page; end its name in .html")
    _check_replaceable(page, overwrite)
    check_writable(page.parent)
    check_plotting()


def _check_replaceable(page: Path, overwrite: bool) -> None:
    if page.is_dir():
        raise OutputError(f"{page}: is a folder; choose another name for the report")
    if page.exists() and not overwrite and not is_report(page):
        raise OutputError(f"{page}: exists already, and is no report; choose another name or use --overwrite")


def is_report(page: Path) -> bool:
    """Tells whether a file is a report of vidstyle's."""
    try:
        with page.open("rb") as file:
            return f'content="{MARK}"'.encode() in file.read(_MARK_WITHIN_BYTES)
    except OSError:
        return False


def write_page(
    render_record: RenderRecord, output: Path, page: Path, on_report: OnReport | None = None, *, overwrite: bool = False
) -> None:
    """Writes the report on a finished render, whole or not at all.

    Raises:
        OutputError: it could not be written, or another file has taken its name meanwhile; the message says that the
            render itself is finished.
    """
    try:
        text = page_text(read_report_data(render_record, output, on_report))
        _check_replaceable(page, overwrite)
        with written_whole(page) as part:
            part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except ReportError:
        raise
    except VidstyleError as error:
        raise OutputError(f"{error} ({output} itself is finished; the report is not written)") from error
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise OutputError(f"{page}: cannot be written ({what}); {output} itself is finished") from error


# -- HTML ----------------------------------------------------------------------------------


def page_text(data: ReportData) -> str:
    """Returns the page as HTML; the same data give the same text.

    Raises:
        ReportError: Matplotlib is not installed.
    """
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"clock": clock, "webp_url": _webp_url}
    record, manifest = data.render_record, data.render_record.manifest
    table_url, suffix = csv_url(csv_text(data))
    return environment.get_template("page.html").render(
        mark=MARK,
        version=__version__,
        style=Markup((_HERE / "page.css").read_text(encoding="utf-8").strip()),
        script=Markup((_HERE / "page.js").read_text(encoding="utf-8").strip()),
        data=data,
        manifest=manifest,
        title=Path(manifest.output).name,
        lead=report_lead(manifest, data.duration_s),
        more_styles=len(record.styles) - len(data.styles),
        figures=report_figures(data.columns, len(data.cuts) + 1, data.drift),
        curves=_curves(data),
        most_points=MOST_POINTS,
        most_cuts=_MOST_CUTS,
        notes=[*record.notes, *data.missing],
        table_name=f"{Path(manifest.output).stem}{suffix}",
        table_url=table_url,
        csv_columns=CSV_COLUMNS,
        rows=table_rows(data, MOST_ROWS),
        most_rows=MOST_ROWS,
    )


def _webp_url(picture: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(picture).decode()}"


def _curves(data: ReportData) -> list[dict[str, Any]]:
    """Returns name, remark and SVG of each curve of which anything is known."""
    drawn = []
    for salt, name, remark, columns in _CURVES:
        curves = [Curve(data.columns[column], label) for column, label in columns]
        if data.frame_count > 1 and any(np.isfinite(curve.values).any() for curve in curves):
            svg = draw_curves(curves, data.cuts, data.first_frame, salt)
            drawn.append({"name": name, "remark": remark, "svg": Markup(svg)})
    return drawn


# -- CSV -----------------------------------------------------------------------------------


def table_rows(data: ReportData, most: int | None = None) -> Iterator[list[str]]:
    """Yields the values of each frame in the order of `CSV_COLUMNS`; values that are not known are empty."""
    shot, cuts = 0, set(data.cuts)
    for position in range(data.frame_count if most is None else min(most, data.frame_count)):
        shot += position in cuts
        values = [_number(name, float(data.columns[name][position])) for name in (*JOURNAL_COLUMNS, *MEASURED_COLUMNS)]
        yield [str(data.first_frame + position), f"{data.times_s[position]:.6g}", str(shot + 1), *values]


def _number(name: str, value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.0f}" if name in WHOLE_NUMBERS else f"{value:.5g}"


def csv_text(data: ReportData) -> str:
    """Returns a header and one row for each frame."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(table_rows(data))
    return text.getvalue()


def csv_url(text: str) -> tuple[str, str]:
    """Returns a `data:` URL that holds the text, compressed if it is long, and the suffix for a file of it."""
    content, suffix, kind = text.encode(), ".csv", "text/csv"
    if len(content) > _LARGEST_PLAIN_CSV_BYTES:
        content, suffix, kind = gzip.compress(content, mtime=0), ".csv.gz", "application/gzip"
    return f"data:{kind};base64,{base64.b64encode(content).decode()}", suffix
