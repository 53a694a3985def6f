"""A stylizer made of settings and files: what frames are given to, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from types import EllipsisType

from vidstyle.devices import resolve_device, resolve_precision
from vidstyle.errors import SettingsError
from vidstyle.frames import Picture, resize
from vidstyle.looks.styles import Style, StylesGiven, load_region_styles, load_styles
from vidstyle.looks.timeline import Timeline
from vidstyle.media.stills.images import checked_picture
from vidstyle.method.coverage import Coverage
from vidstyle.method.look import Look
from vidstyle.method.options import Steps
from vidstyle.method.solver import OnEvaluation
from vidstyle.method.stylizer import FrameStylizer, StylizedFrame
from vidstyle.method.targets import StyleTargetCache
from vidstyle.settings import Settings
from vidstyle.settings.working_size import working_size
from vidstyle.weights.fetching import OnDownload
from vidstyle.weights.loading import load_flow, load_network

# `...` means not given; None means that all of the frame is stylized in the main style.
MaybeCoverage = Coverage | None | EllipsisType


class Stylizer:
    """Stylizes frames in one style or a blend of several, each starting from the one before.

    Attributes: `settings`; `device` and `precision` as resolved; `network`; `timeline`, of looks; `look`, the one at
    time 0; `frames`, what stylizes them, and checks nothing.

    ::

        stylizer = Stylizer("starry.jpg", Settings(size=480))
        for image in my_frames:           # (H, W, 3) uint8 RGB
            stylized = stylizer(image)    # the same, at most 480 px long

    The network is loaded and the style measured once. Frames of another size start afresh. Files beside an
    input (`mask`, the masks of `region`) are not read here, and frames have no time of their own: with those settings
    `stylize` asks for each frame's `coverage`, with `style_at` or `animate` for its `look`. Keyframes need frames to
    come, so that here every frame is optimized, whatever `keyframe_every` says.
    """

    def __init__(
        self,
        style: StylesGiven = (),
        settings: Settings | None = None,
        *,
        region_styles: Sequence[Style] | None = None,
        on_download: OnDownload | None = None,
    ) -> None:
        """Loads the network and the style.

        Args:
            style: a picture file, `(H, W, 3)` uint8 RGB, a folder of pictures or a video, or several of these; none
                where `Settings.style_at` names them.
            region_styles: what `load_region_styles` returned, if it was called; None: they are loaded here.
            on_download: called with bytes done and in all while weights are fetched.

        Raises:
            SourceError: the style cannot be read or is smaller than 16 px.
            SettingsError: the network has no such layer, or the blend is not for so many styles.
            WeightsError: no weights. DeviceError: no such device or precision here. FlowError: no such flow here.
        """
        self.settings = settings = settings or Settings()
        self.device = resolve_device(settings.device)
        self.precision = resolve_precision(settings.precision, self.device)
        styles = load_styles(style, settings)
        self.timeline = Timeline(settings, len(styles))
        self.look = self.timeline.look(0, Fraction(0))
        layers = (*settings.style_layers, settings.content_layer)
        network = load_network(settings.network, layers, settings.weights, settings.pooling, on_download)
        self.network, options = network.placed(self.device, self.precision), settings.options
        of_regions = load_region_styles(settings) if region_styles is None else region_styles
        groups: list[Sequence[Style]] = [styles, *([each] for each in of_regions)]
        self._styles = [StyleTargetCache(self.network, group, options) for group in groups]
        self._has_palette = False
        self.frames = FrameStylizer(
            self._styles[0],
            self._styles[1:],
            load_flow(settings.flow, self.device, on_download) if settings.is_warped else None,
            corrects_drift=not self.timeline.is_changing,
        )

    @property
    def on_evaluation(self) -> OnEvaluation | None:
        """Called while a frame is optimized, at every size that it goes through; see `solver.optimize`."""
        return self.frames.on_evaluation

    @on_evaluation.setter
    def on_evaluation(self, called: OnEvaluation | None) -> None:
        """Takes whom to call."""
        self.frames.on_evaluation = called

    def restart(self, first: Picture | None = None, fallback: int = 0, palette_from: Picture | None = None) -> None:
        """Forgets the frames before, as at a cut: the next one is stylized as a first frame.

        Args:
            first: the stylized first frame of a shot that is continued after `skip`.
            fallback: the `StylizedFrame.fallback` of the frame before the next one, where a shot is continued.
            palette_from: the shot's first frame, not stylized, `(H, W, 3)` uint8 RGB, whose palette the style takes
                with color "match"; without, the next frame's.
        """
        self._has_palette = False
        if palette_from is not None:
            self._match_palette(checked_picture(palette_from, "frame"))
        self.frames.reset(None if first is None else checked_picture(first, "stylized frame"), fallback)

    def fit(self, image: Picture) -> Picture:
        """Returns `(H, W, 3)` uint8 RGB reduced to the size that the settings allow."""
        image = checked_picture(image, "frame")
        height, width = image.shape[:2]
        return resize(image, *working_size(width, height, self.settings))

    def __call__(self, image: Picture) -> Picture:
        """Returns the stylized frame, `(h, w, 3)` uint8 RGB, of `(H, W, 3)` uint8 RGB."""
        return self.stylize(self.fit(image)).image

    def skip(
        self, image: Picture, stylized: Picture | None, coverage: MaybeCoverage = ..., look: Look | None = None
    ) -> None:
        """Takes a frame that was stylized before, so that the next one goes on from it.

        Frames are skipped in order, at least as many of a shot's last as `temporal.frames_needed_before` says.

        Args:
            image: the frame, `(H, W, 3)` uint8 RGB. stylized: the same as it was stylized; needed for the last
                `Settings.looks_back_frames`. coverage, look: those that it was stylized with.

        Raises:
            SettingsError: see `stylize`. DeviceError: memory is too small.
            SourceError: a picture is not `(H, W, 3)` uint8, or too small.
        """
        content, how = self._checked(image, coverage, look)
        self.frames.skip(content, None if stylized is None else checked_picture(stylized, "stylized frame"), *how)

    def stylize(
        self,
        image: Picture,
        coverage: MaybeCoverage = ...,
        look: Look | None = None,
        steps: Steps | None = None,
    ) -> StylizedFrame:
        """Stylizes `(H, W, 3)` uint8 RGB as large as it is; see `fit`.

        Args:
            coverage: where to stylize, and which region's style; see `coverage_of`. None: all of it in the main style.
            look: how this frame is to look; None for the settings' own look. See `timeline`.
            steps: how many the optimizer may take; None: as many as the settings say.

        Raises:
            SettingsError: the settings leave one of these to the caller, and it is missing, or for other regions.
            SourceError: the picture is not `(H, W, 3)` uint8, or smaller than 16 px.
            OptimizationError: no finite picture could be found.
            DeviceError: the device's memory is too small for a picture of this size.
        """
        content, how = self._checked(image, coverage, look)
        return self.frames.stylize(content, *how, steps)

    def _checked(
        self, image: Picture, coverage: MaybeCoverage, look: Look | None
    ) -> tuple[Picture, tuple[Coverage | None, Look]]:
        """Returns a frame, and its coverage and look, and makes sure that all is given."""
        content, look = checked_picture(image, "frame"), self._checked_look(look)
        checked = self._checked_coverage(coverage)
        self._match_palette(content)
        return content, (None if checked is None else checked.resized(content.shape[1], content.shape[0]), look)

    def _checked_coverage(self, coverage: MaybeCoverage) -> Coverage | None:
        regions = len(self.settings.regions)
        if isinstance(coverage, EllipsisType):
            if not regions and self.settings.mask is None:
                return None
            which, given = ("region", "regions=[...]") if regions else ("mask", "mask")
            remedy = f"hand over each frame's own: coverage=vidstyle.coverage_of(image.shape[:2], {given})"
            raise SettingsError(f"{which} names files beside an input, and none is read here; {remedy}")
        if coverage is not None and len(coverage.shares) != 1 + regions:
            count = len(coverage.shares) - 1
            raise SettingsError(f"coverage is for {count} regions, and region names {regions}; give one for each")
        return coverage

    def _checked_look(self, look: Look | None) -> Look:
        if look is None and self.timeline.is_changing:
            which = "style_at" if self.settings.style_at else "animate"
            remedy = "hand over each frame's own: look=stylizer.timeline.look(index, time_s)"
            raise SettingsError(f"with {which} the look changes over time; {remedy}")
        return look or self.look

    def _match_palette(self, content: Picture) -> None:
        if self.settings.color == "match" and not self._has_palette:
            for styles in self._styles:
                styles.match(content)
        self._has_palette = True
