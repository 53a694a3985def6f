#!/usr/bin/env python3
"""Photographs the studio for README: samples/studio-look.png and samples/studio-render.png.

Takes some minutes, and needs the extra `test` and a Chromium of the system's, or one named by VIDSTYLE_BROWSER.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
WIDTH_PX, COLORS, PATIENCE_MS = 1240, 160, 600_000
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@contextmanager
def studio(folder: Path) -> Iterator[str]:
    """Yields the address of a studio of a folder."""
    words = [sys.executable, "-m", "vidstyle", "studio", str(folder), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            found = re.search(r"http://\S+", process.stdout.readline() if process.stdout else "")
            if found is None:
                sys.exit("the studio did not start")
            yield found[0]
        finally:
            process.terminate()


def choose(page: Page, where: str, name: str) -> None:
    """Chooses a name in one of the lists."""
    page.click(f"#{where} input")
    page.locator(f"[role=option][aria-label='{name}']:visible").last.click()


def photograph(page: Page, name: str) -> None:
    """Saves what is seen, with few colors so that it stays small."""
    page.mouse.move(0, 0)
    time.sleep(1)
    image = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    few = image.quantize(COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(SAMPLES / name, optimize=True)
    print(f"{SAMPLES / name}: {(SAMPLES / name).stat().st_size:,} bytes, {image.width}x{image.height}")


def photograph_all(page: Page) -> None:
    """Finds a look, starts renders of it, and photographs both tabs."""
    page.wait_for_selector("#clip input")
    choose(page, "clip", "clip.mp4")
    choose(page, "styles", "starry.jpg")
    page.keyboard.press("Escape")
    page.fill("#frame input[type=number]", "40")
    page.keyboard.press("Tab")
    page.fill("#strength input[type=number]", "0.8")
    page.keyboard.press("Tab")
    page.wait_for_selector("#message:has-text('As it will be')")
    page.click("#three")
    page.wait_for_selector("#message:has-text('Three frames as they will be')")
    page.locator("#words button").first.click()
    photograph(page, "studio-look.png")
    page.get_by_text("More", exact=True).click()
    page.fill("#size input[type=number]", "320")
    page.keyboard.press("Tab")
    page.click("#start")
    page.wait_for_selector(".job.painting")
    page.get_by_role("tab", name="Look").click()
    choose(page, "styles", "wave.jpg")
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('#output textarea, #output input').value.includes('wave')")
    page.click("#start")
    page.wait_for_selector(".job.waiting")
    choose(page, "job", "clip_starry.mp4 (painting)")
    page.wait_for_function("Number(document.querySelector('#caption').innerText.match(/: (\\d+) of/)?.[1]) >= 24")
    photograph(page, "studio-render.png")
    choose(page, "job", "clip_starry-wave.mp4 (waiting)")
    page.click("#stop")  # out of the queue
    page.wait_for_selector(".job.waiting", state="detached")
    page.click("#stop")
    page.wait_for_selector(".job.stopped")


def main() -> None:
    """Photographs a studio with the samples in it."""
    browser_path = os.environ.get("VIDSTYLE_BROWSER") or shutil.which("chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place)
        for name in ("clip.mp4", "starry.jpg", "wave.jpg", "mosaic.jpg"):
            shutil.copy(SAMPLES / name, folder)
        with studio(folder) as address, sync_playwright() as plays:
            browser = plays.chromium.launch(executable_path=browser_path, args=FLAGS)
            page = browser.new_page(viewport={"width": WIDTH_PX, "height": 860})
            page.set_default_timeout(PATIENCE_MS)
            page.goto(address)
            photograph_all(page)
            browser.close()


if __name__ == "__main__":
    main()
