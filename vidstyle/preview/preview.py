"""The way to a preview: a few frames painted, none of it kept but a sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from vidstyle.errors import OutputError
from vidstyle.frames import ClipInfo, Forecast, Picture, middles
from vidstyle.job.source import open_with_settings
from vidstyle.looks.frame_masks import Masks
from vidstyle.looks.timeline import Timeline, style_paths
from vidstyle.media.stills.images import IMAGE_SUFFIXES, write_image
from vidstyle.media.write.outputs import check_output, check_overwrites_no_input
from vidstyle.method.coverage import Coverage
from vidstyle.method.features import weights_file
from vidstyle.method.look import Look
from vidstyle.method.stylizer import Stylizer
from vidstyle.preview.sheet import ROWS, SHARES, Cell, drawn_sheet, shown
from vidstyle.render.analysis import OnAnalysis
from vidstyle.render.api import planned
from vidstyle.settings import Settings
from vidstyle.settings.named_files import named_files
from vidstyle.text import forecast_lines
from vidstyle.weights.fetching import OnDownload

OnPicture = Callable[[int, int], None]


def preview(
    source: str | Path,
    style: str | Path | Sequence[str | Path] | None,
    sheet: str | Path,
    settings: Settings | None = None,
    *,
    output: str | Path | None = None,
    on_analysis: OnAnalysis | None = None,
    on_download: OnDownload | None = None,
    on_picture: OnPicture | None = None,
) -> Forecast:
    """Paints three frames spread over the input at three strengths onto a labeled sheet, with the whole's forecast.

    Pictures are as a shot's first frame, at 512 px (VGG-19: 256) and 30 steps at most, so that it takes less than a
    minute on two cores, besides going through the input twice. Nothing else is written.

    Args:
        sheet: a picture's name; `Settings.overwrite` lets it replace one. output: what a render would write.
        on_picture: called with pictures painted and in all.

    Raises:
        VidstyleError: the sheet cannot be written, or what `forecast` would raise of a new render.
    """
    settings, sheet = settings or Settings(), Path(sheet)
    styles = style_paths(style, settings)
    with open_with_settings(Path(source), settings) as frames:
        _check_sheet(sheet, frames.info, styles, settings)
    # So that its speed can be measured.
    weights_file(settings.network, settings.weights, on_download)
    # What an earlier render has left is of other looks, perhaps.
    anew = replace(settings, overwrite=True, restart=True)
    told, loaded, of_regions = planned(source, style, output, anew, on_analysis)
    stylizer = Stylizer(loaded, shown(settings), region_styles=of_regions, on_download=on_download)
    positions = middles(told.plan.frame_count or 1, ROWS)
    rows: list[list[Cell]] = []
    for when, image, coverage, look in _chosen(Path(source), settings, positions, stylizer.timeline):
        rows.append([])
        for share in SHARES:
            lighter = replace(look, strength=look.strength * share)
            stylizer.restart()
            stylized = stylizer.stylize(image, coverage, lighter)
            rows[-1].append(Cell(f"strength {lighter.strength:.2g}{when}", stylized.image))
            if on_picture is not None:
                on_picture(sum(map(len, rows)), len(SHARES) * len(positions))
    height, width = rows[0][0].image.shape[:2]
    title = f"{Path(source).name}, {', '.join(path.name for path in styles)}: shown at {width}x{height}"
    write_image(sheet, drawn_sheet(title, rows, ["The whole:", *forecast_lines(told).splitlines()]))
    return told


def _check_sheet(sheet: Path, info: ClipInfo, styles: Sequence[Path], settings: Settings) -> None:
    if sheet.suffix.lower() not in IMAGE_SUFFIXES:
        raise OutputError(f"{sheet}: a preview is a picture; end it in {', '.join(IMAGE_SUFFIXES)}")
    check_overwrites_no_input(sheet, named_files(styles, settings))
    check_output(sheet, "still", replace(info, frame_count=1), overwrite=settings.overwrite)


def _chosen(
    source: Path, settings: Settings, positions: Sequence[int], timeline: Timeline
) -> Iterator[tuple[str, Picture, Coverage | None, Look]]:
    """Yields frames at ascending positions: the time in words, the picture, where it is painted, and its look."""
    with open_with_settings(source, settings) as frames, Masks(settings) as masks:
        passed = 0
        for position in positions:
            for _ in range(position - passed):
                frames.skip()
            frame, passed = next(frames), position + 1
            time_s = (frame.pts - frames.first_pts) * frame.time_base
            when = "" if frames.info.kind == "still" else f", {float(time_s):.2f} s (frame {frame.index})"
            look = timeline.look(frame.index, time_s)
            yield when, frame.image, masks.of(frame, *frame.image.shape[1::-1]), look
