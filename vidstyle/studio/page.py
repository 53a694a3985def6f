"""The whole page: two tabs, colors and fonts."""

from __future__ import annotations

from typing import Any

import gradio as gr

from vidstyle.studio.look_page import LookPage
from vidstyle.studio.looks import Previews
from vidstyle.studio.render_page import RenderPage
from vidstyle.studio.renders import Renders

TITLE = "vidstyle studio"
# Fonts of the system; Gradio would fetch others from the network.
_FONT, _MONOSPACED = ("system-ui", "sans-serif"), ("ui-monospace", "monospace")
STYLE = """
.gradio-container { max-width: 1500px !important; }
#title h1 { font-weight: 600; margin: 0; }
#message { min-height: 1.6em; }
.drop { min-height: 0 !important; border: 1px dashed var(--neutral-400) !important; border-radius: 8px; }
.drop button, .drop .wrap { min-height: 0 !important; }
.drop .wrap { font-size: 0 !important; padding: 0 !important; }
.drop .wrap * { display: none; }
.drop .wrap::after { content: "Drop a file here, or click"; font-size: var(--text-sm); }
.job { border: 1px solid var(--border-color-primary); border-radius: 8px; padding: 10px 12px; margin-bottom: 8px;
  background: var(--background-fill-secondary); }
.job .name { font-weight: 600; overflow-wrap: anywhere; }
.job .bar { height: 8px; border-radius: 4px; background: var(--border-color-primary); overflow: hidden; margin: 6px 0; }
.job .bar div { height: 100%; background: var(--color-accent); }
.job.finished .bar div { background: #16a34a; }
.job.failed .bar div { background: #dc2626; }
.job .facts, .none { font-size: 0.9em; color: var(--body-text-color-subdued); overflow-wrap: anywhere; }
#finished video, #finished img { width: 100%; max-height: 420px; border-radius: 8px; background: #000; }
#finished a.download { display: inline-block; margin: 8px 0; padding: 8px 16px; border-radius: 8px;
  background: var(--color-accent); color: white; text-decoration: none; font-weight: 600; }
#last img { width: 100%; height: 100%; object-fit: contain; }
#forecast-text textarea { font-family: ui-monospace, monospace; font-size: var(--text-sm); }
#finished .notes { font-size: 0.9em; color: var(--body-text-color-subdued); }
"""


def theme() -> Any:
    """Returns colors and fonts, none of which is fetched from the network."""
    colors = gr.themes.Soft(primary_hue="amber", neutral_hue="stone", font=_FONT, font_mono=_MONOSPACED)
    return colors.set(
        block_title_background_fill="none",
        block_title_padding="0",
        block_title_text_color="*body_text_color",
        block_label_background_fill="*block_background_fill",
        block_label_text_color="*body_text_color",
    )


def build_page(previews: Previews, renders: Renders) -> Any:
    """Returns the page, to be mounted."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)) as page:
        gr.Markdown(f"# {TITLE}", elem_id="title")
        with gr.Tabs() as tabs:
            with gr.Tab("Look", id="look"):
                look = LookPage(previews, renders)
            with gr.Tab("Render", id="render"):
                render = RenderPage(previews.folder, renders)

        def begin(*values: Any) -> tuple[Any, Any]:
            name = look.begin(*values)
            if name is None:
                return gr.skip(), gr.skip()
            choices = [job.name for job in renders.jobs()]
            return gr.update(selected="render"), gr.update(choices=choices, value=name)

        refresh = {"inputs": [render.choice, render.shown], "outputs": render.outputs, "show_progress": "hidden"}
        started = look.start.click(begin, look.inputs, [tabs, render.choice], show_progress="hidden")
        started.then(render.refresh, **refresh)
        page.load(look.restored, [look.kept], look.controls, show_progress="hidden")
        page.load(render.refresh, **refresh)
        page.unload(look.leave)
    return page
