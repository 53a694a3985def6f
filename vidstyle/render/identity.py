"""What makes two renders the same one: settings that change frames, files by their content, and where it is painted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av

from vidstyle.job.entry import check_unchanged
from vidstyle.job.fingerprints import file_fingerprint, look_fingerprints, mask_fingerprints, source_fingerprint
from vidstyle.job.manifest import Identity, read_manifest
from vidstyle.render.request import Request
from vidstyle.settings.words import moments_of, painting_flags


def identity_of(request: Request, weights: Callable[[], tuple[str, str]], path: Path | None = None) -> Identity:
    """Returns what a render is.

    Args:
        weights: returns name and digest of the network's weights, which may have to be fetched.
        path: of a job folder to go on with; whatever can be is compared with it before weights are fetched.

    Raises:
        JobChangedError: the job folder is of another render. VidstyleError: a file cannot be read.
    """
    settings = request.settings
    has_list = settings.cuts not in ("auto", "off")
    flags = painting_flags(settings) | {"--cuts": "FILE" if has_list else settings.cuts}
    flags["--style-at"] = moments_of(settings)
    folder = "folder" if request.suffix == ".png" else f"folder of {request.suffix}"
    place = {
        "device": request.device.type,
        "precision": request.precision,
        "kind of output": request.output.suffix.lower() if request.kind != "frames" else folder,
        "frame size": f"{request.width}x{request.height}",
    }
    if request.kind == "video":
        # Pieces encoded by different releases cannot be joined for certain.
        place["PyAV"] = av.__version__
    if path is not None:
        manifest = read_manifest(path)
        check_unchanged(path, manifest, Identity(flags, manifest.identity.files, place))
    fetched = weights()
    along = read_along(request)
    files = {"input": along["input"], **look_fingerprints(request.styles, settings), "weights": fetched, **along}
    if has_list:
        files["cuts"] = file_fingerprint(Path(settings.cuts))
    return Identity(flags, files, place)


def read_along(request: Request) -> dict[str, tuple[str, str]]:
    """Returns name and digest of what is read frame by frame; the rest is read once."""
    return {"input": source_fingerprint(request.source), **mask_fingerprints(request.settings)}
