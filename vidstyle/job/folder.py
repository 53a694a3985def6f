"""A job folder: stylized frames, encoded segments, and which of them are there and intact.

manifest.json   what the job is; see `manifest`
frames/         stylized frames, `00000012.png`, from which the following ones start
delivered/      the same with the colors of the input, where --color content asks for them
seams/          with --split-shots, frames at which one part of a shot fades into the next; see `seams`
segments/       encoded runs of frames, `00000000-00000240.segment`, each with its record `.json`
journal.jsonl   a line for each stylized frame: seconds, loss, evaluations
lock            held by the process at work; the system releases it when that process dies
stop            asks that process to stop after the current frame
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from vidstyle.errors import JobError, JobStoppedError, SourceError
from vidstyle.files import remedy, sha256_of, sync_folder, write_whole
from vidstyle.frames import Picture
from vidstyle.job.journal import JOURNAL_NAME, JournalEntry, append_entry, close_last_line, read_journal
from vidstyle.job.manifest import MANIFEST_NAME, Manifest
from vidstyle.media.stills.alpha import over_white
from vidstyle.media.stills.decoding import is_intact_png
from vidstyle.media.stills.images import read_layers, write_image
from vidstyle.media.write.codecs import EncodeOptions
from vidstyle.media.write.segments import SEGMENT_SUFFIX, VideoSpec, output_times, video_spec, write_segment
from vidstyle.settings import Settings
from vidstyle.shots import Shot

logger = logging.getLogger(__name__)

# Frames on their way into an output folder, under their final names.
PAINTED_NAME = "painted"
# Frames with the colors of the input, which those in `frames` do not have.
DELIVERED_NAME = "delivered"
SEAMS_NAME = "seams"
LOCK_NAME, PUBLISHING_NAME, FINISHED_NAME = "lock", "publishing.json", "finished.json"
STOP_NAME = "stop"
MACHINES_NAME = "machines.json"  # those of a cluster that are at work
DIGITS = 8


class JobFolder:
    """The files of one job. Processes that work on different shots may each have an object of the same folder."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self.manifest = path, manifest
        self.frames_folder, self.segments_folder = path / "frames", path / "segments"
        self.delivered_folder = self.frames_folder if self.settings.color != "content" else path / DELIVERED_NAME
        self._whole_segments: dict[range, bool] = {}
        self._whole_frames: set[int] = set()
        self._damaged_frames: set[int] = set()

    @cached_property
    def settings(self) -> Settings:
        """Those of the render."""
        return Settings(**self.manifest.settings)

    @cached_property
    def spec(self) -> VideoSpec:
        """How a video's segments are encoded."""
        manifest = self.manifest
        size = (manifest.width, manifest.height)
        return video_spec(Path(manifest.output), manifest.info, *size, encode_options_of(self.settings))

    @cached_property
    def _times(self) -> list[int]:
        """The frames' times in the output's ticks, and the end of the last one."""
        times, _ = output_times(self.manifest.timestamps, self.spec, self.manifest.timestamps[0])
        return [*times, times[-1] + max(1, round(1 / (self.spec.rate * self.spec.time_base)))]

    def create(self) -> None:
        """Writes the manifest and makes the folders.

        Raises:
            OutputError, JobError: they cannot be written.
        """
        self.manifest.write(self.path)
        self.make_folders()

    def make_folders(self) -> None:
        """Makes the folders that are missing, and removes files that a killed process left half written."""
        try:
            seams = [self.path / SEAMS_NAME] if self.settings.split_shots else []
            for folder in (self.frames_folder, self.segments_folder, self.delivered_folder, *seams):
                folder.mkdir(exist_ok=True)
                for stray in folder.glob(".*.part*"):
                    stray.unlink()
            (self.path / MACHINES_NAME).unlink(missing_ok=True)
            sync_folder(self.path)
            close_last_line(self.path)
        except OSError as error:
            raise JobError(f"{self.path}: cannot be written to ({error.strerror or error}); {remedy(error)}") from error

    def stop_if_asked(self, done: int) -> None:
        """Raises an error if the file `stop` asks for it; the message says that `done` frames are kept.

        Raises:
            JobStoppedError: the render is to stop.
        """
        if (self.path / STOP_NAME).is_file():
            kept = f"{done:,} of {self.manifest.frame_count:,} frames are kept"
            raise JobStoppedError(f"{self.path}: stopped, as asked; {kept}; continue with: {self.manifest.command}")

    # -- frames --------------------------------------------------------------------------------

    def frame_path(self, position: int) -> Path:
        """Returns the file of the stylized frame of a position in the render, or of a slot; see `Shot.slot`."""
        return self.frames_folder / f"{position:0{DIGITS}}.png"

    def delivered_path(self, position: int) -> Path:
        """Returns the file of a frame as the output shows it: the same file, unless it takes the input's colors."""
        return self.delivered_folder / self.frame_path(position).name

    def save_frame(
        self, position: int, image: Picture, alpha: Picture | None = None, delivered: Picture | None = None
    ) -> None:
        """Writes a stylized frame, `(height, width, 3)` uint8 RGB, to the disk, whole or not at all.

        Args:
            alpha: `(height, width)` uint8, of the input's frame, or None.
            delivered: the frame with the input's colors, where the settings ask for them.

        Raises:
            OutputError: it cannot be written. JobError: the job folder is gone.
        """
        if not self.frames_folder.is_dir():
            raise JobError(f"{self.path}: the job folder was deleted meanwhile; run the command again to start over")
        if self.delivered_folder != self.frames_folder:
            write_image(self.delivered_path(position), image if delivered is None else delivered, alpha)
        write_image(self.frame_path(position), image, alpha)
        self._whole_frames.add(position)

    def load_frame(self, position: int) -> Picture | None:
        """Returns a stylized frame, `(H, W, 3)` uint8 RGB; None where it is missing, damaged or of another size."""
        layers = self._load_layers(position, self.frame_path(position))
        return None if layers is None else layers[0]

    def _load_layers(self, position: int, path: Path) -> tuple[Picture, Picture | None] | None:
        if not self.has_frame(position):
            return None
        try:
            return read_layers(path)
        except SourceError as error:
            logger.warning("%s; the frame is rendered again", error)
            return None

    def has_frame(self, position: int) -> bool:
        """Tells whether a stylized frame is there, intact by its checksums, and of the right size."""
        paths = {self.frame_path(position), self.delivered_path(position)}
        if position in self._whole_frames and all(path.is_file() for path in paths):
            return True  # the checksums of a long folder are computed once
        if all(self._is_intact(position, path) for path in paths):
            self._whole_frames.add(position)
            return True
        return False

    def _is_intact(self, position: int, path: Path) -> bool:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise JobError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from error
        size = (self.manifest.width, self.manifest.height)
        if is_intact_png(data, size):
            return True
        if position not in self._damaged_frames:
            logger.warning("%s: damaged, or not of %dx%d pixels; the frame is rendered again", path, *size)
            self._damaged_frames.add(position)
        return False

    def is_empty(self) -> bool:
        """Tells whether no frame has been stylized yet."""
        if (self.path / PUBLISHING_NAME).is_file():
            return False  # all frames may be in the output folder already
        folders = (self.frames_folder, self.segments_folder, self.delivered_folder, self.path / PAINTED_NAME)
        return not any(any(folder.iterdir()) for folder in folders if folder.is_dir())

    def is_done(self, shot: Shot) -> bool:
        """Tells whether all of a shot is stylized and encoded, but for what `seams` does between two parts of one."""
        if self.manifest.kind == "video" and not all(self.has_segment(run) for run in self.own_segments(shot)):
            return False
        return next(self._needed_for_output(shot), None) is None

    def own_segments(self, shot: Shot) -> tuple[range, ...]:
        """Returns the segments that are made of this shot's frames alone: all, unless it is a part that fades out."""
        return shot.segments[:-1] if shot.fades_out else shot.segments

    def _needed_for_output(self, shot: Shot) -> Iterator[int]:
        """Yields the positions of the shot's frames that the output needs and that are not there."""
        is_video = self.manifest.kind == "video"
        for run in (shot.fades_in, *shot.segments):
            if run and not (is_video and self.has_segment(run)):
                yield from (position for position in run if not self.has_frame(shot.slot(position)))

    def missing_positions(self, shot: Shot) -> list[int]:
        """Returns the positions of a shot's frames that have to be stylized, in ascending order.

        A frame starts from the saved ones before it, as many as the settings look back to, and its mean and contrast
        are held to those of the shot's first frame. Where one of these is gone, it is stylized again, and so is what
        that one needs, back to frames that are there or to the start of the shot.
        """
        missing = set(self._needed_for_output(shot))
        for position in reversed(range(shot.first, shot.stop)):
            if position in missing:
                before = self._before(shot, position) - missing
                missing.update(p for p in before if not self.has_frame(shot.slot(p)))
        return sorted(missing)

    def _before(self, shot: Shot, position: int) -> set[int]:
        """Returns the positions of the stylized frames that a frame depends on."""
        before = set(range(max(shot.first, position - self.settings.looks_back_frames), position))
        return before | {shot.first} if self.settings.is_warped and position > shot.first else before

    # -- segments ------------------------------------------------------------------------------

    def segment_path(self, run: range) -> Path:
        """Returns the file of an encoded run of frames."""
        return self.segments_folder / f"{run.start:0{DIGITS}}-{run.stop:0{DIGITS}}{SEGMENT_SUFFIX}"

    def has_segment(self, run: range) -> bool:
        """Tells whether a segment is there, byte for byte as it was written."""
        if run not in self._whole_segments:
            self._whole_segments[run] = self._is_whole(self.segment_path(run))
        return self._whole_segments[run]

    def _is_whole(self, path: Path) -> bool:
        record = read_record(path.with_suffix(".json"))
        if not record:
            return False
        try:
            if path.stat().st_size == record.get("bytes") and sha256_of(path) == record.get("sha256"):
                return True
        except OSError:
            pass
        logger.warning("%s: damaged or gone; its frames are rendered again", path)
        return False

    def close_segment(self, shot: Shot, run: range) -> None:
        """Encodes a run of frames, and removes those that no later frame of the shot depends on.

        Raises:
            OutputError: the segment cannot be written. JobError: a frame is gone.
        """
        self.write_segment(run, self._pictures(run))
        self.note_segment(shot, run)

    def write_segment(self, run: range, pictures: Iterable[Picture]) -> None:
        """Encodes pictures, `(height, width, 3)` uint8 RGB, as those of a run of frames.

        Raises:
            OutputError: the segment cannot be written.
        """
        write_segment(self.segment_path(run), self.spec, pictures, self._times[run.start : run.stop + 1])

    def note_segment(self, shot: Shot, run: range) -> None:
        """Records that a segment was written whole, and removes the frames that are no longer needed.

        Raises:
            OutputError: its record cannot be written.
        """
        path = self.segment_path(run)
        record = {"frames": len(run), "bytes": path.stat().st_size, "sha256": sha256_of(path)}
        write_record(path.with_suffix(".json"), record)
        self._whole_segments[run] = True
        self.remove_frames(self._not_needed_later(shot, run))
        if run.stop == shot.stop:
            self.remove_frames(p for segment in shot.segments for p in self._needed_later(shot, segment))

    def _pictures(self, run: range) -> Iterator[Picture]:
        yield from (over_white(*self.delivered_layers(position)) for position in run)

    def delivered_layers(self, position: int) -> tuple[Picture, Picture | None]:
        """Returns colors, `(H, W, 3)` uint8, and alpha, `(H, W)` uint8 or None, of a frame as the output shows it.

        Raises:
            JobError: it is gone.
        """
        layers = self._load_layers(position, self.delivered_path(position))
        if layers is None:
            raise JobError(f"{self.frame_path(position)}: gone before it was encoded; run the command again")
        return layers

    def tidy(self, shot: Shot) -> None:
        """Removes frames that are encoded already, which a killed process may have left."""
        done = self.is_done(shot)
        for run in shot.segments:
            if self.has_segment(run):
                self.remove_frames(run if done else self._not_needed_later(shot, run))
        if shot.lead_in and self.has_segment(shot.fades_in):
            kept = set() if done else {shot.slot(p) for p in self._before(shot, shot.start)}
            self.remove_frames(slot for slot in shot.lead_in if slot not in kept)

    def _needed_later(self, shot: Shot, run: range) -> set[int]:
        """Returns the positions of an encoded run on which later frames may depend."""
        kept = set(run[max(0, len(run) - self.settings.looks_back_frames) :])
        return kept | {shot.first} if self.settings.is_warped and shot.first in run else kept

    def _not_needed_later(self, shot: Shot, run: range) -> list[int]:
        kept = self._needed_later(shot, run)
        return [position for position in run if position not in kept]

    def remove_frames(self, slots: Iterable[int]) -> None:
        """Removes the files of frames, whether they are there or not."""
        for slot in slots:
            self.frame_path(slot).unlink(missing_ok=True)
            self.delivered_path(slot).unlink(missing_ok=True)

    def forget_files(self, whole_segments: Iterable[range] = ()) -> None:
        """Forgets which files are there, since another process has written to the folder.

        Args:
            whole_segments: are there for certain, or on the machine that asked, and are not looked for.
        """
        self._whole_frames.clear()
        self._damaged_frames.clear()
        self._whole_segments = dict.fromkeys(whole_segments, True)

    # -- the journal ---------------------------------------------------------------------------

    def note_frame(self, entry: JournalEntry) -> None:
        """Adds a line to the journal; only the process that holds the lock may.

        Raises:
            JobError: it cannot be written.
        """
        try:
            append_entry(self.path, entry)
        except OSError as error:
            raise JobError(f"{self.path}: cannot be written to ({error.strerror or error}); {remedy(error)}") from error

    def journal(self) -> dict[int, JournalEntry]:
        """Returns the newest entry of every frame; lines that are cut off are left out."""
        return {entry.frame: entry for entry in read_journal(self.path)}

    # -- the end -------------------------------------------------------------------------------

    def segment_files(self) -> list[Path]:
        """Returns all segments in order."""
        return [self.segment_path(run) for shot in self.manifest.shots for run in shot.segments]


