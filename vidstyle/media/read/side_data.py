"""What decoders attach to pictures."""

from __future__ import annotations

import av
from av.sidedata.sidedata import SideData


def side_data_of(av_frame: av.VideoFrame, name: str) -> bytes | None:
    """Returns the bytes of one kind of side data, by PyAV's name of it, as FFmpeg's structures lie in memory."""
    try:
        found = av_frame.side_data.get(name)
    except ValueError:  # beside it lies a kind that this PyAV has no name for
        return None
    return bytes(found) if isinstance(found, SideData) else None
