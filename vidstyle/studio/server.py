"""The web server: the page, downloads of what is finished, and the guard before both."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vidstyle.studio.folder import Folder
from vidstyle.studio.guard import DEFAULT_HOST, LOOPBACK, Guard
from vidstyle.studio.looks import Looks
from vidstyle.studio.refusals import RefusedError
from vidstyle.studio.renders import FINISHED, Renders
from vidstyle.studio.uploads import Uploads

DEFAULT_PORT, DEFAULT_UPLOAD_MIB = 7860, 2048


@contextmanager
def application(
    folder: Path,
    *,
    host: str = DEFAULT_HOST,
    largest_upload_bytes: int = DEFAULT_UPLOAD_MIB << 20,
    password: str | None = None,
) -> Iterator[Any]:
    """Yields the studio of a folder as an ASGI application; renders that run go on afterwards.

    Raises:
        RefusedError: there is no such folder, or another studio is at work in it.
    """
    place = Folder(folder)
    with Renders(place) as renders, Uploads(largest_upload_bytes) as uploads:
        # Read when Gradio is imported, or an upload comes in.
        os.environ["GRADIO_TEMP_DIR"] = str(uploads.received)
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        looks = Looks(place, uploads)
        threading.Thread(target=looks.warm_up, name="vidstyle-warm-up", daemon=True).start()
        try:
            yield Guard(
                _mounted(looks, renders, largest_upload_bytes),
                largest_bytes=largest_upload_bytes,
                hosts=LOOPBACK if host in LOOPBACK else None,
                password=password,
            )
        finally:
            looks.close()


def _mounted(looks: Looks, renders: Renders, largest_upload_bytes: int) -> Any:
    import fastapi
    import gradio

    from vidstyle.studio.page import STYLE, build_page, theme

    web = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    def download(name: str) -> Any:
        try:
            job, path = renders.job(name), looks.folder.output(name)
        except RefusedError:
            return fastapi.Response("There is no such render.", 404)
        if job.phase != FINISHED or not path.is_file() or not looks.folder.holds(path):
            return fastapi.Response("It is not finished.", 404)
        return fastapi.responses.FileResponse(path, filename=name)

    web.add_api_route("/download/{name}", download, methods=["GET", "HEAD"])
    page = build_page(looks, renders)
    # What the folder holds is shown by this program alone: Gradio's own way to files is closed for it.
    blocked = [str(looks.folder.path)]
    return gradio.mount_gradio_app(
        web,
        page,
        path="/",
        footer_links=[],
        blocked_paths=blocked,
        max_file_size=largest_upload_bytes,
        ssr_mode=False,
        pwa=False,
        enable_monitoring=False,
        theme=theme(),
        css=STYLE,
    )
