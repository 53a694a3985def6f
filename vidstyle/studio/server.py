"""The web application: the page, downloads of finished renders, and the guard before both."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vidstyle.studio.folder import Folder, RefusedError
from vidstyle.studio.guard import DEFAULT_HOST, LOOPBACK, Guard
from vidstyle.studio.looks import Previews
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
    """Yields the studio of a folder as an ASGI application; renders go on when it ends.

    Raises:
        RefusedError: there is no such folder, or another studio is at work in it.
    """
    place = Folder(folder)
    with Renders(place) as renders, Uploads(largest_upload_bytes) as uploads:
        # Gradio reads these when it is imported, and for uploads.
        os.environ["GRADIO_TEMP_DIR"] = str(uploads.received)
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        previews = Previews(place, uploads)
        threading.Thread(target=previews.warm_up, name="vidstyle-warm-up", daemon=True).start()
        try:
            yield Guard(
                _mounted(previews, renders, largest_upload_bytes),
                largest_bytes=largest_upload_bytes,
                hosts=LOOPBACK if host in LOOPBACK else None,
                password=password,
            )
        finally:
            previews.close()


def _mounted(previews: Previews, renders: Renders, largest_upload_bytes: int) -> Any:
    import fastapi
    import gradio

    from vidstyle.studio.page import STYLE, build_page, theme

    web = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    def download(name: str) -> Any:
        try:
            job, path = renders.job(name), previews.folder.output(name)
        except RefusedError:
            return fastapi.Response("There is no such render.", 404)
        if job.phase != FINISHED or not path.is_file() or not previews.folder.holds(path):
            return fastapi.Response("It is not finished.", 404)
        return fastapi.responses.FileResponse(path, filename=name)

    web.add_api_route("/download/{name}", download, methods=["GET", "HEAD"])
    page = build_page(previews, renders)
    # Files in the folder are served by this module alone, not by Gradio's own route to files.
    blocked = [str(previews.folder.path)]
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
