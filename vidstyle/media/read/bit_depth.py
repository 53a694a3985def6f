"""How many bits per channel an input has, which its frames, 8 bits all of them, no longer tell."""

from __future__ import annotations

from pathlib import Path

import av

from vidstyle.media.opening import media_url

_USUAL_BITS = 8


def stored_bits(path: Path, stream: int | None = None) -> int:
    """Returns the bits per channel of a video's or picture's stream as stored; 8 where FFmpeg cannot tell.

    Args:
        stream: index among all streams of the file; None for the first that has pictures.
    """
    try:
        with av.open(media_url(path), mode="r", metadata_errors="replace") as container:
            video = next(s for s in container.streams.video if stream in (None, s.index))
            form = video.codec_context.format
            return _USUAL_BITS if form is None else max(_USUAL_BITS, *(part.bits for part in form.components))
    except (av.FFmpegError, ValueError, OSError, StopIteration, AttributeError):
        return _USUAL_BITS  # whatever is wrong with it, its reader has said or will say
