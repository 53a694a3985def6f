"""The public functions: from paths and settings to a stylized file, folder or picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from vidstyle.devices import resolve_device, resolve_precision
from vidstyle.frames import ClipInfo, Forecast, Frame, Picture, Result
from vidstyle.job.source import open_with_settings
from vidstyle.looks.frame_masks import Masks
from vidstyle.looks.styles import Style, StylesGiven
from vidstyle.looks.stylizer import Stylizer
from vidstyle.looks.timeline import style_paths
from vidstyle.media.stills.images import checked_picture, read_still
from vidstyle.method.features import check_layers
from vidstyle.method.flow import flow_class
from vidstyle.previews.preview import OnPicture, check_sheet, preview_settings, write_preview
from vidstyle.render.analysis import OnAnalysis
from vidstyle.render.forecast import forecast_of
from vidstyle.render.request import Listeners, OnFrame, OnStart, Request
from vidstyle.render.run import run
from vidstyle.reporting.data import OnReport
from vidstyle.settings import Settings
from vidstyle.weights.fetching import OnDownload
from vidstyle.weights.loading import weights_file

# Of codecs that .mp4 does not hold.
_VIDEO_SUFFIXES = {"prores": ".mov", "ffv1": ".mkv"}
# More would make the output's name too long.
_NAMED_STYLES = 3


def stylize(
    source: str | Path,
    style: str | Path | Sequence[str | Path] | None,
    output: str | Path | None = None,
    settings: Settings | None = None,
    *,
    on_start: OnStart | None = None,
    on_frame: OnFrame | None = None,
    on_download: OnDownload | None = None,
    on_analysis: OnAnalysis | None = None,
    on_report: OnReport | None = None,
) -> Result:
    """Stylizes a video, a frame folder, a numbered pattern or a still after one picture, or several.

    Frames go through one at a time; memory does not grow with their number. Each is saved in a job folder
    beside the output, from which the same call goes on after an interruption, with the same result. The
    output appears under its name when it is complete, and not before.

    Args:
        source: video file, folder of frames, pattern like `shot.%04d.png`, or picture.
        style: picture file, folder of pictures (whose styles are averaged), video (up to 16 frames of it likewise),
            or several of these, which `Settings.style_blend` weighs. None where `Settings.style_at` names them.
        output: `.mp4 .mkv .mov .webm .avi .gif .webp`, a picture's name, or a folder (existing, or with a
            separator at its end); None for `SOURCE_STYLE` and a fitting suffix in the current folder.
        on_start: called once, before the first frame. on_frame: after each frame that was stylized.
        on_download: called with bytes done and in all while weights are fetched.
        on_analysis: called with frames seen and in all (None: unknown) in the first pass over the input.
        on_report: called with frames compared and in all while `Settings.report` is made.

    Raises:
        JobChangedError: an unfinished job of other settings, input, style or weights is in the way.
        VidstyleError: see its subclasses in `vidstyle.errors`. Nothing is left under the output's name.
    """
    listeners = Listeners(on_start, on_frame, on_download, on_analysis, on_report)
    with _request(source, style, output, settings or Settings(), listeners) as request:
        return run(request)


def forecast(
    source: str | Path,
    style: str | Path | Sequence[str | Path] | None,
    output: str | Path | None = None,
    settings: Settings | None = None,
    *,
    on_analysis: OnAnalysis | None = None,
) -> Forecast:
    """Returns what `stylize` with the same arguments would do and take, and writes and fetches nothing.

    The input is analyzed; seconds come from stylizing one frame for a few steps, which takes a few seconds, and from
    how many steps frames usually get.

    Raises:
        VidstyleError: whatever `stylize` would raise before its first frame.
    """
    return planned(source, style, output, settings or Settings(), on_analysis)[0]


def planned(
    source: str | Path,
    style: str | Path | Sequence[str | Path] | None,
    output: str | Path | None,
    settings: Settings,
    on_analysis: OnAnalysis | None = None,
) -> tuple[Forecast, tuple[Style, ...], tuple[Style, ...]]:
    """Returns the forecast, the styles, and the regions' styles, which were read for it."""
    with _request(source, style, output, settings, Listeners(on_analysis=on_analysis)) as request:
        return forecast_of(request), request.loaded_styles, request.region_styles


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
    """Paints three frames spread over the input at three strengths onto a labeled sheet, and returns the forecast.

    Pictures are stylized like the first frame of a shot, at 512 px (VGG-19: 256) and 30 steps at most. That takes less
    than a minute on two cores, besides reading the input twice. Nothing but the sheet is written.

    Args:
        sheet: a picture's name; `Settings.overwrite` lets it replace one. output: what a render would write.
        on_picture: called with the number of pictures stylized so far, and of all pictures.

    Raises:
        VidstyleError: the sheet cannot be written, or what `forecast` would raise of a new render.
    """
    settings, sheet = settings or Settings(), Path(sheet)
    styles = style_paths(style, settings)
    with open_with_settings(Path(source), settings) as frames:
        check_sheet(sheet, frames.info, styles, settings)
    # Fetched first, so that the forecast can measure how fast the network is.
    weights_file(settings.network, settings.weights, on_download)
    # A job that an earlier render has left may be of another look.
    new_render = replace(settings, overwrite=True, restart=True)
    render_forecast, loaded_styles, region_styles = planned(source, style, output, new_render, on_analysis)
    stylizer = Stylizer(loaded_styles, preview_settings(settings), region_styles=region_styles, on_download=on_download)
    write_preview(sheet, styles, settings, stylizer, render_forecast, on_picture)
    return render_forecast


