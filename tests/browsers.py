"""The browser that tests look at pages with: Chromium of the system's, or one named by VIDSTYLE_BROWSER."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = os.environ.get("VIDSTYLE_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
# It asks nobody for anything of its own accord.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
