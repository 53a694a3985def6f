"""A job folder: painted frames, encoded segments, and what of them is whole.

manifest.json   what the job is; see `manifest`
frames/         painted frames, `00000012.png`, the state that the chain goes on from
delivered/      the same as they are delivered, where they take other colors
seams/          frames of a folder at which one part of a shot fades into the next; see `seams`
segments/       encoded runs of frames, `00000000-00000240.segment`, each with its record `.json`
journal.jsonl   a line for each painted frame: seconds, loss, evaluations
lock            held by the process at work; the system lets go of it when that process dies
stop            asks that process to stop after the frame it is at
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
# Frames in other colors than those that the chain goes on from.
DELIVERED_NAME = "delivered"
SEAMS_NAME = "seams"
LOCK_NAME, PUBLISHING_NAME, FINISHED_NAME = "lock", "publishing.json", "finished.json"
STOP_NAME = "stop"
MACHINES_NAME = "machines.json"  # who is at work in a cluster
DIGITS = 8


class JobFolder:
    """The files of one job. Processes that paint different shots may each have one of the same folder."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self.manifest = path, manifest
        self.frames_folder, self.segments_folder = path / "frames", path / "segments"
        self.delivered_folder = self.frames_folder if self.settings.color != "content" else path / DELIVERED_NAME
        self._whole_segments: dict[range, bool] = {}
        self._whole_frames: set[int] = set()
        self._damaged_frames: set[int] = set()

    @cached_property
    def settings(self) -> Settings:
        """How the job's frames are painted."""
        return Settings(**self.manifest.settings)

    @cached_property
    def spec(self) -> VideoSpec:
        """How a video's segments are encoded."""
        manifest = self.manifest
        size = (manifest.width, manifest.height)
        return video_spec(Path(manifest.output), manifest.info, *size, encode_options_of(self.settings))

    @cached_property
    def _times(self) -> list[int]:
        """The frames' times in the output's ticks, and when the last one ends."""
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
        """Makes the folders that are not there, and clears away what a killed process left half written."""
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
        """Ends the render where somebody has asked for it; `done` frames are there.

        Raises:
            JobStoppedError: somebody has.
        """
        if (self.path / STOP_NAME).is_file():
            kept = f"{done:,} of {self.manifest.frame_count:,} frames are kept"
            raise JobStoppedError(f"{self.path}: stopped, as asked; {kept}; continue with: {self.manifest.command}")

    # -- frames --------------------------------------------------------------------------------

    def frame_path(self, position: int) -> Path:
        """Returns the file of the painted frame at a position in the render, or in a slot; see `Shot.slot`."""
        return self.frames_folder / f"{position:0{DIGITS}}.png"

    def delivered_path(self, position: int) -> Path:
        """Returns the file of a frame as it is delivered: the painted one itself, unless it takes other colors."""
        return self.delivered_folder / self.frame_path(position).name

    def save_frame(
        self, position: int, image: Picture, alpha: Picture | None = None, delivered: Picture | None = None
    ) -> None:
        """Writes a painted frame, `(height, width, 3)` uint8 RGB, whole and through to the disk.

        Args:
            alpha: `(height, width)` uint8, of the frame that was painted, to go with it.
            delivered: the same in its own colors, where it takes other ones; else the image.

        Raises:
            OutputError: it cannot be written. JobError: the job folder is gone.
        """
        if not self.frames_folder.is_dir():
            raise JobError(f"{self.path}: the job folder was deleted under way; run the command again to start over")
        if self.delivered_folder != self.frames_folder:
            write_image(self.delivered_path(position), image if delivered is None else delivered, alpha)
        write_image(self.frame_path(position), image, alpha)
        self._whole_frames.add(position)

    def load_frame(self, position: int) -> Picture | None:
        """Returns a painted frame's colors, or None where it is missing, damaged or of another size."""
        layers = self._load_layers(position, self.frame_path(position))
        return None if layers is None else layers[0]

    def _load_layers(self, position: int, path: Path) -> tuple[Picture, Picture | None] | None:
        if not self.has_frame(position):
            return None
        try:
            return read_layers(path)
        except SourceError as error:
            logger.warning("%s; it is painted again", error)
            return None

    def has_frame(self, position: int) -> bool:
        """Tells whether a painted frame is there, whole and of the right size; a look at its checksums."""
        paths = {self.frame_path(position), self.delivered_path(position)}
        if position in self._whole_frames and all(path.is_file() for path in paths):
            return True  # a long folder is read through once, not for every question
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
            logger.warning("%s: damaged, or not of %dx%d pixels; it is painted again", path, *size)
            self._damaged_frames.add(position)
        return False

    def is_empty(self) -> bool:
        """Tells whether nothing has been painted yet."""
        if (self.path / PUBLISHING_NAME).is_file():
            return False  # all of it may be in the output folder already
        folders = (self.frames_folder, self.segments_folder, self.delivered_folder, self.path / PAINTED_NAME)
        return not any(any(folder.iterdir()) for folder in folders if folder.is_dir())

    def is_done(self, shot: Shot) -> bool:
        """Tells whether nothing of a shot is left to paint or to encode, but for its seams; see `seams`."""
        if self.manifest.kind == "video" and not all(self.has_segment(run) for run in self.closed_alone(shot)):
            return False
        return next(self._unpainted(shot), None) is None

    def closed_alone(self, shot: Shot) -> tuple[range, ...]:
        """Returns the segments that take frames of this shot only."""
        return shot.segments[:-1] if shot.fades_out else shot.segments

    def _unpainted(self, shot: Shot) -> Iterator[int]:
        """Yields the positions at which a frame of the shot is wanted for the output, and not there."""
        is_video = self.manifest.kind == "video"
        for run in (shot.fades_in, *shot.segments):
            if run and not (is_video and self.has_segment(run)):
                yield from (position for position in run if not self.has_frame(shot.slot(position)))

    def missing_positions(self, shot: Shot) -> list[int]:
        """Returns which frames of a shot must be painted, ascending, after a look at everything that is there.

        With those that lead in, it begins at `Shot.first`.

        A frame needs those before it as saved, as far as its settings look back. Where one is gone too, it is
        painted again, and so on back to frames that are there, or to the start of the shot; and the first frame
        of the shot, where that is what mean and contrast are held to.
        """
        missing = set(self._unpainted(shot))
        for position in reversed(range(shot.first, shot.stop)):
            if position in missing:
                before = self._before(shot, position) - missing
                missing.update(p for p in before if not self.has_frame(shot.slot(p)))
        return sorted(missing)

    def _before(self, shot: Shot, position: int) -> set[int]:
        """Returns the frames, as painted, that a frame depends on."""
        before = set(range(max(shot.first, position - self.settings.looks_back_frames), position))
        return before | {shot.first} if self.settings.is_warped and position > shot.first else before

    # -- segments ------------------------------------------------------------------------------

    def segment_path(self, run: range) -> Path:
        """Returns the file of an encoded run of frames."""
        return self.segments_folder / f"{run.start:0{DIGITS}}-{run.stop:0{DIGITS}}{SEGMENT_SUFFIX}"

    def has_segment(self, run: range) -> bool:
        """Tells whether a segment is there and is what was written, byte for byte."""
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
        logger.warning("%s: damaged or gone; its frames are painted again", path)
        return False

    def close_segment(self, shot: Shot, run: range) -> None:
        """Encodes a run of frames, then removes them; what later frames look back to stays while the shot needs it.

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
        """Takes the file of a segment, which was just written, for whole, and removes its frames.

        Raises:
            OutputError: its record cannot be written.
        """
        path = self.segment_path(run)
        record = {"frames": len(run), "bytes": path.stat().st_size, "sha256": sha256_of(path)}
        write_record(path.with_suffix(".json"), record)
        self._whole_segments[run] = True
        self.remove_frames(self._spent(shot, run))
        if run.stop == shot.stop:
            self.remove_frames(p for segment in shot.segments for p in self._kept(shot, segment))

    def _pictures(self, run: range) -> Iterator[Picture]:
        yield from (over_white(*self.delivered_layers(position)) for position in run)

    def delivered_layers(self, position: int) -> tuple[Picture, Picture | None]:
        """Returns colors and alpha of a frame as it is delivered.

        Raises:
            JobError: it is gone.
        """
        layers = self._load_layers(position, self.delivered_path(position))
        if layers is None:
            raise JobError(f"{self.frame_path(position)}: gone before it was encoded; run the command again")
        return layers

    def tidy(self, shot: Shot) -> None:
        """Removes frames that stand in a segment, as a process that was killed may have left them."""
        done = self.is_done(shot)
        for run in shot.segments:
            if self.has_segment(run):
                self.remove_frames(run if done else self._spent(shot, run))
        if shot.lead_in and self.has_segment(shot.fades_in):
            kept = set() if done else {shot.slot(p) for p in self._before(shot, shot.start)}
            self.remove_frames(slot for slot in shot.lead_in if slot not in kept)

    def _kept(self, shot: Shot, run: range) -> set[int]:
        """Returns the frames of an encoded run that later ones may depend on."""
        kept = set(run[max(0, len(run) - self.settings.looks_back_frames) :])
        return kept | {shot.first} if self.settings.is_warped and shot.first in run else kept

    def _spent(self, shot: Shot, run: range) -> list[int]:
        kept = self._kept(shot, run)
        return [position for position in run if position not in kept]

    def remove_frames(self, slots: Iterable[int]) -> None:
        """Removes painted frames, whether they are there or not."""
        for slot in slots:
            self.frame_path(slot).unlink(missing_ok=True)
            self.delivered_path(slot).unlink(missing_ok=True)

    def look_anew(self, whole_segments: Iterable[range] = ()) -> None:
        """Forgets what was seen of the folder, since others have written to it.

        Args:
            whole_segments: are known to be there, or where they are wanted, and are not looked for.
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
        """Returns the newest entry of every frame; lines that a kill cut off are left out."""
        return {entry.frame: entry for entry in read_journal(self.path)}

    # -- the end -------------------------------------------------------------------------------

    def segment_files(self) -> list[Path]:
        """Returns all segments in order."""
        return [self.segment_path(run) for shot in self.manifest.shots for run in shot.segments]


def encode_options_of(settings: Settings) -> EncodeOptions:
    """Returns how a video is to be encoded, as far as the settings say."""
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
