"""The plan of one render: where its job is, what that is, and what of it is finished. Nothing is written.

A render carries its plan out (`run`); a dry run estimates what that would take (`forecast`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import torch

from vidstyle.errors import JobError
from vidstyle.job.checks import check_new_job, check_unchanged
from vidstyle.job.folder import JobFolder
from vidstyle.job.identity import (
    Identity,
    changed_versions,
    file_fingerprint,
    look_fingerprints,
    mask_fingerprints,
    source_fingerprint,
    versions_of,
)
from vidstyle.job.manifest import MANIFEST_NAME, Manifest, read_manifest
from vidstyle.job.publishing import is_published_video, is_publishing
from vidstyle.job.render_record import finished_frames
from vidstyle.job.source import open_with_settings
from vidstyle.job.status import job_path
from vidstyle.looks.frame_masks import check_all_masks
from vidstyle.media.write.segments import check_gaps
from vidstyle.render.analysis import ANALYSIS_SIDE_PX, Analysis, OnAnalysis, analyze
from vidstyle.render.engines import check_cluster_if_asked
from vidstyle.render.request import Request
from vidstyle.settings.words import frame_changing_flags, moments_of, to_json
from vidstyle.shots import SEGMENT_FRAMES
from vidstyle.weights.loading import weights_file


@dataclass(frozen=True, kw_only=True)
class RenderPlan:
    """What one render is to do.

    Attributes:
        request: what was asked for. identity: what makes it the same render as another one.
        is_dry_run: whether missing weights stay where they are instead of being fetched.
        job_path: the job folder; stills have none. finished_frames: those of an output that the same render has
            finished; else None.
        job: the job as an earlier run has left it, or a new one; None before `with_job`, and for stills.
        is_new: whether that is a new job. notes: messages for the end of the render.
    """

    request: Request
    identity: Identity
    is_dry_run: bool
    job_path: Path
    finished_frames: int | None
    job: JobFolder | None = None
    is_new: bool = False
    notes: tuple[str, ...] = ()


def plan_render(request: Request, *, is_dry_run: bool = False) -> RenderPlan:
    """Returns the plan of a render up to its job, for which the input has to be read; see `with_job`.

    Raises:
        VidstyleError: something is in the way of the output or of a new job folder, or a file cannot be read.
    """
    settings = request.settings
    path = job_path(request.output, settings.job_dir)
    has_job = request.kind != "still" and (path / MANIFEST_NAME).is_file()
    # Errors about the output come before the input is read through.
    if not has_job and not request.output.exists():
        request.check_output()
    known = path if has_job and not settings.restart else None
    identity = _identity_of(request, known, is_dry_run=is_dry_run)
    count = None if settings.restart else finished_frames(request.output, identity)
    if count is None and not has_job:
        request.check_output()
        if request.kind != "still":
            check_new_job(path)
    return RenderPlan(
        request=request,
        identity=identity,
        is_dry_run=is_dry_run,
        job_path=path,
        finished_frames=count,
        notes=tuple(request.notes),
    )


def with_job(plan: RenderPlan, on_analysis: OnAnalysis | None = None) -> RenderPlan:
    """Returns a plan with its job: that of an earlier run, or a new one, for which the whole input is analyzed.

    Raises:
        JobChangedError: the job folder is of another render. VidstyleError: the input cannot be rendered.
    """
    request, path = plan.request, plan.job_path
    if request.settings.restart or not (path / MANIFEST_NAME).is_file():
        request.check_output()
        return replace(plan, job=JobFolder(path, new_manifest(plan, on_analysis)), is_new=True)
    manifest = read_manifest(path)
    check_unchanged(path, manifest, plan.identity)
    changes = changed_versions(manifest.versions, versions_of(request.settings))
    notes = [f"begun with other versions ({', '.join(changes)}); frames may differ minutely"] if changes else []
    # Files may have been moved since; their contents are the same.
    info = replace(manifest.info, path=request.source.info.path)
    job = JobFolder(path, replace(manifest, info=info, output=str(request.output)))
    request.check_output(overwrite=is_published(request, job))
    return replace(plan, job=job, notes=(*plan.notes, *notes))


def new_manifest(plan: RenderPlan, on_analysis: OnAnalysis | None = None) -> Manifest:
    """Returns the manifest of a new job, for which the whole input is analyzed.

    Raises:
        VidstyleError: the input cannot be rendered as asked.
    """
    request, settings = plan.request, plan.request.settings
    # Errors about weights or a cluster come before the input is read through.
    if not (plan.is_dry_run and request.missing_weights()):
        _ = request.stylizer
    check_cluster_if_asked(settings)
    with open_with_settings(request.source.info.path, settings, ANALYSIS_SIDE_PX) as source:
        analysis = analyze(source, settings.cuts, on_analysis)
        transparency_notes = request.transparency_notes(source)
        last_s = (analysis.timestamps[-1] - source.first_pts) * source.info.time_base
    if request.spec is not None:
        check_gaps(request.output, request.spec, analysis.timestamps)
    mask_notes = check_all_masks(settings, request.source.info.range_start, analysis.last_index)
    time_notes = request.timeline.notes(analysis.last_index, last_s)
    notes = (*analysis.notes, *transparency_notes, *mask_notes, *time_notes)
    return manifest_of(plan, replace(analysis, notes=notes))


def manifest_of(plan: RenderPlan, analysis: Analysis) -> Manifest:
    """Returns the manifest of a render whose input was analyzed."""
    request = plan.request
    return Manifest(
        command=request.command(anywhere=True),
        identity=plan.identity,
        settings=to_json(request.settings),
        versions=versions_of(request.settings),
        threads=torch.get_num_threads(),
        output=str(request.output),
        kind=request.kind,
        info=request.source.info,
        width=request.width,
        height=request.height,
        timestamps=analysis.timestamps,
        cuts=analysis.cuts,
        segment_frames=SEGMENT_FRAMES,
        notes=analysis.notes,
    )


def still_notes(request: Request) -> list[str]:
    """Returns messages about masks and looks over time of a still."""
    return [*check_all_masks(request.settings, 0, 0), *request.timeline.notes(0, Fraction(0))]


def is_published(request: Request, job: JobFolder) -> bool:
    """Tells whether a killed run had come to the last step, so that an output which is there is its own."""
    return is_published_video(job, request.output, request.selection) or is_publishing(job, request.output)


def read_throughout(request: Request) -> dict[str, tuple[str, str]]:
    """Returns name and digest of the files that are read frame by frame; all others are read once."""
    return {"input": source_fingerprint(request.source), **mask_fingerprints(request.settings)}


def _identity_of(request: Request, known: Path | None, *, is_dry_run: bool) -> Identity:
    """Returns what a render is; a job folder to continue is compared with it before weights are fetched."""
    settings = request.settings
    has_list = settings.cuts not in ("auto", "off")
    flags = frame_changing_flags(settings) | {"--cuts": "FILE" if has_list else settings.cuts}
    flags["--style-at"] = moments_of(settings)
    folder = "folder" if request.suffix == ".png" else f"folder of {request.suffix}"
    place = {
        "device": request.device.type,
        "precision": request.precision,
        "kind of output": request.output.suffix.lower() if request.kind != "frames" else folder,
        "frame size": f"{request.width}x{request.height}",
    }
    if request.kind == "video":
        # Segments of different releases may not fit together.
        place["PyAV"] = av.__version__
    if known is not None:
        manifest = read_manifest(known)
        check_unchanged(known, manifest, Identity(flags, manifest.identity.files, place))
    weights = _weights_fingerprint(request, is_dry_run=is_dry_run)
    throughout = read_throughout(request)
    files = {"input": throughout["input"], **look_fingerprints(request.styles, settings), "weights": weights}
    files |= throughout
    if has_list:
        files["cuts"] = file_fingerprint(Path(settings.cuts))
    return Identity(flags, files, place)


def _weights_fingerprint(request: Request, *, is_dry_run: bool) -> tuple[str, str]:
    settings = request.settings
    if not is_dry_run or not request.missing_weights(flow=False):
        return file_fingerprint(weights_file(settings.network, settings.weights, request.listeners.on_download))
    # They are taken to be those of the unfinished job, if there is one.
    with suppress(JobError, KeyError):
        name, digest = read_manifest(job_path(request.output, settings.job_dir)).identity.files["weights"]
        return name, digest
    return "not fetched yet", ""
