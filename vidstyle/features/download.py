"""VGG-19's weights from torchvision's published address, trimmed to the convolutions, in the user's cache."""

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

import torch
from safetensors.torch import save_file

from vidstyle.errors import WeightsError
from vidstyle.features.vgg19 import LAYER_TABLE, weight_shapes
from vidstyle.features.weights import LARGEST_FILE_BYTES, read_weights
from vidstyle.files import cache_folder, written_whole

# torchvision's documentation of VGG19_Weights.IMAGENET1K_V1; the name ends in the first eight digits
# of the file's SHA-256, which is torch.hub's convention.
VGG19_URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
CHUNK_BYTES, TIMEOUT_S = 1 << 20, 30

OnDownload = Callable[[int, int | None], None]


def vgg19_weights(on_download: OnDownload | None = None, url: str = VGG19_URL) -> Path:
    """Returns the cached file of VGG-19's convolutions (safetensors), fetching it the first time.

    Args:
        on_download: called with the bytes done and the bytes in all, None where the server is silent.

    Raises:
        WeightsError: it is not in the cache and cannot be fetched, or is not what was published.
    """
    target = cache_folder() / "vgg19-convolutions.safetensors"
    if target.is_file():
        return target
    downloaded = target.with_name(f".{url.rsplit('/', 1)[-1]}.part{os.getpid()}.pth")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, downloaded, on_download)
        state = read_weights(downloaded, weight_shapes(tuple(LAYER_TABLE)[-1]))
        with written_whole(target) as part:
            save_file({name: tensor.to(torch.float32).contiguous() for name, tensor in state.items()}, part)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        reason = getattr(error, "reason", error)
        raise WeightsError(
            f"VGG-19's weights cannot be fetched ({reason}): download {url} elsewhere and give it with "
            "--weights FILE, or use --network compact, which needs no download"
        ) from error
    except OSError as error:
        if isinstance(error, WeightsError):
            raise
        reason = error.strerror or error
        raise WeightsError(
            f"{target.parent}: cannot keep VGG-19's weights there ({reason}); make room, or set VIDSTYLE_CACHE"
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
    published = url.rsplit("-", 1)[-1].removesuffix(".pth")
    if not digest.hexdigest().startswith(published):
        raise WeightsError(
            f"{url}: what arrived is not the published file (its SHA-256 begins {digest.hexdigest()[:8]}, "
            f"not {published}); try again, or give a file with --weights"
        )
