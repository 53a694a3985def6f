"""Curves over the frames of a render, as SVG that uses the colors and fonts of the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from vidstyle.errors import ReportError

Column = npt.NDArray[np.float64]

# About as wide as a phone, so that the labels are readable there; wider pages put two side by side.
_WIDTH_IN, _HEIGHT_IN, _DPI = 4.8, 2.3, 100
# More frames are divided into this many parts, of which the lowest, the highest and the mean value are drawn.
MOST_POINTS = 400
_MOST_DOTS = 40
# If the largest value is this many times the median, the scale is logarithmic.
_LOGARITHMIC_FROM = 8.0
# Placeholders that are replaced by the page's CSS variables once the curve is drawn.
_INK, _GRID, _CUT, *_LINES = "#010101", "#020202", "#030303", "#040404", "#050505"
_VARIABLES = {_INK: "--soft", _GRID: "--line", _CUT: "--cut", _LINES[0]: "--accent", _LINES[1]: "--second"}
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 10.5,
    "axes.edgecolor": _GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": _GRID,
    "grid.linewidth": 0.8,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "axes.labelcolor": _INK,
    "text.color": _INK,
    "lines.linewidth": 1.5,
    "lines.solid_joinstyle": "round",
}


@dataclass(frozen=True)
class Curve:
    """One value for each frame, NaN where there is none, and a label for the legend if there is more than one curve."""

    values: Column
    label: str = ""


def check_plotting() -> None:
    """Checks that curves can be drawn.

    Raises:
        ReportError: Matplotlib is not installed.
    """
    try:
        import matplotlib.backends.backend_svg
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ReportError(
            f"a report is drawn by Matplotlib, which cannot be loaded here ({error}); pip install 'vidstyle[report]', "
            "or leave --report out"
        ) from error


def draw_curves(curves: Sequence[Curve], cuts: Sequence[int], first: int, salt: str) -> str:
    """Returns curves as an `<svg>` element; the same values give the same bytes.

    Args:
        curves: one or two, with the same number of frames. cuts: positions to mark.
        first: number of the first frame. salt: makes ids differ from those of other curves on the page.

    Raises:
        ReportError: Matplotlib is not installed.
    """
    check_plotting()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()  # not the settings of whoever runs this
        mpl.rcParams.update(_STYLE | {"svg.hashsalt": salt})
        figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), dpi=_DPI, layout="constrained")
        axes = figure.add_subplot()
        count = len(curves[0].values)
        if len(cuts):
            marks = np.unique(np.round(np.array(cuts) * MOST_POINTS / count)) * count / MOST_POINTS
            places = cuts if len(cuts) <= MOST_POINTS else marks
            axes.vlines(
                [first + place for place in places], 0, 1, _CUT, "dashed", lw=0.9, transform=axes.get_xaxis_transform()
            )
        for curve, color in zip(curves, _LINES, strict=False):
            _draw(axes, curve, color, first)
        _scale(axes, curves)
        axes.set_xlabel("frame")
        axes.margins(x=0.015)
        if any(curve.label for curve in curves):
            figure.legend(loc="outside upper right", ncols=2, frameon=False, handlelength=1.2, borderaxespad=0)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _for_page(buffer.getvalue())


def _draw(axes: Any, curve: Curve, color: str, first: int) -> None:
    count = len(curve.values)
    if count <= MOST_POINTS:
        known = np.isfinite(curve.values)
        # Where something is known of keyframes alone, a line would be broken everywhere.
        is_sparse = bool(known.any()) and not known.all()
        chosen = known if is_sparse else np.ones_like(known)
        few = {"marker": "o", "markersize": 3.2} if is_sparse or count <= _MOST_DOTS else {}
        axes.plot(first + np.flatnonzero(chosen), curve.values[chosen], color=color, label=curve.label, **few)
        return
    positions, lowest, means, highest = envelope(curve.values, MOST_POINTS)
    axes.fill_between(first + positions, lowest, highest, color=color, alpha=0.28, linewidth=0)
    axes.plot(first + positions, means, color=color, label=curve.label)


def envelope(values: Column, parts: int) -> tuple[Column, Column, Column, Column]:
    """Divides values into parts; returns each one's middle position, lowest, mean and highest value.

    Parts without any finite value are left out.
    """
    bounds = np.linspace(0, len(values), parts + 1).round().astype(int)
    found = []
    for start, stop in pairwise(bounds):
        part = values[start:stop]
        part = part[np.isfinite(part)]
        if part.size:
            found.append(((start + stop - 1) / 2, part.min(), part.mean(), part.max()))
    positions, lowest, means, highest = np.array(found, np.float64).reshape(-1, 4).T
    return positions, lowest, means, highest


def _scale(axes: Any, curves: Sequence[Curve]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    known = np.concatenate([curve.values[np.isfinite(curve.values)] for curve in curves])
    if known.size and known.min() > 0 and known.max() > _LOGARITHMIC_FROM * np.median(known):
        axes.set_yscale("log")
        decades = np.log10(known.max() / known.min())
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2 else (1.0,), numticks=8))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _for_page(svg: str) -> str:
    """Returns the `<svg>` element alone, which grows with the page and uses its colors and fonts."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<svg[^>]*?(viewBox=\"[^\"]*\")[^>]*>", r'<svg \1 aria-hidden="true">', svg, count=1)
    svg = re.sub(r"xlink:href", "href", svg)
    svg = re.sub(r"<style.*?</style>|(?<=<g) id=\"[^\"]*\"", "", svg, flags=re.DOTALL)
    svg = re.sub(r" font-family: [^;]*;", "", svg)
    for color, variable in _VARIABLES.items():
        svg = svg.replace(color, f"var({variable})")
    return svg
