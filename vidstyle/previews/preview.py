"""The sheet of a preview: a few frames at several strengths, with the forecast of the whole render below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from vidstyle.errors import OutputError
from vidstyle.frames import ClipInfo, Forecast, Picture, middles
from vidstyle.job.source import open_with_settings
from vidstyle.looks.frame_masks import Masks
from vidstyle.looks.stylizer import Stylizer
from vidstyle.looks.timeline import Timeline
from vidstyle.media.read.frame_reader import FrameReader
from vidstyle.media.stills.images import IMAGE_SUFFIXES, write_image
from vidstyle.media.write.outputs import check_output, check_overwrites_no_input
from vidstyle.method.coverage import Coverage
from vidstyle.method.features import NETWORKS
from vidstyle.method.look import Look
from vidstyle.previews.sheet import Cell, draw_sheet
from vidstyle.settings import Settings
from vidstyle.settings.named_files import named_files
from vidstyle.text import forecast_rows

# Called with the number of pictures stylized so far, and of all pictures.
OnPicture = Callable[[int, int], None]
# Later steps of a render refine details that a sheet can do without.
MOST_STEPS = 30
FRAMES = 3
# Each frame is shown at these shares of the strength that was asked for.
STRENGTH_SHARES = (1 / 3, 2 / 3, 1.0)


def preview_settings(settings: Settings) -> Settings:
    """Returns the settings that the pictures of a sheet are stylized with: smaller, and in fewer steps."""
    size = NETWORKS[settings.network].preview_px
    return replace(
        settings,
        size=size if settings.size == "source" else min(size, settings.size),
        first_iterations=min(MOST_STEPS, settings.first_iterations),
        iterations=min(MOST_STEPS, settings.iterations),
        flow="off",  # every picture is stylized as the first frame of a shot
    )


def check_sheet(sheet: Path, info: ClipInfo, styles: Sequence[Path], settings: Settings) -> None:
    """Checks that a sheet can be written, before anything is stylized.

    Raises:
        OutputError: it cannot.
    """
    if sheet.suffix.lower() not in IMAGE_SUFFIXES:
        raise OutputError(f"{sheet}: a preview is a picture; end it in {', '.join(IMAGE_SUFFIXES)}")
    check_overwrites_no_input(sheet, named_files(styles, settings))
    check_output(sheet, "still", replace(info, frame_count=1), overwrite=settings.overwrite)


def write_preview(
    sheet: Path,
    styles: Sequence[Path],
    settings: Settings,
    stylizer: Stylizer,
    forecast: Forecast,
    on_picture: OnPicture | None = None,
) -> None:
    """Paints the pictures of a preview, and writes its sheet.

    Args:
        stylizer: with `preview_settings`. forecast: of the whole render.
        on_picture: called with the number of pictures stylized so far, and of all pictures.

    Raises:
        VidstyleError: a frame cannot be read or stylized, or the sheet not be written.
    """
    source = forecast.plan.source
    positions = middles(forecast.plan.frame_count or 1, FRAMES)
    rows: list[list[Cell]] = []
    for when, image, coverage, look in _frames_at(positions, source, settings, stylizer.timeline):
        rows.append([])
        for share in STRENGTH_SHARES:
            weaker = replace(look, strength=look.strength * share)
            stylizer.restart()
            stylized = stylizer.stylize(stylizer.fit(image), coverage, weaker)
            rows[-1].append((f"strength {weaker.strength:.2g}{when}", stylized.image))
            if on_picture is not None:
                on_picture(sum(map(len, rows)), len(STRENGTH_SHARES) * len(positions))
    height, width = rows[0][0][1].shape[:2]
    title = f"{source.name}, {', '.join(path.name for path in styles)}: shown at {width}x{height}"
    write_image(sheet, draw_sheet(title, rows, [("The whole:", ""), *forecast_rows(forecast)]))


def _frames_at(
    positions: Sequence[int], source: Path, settings: Settings, timeline: Timeline
) -> Iterator[tuple[str, Picture, Coverage | None, Look]]:
    """Yields frames at ascending positions: the time in words, the picture, where it is stylized, and its look."""
    with FrameReader(lambda: open_with_settings(source, settings)) as frames, Masks(settings) as masks:
        for position in positions:
            frame = frames.frame(position)
            time_s = (frame.pts - frames.first_pts) * frame.time_base
            when = "" if frames.info.kind == "still" else f", {float(time_s):.2f} s (frame {frame.index})"
            look = timeline.look(frame.index, time_s)
            yield when, frame.image, masks.of(frame, *frame.image.shape[1::-1]), look
