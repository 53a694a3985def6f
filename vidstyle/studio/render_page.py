"""The second tab of the page: renders that run, wait, or are finished."""

from __future__ import annotations

import html
import threading
import time
from typing import Any
from urllib.parse import quote

import gradio as gr
import pandas as pd

import vidstyle
from vidstyle.studio.cards import cards, choice, download, history_points, plain, points
from vidstyle.studio.folder import Folder, RefusedError
from vidstyle.studio.renders import FAILED, FINISHED, PAUSED, RUNNING, STOPPED, WAITING, Job, Renders

_EVERY_S = 1.5
# Spent on measuring each time that the page asks, so that little is taken from painting.
_MEASURING_S = 0.3
# A journal that takes a second to read is read again after this many seconds.
_READING_SHARE = 30
_PLAYED, _PICTURED = (".mp4", ".webm", ".mov"), (".gif", ".webp", ".png", ".jpg", ".jpeg")
_NOTHING = "Choose a render on the left."


class RenderPage:
    """Builds the tab and answers what is done on it."""

    def __init__(self, folder: Folder, renders: Renders) -> None:
        """Lays the tab out, inside a `gr.Blocks`."""
        self._folder, self._renders = folder, renders
        self._watches: dict[str, vidstyle.WarpErrorWatch] = {}
        self._histories: dict[str, tuple[float, tuple[vidstyle.FrameRecord, ...]]] = {}
        self._lock = threading.Lock()
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                self.cards = gr.HTML(elem_id="cards")
                # Custom values are allowed, since the page may still name a render that was just removed.
                self.choice = gr.Dropdown([], label="Look in on", allow_custom_value=True, elem_id="job")
            with gr.Column(scale=5, min_width=480):
                self._lay_out_one()
        self.shown = gr.State({})
        self.timer = gr.Timer(_EVERY_S)
        self.outputs = [
            self.shown,
            self.cards,
            self.choice,
            self.picture,
            self.caption,
            self.finished,
            self.loss,
            self.seconds,
            self.warp,
            self.command,
            self.pause,
            self.go_on,
            self.stop,
        ]
        self._listen()

    def _lay_out_one(self) -> None:
        with gr.Row():
            self.pause = gr.Button("Pause", interactive=False, elem_id="pause")
            self.go_on = gr.Button("Continue", variant="primary", interactive=False, elem_id="continue")
            self.stop = gr.Button("Stop", interactive=False, elem_id="stop")
        self.finished = gr.HTML(elem_id="finished")
        self.picture = gr.Image(
            label="Last finished frame",
            show_label=False,
            interactive=False,
            visible=False,
            height=420,
            buttons=["fullscreen"],
            elem_id="last",
        )
        self.caption = gr.Markdown(_NOTHING, elem_id="caption")
        with gr.Row():
            self.loss = _plot("loss", "Loss", "loss")
            self.seconds = _plot("seconds", "Seconds per frame", "seconds")
            self.warp = _plot("error", "Warping error, of 255", "warp")
        with gr.Accordion("Its command line", open=False):
            self.command = gr.Code(language="shell", show_label=False, lines=1, wrap_lines=True, elem_id="job-command")
        with gr.Accordion("Throw it away", open=False):
            self.surely = gr.Checkbox(label="Yes, throw away its painted frames; a finished output stays")
            self.discard = gr.Button("Throw away", variant="stop", elem_id="discard")

    def _listen(self) -> None:
        refresh = {"inputs": [self.choice, self.shown], "outputs": self.outputs, "show_progress": "hidden"}
        self.timer.tick(self.refresh, **refresh)
        self.choice.input(self.refresh, **refresh)
        for button, act in (
            (self.pause, self._renders.pause),
            (self.go_on, self._renders.go_on),
            (self.stop, self._renders.stop),
        ):
            button.click(_acting(act), [self.choice], None, show_progress="hidden").then(self.refresh, **refresh)
        self.discard.click(self._discard, [self.choice, self.surely], [self.surely]).then(self.refresh, **refresh)

    def _discard(self, name: str | None, surely: bool) -> bool:
        if not surely:
            gr.Warning(plain("Tick the box above first: the painted frames will be removed."))
        elif name:
            _acting(self._renders.discard)(name)
            with self._lock:
                if (watch := self._watches.pop(name, None)) is not None:
                    watch.close()
                self._histories.pop(name, None)
        return False

    # -- what is shown -------------------------------------------------------------------------

    def refresh(self, name: str | None, shown: dict[str, Any]) -> list[Any]:
        """Returns updates for whatever has changed on the tab since `shown` was sent to this visitor."""
        jobs = self._renders.jobs()
        names = [job.name for job in jobs]
        chosen = next((job for job in jobs if job.name == name), jobs[0] if jobs else None)
        now: dict[str, Any] = {
            "cards": cards(jobs),
            "choice": ([(choice(job), job.name) for job in jobs], chosen.name if chosen else None),
            "buttons": chosen.phase if chosen else "",
            "command": chosen.command if chosen else "",
            "finished": self._finished(chosen) if chosen else "",
            "history": self._history(chosen) if chosen else (),
            "warp": self._warp_errors(chosen) if chosen else [],
            "frame": (chosen.name, chosen.status.done) if chosen and chosen.status else None,
        }
        is_new = {key for key, value in now.items() if key not in shown or shown[key] != value}
        with self._lock:
            for gone in set(self._watches) - set(names):
                self._watches.pop(gone).close()
                self._histories.pop(gone, None)
        return [now, *self._updates(chosen, now, is_new)]

    def _updates(self, job: Job | None, now: dict[str, Any], is_new: set[str]) -> list[Any]:
        choices, name = now["choice"]
        picture, caption = gr.skip(), gr.skip()
        if is_new & {"frame", "buttons", "choice"}:
            picture, caption = self._picture(job)
        losses, seconds = history_points(now["history"])
        phase = now["buttons"]
        return [
            now["cards"] if "cards" in is_new else gr.skip(),
            gr.update(choices=choices, value=name) if "choice" in is_new else gr.skip(),
            picture,
            caption,
            now["finished"] if "finished" in is_new else gr.skip(),
            pd.DataFrame(losses) if "history" in is_new else gr.skip(),
            pd.DataFrame(seconds) if "history" in is_new else gr.skip(),
            pd.DataFrame(points(now["warp"], "error")) if "warp" in is_new else gr.skip(),
            now["command"] if "command" in is_new else gr.skip(),
            gr.update(interactive=phase in (RUNNING, WAITING)),
            gr.update(interactive=phase in (PAUSED, STOPPED, FAILED)),
            gr.update(interactive=phase in (RUNNING, WAITING, PAUSED)),
        ]

    def _path(self, job: Job) -> Any:
        return self._folder.path / job.name

    def _picture(self, job: Job | None) -> tuple[Any, str]:
        if job is None:
            return gr.update(value=None, visible=False), _NOTHING
        if job.status is None or job.phase == FINISHED:
            return gr.update(value=None, visible=False), ""
        try:
            found = vidstyle.job_picture(self._path(job))
        except vidstyle.VidstyleError:
            found = None
        if found is None:
            return gr.skip(), ""
        position, image = found
        return gr.update(value=image, visible=True), f"Last finished frame: {position + 1:,} of {job.status.total:,}"

    def _history(self, job: Job) -> tuple[vidstyle.FrameRecord, ...]:
        """Returns the records of a render's frames; for a very long render, they are read less often."""
        read_again, records = self._histories.get(job.name, (0.0, ()))
        if (started := time.monotonic()) >= read_again:
            newest = vidstyle.job_history(self._path(job))
            records = records if newest == records else newest
            took_s = time.monotonic() - started
            self._histories[job.name] = started + _READING_SHARE * took_s, records
        return records

    def _warp_errors(self, job: Job) -> list[tuple[int, float]]:
        """Measures some more frames of a render, and returns all warping errors measured so far."""
        with self._lock:
            if job.name not in self._watches:
                try:
                    self._watches[job.name] = vidstyle.WarpErrorWatch(self._path(job))
                except vidstyle.VidstyleError:
                    return []
            watch = self._watches[job.name]
            watch.update(_MEASURING_S)
            return [(frame, error) for frame, error in watch.errors if error == error]

    def _finished(self, job: Job) -> str:
        if job.phase != FINISHED:
            return ""
        if not self._path(job).is_file():
            return f"<p>Its frames are in {html.escape(job.name)}, in the folder.</p>"
        source, suffix = f"download/{quote(job.name)}", self._path(job).suffix.lower()
        shown = ""
        if suffix in _PLAYED:
            shown = f'<video src="{source}" controls loop muted preload="metadata"></video>'
        elif suffix in _PICTURED:
            shown = f'<img src="{source}" alt="{html.escape(job.name)}">'
        return shown + download(job)


def _acting(act: Any) -> Any:
    def acted(name: str | None) -> None:
        try:
            if name:
                act(name)
        except RefusedError as error:
            gr.Warning(plain(error))

    return acted


def _plot(y: str, title: str, elem_id: str) -> Any:
    return gr.LinePlot(
        pd.DataFrame({"frame": [], y: []}),
        x="frame",
        y=y,
        title=title,
        y_title=" ",
        x_axis_format="d",
        height=220,
        elem_id=elem_id,
    )
