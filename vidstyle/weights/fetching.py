"""Published weights, fetched once into the user's cache, checked, and trimmed to what is used."""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from safetensors.torch import save_file

from vidstyle.errors import WeightsError
from vidstyle.files import cache_folder, written_whole
from vidstyle.method.weights import PublishedWeights, Shapes
from vidstyle.weights.reading import LARGEST_FILE_BYTES, read_weights

CHUNK_BYTES, TIMEOUT_S = 1 << 20, 30

OnDownload = Callable[[int, int | None], None]


def is_fetched(published: PublishedWeights) -> bool:
    """Tells whether the file is in the cache."""
    return (cache_folder() / published.name).is_file()


def fetched(published: PublishedWeights, shapes: Shapes, on_download: OnDownload | None = None) -> Path:
    """Returns the cached file of the tensors named in `shapes` (safetensors), fetching it the first time.

    Args:
        on_download: called with the bytes done and the bytes in all, None where the server is silent.

    Raises:
        WeightsError: it is not in the cache and cannot be fetched, or is not what was published.
    """
    target, url = cache_folder() / published.name, published.url
    if target.is_file():
        return target
    downloaded = target.with_name(f".{url.rsplit('/', 1)[-1]}.part{os.getpid()}.pth")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, downloaded, on_download)
        state = read_weights(downloaded, shapes)
        with written_whole(target) as part:
            save_file(state, part)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        reason = getattr(error, "reason", error)
        remedy = published.remedy.format(url=url)
        raise WeightsError(f"{published.owner} cannot be fetched ({reason}): {remedy}") from error
    except OSError as error:
        if isinstance(error, WeightsError):
            raise
        reason = error.strerror or error
        raise WeightsError(
            f"{target.parent}: cannot keep {published.owner} there ({reason}); make room, or set VIDSTYLE_CACHE"
        ) from error
    finally:
        with suppress(OSError):
            downloaded.unlink()
    return target


def _fetch(url: str, target: Path, on_download: OnDownload | None) -> None:
    digest, done = hashlib.sha256(), 0
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer, target.open("wb") as file:
        length = answer.headers.get("Content-Length")
        total = int(length) if length else None
        while chunk := answer.read(CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
            done += len(chunk)
            if done > LARGEST_FILE_BYTES:
                raise WeightsError(f"{url}: the answer is larger than the published file; try again later")
            if on_download is not None:
                on_download(done, total)
    name = url.rsplit("-", 1)[-1].removesuffix(".pth")
    if not digest.hexdigest().startswith(name):
        raise WeightsError(
            f"{url}: what arrived is not the published file (its SHA-256 begins {digest.hexdigest()[:8]}, "
            f"not {name}); try again later"
        )
