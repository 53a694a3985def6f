"""Carries out the plan of one render: job folder, shots stylized frame by frame, output, record and report."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from vidstyle.devices import threads
from vidstyle.errors import SettingsError, VidstyleError, counted
from vidstyle.frames import Result
from vidstyle.job.checks import check_steady, clear_leftovers, removed_if_empty
from vidstyle.job.folder import FINISHED_NAME, PUBLISHING_NAME, JobFolder, clear_job, write_record
from vidstyle.job.journal import JournalEntry, read_journal
from vidstyle.job.lock import locked, stop_if_asked
from vidstyle.job.manifest import MANIFEST_NAME, Manifest, read_manifest
from vidstyle.job.publishing import is_published_video, is_publishing, publish_frames, publish_video
from vidstyle.job.render_record import (
    RenderRecord,
    keep_record,
    newest_entries,
    output_digest,
    recall_record,
    remember,
)
from vidstyle.looks.frame_masks import Masks
from vidstyle.media.stills.images import is_image_name, write_image
from vidstyle.media.stills.metadata import without_location
from vidstyle.media.streams.side_streams import side_streams_of
from vidstyle.media.timestamps import TIMESTAMPS_NAME, timestamps_csv
from vidstyle.render.analysis import Analysis
from vidstyle.render.engines import Progress, stylized_frames
from vidstyle.render.plan import (
    RenderPlan,
    is_published,
    manifest_of,
    new_manifest,
    plan_render,
    read_throughout,
    still_notes,
    with_job,
)
from vidstyle.render.request import Request
from vidstyle.reporting.page import write_page
from vidstyle.settings import Settings
from vidstyle.settings.command import command_line
from vidstyle.settings.config import config_text
from vidstyle.settings.definitions import ALL_SETTINGS
from vidstyle.settings.words import to_json
from vidstyle.text import retried_note, trouble_notes
from vidstyle.workers.shot_stylizer import SavedFrame


def run(request: Request) -> Result:
    """Renders what is not finished yet; see `vidstyle.stylize`."""
    plan, stylized = plan_render(request), 0
    if plan.finished_frames is not None:
        return _finished_before(plan, plan.finished_frames)
    if request.kind == "still":
        return _run_still(plan)
    path = plan.job_path

    def on_analysis(seen: int, count: int | None) -> None:
        stop_if_asked(path)
        request.listeners.say_analysis(seen, count)

    with locked(path), removed_if_empty(path):
        plan = with_job(plan, on_analysis)
        job = _prepared(plan)
        notes = [*plan.notes, *job.manifest.notes]
        with threads(job.manifest.threads):
            progress = Progress(job, is_published=is_published(request, job))
            request.listeners.say_start(request.plan(progress.total, progress.done, job))
            for frame in stylized_frames(request, job, progress, notes):
                request.listeners.say_frame(frame)
                stylized += 1
        notes += trouble_notes(job.journal().values(), request.settings.optimizer)
        if stylized:
            check_steady(path, job.manifest, read_throughout(request))
        _publish(request, job, notes)
        remembered = remember(request.output, plan.identity, progress.total)
        record = _keep_record(request, job.manifest, job.journal().values(), notes, remembered["content"])
        failure = _write_report(request, record)
        if request.settings.keep_job:
            write_record(path / FINISHED_NAME, remembered)
            (path / PUBLISHING_NAME).unlink(missing_ok=True)
        else:
            clear_job(path)
    return _result(request, progress.total, notes, failure, stylized=stylized)


def _prepared(plan: RenderPlan) -> JobFolder:
    """Returns the plan's job, with its folder made or put in order."""
    job = plan.job
    if job is None:
        raise ValueError("a plan without a job; see with_job")
    if not plan.is_new:
        job.make_folders()
        if not is_published(plan.request, job):
            (job.path / FINISHED_NAME).unlink(missing_ok=True)  # of a job that was kept, and is used again
        return job
    if (job.path / MANIFEST_NAME).is_file():
        clear_job(job.path)  # with --restart; only now that the new plan is known to work
    job.create()
    return job


def _result(
    request: Request,
    frames: int,
    notes: Sequence[str],
    failure: VidstyleError | None,
    *,
    stylized: int = 0,
    was_finished: bool = False,
) -> Result:
    """Returns the result of a call, or raises the error of a report, which came after the output."""
    if failure is not None:
        raise failure
    seconds = time.perf_counter() - request.started_s
    size = request.width, request.height
    return Result(request.output, frames, seconds, *size, tuple(notes), stylized, was_finished)


# -- output ----------------------------------------------------------------------------------------


def _publish(request: Request, job: JobFolder, notes: list[str]) -> None:
    if request.kind == "frames":
        _publish_frames(request, job, notes)
    elif not is_published_video(job, request.output, request.selection):
        overwrite = request.settings.overwrite
        notes += publish_video(job, request.output, request.selection, overwrite=overwrite)


