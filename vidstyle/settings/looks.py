"""What frames are to look like, as settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidstyle.errors import SettingsError
from vidstyle.settings.values import parse_crop, parse_style_at, setting


@dataclass(frozen=True, kw_only=True)
class LookSettings:
    """Those of the settings that say what frames are to look like, beside the weights of the losses."""

    strength: float = setting(
        1.0,
        "how strongly frames are painted, from 0, the content as it is, to 1: at 0.25 strokes lie on a "
        "photograph, at 0.5 it is a painting that still has its colors and small things",
        parse=float,
        low=0,
        high=1,
        metavar="SHARE",
    )
    style_blend: tuple[float, ...] = setting(
        (),
        "what each of several styles counts, as 0.7 0.3; all alike if not given",
        parse=float,
        low=0,
        high=1e9,
        metavar="W",
        many=True,
    )
    style_size: float = setting(
        1.0,
        "size of the brush strokes, 0.1 to 4: 1 is that of the style if it were as large as the frame, 0.5 finer, 2 "
        "coarser; they keep their share of the frame at any --size",
        parse=float,
        low=0.1,
        high=4,
        metavar="FACTOR",
    )
    style_crop: tuple[float, float, float, float] = setting(
        (0.0, 0.0, 1.0, 1.0),
        "which part of the style counts: left, top, width and height in shares of the picture, as 0.5,0,0.5,1 for its "
        "right half; brush strokes stay as large",
        parse=parse_crop,
        low=0,
        high=1,
        metavar="X,Y,W,H",
    )
    style_at: tuple[str, ...] = setting(
        (),
        "styles that follow each other, instead of --style, as 0:a.jpg 12.5s:b.jpg, each with the time (12.5s, 1:02.5) "
        "at which it is reached, or all with frame numbers; 0 is both; in between they fade into each other, unless "
        "one is named twice",
        parse=parse_style_at,
        metavar="TIME:STYLE",
        many=True,
        paints=False,
    )
    color: str = setting(
        "style",
        "whose colors: the style's, the content's ('content': only luminance is painted), or the style's with the "
        "palette that the first frame of the shot has ('match')",
        parse=str,
        choices=("style", "content", "match"),
    )
    keyframes: Path | None = setting(
        None,
        "strength, style-blend or content-weight over time: .csv with a line 'time,setting,value' each, or .json with "
        "a list of objects of these; linear in between, steady before the first and after the last",
        parse=Path,
        metavar="FILE",
        paints=False,
    )

    def check_look(self, *weights: float) -> None:
        """Makes sure that the look's settings do not contradict each other.

        Args:
            weights: of the losses.

        Raises:
            SettingsError: they do, or all weights are 0.
        """
        if not any(weights):
            raise SettingsError("content_weight, style_weight and tv_weight are all 0; give one of them some weight")
        left, top, width, height = self.style_crop
        if not width or not height or max(left + width, top + height) > 1 + 1e-9:
            shown = ",".join(f"{share:g}" for share in self.style_crop)
            raise SettingsError(f"style_crop {shown} reaches out of the picture, or leaves nothing of it")
        if self.style_blend and not any(self.style_blend):
            raise SettingsError("style_blend is all 0; give one style at least some weight")
        if self.style_blend and self.style_at:
            raise SettingsError("style_blend and style_at both say what styles count; leave one out")
