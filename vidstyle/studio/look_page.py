"""The first tab of the page: a clip, a style, settings, and a frame stylized with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

import vidstyle
from vidstyle.studio.cards import plain
from vidstyle.studio.folder import RefusedError
from vidstyle.studio.looks import MOST_BLENDED, Look, Picture, Previews
from vidstyle.studio.renders import Renders

# The values of all controls before anything is changed.
_FIRST = Look()
# Pictures are not sent larger than screens are.
_SHOWN_PX, _THUMBNAIL_PX = 1600, 240
_LISTED_EVERY_S = 3.0
_HINT = "Choose a clip and a style, or drop them. The frame is painted as soon as both are there."
_CODE: dict[str, Any] = {"lines": 1, "max_lines": 12}
# Previews of several visitors are stylized side by side; a new request replaces an older one of the same visitor.
_AT_ONCE: dict[str, Any] = {"concurrency_limit": 16, "trigger_mode": "multiple", "show_progress": "hidden"}
# Changes that are made while an answer is under way are answered afterwards, with the last values.
_LAST: dict[str, Any] = {"trigger_mode": "always_last", "show_progress": "hidden"}
# The last answer for a picture that was perhaps abandoned; without one, Gradio would show no picture.
_UNCHANGED: tuple[Any, Any] = gr.skip(), gr.skip()


class LookPage:
    """Builds the tab and answers what is done on it.

    Attributes:
        start: the button that starts a render. controls: their values are a look.
        inputs: the controls and the name of the output, for `begin`.
        kept: where the browser keeps the values of the controls until `restored` sets them again.
    """

    def __init__(self, previews: Previews, renders: Renders) -> None:
        """Lays the tab out, inside a `gr.Blocks`."""
        self._previews, self._renders = previews, renders
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                self._lay_out_material()
                self._lay_out_controls()
            with gr.Column(scale=5, min_width=480):
                self._lay_out_pictures()
        self.controls = [
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
        self.inputs = [*self.controls, self.output]
        # The secret protects nothing: the values are the visitor's own, and are checked like any other input.
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

    def _lay_out_controls(self) -> None:
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
                [(f"{name}: {entry.help}", name) for name, entry in vidstyle.NETWORKS.items()],
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
        self.message = gr.Markdown(_HINT, elem_id="message")
        self.frame = gr.Slider(0, 1, 0, step=1, label="Frame", interactive=False, elem_id="frame")
        with gr.Row():
            self.three = gr.Button("Three frames of the clip", size="sm", elem_id="three")
            self.forecast = gr.Button("What would the whole take?", size="sm", elem_id="forecast")
        self.frames = gr.Gallery(
            show_label=False, columns=3, height="auto", object_fit="contain", visible=False, elem_id="frames"
        )
        self.forecast_text = gr.Textbox(show_label=False, lines=5, visible=False, elem_id="forecast-text")
        with gr.Row(equal_height=True):
            self.output = gr.Textbox(label="Paint the whole clip as", scale=3, max_length=120, elem_id="output")
            self.start = gr.Button("Start painting", variant="primary", scale=1, elem_id="start")
        with gr.Accordion("The same from a shell, or kept as a file", open=True, elem_id="words"):
            gr.Markdown(
                "Dropped files are copied into the folder when their render starts; the command then names the copies."
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
            self._drop_clip, [self.clip_drop], [self.clip, self.clip_drop, self.message], show_progress="hidden"
        )
        self.style_drop.upload(
            self._drop_style,
            [self.style_drop, self.styles],
            [self.styles, self.style_drop, self.message],
            show_progress="hidden",
        )
        chosen = gr.on(
            [self.clip.change, self.styles.change],
            self._choose,
            [self.frame, *self.controls],
            [self.frame, self.style_pictures, *self.shares, self.output],
            show_progress="hidden",
        )
        sliders = [self.strength, self.style_size, self.style_weight, *self.shares, self.size]
        changed = [*(slider.release for slider in sliders), self.color.input, self.network.input]
        preview = [self.picture, self.message]
        chosen.then(self._preview, [self.frame, *self.controls], preview, **_AT_ONCE)
        chosen.then(self._words, self.inputs, [self.command, self.config], show_progress="hidden")
        gr.on([*changed, self.frame.release], self._preview, [self.frame, *self.controls], preview, **_AT_ONCE)
        words = [self.command, self.config]
        gr.on([*changed, self.output.change], self._words, self.inputs, words, **_LAST)
        kept = [*changed, self.clip.change, self.styles.change]
        gr.on(kept, lambda *values: list(values), self.controls, [self.kept], **_LAST)
        lists = [self._listed, self.clip, self.styles]
        self._timer.tick(self._listing, lists, lists, show_progress="hidden")
        self.three.click(self._three, self.controls, [self.frames, self.message], **_AT_ONCE)
        self.forecast.click(self._forecast, self.inputs, [self.forecast_text], show_progress="minimal")

    # -- what is chosen ------------------------------------------------------------------------

    def restored(self, kept: Any) -> list[Any]:
        """Returns updates for the controls: the current lists of files, and the values from when the page was left."""
        clips, styles = (self._choices(is_style=is_style) for is_style in (False, True))
        lists = [gr.update(choices=clips), gr.update(choices=styles)]
        values = kept if isinstance(kept, list) and len(kept) == len(self.controls) else []
        try:
            look = look_of(*values)
            look.settings()
        except (TypeError, ValueError, RefusedError):
            return [*lists, *(gr.skip() for _ in self.controls[2:])]
        existing = {key for _, key in styles}
        clip = look.clip if look.clip in {key for _, key in clips} else None
        chosen = [style for style in look.styles if style in existing]
        lists = [gr.update(choices=clips, value=clip), gr.update(choices=styles, value=chosen)]
        return [*lists, *(gr.update(value=value) for value in values[2:])]

    def _listing(self, listed: Any, clip: str | None, styles: list[str] | None) -> tuple[Any, Any, Any]:
        """Returns the lists if files have come or gone since; what is chosen stays in them."""
        now = self._choices(is_style=False), self._choices(is_style=True)
        if now == listed:
            return gr.skip(), gr.skip(), gr.skip()
        updates = []
        for choices, chosen in zip(now, ([clip] if clip else [], styles or []), strict=True):
            existing = {key for _, key in choices}
            updates.append(gr.update(choices=[*choices, *((name, name) for name in chosen if name not in existing)]))
        return now, updates[0], updates[1]

    def _choices(self, *, is_style: bool) -> list[tuple[str, str]]:
        dropped = self._previews.uploads.listed(is_style=is_style)
        names = self._previews.folder.styles() if is_style else self._previews.folder.clips()
        return [*((f"{upload.label} (dropped)", upload.key) for upload in dropped), *((name, name) for name in names)]

    def _drop_clip(self, received: str | None) -> tuple[Any, Any, Any]:
        try:
            upload = self._previews.uploads.take(received or "", is_style=False)
        except RefusedError as error:
            gr.Warning(plain(error), title="Not taken")
            return gr.skip(), None, f"**Not taken.** {plain(error)}"
        return gr.update(choices=self._choices(is_style=False), value=upload.key), None, gr.skip()

    def _drop_style(self, received: str | None, before: list[str] | None) -> tuple[Any, Any, Any]:
        try:
            upload = self._previews.uploads.take(received or "", is_style=True)
        except RefusedError as error:
            gr.Warning(plain(error), title="Not taken")
            return gr.skip(), None, f"**Not taken.** {plain(error)}"
        chosen = [*(name for name in before or [] if name != upload.key), upload.key]
        return gr.update(choices=self._choices(is_style=True), value=chosen), None, gr.skip()

    def _choose(self, position: float, *values: Any) -> tuple[Any, ...]:
        """Updates the frame slider, the pictures of the styles and the output's name for the clip and styles chosen."""
        look = look_of(*values)
        frame, pictures, output = gr.skip(), gr.update(visible=False), gr.skip()
        try:
            if look.clip:
                count = self._previews.clip(look.clip).frame_count
                # Gradio refuses every request while a slider is past its end, where a longer clip may have left it.
                position = min(int(position), count - 1)
                frame = gr.update(value=position, maximum=max(1, count - 1), interactive=count > 1)
            if look.styles:
                pictures = gr.update(value=self._thumbnails(look), visible=True)
            if look.clip and look.styles:
                output = self._previews.suggested_output(look)
        except (RefusedError, vidstyle.VidstyleError) as error:
            gr.Warning(plain(error))
        is_blend = 1 < len(look.styles) <= MOST_BLENDED
        shares = [gr.update(visible=is_blend and number < len(look.styles)) for number in range(MOST_BLENDED)]
        return frame, pictures, *shares, output

    def _thumbnails(self, look: Look) -> list[Picture]:
        pictures = []
        for name in look.styles:
            image = Image.fromarray(self._previews.clip(name).frame(0).image)
            image.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
            pictures.append(np.asarray(image))
        return pictures

    def leave(self, request: gr.Request) -> None:
        """Abandons what is being stylized for a page that was closed or reloaded."""
        self._previews.leave(str(request.session_hash))

    # -- what is shown -------------------------------------------------------------------------

    def _preview(self, request: gr.Request, frame: float, *values: Any) -> Iterator[tuple[Any, str]]:
        look = look_of(*values)

        def steps() -> Iterator[tuple[Any, str]]:
            for sketch, before in self._previews.sketches(look, int(frame), str(request.session_hash)):
                size = f"{sketch.image.shape[1]} x {sketch.image.shape[0]}"
                state = "Draft" if sketch.is_draft else "As it will be" if sketch.is_final else "Getting sharper"
                message = f"**{state}** · frame {int(frame)} · {size} · {sketch.seconds:.1f} s"
                yield shown(before, sketch.image, look.size), message

        yield from _answers(look, steps())

    def _three(self, request: gr.Request, *values: Any) -> Iterator[tuple[Any, str]]:
        look = look_of(*values)

        def steps() -> Iterator[tuple[Any, str]]:
            for pictures, is_final in self._previews.three(look, str(request.session_hash)):
                message = "**Three frames** " + ("as they will be" if is_final else "as drafts")
                yield gr.update(value=pictures, visible=True), message

        yield from _answers(look, steps())

    def _forecast(self, *values: Any) -> Any:
        *look_values, output = values
        try:
            return gr.update(value=self._previews.forecast(look_of(*look_values), output or ""), visible=True)
        except RefusedError as error:
            return gr.update(value=str(error), visible=True)

    def _words(self, *values: Any) -> tuple[str, str]:
        *look_values, output = values
        try:
            look = look_of(*look_values)
            return self._previews.command(look, output or ""), self._previews.config(look)
        except RefusedError as error:
            return f"# {error}", ""

    def begin(self, *values: Any) -> str | None:
        """Queues a render of the look, and returns its name; if that is refused, None, with a message on the page."""
        *look_values, output = values
        try:
            path = self._renders.free(output or "")  # before files are copied for it
            look = self._previews.kept(look_of(*look_values))
            return self._renders.add(path, self._previews.command(look, path.name))
        except RefusedError as error:
            gr.Warning(plain(error), title="Not started")
            return None


def _drop(what: str, elem_id: str) -> Any:
    return gr.File(label=what, show_label=False, type="filepath", height=46, elem_classes="drop", elem_id=elem_id)


def look_of(*values: Any) -> Look:
    """Returns the look for the values of `LookPage.controls`."""
    clip, styles, strength, style_size, style_weight, *rest = values
    *shares, color, size, network = rest
    return Look(
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


def _answers(look: Look, steps: Iterator[tuple[Any, str]]) -> Iterator[tuple[Any, str]]:
    """Yields pictures with their messages, a hint if nothing is chosen yet, or the reason of a refusal."""
    if not look.clip or not look.styles:
        yield gr.skip(), _HINT
        return
    try:
        yield from steps
        yield _UNCHANGED
    except RefusedError as error:
        yield gr.skip(), f"**That cannot be painted.** {plain(error)}"


def shown(before: Picture, after: Picture, size_px: float) -> tuple[Image.Image, Image.Image]:
    """Returns both pictures at the size of the finished one, so that the page does not change its layout."""
    height, width = before.shape[:2]
    ratio = min(1.0, min(size_px, _SHOWN_PX) / max(width, height))
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    first, second = (Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC) for picture in (before, after))
    return first, second
