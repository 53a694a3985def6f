"""A comparison of two folders by someone who does not know which is which."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from look_measures.pages import LabeledFiles, pair_files
from look_measures.pairs import PAIRS, by_class, picture_path

# Of each pair, the folders that A and B stand for: indices, 0 or 1.
Order = dict[int, tuple[int, int]]
_ANSWER = re.compile(r"\s*([0-9]{1,4})\s*:\s*([ABab=])\s*")


def order_of(seed: int, numbers: Sequence[int]) -> Order:
    """Returns which folder is A and which is B, at random for each pair, whichever others there are."""
    chance = random.Random(seed)
    drawn = {number: chance.choice(((0, 1), (1, 0))) for number in range(1, len(PAIRS) + 1)}
    return {number: drawn[number] for number in numbers}


def blind_rows(folders: Sequence[Path], images: Path, order: Order) -> list[LabeledFiles]:
    """Returns the labels and files of each pair."""
    return [
        [
            *pair_files(images, number),
            *(
                (f"{number}: {letter}", picture_path(folders[index], number))
                for letter, index in zip("AB", both, strict=True)
            ),
        ]
        for number, both in order.items()
    ]


def write_key(path: Path, names: Sequence[str], seed: int, order: Order) -> None:
    """Writes what the looker is not to know."""
    key = {"folders": list(names), "seed": seed, "order": {str(number): both for number, both in order.items()}}
    path.write_text(json.dumps(key, indent=2) + "\n", encoding="utf-8")


def read_key(path: Path) -> tuple[list[str], Order]:
    """Returns the names of both folders and the order."""
    key = json.loads(path.read_text(encoding="utf-8"))
    return key["folders"], {int(number): (first, second) for number, (first, second) in key["order"].items()}


def write_template(path: Path, numbers: Sequence[int]) -> None:
    """Writes a file to be filled with answers."""
    lines = ["# After each colon: A or B, whichever is better, or = if neither is.", *(f"{n}: " for n in numbers)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_answers(path: Path, order: Order) -> dict[int, str]:
    """Returns the answer for each pair: "A", "B" or "="; refuses a file with any line that says something else."""
    answers: dict[int, str] = {}
    wrong = []
    for count, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _ANSWER.fullmatch(line)
        number = int(match[1]) if match else 0
        if not match:
            wrong.append(f"{path}, line {count}: {line.strip()!r} is not as '1: A', '1: B' or '1: ='")
        elif number not in order:
            wrong.append(f"{path}, line {count}: the pages have no pair {number}")
        elif number in answers:
            wrong.append(f"{path}, line {count}: pair {number} has an answer already")
        else:
            answers[number] = match[2].upper()
    if wrong:
        raise SystemExit("\n".join(wrong))
    return answers


def points(answers: Mapping[int, str], order: Order) -> dict[int, float]:
    """Returns for each pair what the first folder gets: 1 if it is preferred, 0 if the other is, else a half."""
    return {
        number: 0.5 if said == "=" else float(order[number]["AB".index(said)] == 0) for number, said in answers.items()
    }


def score(names: Sequence[str], lookers: Sequence[Mapping[int, float]]) -> str:
    """Returns how often each folder is preferred, in Markdown, in all and by class; ties count half for both."""
    lines = [f"| pairs | answers | {names[0]} | {names[1]} | {names[0]} preferred |", "|---|---|---|---|---|"]
    for group, numbers in by_class(sorted({number for given in lookers for number in given})).items():
        given = [looker[number] for looker in lookers for number in numbers if number in looker]
        first, count = sum(given), len(given)
        lines.append(f"| {group} | {count} | {first:g} | {count - first:g} | {100 * first / count:.0f} % |")
    return "\n".join(lines)
