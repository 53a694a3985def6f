"""What a render was asked for: an opened input, styles, an output and settings, known to go together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from vidstyle.devices import resolve_device, resolve_precision
from vidstyle.errors import SettingsError
from vidstyle.frames import Picture, Plan, resize, working_size
from vidstyle.job.folder import JobFolder, encode_options_of
from vidstyle.looks.frame_masks import Masks
from vidstyle.looks.styles import load_region_styles, load_styles
from vidstyle.looks.timeline import Timeline
from vidstyle.media.read.source import Source
from vidstyle.media.streams.side_streams import StreamSelection
from vidstyle.media.streams.sound import check_sound
from vidstyle.media.write.outputs import (
    check_encoding,
    check_output,
    check_overwrites_no_input,
    output_kind,
    transparency_notes,
)
from vidstyle.media.write.segments import video_spec
from vidstyle.report.writing import check_page
from vidstyle.settings import Settings
from vidstyle.settings.command import command_line
from vidstyle.settings.named_files import named_files


class Request:
    """What one call of `stylize` is to do; nothing is written.

    Attributes:
        source, styles, target, settings: as given. output: `target` as a path. kind: of the output.
        suffix: of files in a folder of frames. width, height: of painted frames, in pixels.
        spec: of the video; None for frames and stills. device, precision: as resolved.
        loaded_styles, region_styles: pictures of the styles, and of those of regions. timeline: of looks.
        notes: what is to be told at the end. started_s: when it was asked, by `time.perf_counter`.
    """

    def __init__(self, source: Source, styles: Sequence[Path], target: str, settings: Settings) -> None:
        """Checks everything that can be checked before the input is read.

        Raises:
            VidstyleError: what was asked for cannot be.
        """
        self.started_s = time.perf_counter()
        self.source, self.styles, self.target, self.settings = source, tuple(styles), target, settings
        self.kind, self.output = output_kind(target, source.info), Path(target)
        read = named_files(styles, settings)
        check_overwrites_no_input(self.output, read, is_folder=self.kind == "frames")
        self.suffix = f".{settings.frame_format}"
        if settings.report is not None:
            check_overwrites_no_input(settings.report, read)
            check_page(settings.report, overwrite=settings.overwrite)
        if self.kind != "frames" and self.suffix != ".png":
            raise SettingsError(f"frame_format is for folders of frames, and {target} is none; leave it out")
        self.loaded_styles = load_styles(self.styles, settings)
        self.timeline = Timeline(settings, len(styles))  # says what is wrong with it
        self.region_styles = load_region_styles(settings)
        info = source.info
        with Masks(settings) as masks:
            masks.check_shapes(info)
        # Pictures cannot say that their pixels are not square, so they are shown as wide as the video is.
        aspect = Fraction(1) if self.kind == "video" else info.sample_aspect_ratio
        encode_options = encode_options_of(settings)
        even = check_encoding(self.output, self.kind, info, encode_options)
        shown = round(info.width * aspect), info.height
        size = working_size(*shown, settings.size, is_warped=settings.needs_flow, even=even)
        # Says what is wrong with the size.
        self.spec = video_spec(self.output, info, *size, encode_options) if self.kind == "video" else None
        self.width, self.height = size
        self.device = resolve_device(settings.device)
        self.precision = str(resolve_precision(settings.precision, self.device)).removeprefix("torch.")
        self.notes: list[str] = []
        if even and size != shown and working_size(*shown, settings.size, is_warped=settings.needs_flow) == shown:
            note = f"{target}: {shown[0]}x{shown[1]} becomes {size[0]}x{size[1]}, since its pixel format has even sides"
            self.notes.append(f"{note}; --pix-fmt yuv444p keeps the size")

    def transparency_notes(self, source: Source) -> list[str]:
        """Returns what is to be told of parts of an input that can be seen through, once that has been read."""
        return transparency_notes(self.output, self.kind, self.suffix, source.is_transparent)

    @property
    def wanted(self) -> StreamSelection:
        """What beside the pictures is to come along."""
        settings = self.settings
        return StreamSelection("none" if settings.no_audio else settings.audio, location=not settings.no_location)

    def check_output(self, *, overwrite: bool = False) -> None:
        """Makes sure that the output can be written.

        Raises:
            OutputError: it cannot, or it is there already and `overwrite`, here and in the settings, is false.
        """
        overwrite = overwrite or self.settings.overwrite
        check_output(self.output, self.kind, self.source.info, overwrite=overwrite)
        if self.kind == "video" and not self.settings.no_audio:
            check_sound(self.output, self.source.info, self.settings.audio)

    def fitted(self, picture: Picture) -> Picture:
        """Returns a picture of the input, `(H, W)` or `(H, W, 3)` uint8, at the size at which it is painted."""
        return resize(picture, self.width, self.height)

    def command(self, *, anywhere: bool) -> str:
        """Returns the command line that asks for the same; see `command_line`."""
        given = () if self.settings.style_at else self.styles
        paths = (self.source.info.path, given, self.target)
        return command_line(*paths, self.settings, anywhere=anywhere)

    def plan(self, frame_count: int, done: int = 0, job: JobFolder | None = None) -> Plan:
        """Returns what is about to be done, for whoever is told."""
        return Plan(
            source=self.source.info.path,
            output=self.output,
            output_kind=self.kind,
            frame_count=frame_count,
            width=self.width,
            height=self.height,
            network=self.settings.network,
            device=self.device.type,
            precision=self.precision,
            done=done,
            shots=1 if job is None else len(job.manifest.shots),
            job=None if job is None else job.path,
            command="" if job is None else self.command(anywhere=False),
            is_clustered=job is not None and self.settings.cluster is not None,
        )
