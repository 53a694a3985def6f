"""The first half of the page: a clip, a style, knobs, and the frame that they give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

import vidstyle
from vidstyle.studio.looks import MOST_BLENDED, Knobs, Looks, Picture
from vidstyle.studio.messages import plain, warn
from vidstyle.studio.refusals import RefusedError
from vidstyle.studio.renders import Renders

# How the knobs stand before anything is turned.
_FIRST = Knobs()
# Pictures are not sent larger than screens are.
_SHOWN_PX, _THUMBNAIL_PX = 1600, 240
_LISTED_EVERY_S = 3.0
_HINT = "Choose a clip and a style, or drop them. The frame is painted as soon as both are there."
_CODE: dict[str, Any] = {"lines": 1, "max_lines": 12}
# Painting for one visitor goes on beside other visitors' questions; whoever asks again is served first.
_AT_ONCE: dict[str, Any] = {"concurrency_limit": 16, "trigger_mode": "multiple", "show_progress": "hidden"}
# Told and kept is how the knobs stand last: without this, what is turned before an answer is there would be left out.
_LAST: dict[str, Any] = {"trigger_mode": "always_last", "show_progress": "hidden"}
# The last word of painting that was given up, perhaps: Gradio takes silence for an empty picture.
_UNCHANGED: tuple[Any, Any] = gr.skip(), gr.skip()


class LookPage:
    """Builds the tab and answers what is done on it.

    Attributes: `start`, the button that starts a render; `inputs`, what `begin` is called with; `kept`, where the
    browser keeps what was chosen; `knobs`, what `restored` sets from it when the page is loaded.
    """

    def __init__(self, looks: Looks, renders: Renders) -> None:
        """Lays the tab out, inside a `gr.Blocks`."""
        self._looks, self._renders = looks, renders
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                self._lay_out_material()
                self._lay_out_knobs()
            with gr.Column(scale=5, min_width=480):
                self._lay_out_pictures()
        self.knobs = [
            self.clip,
            self.styles,
            self.strength,
            self.style_size,
            self.style_weight,
            *self.shares,
            self.color,
            self.size,
            self.network,
        ]
        self.inputs = [*self.knobs, self.output]
        # The key is no secret: what is kept is the visitor's own, and is looked at like anything else that comes in.
        self.kept = gr.BrowserState([], storage_key="vidstyle-look", secret="vidstyle")
        self._listed, self._timer = gr.State(None), gr.Timer(_LISTED_EVERY_S)
        self._listen()

    def _lay_out_material(self) -> None:
        self.clip = gr.Dropdown(label="Clip", choices=[], elem_id="clip")
        self.clip_drop = _drop("Clip", "clip-drop")
        self.styles = gr.Dropdown(label="Style, or several", choices=[], multiselect=True, elem_id="styles")
        self.style_drop = _drop("Style", "style-drop")
        self.style_pictures = gr.Gallery(
            show_label=False, columns=4, height=120, object_fit="cover", visible=False, elem_id="style-pictures"
        )

    def _lay_out_knobs(self) -> None:
        self.strength = gr.Slider(0, 1, _FIRST.strength, step=0.01, label="Strength", elem_id="strength")
        self.style_size = gr.Slider(0.25, 3, _FIRST.style_size, step=0.05, label="Brush size", elem_id="style-size")
        self.shares = [
            gr.Slider(0, 1, 1, step=0.05, label=f"Share of style {number}", visible=False, elem_id=f"share-{number}")
            for number in range(1, MOST_BLENDED + 1)
        ]
        self.color = gr.Radio(
            [("the style's", "style"), ("the clip's", "content"), ("matched", "match")],
            value=_FIRST.color,
            label="Colors",
            elem_id="color",
        )
        with gr.Accordion("More", open=False):
            self.style_weight = gr.Slider(
                1, 200, _FIRST.style_weight, step=1, label="Weight of the style", elem_id="style-weight"
            )
            self.size = gr.Slider(320, 1920, _FIRST.size, step=32, label="Long side of the picture, px", elem_id="size")
            self.network = gr.Radio(
                [("compact: quick", "compact"), ("VGG-19: slower, fetched once", "vgg19")],
                value=_FIRST.network,
                label="Network",
                elem_id="network",
            )

    def _lay_out_pictures(self) -> None:
        self.picture = gr.ImageSlider(
            label="Before and after",
            show_label=False,
            max_height=560,
            interactive=False,
            buttons=["fullscreen"],
            elem_id="picture",
        )
        self.told = gr.Markdown(_HINT, elem_id="told")
        self.frame = gr.Slider(0, 1, 0, step=1, label="Frame", interactive=False, elem_id="frame")
        with gr.Row():
            self.three = gr.Button("Three frames of the clip", size="sm", elem_id="three")
            self.forecast = gr.Button("What would the whole take?", size="sm", elem_id="forecast")
        self.frames = gr.Gallery(
            show_label=False, columns=3, height="auto", object_fit="contain", visible=False, elem_id="frames"
        )
        self.forecast_told = gr.Textbox(show_label=False, lines=5, visible=False, elem_id="forecast-told")
        with gr.Row(equal_height=True):
            self.output = gr.Textbox(label="Paint the whole clip as", scale=3, max_length=120, elem_id="output")
            self.start = gr.Button("Start painting", variant="primary", scale=1, elem_id="start")
        with gr.Accordion("The same from a shell, or kept as a file", open=True, elem_id="words"):
            gr.Markdown(
                "What was dropped is copied into the folder when a render of it starts, and is named there then."
            )
            self.command = gr.Code(
                "# for a clip and a style",
                label="Command line",
                language="shell",
                wrap_lines=True,
                **_CODE,
                elem_id="command",
            )
            self.config = gr.Code("", label="look.toml, for --config", language=None, **_CODE, elem_id="config")

    def _listen(self) -> None:
        self.clip_drop.upload(
            self._drop_clip, [self.clip_drop], [self.clip, self.clip_drop, self.told], show_progress="hidden"
        )
        self.style_drop.upload(
            self._drop_style,
            [self.style_drop, self.styles],
            [self.styles, self.style_drop, self.told],
            show_progress="hidden",
        )
        chosen = gr.on(
            [self.clip.change, self.styles.change],
            self._choose,
            [self.frame, *self.knobs],
            [self.frame, self.style_pictures, *self.shares, self.output],
            show_progress="hidden",
        )
        sliders = [self.strength, self.style_size, self.style_weight, *self.shares, self.size]
        turned = [*(slider.release for slider in sliders), self.color.input, self.network.input]
        seen = [self.picture, self.told]
        chosen.then(self._preview, [self.frame, *self.knobs], seen, **_AT_ONCE)
        chosen.then(self._words, self.inputs, [self.command, self.config], show_progress="hidden")
        gr.on([*turned, self.frame.release], self._preview, [self.frame, *self.knobs], seen, **_AT_ONCE)
        words = [self.command, self.config]
        gr.on([*turned, self.output.change], self._words, self.inputs, words, **_LAST)
        kept = [*turned, self.clip.change, self.styles.change]
        gr.on(kept, lambda *values: list(values), self.knobs, [self.kept], **_LAST)
        lists = [self._listed, self.clip, self.styles]
        self._timer.tick(self._listing, lists, lists, show_progress="hidden")
        self.three.click(self._three, self.knobs, [self.frames, self.told], **_AT_ONCE)
        self.forecast.click(self._forecast, self.inputs, [self.forecast_told], show_progress="minimal")

    # -- what is chosen ------------------------------------------------------------------------

    def restored(self, kept: Any) -> list[Any]:
        """Returns the knobs with the lists as they are now, and set as they were when the page was left."""
        clips, styles = (self._choices(is_style=is_style) for is_style in (False, True))
        lists = [gr.update(choices=clips), gr.update(choices=styles)]
        values = kept if isinstance(kept, list) and len(kept) == len(self.knobs) else []
        try:
            knobs = knobs_of(*values)
            knobs.settings()
        except (TypeError, ValueError, RefusedError):
            return [*lists, *(gr.skip() for _ in self.knobs[2:])]
        there = {key for _, key in styles}
        clip = knobs.clip if knobs.clip in {key for _, key in clips} else None
        chosen = [style for style in knobs.styles if style in there]
        lists = [gr.update(choices=clips, value=clip), gr.update(choices=styles, value=chosen)]
        return [*lists, *(gr.update(value=value) for value in values[2:])]

    def _listing(self, listed: Any, clip: str | None, styles: list[str] | None) -> tuple[Any, Any, Any]:
        """Returns the lists where files have come or gone since; what is chosen stays in them."""
        now = self._choices(is_style=False), self._choices(is_style=True)
        if now == listed:
            return gr.skip(), gr.skip(), gr.skip()
        updates = []
        for choices, chosen in zip(now, ([clip] if clip else [], styles or []), strict=True):
            there = {key for _, key in choices}
            updates.append(gr.update(choices=[*choices, *((name, name) for name in chosen if name not in there)]))
        return now, updates[0], updates[1]

    def _choices(self, *, is_style: bool) -> list[tuple[str, str]]:
        dropped = self._looks.uploads.listed(is_style=is_style)
        names = self._looks.folder.styles() if is_style else self._looks.folder.clips()
        return [*((f"{upload.label} (dropped)", upload.key) for upload in dropped), *((name, name) for name in names)]

    def _drop_clip(self, received: str | None) -> tuple[Any, Any, Any]:
        try:
            upload = self._looks.uploads.take(received or "", is_style=False)
        except RefusedError as error:
            warn(error, "Not taken")
            return gr.skip(), None, f"**Not taken.** {plain(error)}"
        return gr.update(choices=self._choices(is_style=False), value=upload.key), None, gr.skip()

    def _drop_style(self, received: str | None, before: list[str] | None) -> tuple[Any, Any, Any]:
        try:
            upload = self._looks.uploads.take(received or "", is_style=True)
        except RefusedError as error:
            warn(error, "Not taken")
            return gr.skip(), None, f"**Not taken.** {plain(error)}"
        chosen = [*(name for name in before or [] if name != upload.key), upload.key]
        return gr.update(choices=self._choices(is_style=True), value=chosen), None, gr.skip()

    def _choose(self, position: float, *values: Any) -> tuple[Any, ...]:
        """Answers another clip or other styles: how far the frames go, what the styles look like, a name."""
        knobs = knobs_of(*values)
        frame, pictures, output = gr.skip(), gr.update(visible=False), gr.skip()
        try:
            if knobs.clip:
                count = self._looks.clip(knobs.clip).frame_count
                # Gradio refuses whatever comes in with a frame past the end, which a shorter clip would leave there.
                there = min(int(position), count - 1)
                frame = gr.update(value=there, maximum=max(1, count - 1), interactive=count > 1)
            if knobs.styles:
                pictures = gr.update(value=self._thumbnails(knobs), visible=True)
            if knobs.clip and knobs.styles:
                output = self._looks.suggested_output(knobs)
        except (RefusedError, vidstyle.VidstyleError) as error:
            warn(error)
        is_blend = 1 < len(knobs.styles) <= MOST_BLENDED
        shares = [gr.update(visible=is_blend and number < len(knobs.styles)) for number in range(MOST_BLENDED)]
        return frame, pictures, *shares, output

    def _thumbnails(self, knobs: Knobs) -> list[Picture]:
        pictures = []
        for name in knobs.styles:
            image = Image.fromarray(self._looks.clip(name).frame(0).image)
            image.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
            pictures.append(np.asarray(image))
        return pictures

    def leave(self, request: gr.Request) -> None:
        """Gives up what is painted for a page that was closed or loaded anew."""
        self._looks.leave(str(request.session_hash))

    # -- what is shown -------------------------------------------------------------------------

    def _preview(self, request: gr.Request, frame: float, *values: Any) -> Iterator[tuple[Any, str]]:
        knobs = knobs_of(*values)

        def steps() -> Iterator[tuple[Any, str]]:
            for sketch, before in self._looks.sketches(knobs, int(frame), str(request.session_hash)):
                size = f"{sketch.image.shape[1]} x {sketch.image.shape[0]}"
                state = "Draft" if sketch.is_draft else "As it will be" if sketch.is_final else "Getting sharper"
                told = f"**{state}** · frame {int(frame)} · {size} · {sketch.seconds:.1f} s"
                yield shown(before, sketch.image, knobs.size), told

        yield from _answers(knobs, steps())

    def _three(self, request: gr.Request, *values: Any) -> Iterator[tuple[Any, str]]:
        knobs = knobs_of(*values)

        def steps() -> Iterator[tuple[Any, str]]:
            for pictures, is_final in self._looks.three(knobs, str(request.session_hash)):
                told = "**Three frames** " + ("as they will be" if is_final else "as drafts")
                yield gr.update(value=pictures, visible=True), told

        yield from _answers(knobs, steps())

    def _forecast(self, *values: Any) -> Any:
        *turned, output = values
        try:
            return gr.update(value=self._looks.forecast(knobs_of(*turned), output or ""), visible=True)
        except RefusedError as error:
            return gr.update(value=str(error), visible=True)

    def _words(self, *values: Any) -> tuple[str, str]:
        *turned, output = values
        try:
            knobs = knobs_of(*turned)
            return self._looks.command(knobs, output or ""), self._looks.config(knobs)
        except RefusedError as error:
            return f"# {error}", ""

    def begin(self, *values: Any) -> str | None:
        """Queues a render of the look, and returns its name; None, and a message on the page, if that cannot be."""
        *turned, output = values
        try:
            path = self._renders.free(output or "")  # before files are copied for it
            knobs = self._looks.kept(knobs_of(*turned))
            return self._renders.add(path, self._looks.command(knobs, path.name))
        except RefusedError as error:
            warn(error, "Not started")
            return None


def _drop(what: str, elem_id: str) -> Any:
    return gr.File(label=what, show_label=False, type="filepath", height=46, elem_classes="drop", elem_id=elem_id)


def knobs_of(*values: Any) -> Knobs:
    """Returns how the page's knobs stand, from their values in their order there."""
    clip, styles, strength, style_size, style_weight, *rest = values
    *shares, color, size, network = rest
    return Knobs(
        clip=clip or None,
        styles=tuple(styles or ()),
        strength=strength,
        style_size=style_size,
        style_weight=style_weight,
        shares=tuple(shares),
        color=color,
        size=size,
        network=network,
    )


def _answers(knobs: Knobs, steps: Iterator[tuple[Any, str]]) -> Iterator[tuple[Any, str]]:
    """Yields pictures and what is told of them: a hint where nothing is chosen yet, and a refusal where one is due."""
    if not knobs.clip or not knobs.styles:
        yield gr.skip(), _HINT
        return
    try:
        yield from steps
        yield _UNCHANGED
    except RefusedError as error:
        yield gr.skip(), f"**That cannot be painted.** {plain(error)}"


def shown(before: Picture, after: Picture, size_px: float) -> tuple[Image.Image, Image.Image]:
    """Returns both at one size, that of the finished picture, so that nothing on the page moves."""
    height, width = before.shape[:2]
    ratio = min(1.0, min(size_px, _SHOWN_PX) / max(width, height))
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    first, second = (Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC) for picture in (before, after))
    return first, second
