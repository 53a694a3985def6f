"""One render: survey, job folder, shots painted one frame at a time, output."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import av
import torch

from vidstyle.chain.stylizer import Stylizer
from vidstyle.counting import counted
from vidstyle.devices import resolve_device, resolve_precision, threads
from vidstyle.errors import SettingsError, VidstyleError
from vidstyle.features import weights_file
from vidstyle.fitting import working_size
from vidstyle.frames import Plan, Result
from vidstyle.inputs import opened
from vidstyle.job.chronicle import Chronicle, keep_chronicle, recalled
from vidstyle.job.entry import check_new_job, check_steady, check_unchanged, clear_leftovers, removed_if_empty
from vidstyle.job.fingerprints import file_fingerprint, look_fingerprints, mask_fingerprints, source_fingerprint
from vidstyle.job.finished import finished_frames, output_digest, remember
from vidstyle.job.folder import FINISHED_NAME, PUBLISHING_NAME, JobFolder, clear_job, wishes_of, write_record
from vidstyle.job.journal import JournalEntry
from vidstyle.job.lock import locked, stop_if_asked
from vidstyle.job.manifest import MANIFEST_NAME, Identity, Manifest, read_manifest
from vidstyle.job.publishing import is_published_video, is_publishing, publish_frames, publish_video
from vidstyle.job.seams import Seams
from vidstyle.job.status import job_path
from vidstyle.job.versions import changed, versions_of
from vidstyle.looks.frame_masks import Masks, check_all_masks
from vidstyle.looks.styles import load_region_styles, load_styles
from vidstyle.looks.timeline import Timeline
from vidstyle.media.base import Source
from vidstyle.media.companions import Wanted, companions_of
from vidstyle.media.exif import without_place
from vidstyle.media.images import is_image_name, resize, write_image
from vidstyle.media.outputs import check_encoding, check_output, output_kind, transparency_notes
from vidstyle.media.segments import check_gaps, video_spec
from vidstyle.media.soundtrack import check_sound
from vidstyle.media.timestamps import TIMESTAMPS_NAME, timestamps_csv
from vidstyle.overwriting import check_spared
from vidstyle.painting.shot_painter import PaintedFrame
from vidstyle.rendering.engines import Tally, Work, check_engine, painted_frames
from vidstyle.rendering.finishing import chronicle_of, kept_job, told
from vidstyle.rendering.listeners import Listeners
from vidstyle.rendering.notes import retried_note, trouble_notes
from vidstyle.reporting.writing import check_page
from vidstyle.settings import Settings
from vidstyle.settings.command import command_line
from vidstyle.settings.named_files import named_files
from vidstyle.settings.words import moments_of, painting_flags, to_json
from vidstyle.shots import SEGMENT_FRAMES
from vidstyle.survey import GLANCE_PX, Survey, survey


class Render:
    """One call of `stylize`, from opened source to finished output; it has `loaded_styles` and `region_styles`."""

    def __init__(
        self, source: Source, styles: Sequence[Path], target: str, settings: Settings, listeners: Listeners
    ) -> None:
        self._started = time.perf_counter()
        self._source, self._styles, self._settings, self._listeners = source, tuple(styles), settings, listeners
        self._kind = output_kind(target, source.info)
        self._output = Path(target)
        read = named_files(styles, settings)
        check_spared(self._output, read, is_folder=self._kind == "frames")
        self._suffix = f".{settings.frame_format}"
        if settings.report is not None:
            check_spared(settings.report, read)
            check_page(settings.report, overwrite=settings.overwrite)
        if self._kind != "frames" and self._suffix != ".png":
            raise SettingsError(f"frame_format is for folders of frames, and {target} is none; leave it out")
        self.loaded_styles = load_styles(self._styles, settings)
        self._timeline = Timeline(settings, len(styles))  # says what is wrong with it
        self.region_styles = load_region_styles(settings)
        info = source.info
        with Masks(settings) as masks:
            masks.check_shapes(info)
        # Pictures cannot say that their pixels are not square, so they are shown as wide as the video is.
        aspect = Fraction(1) if self._kind == "video" else info.sample_aspect_ratio
        wishes = wishes_of(settings)
        even = check_encoding(self._output, self._kind, info, wishes)
        shown = round(info.width * aspect), info.height
        size = working_size(*shown, settings, even=even)
        # Says what is wrong with the size.
        self._spec = video_spec(self._output, info, *size, wishes) if self._kind == "video" else None
        self._width, self._height = size
        self._device = resolve_device(settings.device)
        self._precision = str(resolve_precision(settings.precision, self._device)).removeprefix("torch.")
        self._target, self._is_begun = target, False
        self._notes: list[str] = []
        if even and size != shown and working_size(*shown, settings) == shown:
            note = f"{target}: {shown[0]}x{shown[1]} becomes {size[0]}x{size[1]}, since its pixel format has even sides"
            self._notes.append(f"{note}; --pix-fmt yuv444p keeps the size")

    def run(self) -> Result:
        """Renders what is not finished yet."""
        path, identity, count = self._entry()
        if count is not None:
            failure = None if self._settings.report is None else self._reported(self._recalled(path, identity))
            clear_leftovers(path, identity)
            return self._result(count, failure, was_finished=True)
        if self._kind == "still":
            return self._still(identity)
        with locked(path), removed_if_empty(path):
            self._is_begun = True
            job = self._begun(self._job(path, identity))
            with threads(job.manifest.threads):
                painted = self._paint(job)
            if painted:
                check_steady(path, job.manifest, self._read_along())
            self._publish(job)
            record = remember(self._output, identity, job.manifest.frame_count)
            failure = self._reported(self._chronicle(job.manifest, job.journal().values(), record["content"]))
            if self._settings.keep_job:
                write_record(path / FINISHED_NAME, record)
                (path / PUBLISHING_NAME).unlink(missing_ok=True)
            else:
                clear_job(path)
        return self._result(job.manifest.frame_count, failure, painted=painted)

    def _entry(self) -> tuple[Path, Identity, int | None]:
        """Returns where the job is, what it is, and how many frames it has if it is finished; nothing is written.

        Whatever stands in the way of the output and of a new job folder is said here.
        """
        path = job_path(self._output, self._settings.job_dir)
        has_job = self._kind != "still" and (path / MANIFEST_NAME).is_file()
        # Whatever is wrong with the output is said before the input is read through.
        if not has_job and not self._output.exists():
            self._check_output()
        identity = self._identity(path if has_job and not self._settings.restart else None)
        count = None if self._settings.restart else finished_frames(self._output, identity)
        if count is None and not has_job:
            self._check_output()
            if self._kind != "still":
                check_new_job(path)
        return path, identity, count

    def _command(self, *, anywhere: bool) -> str:
        given = () if self._settings.style_at else self._styles
        paths = (self._source.info.path, given, self._target)
        return command_line(*paths, self._settings, anywhere=anywhere)

    def _result(
        self, frames: int, failure: VidstyleError | None, *, painted: int = 0, was_finished: bool = False
    ) -> Result:
        """Returns what a call has come to, or raises what went wrong once the output was there."""
        if failure is not None:
            raise failure
        seconds = time.perf_counter() - self._started
        size = (self._width, self._height)
        return Result(self._output, frames, seconds, *size, tuple(self._notes), painted, was_finished)

    @property
    def _wanted(self) -> Wanted:
        settings = self._settings
        return Wanted("none" if settings.no_audio else settings.audio, location=not settings.no_location)

    def _check_output(self, *, overwrite: bool = False) -> None:
        overwrite = overwrite or self._settings.overwrite
        check_output(self._output, self._kind, self._source.info, overwrite=overwrite)
        if self._kind == "video" and not self._settings.no_audio:
            check_sound(self._output, self._source.info, self._settings.audio)

    def _identity(self, path: Path | None) -> Identity:
        """Returns what this render is; with the `path` of a job, that is compared before weights are fetched."""
        settings = self._settings
        has_list = settings.cuts not in ("auto", "off")
        flags = painting_flags(settings) | {"--cuts": "FILE" if has_list else settings.cuts}
        flags["--style-at"] = moments_of(settings)
        folder = "folder" if self._suffix == ".png" else f"folder of {self._suffix}"
        place = {
            "device": self._device.type,
            "precision": self._precision,
            "kind of output": self._output.suffix.lower() if self._kind != "frames" else folder,
            "frame size": f"{self._width}x{self._height}",
        }
        if self._kind == "video":
            # Pieces encoded by different releases cannot be joined for certain.
            place["PyAV"] = av.__version__
        if path is not None:
            manifest = read_manifest(path)
            check_unchanged(path, manifest, Identity(flags, manifest.identity.files, place))
        weights = self._weights_fingerprint()
        along = self._read_along()
        files = {"input": along["input"], **look_fingerprints(self._styles, settings), "weights": weights, **along}
        if has_list:
            files["cuts"] = file_fingerprint(Path(settings.cuts))
        return Identity(flags, files, place)

    def _read_along(self) -> dict[str, tuple[str, str]]:
        """Returns name and digest of what is read frame by frame; the rest is read once."""
        return {"input": source_fingerprint(self._source), **mask_fingerprints(self._settings)}

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
            info = replace(manifest.info, path=self._source.info.path)
            job = JobFolder(path, replace(manifest, info=info, output=str(self._output)))
            self._check_output(overwrite=self._is_published(job))
            return job
        self._check_output()
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
        return Stylizer(self.loaded_styles, settings, region_styles=self.region_styles)

    def _load(self) -> None:
        _ = self._stylizer  # bad weights are said before the input is read through

    def _plan(self, identity: Identity) -> Manifest:
        self._load()
        check_engine(self._settings)  # likewise
        with opened(self._source.info.path, self._settings, GLANCE_PX) as glance:
            seen = survey(glance, self._settings.cuts, self._say_survey)
            over_white = self._over_white(glance)
            last_s = (seen.timestamps[-1] - glance.first_pts) * glance.info.time_base
        if self._spec is not None:
            check_gaps(self._output, self._spec, seen.timestamps)
        about_masks = check_all_masks(self._settings, self._source.info.range_start, seen.last_index)
        about_time = self._timeline.notes(seen.last_index, last_s)
        return self._manifest(identity, replace(seen, notes=(*seen.notes, *over_white, *about_masks, *about_time)))

    def _say_survey(self, seen: int, count: int | None) -> None:
        if self._is_begun:
            stop_if_asked(job_path(self._output, self._settings.job_dir))
        self._listeners.say_survey(seen, count)

    def _manifest(self, identity: Identity, seen: Survey) -> Manifest:
        return Manifest(
            command=self._command(anywhere=True),
            identity=identity,
            settings=to_json(self._settings),
            versions=versions_of(self._settings),
            threads=torch.get_num_threads(),
            output=str(self._output),
            kind=self._kind,
            info=self._source.info,
            width=self._width,
            height=self._height,
            timestamps=seen.timestamps,
            cuts=seen.cuts,
            segment_frames=SEGMENT_FRAMES,
            notes=seen.notes,
        )

    def _over_white(self, source: Source) -> list[str]:
        return transparency_notes(self._output, self._kind, self._suffix, source.is_transparent)

    # -- painting ------------------------------------------------------------------------------

    def _paint(self, job: JobFolder) -> int:
        """Paints what is missing and returns how many frames that were."""
        manifest = job.manifest
        self._notes += manifest.notes
        # What was painted and encoded before stays so when only the last step was interrupted.
        is_painted = self._is_published(job)
        shots = [] if is_painted else [shot for shot in manifest.shots if not job.is_done(shot)]
        # What leads in is no frame of the render.
        missing = {shot.number: [p for p in job.missing_positions(shot) if p >= shot.start] for shot in shots}
        left = {number: len(positions) for number, positions in missing.items()}
        before = done = manifest.frame_count - sum(left.values())
        self._listeners.say_start(self._plan_of(manifest.frame_count, done, job))
        tally, seams = Tally(manifest.shots, left), Seams(job, are_closed=is_painted)
        work = Work(job, missing, self._source, self._styles, self._settings, lambda: self._stylizer)
        for frame in painted_frames(work, shots, self._notes):
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

    def _plan_of(self, frame_count: int, done: int = 0, job: JobFolder | None = None) -> Plan:
        return Plan(
            source=self._source.info.path,
            output=self._output,
            output_kind=self._kind,
            frame_count=frame_count,
            width=self._width,
            height=self._height,
            network=self._settings.network,
            device=self._device.type,
            precision=self._precision,
            done=done,
            shots=1 if job is None else len(job.manifest.shots),
            job=None if job is None else job.path,
            command="" if job is None else self._command(anywhere=False),
            is_clustered=job is not None and self._settings.cluster is not None,
        )

    # -- outputs -------------------------------------------------------------------------------

    def _is_published(self, job: JobFolder) -> bool:
        """Whether a killed run had come to the last step, so that an output which is there is its own."""
        return is_published_video(job, self._output, self._wanted) or is_publishing(job, self._output)

    def _publish(self, job: JobFolder) -> None:
        if self._kind == "frames":
            if not is_publishing(job, self._output):
                self._check_output()
            timestamps = job.manifest.timestamps
            names = self._source.file_names(timestamps, self._suffix)
            seconds = [pts * job.manifest.info.time_base for pts in timestamps]
            beside = {TIMESTAMPS_NAME: timestamps_csv(names, seconds)} if self._source.is_timed else {}
            publish_frames(job, self._output, names, beside)
            left_out = companions_of(self._source.info, sound=not self._settings.no_audio)
            if left_out:
                lacks = f"a folder of frames holds no {', no '.join(left_out)}"
                self._notes.append(f"{self._source.info.path.name}: {lacks}")
            others = {p.name for p in self._output.iterdir() if is_image_name(p)} - set(names)
            if others:
                untimed = f", without a time in {TIMESTAMPS_NAME}" if beside else ""
                stayed = f"{counted(len(others), 'other picture')} in it stayed as before{untimed}"
                self._notes.append(f"{self._output}: {stayed}")
        elif not is_published_video(job, self._output, self._wanted):
            self._notes += publish_video(job, self._output, self._wanted, overwrite=self._settings.overwrite)

    def _notes_of_still(self) -> list[str]:
        return [*check_all_masks(self._settings, 0, 0), *self._timeline.notes(0, Fraction(0))]

    def _still(self, identity: Identity) -> Result:
        stylizer = self._stylizer
        frame = next(self._source)
        self._listeners.say_start(self._plan_of(1))
        self._notes += self._notes_of_still()
        with Masks(self._settings) as masks:
            coverage = masks.of(frame, self._width, self._height)
        painted = stylizer.paint(resize(frame.image, self._width, self._height), coverage, stylizer.look)
        whole = PaintedFrame(0, frame.index, painted)
        alpha = None if frame.alpha is None else resize(frame.alpha, self._width, self._height)
        exif = self._source.exif
        write_image(self._output, painted.image, alpha, without_place(exif) if self._settings.no_location else exif)
        self._listeners.say_frame(whole.done(1, 1))
        self._notes += [*self._source.notes, *self._over_white(self._source)]
        if painted.retries:
            self._notes.append(retried_note(1))
        record = remember(self._output, identity, 1)
        manifest = self._manifest(identity, Survey((frame.pts,), (), (), frame.index))
        chronicle = self._chronicle(manifest, [whole.entry], record["content"])
        return self._result(1, self._reported(chronicle), painted=1)

    def _chronicle(self, manifest: Manifest, entries: Iterable[JournalEntry], content: str) -> Chronicle:
        """Returns what is told of this render, and keeps it for later."""
        manifest = replace(manifest, settings=to_json(self._settings))  # the sound may be another than when it began
        chronicle = chronicle_of(manifest, entries, self._styles, self._target, self._notes, content)
        keep_chronicle(self._output, chronicle)
        return chronicle

    def _recalled(self, path: Path, identity: Identity) -> Chronicle:
        """Returns what is known of this render, which was finished before."""
        chronicle = recalled(self._output, identity)
        if chronicle is not None:
            return chronicle
        manifest, entries = kept_job(path, replace(self._plan(identity), versions={}))
        self._notes += manifest.notes
        return self._chronicle(manifest, entries, output_digest(self._output))

    def _reported(self, chronicle: Chronicle) -> VidstyleError | None:
        return told(chronicle, self._output, self._settings, self._listeners.on_report)
