"""What a render was asked for: an opened input, styles, an output and settings that go together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from vidstyle.devices import resolve_device, resolve_precision
from vidstyle.errors import SettingsError
from vidstyle.frames import FrameDone, Picture, Plan, resize
from vidstyle.job.folder import JobFolder, encode_options_of
from vidstyle.looks.frame_masks import Masks
from vidstyle.looks.styles import load_region_styles, load_styles
from vidstyle.looks.stylizer import Stylizer
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
from vidstyle.render.analysis import OnAnalysis
from vidstyle.reporting.data import OnReport
from vidstyle.reporting.page import check_page
from vidstyle.settings import Settings
from vidstyle.settings.command import command_line
from vidstyle.settings.named_files import named_files
from vidstyle.settings.working_size import working_size
from vidstyle.weights.fetching import OnDownload
from vidstyle.weights.loading import missing_weights

OnStart = Callable[[Plan], None]
OnFrame = Callable[[FrameDone], None]


@dataclass(frozen=True)
class Listeners:
    """Functions that are called during a render; see `vidstyle.stylize`."""

    on_start: OnStart | None = None
    on_frame: OnFrame | None = None
    on_download: OnDownload | None = None
    on_analysis: OnAnalysis | None = None
    on_report: OnReport | None = None

    def say_start(self, plan: Plan) -> None:
        """Calls `on_start`, if there is one."""
        if self.on_start is not None:
            self.on_start(plan)

    def say_analysis(self, seen: int, count: int | None) -> None:
        """Calls `on_analysis`, if there is one, with frames seen and in all (None: unknown)."""
        if self.on_analysis is not None:
            self.on_analysis(seen, count)

    def say_frame(self, frame: FrameDone) -> None:
        """Calls `on_frame`, if there is one."""
        if self.on_frame is not None:
            self.on_frame(frame)


class Request:
    """What one call of `stylize` is to do; nothing is written.

    Attributes:
        source, styles, target, settings, listeners: as given. output: `target` as a path.
        kind: of the output: "video", "frames" or "still". suffix: of files in a folder of frames.
        width, height: of stylized frames, in pixels. spec: of the video; None for frames and stills.
        device, precision: as resolved. timeline: of looks.
        loaded_styles, region_styles: pictures of the styles, and of those of regions.
        notes: messages for the end of the render. started_s: time of the call, by `time.perf_counter`.
    """

    def __init__(
        self,
        source: Source,
        styles: Sequence[Path],
        target: str,
        settings: Settings,
        listeners: Listeners | None = None,
    ) -> None:
        """Checks everything that can be checked before the input is read.

        Raises:
            VidstyleError: what was asked for cannot be.
        """
        self.started_s = time.perf_counter()
        self.source, self.styles, self.target, self.settings = source, tuple(styles), target, settings
        self.listeners = listeners or Listeners()
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
        self.timeline = Timeline(settings, len(styles))
        self.region_styles = load_region_styles(settings)
        info = source.info
        with Masks(settings) as masks:
            masks.check_shapes(info)
        # Pictures cannot say that their pixels are not square, so they are shown as wide as the video is.
        aspect = Fraction(1) if self.kind == "video" else info.sample_aspect_ratio
        encode_options = encode_options_of(settings)
        even = check_encoding(self.output, self.kind, info, encode_options)
        shown = round(info.width * aspect), info.height
        size = working_size(*shown, settings, even=even)
        self.spec = video_spec(self.output, info, *size, encode_options) if self.kind == "video" else None
        self.width, self.height = size
        self.device = resolve_device(settings.device)
        self.precision = str(resolve_precision(settings.precision, self.device)).removeprefix("torch.")
        self.notes: list[str] = []
        if even and size != shown and working_size(*shown, settings) == shown:
            note = f"{target}: {shown[0]}x{shown[1]} becomes {size[0]}x{size[1]}, since its pixel format has even sides"
            self.notes.append(f"{note}; --pix-fmt yuv444p keeps the size")

    def transparency_notes(self, source: Source) -> list[str]:
        """Returns messages about transparent parts of an input, which has been read to its end."""
        return transparency_notes(self.output, self.kind, self.suffix, source.is_transparent)

    @cached_property
    def stylizer(self) -> Stylizer:
        """What stylizes frames in this process, made when it is needed first.

        Raises:
            VidstyleError: weights are missing or wrong; see `Stylizer`.
        """
        return Stylizer(
            self.loaded_styles,
            self.settings,
            region_styles=self.region_styles,
            on_download=self.listeners.on_download,
        )

    def missing_weights(self, *, flow: bool = True) -> list[str]:
        """Returns whose weights would have to be fetched, in words; with `flow`, those of optical flow too."""
        settings = self.settings
        needed = settings.flow if flow and settings.is_warped else None
        return missing_weights(settings.network, settings.weights, needed)

    @property
    def selection(self) -> StreamSelection:
        """Which side streams the output gets."""
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

    def resized(self, picture: Picture) -> Picture:
        """Returns a picture of the input, `(H, W)` or `(H, W, 3)` uint8, at the size at which it is stylized."""
        return resize(picture, self.width, self.height)

    def command(self, *, anywhere: bool) -> str:
        """Returns the command line that asks for the same; see `command_line`."""
        given = () if self.settings.style_at else self.styles
        paths = (self.source.info.path, given, self.target)
        return command_line(*paths, self.settings, anywhere=anywhere)

    def plan(self, frame_count: int, done: int = 0, job: JobFolder | None = None) -> Plan:
        """Returns what is about to be done, as `on_start` gets it."""
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