@contextmanager
def _request(
    source: str | Path,
    style: str | Path | Sequence[str | Path] | None,
    output: str | Path | None,
    settings: Settings,
    listeners: Listeners,
) -> Iterator[Request]:
    """Yields the request, with its input opened, once this machine is known to have what the settings need."""
    check_layers(settings.network, (*settings.style_layers, settings.content_layer))
    resolve_precision(settings.precision, resolve_device(settings.device))
    with open_with_settings(Path(source), settings) as frames:
        if settings.is_warped and frames.info.kind != "still":
            flow_class(settings.flow).check()
        styles = style_paths(style, settings)
        names = frames.info.path, styles, frames.info.kind
        target = str(output) if output is not None else default_output(*names, settings.codec)
        yield Request(frames, styles, target, settings, listeners)


def stylize_image(content: Picture | str | Path, style: StylesGiven, settings: Settings | None = None) -> Picture:
    """Returns the stylized picture, `(h, w, 3)` uint8 RGB, of a file or of `(H, W, 3)` uint8 RGB.

    Raises:
        VidstyleError: see its subclasses in `vidstyle.errors`.
    """
    settings = settings or Settings()
    name, alpha = "", None
    if isinstance(content, (str, Path)):
        name, still = str(content), read_still(Path(content))
        content, alpha = still.image, still.alpha
    image = checked_picture(content, "content picture", name)
    height, width = image.shape[:2]
    with Masks(settings) as masks:
        info = ClipInfo(Path("content picture"), "still", width, height, None, 1, Fraction(1))
        masks.check_shapes(info)
        coverage = masks.of(Frame(0, image, 0, Fraction(1), alpha=alpha), width, height)
    stylizer = Stylizer(style, settings)
    return stylizer.stylize(stylizer.fit(image), coverage, stylizer.look).image


def default_output(source: Path, styles: Sequence[Path], kind: str, codec: str = "auto") -> str:
    """Returns the name of an output in the current folder for which none was given: SOURCE_STYLE and a suffix.

    Args:
        kind: the source's: "video", "animation", "still" or "frames". Of a pattern, the part before its number is
            taken, or else its folder's name.
        styles: up to three of them are named.
        codec: of a video, which ends in .mp4 where that can hold it.
    """
    stem = source.stem
    if kind == "frames":
        if "%" in source.name:
            stem = source.name.split("%")[0].rstrip("._- ") or source.resolve().parent.name
        else:
            stem = source.resolve().name
        stem = stem or "frames"
    moving = _VIDEO_SUFFIXES.get(codec, ".mp4")
    named = [style.resolve().stem or "style" for style in styles[:_NAMED_STYLES]]
    more = [f"{len(styles) - _NAMED_STYLES}-more"] if len(styles) > _NAMED_STYLES else []
    suffix = {"video": moving, "animation": moving, "still": ".png", "frames": "/"}[kind]
    return f"{stem}_{'-'.join([*named, *more])}{suffix}"
