"""The way to a page: checked before a render begins, written when it is finished."""

from __future__ import annotations

from pathlib import Path

from vidstyle.errors import JobError, OutputError, ReportError, VidstyleError
from vidstyle.files import check_writable, written_whole
from vidstyle.job.render_record import RenderRecord, output_digest, recall_record, recorded
from vidstyle.report.curves import check_plotting
from vidstyle.report.facts import OnReport, gathered
from vidstyle.report.page import MARK, page_text

SUFFIXES = (".html", ".htm")
# The mark stands in a page's first lines.
_HEAD_BYTES = 1024


def report(output: str | Path, page: str | Path, *, overwrite: bool = False, on_report: OnReport | None = None) -> Path:
    """Writes a page on a finished render, one HTML file that stands alone, and returns its path.

    It holds settings, a contact sheet, pictures before and after, curves of loss, time, evaluations and warping error,
    cuts, versions, notes, and all numbers. Input and output are read once, a frame at a time.

    Args:
        output: what the render has written; nothing is painted. page: `.html`; a report that is there is replaced.
        overwrite: whether anything else may be. on_report: called with frames compared, and in all.

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
    """Makes sure that a page can be drawn and written, before hours are spent on what it tells.

    Raises:
        ReportError: Matplotlib is not installed. OutputError: something stands in the way.
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
    """Tells whether a file is a page that was written here."""
    try:
        with page.open("rb") as file:
            return f'content="{MARK}"'.encode() in file.read(_HEAD_BYTES)
    except OSError:
        return False


def write_page(
    render_record: RenderRecord, output: Path, page: Path, on_report: OnReport | None = None, *, overwrite: bool = False
) -> None:
    """Writes the page of a finished render, whole or not at all, unless something else has its name meanwhile.

    Raises:
        OutputError: it could not be written; whatever the reason, the message says that the render is finished.
    """
    try:
        text = page_text(gathered(render_record, output, on_report))
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
