#!/usr/bin/env python3
"""Compares looks on 32 fixed pairs of photo and painting: by judges, by eye, and by eye without knowing which is which.

    python scripts/benchmark_look.py render OLD --images FOLDER
    python scripts/benchmark_look.py render NEW --images FOLDER -- --network vgg19 --weights FILE --style-weight 10
    python scripts/benchmark_look.py judge OLD NEW --images FOLDER --judge judge.py --second-judge second_judge.py
    python scripts/benchmark_look.py sheet OLD NEW --images FOLDER --pages FOLDER
    python scripts/benchmark_look.py blind OLD NEW --images FOLDER --pages FOLDER --key FILE
    python scripts/benchmark_look.py score ANSWERS [ANSWERS ...] --key FILE

The folder of images has the folders photos and paintings; the pairs are in look_measures/pairs.py. What follows -- are
vidstyle's own options. A judge is a script with the command `image CONTENT STYLE RESULT` that prints JSON with
"total"; a second one is given `CONTENT STYLE RESULT [RESULT ...]` and prints a JSON object for each result. The key to
a blind comparison is not for those who look; they fill answers.txt, which lies beside the pages.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path

# As the command line does, before torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

sys.path.insert(0, str(Path(__file__).resolve().parent))

from look_measures.blind import blind_rows, order_of, points, read_answers, read_key, score, write_key, write_template
from look_measures.judging import Judge, judge, table
from look_measures.pages import pair_files, write_pages
from look_measures.pairs import PAIRS, common_numbers, numbered, picture_path, short_names
from look_measures.rendering import render

from vidstyle import VidstyleError
from vidstyle.devices import keep_freed_memory


def paint(options: argparse.Namespace) -> None:
    """Paints the pairs that the folder does not have."""
    keep_freed_memory()
    numbers = options.only or range(1, len(PAIRS) + 1)
    render(options.folder, options.images, numbers, options.size, options.words)


def show_judgments(options: argparse.Namespace) -> None:
    """Prints what the judges say."""
    judges = []
    if options.second_judge:
        judges.append(Judge(options.second_judge, takes_many=True))
    if options.judge:
        judges.append(Judge(options.judge, ("image",), wanted={"total": "judge total"}))
    numbers = common_numbers(options.folders, options.only)
    print(table(options.folders, judge(options.folders, options.images, numbers, judges)))


def write_sheet(options: argparse.Namespace) -> None:
    """Writes pages that show what the folders have."""
    rows = []
    for number in common_numbers(options.folders, options.only):
        (photo, painting), names = pair_files(options.images, number), short_names(options.folders)
        classes = f" ({numbered(number).photo_class} in {numbered(number).painting_class})"
        results = [(name, picture_path(folder, number)) for name, folder in zip(names, options.folders, strict=True)]
        rows.append([(photo[0] + classes, photo[1]), painting, *results])
    print("wrote", *write_pages(options.pages, rows, options.rows))


def write_blind(options: argparse.Namespace) -> None:
    """Writes pages that do not show which folder is which, a file for answers, and the key."""
    answers = options.pages / "answers.txt"
    for path in (answers, options.key):
        if path.exists():
            raise SystemExit(f"benchmark_look: {path} exists; remove it, or choose another name")
    options.key.parent.mkdir(parents=True, exist_ok=True)
    seed = secrets.randbits(63) if options.seed is None else options.seed
    order = order_of(seed, common_numbers(options.folders, options.only))
    pages = write_pages(options.pages, blind_rows(options.folders, options.images, order), options.rows)
    write_key(options.key, short_names(options.folders), seed, order)
    write_template(answers, list(order))
    print("wrote", *pages, answers)


def show_score(options: argparse.Namespace) -> None:
    """Prints which folder is preferred."""
    names, order = read_key(options.key)
    lookers = [points(read_answers(path, order), order) for path in options.answers]
    for path, given in zip(options.answers, lookers, strict=True):
        if missing := [str(number) for number in order if number not in given]:
            print(f"{path}: no answer for {', '.join(missing)}", file=sys.stderr)
    print(score(names, lookers))


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of all commands."""
    counts = range(1, len(PAIRS) + 1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    painting = commands.add_parser("render", help="paint the pairs that the folder does not have")
    painting.add_argument("folder", type=Path, metavar="FOLDER")
    painting.add_argument("--size", type=int, default=320, metavar="PX", help="long side of the pictures (320)")
    judging = commands.add_parser("judge", help="print what judges say, in all and by class")
    judging.add_argument("--judge", type=Path, metavar="SCRIPT", help="for the judge's total")
    judging.add_argument("--second-judge", type=Path, metavar="SCRIPT", help="for structure, texture and more")
    sheet = commands.add_parser("sheet", help="show each pair in a row, a column for each folder")
    blind = commands.add_parser("blind", help="the same of two folders as A and B, in an order that only a key tells")
    blind.add_argument("--key", type=Path, required=True, metavar="FILE", help="where to write the key")
    blind.add_argument("--seed", type=int, metavar="N", help="of the order; by default the system draws a secret one")
    for command in (judging, sheet):
        command.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    blind.add_argument("folders", type=Path, nargs=2, metavar="FOLDER")
    for command, rows in ((sheet, 8), (blind, 4)):
        command.add_argument("--pages", type=Path, required=True, metavar="FOLDER", help="where to write the pages")
        command.add_argument(
            "--rows", type=int, choices=counts, default=rows, metavar="N", help=f"rows of a page ({rows})"
        )
    for command in (painting, judging, sheet, blind):
        command.add_argument("--images", type=Path, required=True, metavar="FOLDER", help="has photos/ and paintings/")
        command.add_argument(
            "--only", type=int, choices=counts, nargs="+", metavar="NUMBER", help="these pairs, of 1 to 32"
        )
    scoring = commands.add_parser("score", help="print which of the two folders is preferred, in all and by class")
    scoring.add_argument("answers", type=Path, nargs="+", metavar="ANSWERS", help="filled files, one for each looker")
    scoring.add_argument("--key", type=Path, required=True, metavar="FILE", help="what blind wrote")
    works = {painting: paint, judging: show_judgments, sheet: write_sheet, blind: write_blind, scoring: show_score}
    for command, work in works.items():
        command.set_defaults(work=work)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    end = words.index("--") if "--" in words else len(words)
    parser = build_parser()
    options = parser.parse_args(words[:end])
    if options.work is not paint and words[end:]:
        parser.error("only render takes vidstyle's options")
    options.words = words[end + 1 :]
    try:
        options.work(options)
    except (VidstyleError, OSError) as error:
        raise SystemExit(f"benchmark_look: {error}") from error
    return 0


if __name__ == "__main__":
    sys.exit(main())
