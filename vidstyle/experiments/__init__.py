"""The experiments that neural style transfer came with (Gatys et al. 2015, 2016), as functions and as a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidstyle import looked_up_in

if TYPE_CHECKING:
    from vidstyle.experiments.filters import feature_maps
    from vidstyle.experiments.normalizing import normalization, normalized
    from vidstyle.experiments.panels import Panel, Sheet, check_target, write_sheet
    from vidstyle.experiments.reconstructions import content_reconstruction, style_reconstruction
    from vidstyle.experiments.transfers import content_layers, progress, starting_points, trade_off

__all__ = [
    "Panel",
    "Sheet",
    "check_target",
    "content_layers",
    "content_reconstruction",
    "feature_maps",
    "normalization",
    "normalized",
    "progress",
    "starting_points",
    "style_reconstruction",
    "trade_off",
    "write_sheet",
]

# Looked up when first used, since they import torch: help and errors of usage answer at once.
_LATER = {
    "Panel": "panels",
    "Sheet": "panels",
    "check_target": "panels",
    "content_layers": "transfers",
    "content_reconstruction": "reconstructions",
    "feature_maps": "filters",
    "normalization": "normalizing",
    "normalized": "normalizing",
    "progress": "transfers",
    "starting_points": "transfers",
    "style_reconstruction": "reconstructions",
    "trade_off": "transfers",
    "write_sheet": "panels",
}


__getattr__ = looked_up_in(__name__, _LATER)


def __dir__() -> list[str]:
    return list(__all__)
