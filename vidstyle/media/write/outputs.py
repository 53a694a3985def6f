"""`check_output()`: every reason why an output cannot be written is found before anything is created."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from vidstyle.errors import OutputError, SourceError
from vidstyle.files import check_writable
from vidstyle.frames import ClipInfo
from vidstyle.media.containers import VIDEO_SUFFIXES
from vidstyle.media.read.frame_folder import is_pattern, pattern_files
from vidstyle.media.stills.images import ALPHA_SUFFIXES, IMAGE_SUFFIXES, is_image_name
from vidstyle.media.timestamps import TIMESTAMPS_NAME
from vidstyle.media.write.codecs import EncodeOptions, choose_encoding

# Pictures that may be animated: with one frame they are stills.
_EITHER = frozenset(VIDEO_SUFFIXES) & frozenset(IMAGE_SUFFIXES)


def output_kind(path_as_given: str, info: ClipInfo | None = None) -> str:
    """Returns "frames" for a folder (it exists, or ends in a separator), else "video" or "still" by suffix.

    A `.webp` is a still where the source `info` has one frame for certain, or is not given.

    Raises:
        OutputError: the suffix is none that can be written.
    """
    if path_as_given.endswith(("/", os.sep)):
        return "frames"
    path = Path(path_as_given)
    if path.is_dir():
        return "frames"
    suffix = path.suffix.lower()
    if suffix in _EITHER and (info is None or _frame_count(info) == 1):
        return "still"
    if suffix in VIDEO_SUFFIXES:
        return "video"
    if suffix in IMAGE_SUFFIXES:
        return "still"
    raise OutputError(
        f"{path_as_given}: unknown kind of output; end it in {', '.join(VIDEO_SUFFIXES)} for a video, in "
        f"{', '.join(IMAGE_SUFFIXES)} for a picture, or in / for a folder of frames"
    )


def check_encoding(output: Path, kind: str, info: ClipInfo, encode_options: EncodeOptions) -> bool:
    """Makes sure that frames can be encoded as the options ask, and returns whether their sides must be even.

    Args:
        output, kind, info: as for `check_output`.

    Raises:
        OutputError: they cannot, the encoder is not there, or an option is set that only a video has.
    """
    if kind == "video":
        return choose_encoding(output, encode_options, info.bit_depth).needs_even_sides
    if encode_options != EncodeOptions():
        what = "a folder of frames" if kind == "frames" else "a picture"
        raise OutputError(
            f"{output}: {what} has no --codec, --pix-fmt, --bit-depth, --crf or --preset; leave them out, or end the "
            f"output in {', '.join(VIDEO_SUFFIXES)}"
        )
    return False


def holds_alpha(output: Path, kind: str, frame_suffix: str) -> bool:
    """Tells whether an output keeps transparency: pictures do, if their format can; videos do not."""
    return kind != "video" and (frame_suffix if kind == "frames" else output.suffix.lower()) in ALPHA_SUFFIXES


def transparency_notes(output: Path, kind: str, frame_suffix: str, is_transparent: bool) -> list[str]:
    """Returns a note where the source is transparent and the output cannot be."""
    if not is_transparent or holds_alpha(output, kind, frame_suffix):
        return []
    return [f"{output}: holds no transparency; what is transparent is shown over white"]


def check_output(output: Path, kind: str, info: ClipInfo, *, overwrite: bool) -> None:
    """Finds every reason why an output cannot be written, before anything is created.

    Args:
        output: file or folder. kind: "video", "frames" or "still", as `output_kind()` says.
        info: of the source. overwrite: whether an existing output may be replaced.

    Raises:
        OutputError: the output exists, is the input, cannot be written there, or cannot hold the frames.
        ValueError: an unknown kind.
    """
    if kind not in ("video", "frames", "still"):
        raise ValueError(f"kind must be video, frames or still, not {kind!r}")
    if "\0" in str(output):
        raise OutputError(f"{str(output)!r}: not a path; choose another output")
    try:
        if kind == "frames":
            _check_folder(output, info, overwrite)
        else:
            _check_file(output, kind, info, overwrite)
    except OutputError:
        raise
    except (OSError, ValueError) as error:
        raise OutputError(f"{output}: not a path that can be written ({error}); choose another") from error
    if kind == "still":
        _check_single(output, info)


def _check_file(output: Path, kind: str, info: ClipInfo, overwrite: bool) -> None:
    suffixes = VIDEO_SUFFIXES if kind == "video" else IMAGE_SUFFIXES
    if output.suffix.lower() not in suffixes:
        raise OutputError(f"{output}: unknown suffix for a {kind}; use one of {', '.join(suffixes)}")
    if output.is_dir():
        raise OutputError(f"{output}: is a folder; give a file name, or end it in / for a folder of frames")
    if output.exists():
        if _is_input(output, info):
            raise OutputError(f"{output}: is the input itself; choose another output")
        if not overwrite:
            raise OutputError(f"{output}: exists already; choose another output or use --overwrite")
    check_writable(output.parent)


def _check_folder(output: Path, info: ClipInfo, overwrite: bool) -> None:
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output}: is a file, not a folder; choose another output")
    if _holds_input(output, info):
        raise OutputError(f"{output}: the input lies in this folder; choose another output")
    if not output.exists():
        check_writable(output.resolve().parent)
        return
    check_writable(output)
    present = sorted(p.name for p in output.iterdir() if is_image_name(p) or p.name == TIMESTAMPS_NAME)
    if present and not overwrite:
        raise OutputError(f"{output}: holds frames already ({present[0]}); choose another output or use --overwrite")


def _holds_input(folder: Path, info: ClipInfo) -> bool:
    """Tells whether the input lies in `folder`, where stylized frames and inputs would mix."""
    target = folder.resolve()
    source = info.path.resolve()
    inputs = source if info.kind == "frames" and source.is_dir() else source.parent
    with suppress(ValueError):
        inputs.relative_to(target)
        return True
    return False


def _is_input(output: Path, info: ClipInfo) -> bool:
    """Tells whether an existing file is the input or one of its frames, by whatever name."""
    if info.path.is_file():
        return output.samefile(info.path)
    folder = info.path if info.path.is_dir() else info.path.parent
    return is_image_name(output) and output.resolve().parent.samefile(folder)


def _frame_count(info: ClipInfo) -> int | None:
    """Returns how many frames will come, from the source's count or else from the range, or None."""
    asked = None if info.range_stop is None else info.range_stop - info.range_start
    return info.frame_count if info.frame_count is not None else asked


