"""One render: survey, job folder, shots painted one frame at a time, output."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import torch

from vidstyle.devices import threads
from vidstyle.errors import VidstyleError, counted
from vidstyle.frames import Result
from vidstyle.job.entry import check_new_job, check_steady, check_unchanged, clear_leftovers, removed_if_empty
from vidstyle.job.fingerprints import file_fingerprint
from vidstyle.job.finished import finished_frames, output_digest, remember
from vidstyle.job.folder import FINISHED_NAME, PUBLISHING_NAME, JobFolder, clear_job, write_record
from vidstyle.job.journal import JournalEntry
from vidstyle.job.lock import locked, stop_if_asked
from vidstyle.job.manifest import MANIFEST_NAME, Identity, Manifest, read_manifest
from vidstyle.job.publishing import is_published_video, is_publishing, publish_frames, publish_video
from vidstyle.job.render_record import RenderRecord, keep_record, recall_record
from vidstyle.job.seams import Seams
from vidstyle.job.source import open_with_settings
from vidstyle.job.status import job_path
from vidstyle.job.versions import changed, versions_of
from vidstyle.looks.frame_masks import Masks, check_all_masks
from vidstyle.media.stills.images import is_image_name, write_image
from vidstyle.media.stills.metadata import without_location
from vidstyle.media.streams.side_streams import side_streams_of
from vidstyle.media.timestamps import TIMESTAMPS_NAME, timestamps_csv
from vidstyle.media.write.segments import check_gaps
from vidstyle.method.features import weights_file
from vidstyle.method.stylizer import Stylizer
from vidstyle.render.analysis import ANALYSIS_SIDE_PX, Analysis, analyze
from vidstyle.render.finishing import kept_job, record_of, told
from vidstyle.render.identity import identity_of, read_along
from vidstyle.render.listeners import Listeners
from vidstyle.render.notes import retried_note, trouble_notes
from vidstyle.render.request import Request
from vidstyle.render.shots import Tally, Work, check_engine, stylized_frames
from vidstyle.settings.words import to_json
from vidstyle.shots import SEGMENT_FRAMES
from vidstyle.workers.shot_stylizer import SavedFrame


class Render:
    """One call of `stylize`, from what was asked for to the finished output."""

    def __init__(self, request: Request, listeners: Listeners) -> None:
        """Takes a request; nothing is done yet."""
        self._request, self._settings, self._listeners = request, request.settings, listeners
        self._notes, self._is_begun = request.notes, False

    def run(self) -> Result:
        """Renders what is not finished yet."""
        path, identity, count = self._entry()
        if count is not None:
            failure = None if self._settings.report is None else self._reported(self._recall_record(path, identity))
            clear_leftovers(path, identity)
            return self._result(count, failure, was_finished=True)
        if self._request.kind == "still":
            return self._still(identity)
        with locked(path), removed_if_empty(path):
            self._is_begun = True
            job = self._begun(self._job(path, identity))
            with threads(job.manifest.threads):
                stylized = self._paint(job)
            if stylized:
                check_steady(path, job.manifest, read_along(self._request))
            self._publish(job)
            record = remember(self._request.output, identity, job.manifest.frame_count)
            failure = self._reported(self._record(job.manifest, job.journal().values(), record["content"]))
            if self._settings.keep_job:
                write_record(path / FINISHED_NAME, record)
                (path / PUBLISHING_NAME).unlink(missing_ok=True)
            else:
                clear_job(path)
        return self._result(job.manifest.frame_count, failure, stylized=stylized)

    def _entry(self) -> tuple[Path, Identity, int | None]:
        """Returns where the job is, what it is, and how many frames it has if it is finished; nothing is written.

        Whatever stands in the way of the output and of a new job folder is said here.
        """
        path = job_path(self._request.output, self._settings.job_dir)
        has_job = self._request.kind != "still" and (path / MANIFEST_NAME).is_file()
        # Whatever is wrong with the output is said before the input is read through.
        if not has_job and not self._request.output.exists():
            self._request.check_output()
        known = path if has_job and not self._settings.restart else None
        identity = identity_of(self._request, self._weights_fingerprint, known)
        count = None if self._settings.restart else finished_frames(self._request.output, identity)
        if count is None and not has_job:
            self._request.check_output()
            if self._request.kind != "still":
                check_new_job(path)
        return path, identity, count

    def _result(
        self, frames: int, failure: VidstyleError | None, *, stylized: int = 0, was_finished: bool = False
    ) -> Result:
        """Returns what a call has come to, or raises what went wrong once the output was there."""
        if failure is not None:
            raise failure
        seconds = time.perf_counter() - self._request.started_s
        size = (self._request.width, self._request.height)
        return Result(self._request.output, frames, seconds, *size, tuple(self._notes), stylized, was_finished)

    def _weights_fingerprint(self) -> tuple[str, str]:
        settings = self._settings
        return file_fingerprint(weights_file(settings.network, settings.weights, self._listeners.on_download))

    # -- the job -------------------------------------------------------------------------------

    def _job(self, path: Path, identity: Identity) -> JobFolder:
        """Returns the job as an earlier run has left it, or a new one; nothing is written."""
        if (path / MANIFEST_NAME).is_file() and not self._settings.restart:
            manifest = read_manifest(path)
            check_unchanged(path, manifest, identity)
            others = changed(manifest.versions, versions_of(self._settings))
            if others:
                self._notes.append(f"begun with other versions ({', '.join(others)}); frames may differ minutely")
            # Files may have been moved since; their content is known to be the same.
            info = replace(manifest.info, path=self._request.source.info.path)
            job = JobFolder(path, replace(manifest, info=info, output=str(self._request.output)))
            self._request.check_output(overwrite=self._is_published(job))
            return job
        self._request.check_output()
        return JobFolder(path, self._plan(identity))

    def _begun(self, job: JobFolder) -> JobFolder:
        """Returns the job with its folder made or put in order."""
        has_manifest = (job.path / MANIFEST_NAME).is_file()
        if has_manifest and not self._settings.restart:
            job.make_folders()
            if not self._is_published(job):
                (job.path / FINISHED_NAME).unlink(missing_ok=True)  # a kept job serves again
            return job
        if has_manifest:
            clear_job(job.path)  # only now: whatever is wrong with the new plan was said before
        job.create()
        return job

    @cached_property
    def _stylizer(self) -> Stylizer:
        # Frames reach the stylizer at the job's size, even for video, so it has nothing left to fit.
        settings = replace(self._settings, size="source")
        return Stylizer(
            self._request.loaded_styles,
            settings,
            region_styles=self._request.region_styles,
            on_download=self._listeners.on_download,
        )

    def _load(self) -> None:
        _ = self._stylizer  # bad weights are said before the input is read through

    def _plan(self, identity: Identity) -> Manifest:
        self._load()
        check_engine(self._settings)  # likewise
        with open_with_settings(self._request.source.info.path, self._settings, ANALYSIS_SIDE_PX) as analysis_source:
            seen = analyze(analysis_source, self._settings.cuts, self._say_analysis)
            over_white = self._request.transparency_notes(analysis_source)
            last_s = (seen.timestamps[-1] - analysis_source.first_pts) * analysis_source.info.time_base
        if self._request.spec is not None:
            check_gaps(self._request.output, self._request.spec, seen.timestamps)
        about_masks = check_all_masks(self._settings, self._request.source.info.range_start, seen.last_index)
        about_time = self._request.timeline.notes(seen.last_index, last_s)
        return self._manifest(identity, replace(seen, notes=(*seen.notes, *over_white, *about_masks, *about_time)))

    def _say_analysis(self, seen: int, count: int | None) -> None:
        if self._is_begun:
            stop_if_asked(job_path(self._request.output, self._settings.job_dir))
        self._listeners.say_analysis(seen, count)

    def _manifest(self, identity: Identity, seen: Analysis) -> Manifest:
        return Manifest(
            command=self._request.command(anywhere=True),
            identity=identity,
            settings=to_json(self._settings),
            versions=versions_of(self._settings),
            threads=torch.get_num_threads(),
            output=str(self._request.output),
            kind=self._request.kind,
            info=self._request.source.info,
            width=self._request.width,
            height=self._request.height,
            timestamps=seen.timestamps,
            cuts=seen.cuts,
            segment_frames=SEGMENT_FRAMES,
            notes=seen.notes,
        )

    # -- painting ------------------------------------------------------------------------------

    def _paint(self, job: JobFolder) -> int:
        """Paints what is missing and returns how many frames that were."""
        manifest = job.manifest
        self._notes += manifest.notes
        # What was painted and encoded before stays so when only the last step was interrupted.
        is_stylized = self._is_published(job)
        shots = [] if is_stylized else [shot for shot in manifest.shots if not job.is_done(shot)]
        # What leads in is no frame of the render.
        missing = {shot.number: [p for p in job.missing_positions(shot) if p >= shot.start] for shot in shots}
        left = {number: len(positions) for number, positions in missing.items()}
        before = done = manifest.frame_count - sum(left.values())
        self._listeners.say_start(self._request.plan(manifest.frame_count, done, job))
        tally, seams = Tally(manifest.shots, left), Seams(job, are_closed=is_stylized)
        work = Work(job, missing, self._request.source, self._request.styles, self._settings, lambda: self._stylizer)
        for frame in stylized_frames(work, shots, self._notes):
            if frame.is_known:
                job.note_frame(frame.entry)
            seams.add(frame.position)
            if frame.position < manifest.frame_count:
                done += 1
                tally.add(frame.position)
                self._listeners.say_frame(frame.done(done, manifest.frame_count, tally.shots_done))
            job.stop_if_asked(done)
        seams.close()
        self._notes += trouble_notes(job.journal().values(), self._settings.optimizer)
        return done - before

    # -- outputs -------------------------------------------------------------------------------

    def _is_published(self, job: JobFolder) -> bool:
        """Whether a killed run had come to the last step, so that an output which is there is its own."""
        output = self._request.output
        return is_published_video(job, output, self._request.wanted) or is_publishing(job, output)

    def _publish(self, job: JobFolder) -> None:
        request = self._request
        if request.kind == "frames":
            self._publish_frames(job)
        elif not is_published_video(job, request.output, request.wanted):
            overwrite = self._settings.overwrite
            self._notes += publish_video(job, request.output, request.wanted, overwrite=overwrite)

    def _publish_frames(self, job: JobFolder) -> None:
        request, source, timestamps = self._request, self._request.source, job.manifest.timestamps
        if not is_publishing(job, request.output):
            request.check_output()
        names = source.file_names(timestamps, request.suffix)
        seconds = [pts * job.manifest.info.time_base for pts in timestamps]
        beside = {TIMESTAMPS_NAME: timestamps_csv(names, seconds)} if source.is_timed else {}
        publish_frames(job, request.output, names, beside)
        left_out = side_streams_of(source.info, sound=not self._settings.no_audio)
        if left_out:
            self._notes.append(f"{source.info.path.name}: a folder of frames holds no {', no '.join(left_out)}")
        others = {p.name for p in request.output.iterdir() if is_image_name(p)} - set(names)
        if others:
            untimed = f", without a time in {TIMESTAMPS_NAME}" if beside else ""
            stayed = f"{counted(len(others), 'other picture')} in it stayed as before{untimed}"
            self._notes.append(f"{request.output}: {stayed}")

    def _notes_of_still(self) -> list[str]:
        return [*check_all_masks(self._settings, 0, 0), *self._request.timeline.notes(0, Fraction(0))]

    def _still(self, identity: Identity) -> Result:
        request, stylizer = self._request, self._stylizer
        frame = next(request.source)
        self._listeners.say_start(request.plan(1))
        self._notes += self._notes_of_still()
        with Masks(self._settings) as masks:
            coverage = masks.of(frame, request.width, request.height)
        stylized = stylizer.stylize(request.fitted(frame.image), coverage, stylizer.look)
        whole = SavedFrame(0, frame.index, stylized)
        alpha = None if frame.alpha is None else request.fitted(frame.alpha)
        exif = request.source.exif
        if self._settings.no_location:
            exif = without_location(exif)
        write_image(request.output, stylized.image, alpha, exif)
        self._listeners.say_frame(whole.done(1, 1))
        self._notes += [*request.source.notes, *request.transparency_notes(request.source)]
        if stylized.retries:
            self._notes.append(retried_note(1))
        record = remember(request.output, identity, 1)
        manifest = self._manifest(identity, Analysis((frame.pts,), (), (), frame.index))
        render_record = self._record(manifest, [whole.entry], record["content"])
        return self._result(1, self._reported(render_record), stylized=1)

    def _record(self, manifest: Manifest, entries: Iterable[JournalEntry], content: str) -> RenderRecord:
        """Returns what is told of this render, and keeps it for later."""
        manifest = replace(manifest, settings=to_json(self._settings))  # the sound may be another than when it began
        render_record = record_of(manifest, entries, self._request.styles, self._request.target, self._notes, content)
        keep_record(self._request.output, render_record)
        return render_record

    def _recall_record(self, path: Path, identity: Identity) -> RenderRecord:
        """Returns what is known of this render, which was finished before."""
        render_record = recall_record(self._request.output, identity)
        if render_record is not None:
            return render_record
        manifest, entries = kept_job(path, replace(self._plan(identity), versions={}))
        self._notes += manifest.notes
        return self._record(manifest, entries, output_digest(self._request.output))

    def _reported(self, render_record: RenderRecord) -> VidstyleError | None:
        return told(render_record, self._request.output, self._settings, self._listeners.on_report)