def _publish_frames(request: Request, job: JobFolder, notes: list[str]) -> None:
    source, timestamps = request.source, job.manifest.timestamps
    if not is_publishing(job, request.output):
        request.check_output()
    names = source.file_names(timestamps, request.suffix)
    seconds = [pts * job.manifest.info.time_base for pts in timestamps]
    times = {TIMESTAMPS_NAME: timestamps_csv(names, seconds)} if source.is_timed else {}
    publish_frames(job, request.output, names, times)
    left_out = side_streams_of(source.info, sound=not request.settings.no_audio)
    if left_out:
        notes.append(f"{source.info.path.name}: a folder of frames holds no {', no '.join(left_out)}")
    others = {p.name for p in request.output.iterdir() if is_image_name(p)} - set(names)
    if others:
        untimed = f", without a time in {TIMESTAMPS_NAME}" if times else ""
        notes.append(f"{request.output}: {counted(len(others), 'other picture')} in it stayed as before{untimed}")


def _run_still(plan: RenderPlan) -> Result:
    request, settings, stylizer = plan.request, plan.request.settings, plan.request.stylizer
    frame = next(request.source)
    request.listeners.say_start(request.plan(1))
    notes = [*plan.notes, *still_notes(request)]
    with Masks(settings) as masks:
        coverage = masks.of(frame, request.width, request.height)
    stylized = stylizer.stylize(request.resized(frame.image), coverage, stylizer.look)
    saved = SavedFrame(0, frame.index, stylized)
    alpha = None if frame.alpha is None else request.resized(frame.alpha)
    exif = request.source.exif
    if settings.no_location:
        exif = without_location(exif)
    write_image(request.output, stylized.image, alpha, exif)
    request.listeners.say_frame(saved.done(1, 1))
    notes += [*request.source.notes, *request.transparency_notes(request.source)]
    if stylized.retries:
        notes.append(retried_note(1))
    remembered = remember(request.output, plan.identity, 1)
    manifest = manifest_of(plan, Analysis((frame.pts,), (), (), frame.index))
    record = _keep_record(request, manifest, [saved.entry], notes, remembered["content"])
    return _result(request, 1, notes, _write_report(request, record), stylized=1)


# -- record and report -----------------------------------------------------------------------------


def _finished_before(plan: RenderPlan, frames: int) -> Result:
    """Returns the result where the same render has finished the output before; a report is written all the same."""
    request, notes, failure = plan.request, list(plan.notes), None
    if request.settings.report is not None:
        record = recall_record(request.output, plan.identity)
        if record is None:
            manifest = replace(new_manifest(plan, request.listeners.say_analysis), versions={})
            manifest, entries = _kept_job(plan.job_path, manifest)
            notes += manifest.notes
            record = _keep_record(request, manifest, entries, notes, output_digest(request.output))
        failure = _write_report(request, record)
    clear_leftovers(plan.job_path, plan.identity)
    return _result(request, frames, notes, failure, was_finished=True)


def _kept_job(path: Path, manifest: Manifest) -> tuple[Manifest, Sequence[JournalEntry]]:
    """Returns manifest and journal of a job folder that was kept, if it is of the same render; else `manifest`."""
    try:
        kept = read_manifest(path) if (path / MANIFEST_NAME).is_file() else None
    except VidstyleError:
        return manifest, ()
    if kept is None or kept.identity.differences(manifest.identity):
        return manifest, ()
    return replace(kept, info=manifest.info, output=manifest.output), read_journal(path)


def _keep_record(
    request: Request, manifest: Manifest, entries: Iterable[JournalEntry], notes: Sequence[str], content: str
) -> RenderRecord:
    """Returns the record of a finished render, and writes it into the cache; `content` is the output's digest."""
    # Settings that only count in the last step may have changed since the job began.
    manifest = replace(manifest, settings=to_json(request.settings))
    record = record_of(manifest, entries, request.styles, request.target, notes, content)
    keep_record(request.output, record)
    return record


def record_of(
    manifest: Manifest,
    entries: Iterable[JournalEntry],
    styles: Sequence[Path],
    target: str,
    notes: Sequence[str],
    content: str,
) -> RenderRecord:
    """Returns the record of a finished render.

    Args:
        manifest: its `info` has the input's path as given. styles, target: as given. content: digest of the output.
    """
    settings = Settings(**manifest.settings)
    # These do not change frames, and their folders are private.
    of_run = {name: spec.default for name, spec in ALL_SETTINGS.items() if spec.scope == "run"}
    shown = replace(settings, **of_run)
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


def _write_report(request: Request, record: RenderRecord) -> VidstyleError | None:
    """Writes the report, if one is asked for; an error in it is returned, since the output is finished."""
    settings = request.settings
    try:
        if settings.report is not None:
            write_page(
                record, request.output, settings.report, request.listeners.on_report, overwrite=settings.overwrite
            )
    except VidstyleError as error:
        return error
    return None