def _check_single(output: Path, info: ClipInfo) -> None:
    """A still takes one frame."""
    count = _frame_count(info)
    if count != 1:
        have = "an unknown number of" if count is None else str(count)
        raise OutputError(
            f"{output}: holds one frame, but there are {have}; choose one with --frames N:N+1, or end the output in /"
        )


def check_overwrites_no_input(output: Path, read: Iterable[tuple[Path, str]], *, is_folder: bool = False) -> None:
    """Makes sure that writing an output changes nothing that is read, whatever it may overwrite.

    Args:
        read: files, folders and patterns, each with what it is there for, in words for messages.
        is_folder: whether frames are written into it, under names not known yet.

    Raises:
        OutputError: it would.
    """
    for path, what in read:
        if _is_same(output, path):
            raise OutputError(f"{output}: is {what} itself; choose another output")
        files = _pattern_files(path)
        if is_folder:
            is_like_a_frame = is_image_name(path) or path.name == TIMESTAMPS_NAME
            if is_like_a_frame and (files or path.is_file()) and _is_same(output, path.parent):
                raise OutputError(f"{output}: {what} lies in this folder ({path.name}); choose another output")
        elif is_image_name(output) and (
            (path.is_dir() and _is_same(output.parent, path)) or any(_is_same(output, file) for file in files)
        ):
            raise OutputError(f"{output}: lies among the pictures of {what} ({path}); choose another output")


def _pattern_files(path: Path) -> list[Path]:
    with suppress(SourceError):
        return pattern_files(path) if is_pattern(path) and not path.is_file() else []
    return []


def _is_same(one: Path, other: Path) -> bool:
    """Tells whether both are there and one file or folder, by whatever names."""
    with suppress(OSError, ValueError):
        return one.samefile(other)
    return False