def encode_options_of(settings: Settings) -> EncodeOptions:
    """Returns the settings' encode options."""
    return EncodeOptions(settings.codec, settings.pix_fmt, settings.bit_depth, settings.crf, settings.preset)


def clear_job(path: Path) -> None:
    """Removes a job's files, the manifest last, and the folder if nothing else is in it.

    Raises:
        JobError: they cannot be removed.
    """
    try:
        for folder in ("frames", "segments", DELIVERED_NAME, SEAMS_NAME, PAINTED_NAME):
            if (path / folder).is_dir():
                shutil.rmtree(path / folder)
        for file in (*path.glob("joined.*"), *path.glob(".*.part*")):
            file.unlink(missing_ok=True)
        for name in (STOP_NAME, JOURNAL_NAME, PUBLISHING_NAME, FINISHED_NAME, MACHINES_NAME, MANIFEST_NAME):
            (path / name).unlink(missing_ok=True)
    except OSError as error:
        raise JobError(f"{path}: cannot be cleared away ({error.strerror or error}); remove it yourself") from error


def write_record(path: Path, content: dict[str, Any]) -> None:
    """Writes a small JSON file whole.

    Raises:
        OutputError: it cannot be written.
    """
    write_whole(path, json.dumps(content).encode())


def read_record(path: Path) -> dict[str, Any]:
    """Returns a small JSON file's content, empty where it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
