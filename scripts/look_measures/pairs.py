"""The pairs of photo and painting that looks are compared on.

Every photo is there, every painting twice, and the first eight pairs have one or more of every class. Classes are what
the eye sees first. Of photos: `face` of a person or statue; `animal`; `night`; `building`; `flat` sky, water or sail
over most of it; `things`, plants and people. Of paintings: `strokes` that can be seen one by one; `flat` areas of one
color; `ink`, dark lines that draw; `blank`, a fifth or more of it without anything to see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple


class Pair(NamedTuple):
    """A photo, the painting in whose style it is painted, and what they are examples of."""

    photo: str
    painting: str
    photo_class: str
    painting_class: str

    def files(self, images: Path) -> tuple[Path, Path]:
        """Returns photo and painting in the folder of both."""
        return images / "photos" / self.photo, images / "paintings" / self.painting


PHOTO_CLASSES = ("face", "animal", "night", "building", "flat", "things")
PAINTING_CLASSES = ("strokes", "flat", "ink", "blank")
PAIRS = (
    Pair("kodim17.png", "starry_night_van_gogh.jpg", "face", "strokes"),
    Pair("chelsea_cat_odd451.png", "wheat_field_van_gogh.jpg", "animal", "strokes"),
    Pair("rocket.jpg", "seated_nude_picasso.jpg", "night", "blank"),
    Pair("taj_mahal.jpg", "edtaonisl_picabia.jpg", "building", "flat"),
    Pair("kodim10.png", "self_portrait_picasso_1907.jpg", "flat", "ink"),
    Pair("kodim07.png", "olive_trees_van_gogh.jpg", "things", "strokes"),
    Pair("kodim12.png", "cherry_sakai_hoitsu.jpg", "flat", "blank"),
    Pair("kodim24.png", "composition_vii_kandinsky.jpg", "building", "ink"),
    Pair("kodim18.png", "self_portrait_picasso_1907.jpg", "face", "ink"),
    Pair("lion.jpg", "composition_vii_kandinsky.jpg", "animal", "ink"),
    Pair("hoover_tower_night.jpg", "night_cafe_van_gogh.jpg", "night", "strokes"),
    Pair("golden_gate.jpg", "the_scream_munch.jpg", "building", "strokes"),
    Pair("kodim06.png", "tahiti_gauguin.jpg", "flat", "flat"),
    Pair("kodim03.png", "woman_with_hat_matisse.jpg", "things", "strokes"),
    Pair("mdn_elephant.jpg", "shipwreck_turner.jpg", "animal", "blank"),
    Pair("kodim22.png", "houses_van_gogh.jpg", "building", "strokes"),
    Pair("kodim17.png", "cherry_sakai_hoitsu.jpg", "face", "blank"),
    Pair("mdn_hummingbird.jpg", "tahiti_gauguin.jpg", "animal", "flat"),
    Pair("tubingen.jpg", "starry_night_van_gogh.jpg", "building", "strokes"),
    Pair("mdn_balloons-landscape.jpg", "wheat_field_van_gogh.jpg", "flat", "strokes"),
    Pair("kodim02.png", "night_cafe_van_gogh.jpg", "things", "strokes"),
    Pair("kodim08.png", "seated_nude_picasso.jpg", "building", "blank"),
    Pair("kodim09.png", "olive_trees_van_gogh.jpg", "flat", "strokes"),
    Pair("mdn_surfer.jpg", "self_portrait_van_gogh.jpg", "things", "strokes"),
    Pair("kodim18.png", "edtaonisl_picabia.jpg", "face", "flat"),
    Pair("mdn_leopard.jpg", "self_portrait_van_gogh.jpg", "animal", "strokes"),
    Pair("kodim19.png", "parliament_monet.jpg", "building", "strokes"),
    Pair("kodim16.png", "houses_van_gogh.jpg", "flat", "strokes"),
    Pair("kodim14.png", "parliament_monet.jpg", "things", "strokes"),
    Pair("kodim21.png", "shipwreck_turner.jpg", "building", "blank"),
    Pair("kodim01.png", "woman_with_hat_matisse.jpg", "building", "strokes"),
    Pair("kodim11.png", "the_scream_munch.jpg", "things", "strokes"),
)


def numbered(number: int) -> Pair:
    """Returns a pair by its number, from 1."""
    return PAIRS[number - 1]


def picture_path(folder: Path, number: int) -> Path:
    """Returns where a folder has what was painted of a pair."""
    return folder / f"{number:02d}.png"


def common_numbers(folders: Sequence[Path], only: Iterable[int] | None) -> list[int]:
    """Returns the pairs that all folders have a picture of, of those that are asked for."""
    asked = sorted(set(only or range(1, len(PAIRS) + 1)))
    numbers = [number for number in asked if all(picture_path(folder, number).is_file() for folder in folders)]
    if not numbers:
        raise SystemExit(f"benchmark_look: no such pair is in all of {', '.join(map(str, folders))}; render it first")
    return numbers


def short_names(folders: Sequence[Path]) -> list[str]:
    """Returns what to call folders: their names, or whole paths where two have the same."""
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def by_class(numbers: Sequence[int]) -> dict[str, list[int]]:
    """Returns the numbers of all pairs, and of those in each class, by what to call them."""
    groups = {"all": list(numbers)}
    for name in PHOTO_CLASSES:
        groups[f"photo: {name}"] = [number for number in numbers if numbered(number).photo_class == name]
    for name in PAINTING_CLASSES:
        groups[f"painting: {name}"] = [number for number in numbers if numbered(number).painting_class == name]
    return {name: group for name, group in groups.items() if group}
