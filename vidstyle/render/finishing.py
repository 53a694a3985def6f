"""The end of a render: what is kept of it, and told on a page if there is to be one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from vidstyle.errors import SettingsError, VidstyleError
from vidstyle.job.journal import JournalEntry, read_journal
from vidstyle.job.manifest import MANIFEST_NAME, Manifest, read_manifest
from vidstyle.job.render_record import RenderRecord, newest_entries
from vidstyle.reporting.data import OnReport
from vidstyle.reporting.page import write_page
from vidstyle.settings import Settings
from vidstyle.settings.command import command_line
from vidstyle.settings.config import config_text


def record_of(
    manifest: Manifest,
    entries: Iterable[JournalEntry],
    styles: Sequence[Path],
    target: str,
    notes: Sequence[str],
    content: str,
) -> RenderRecord:
    """Returns what is kept of a finished render.

    Args:
        manifest: its `info` has the input's path as it was given now. styles, target: as given.
        content: digest of the output.
    """
    settings = Settings(**manifest.settings)
    # What is of one run paints nothing, and its folders are nobody's business.
    shown = replace(settings, report=None, overwrite=False, job_dir=None, keep_job=False)
    named = () if settings.style_at else tuple(styles)
    try:
        config = config_text(settings, named, Path())
    except SettingsError as error:
        config = f"# {error}"
    return RenderRecord(
        manifest=manifest,
        entries=newest_entries(entries),
        styles=tuple(map(str, styles)),
        command=command_line(manifest.info.path, named, target, shown, anywhere=False),
        config=config,
        notes=tuple(notes),
        folder=str(Path.cwd()),
        content=content,
    )


def kept_job(path: Path, manifest: Manifest) -> tuple[Manifest, Sequence[JournalEntry]]:
    """Returns manifest and journal of a job folder that was kept, if it is of the same render; else `manifest`."""
    try:
        found = read_manifest(path) if (path / MANIFEST_NAME).is_file() else None
    except VidstyleError:
        return manifest, ()
    if found is None or found.identity.differences(manifest.identity):
        return manifest, ()
    return replace(found, info=manifest.info, output=manifest.output), read_journal(path)


def told(
    render_record: RenderRecord, output: Path, settings: Settings, on_report: OnReport | None = None
) -> VidstyleError | None:
    """Writes the page of a finished render, if one is asked for, and returns what went wrong, which harms nothing."""
    try:
        if settings.report is not None:
            write_page(render_record, output, settings.report, on_report, overwrite=settings.overwrite)
    except VidstyleError as error:
        return error
    return None
