"""The kinds of values that settings have: how each is read from words and files, checked, and written again."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

from vidstyle.errors import SettingsError
from vidstyle.frames import join_moment, split_moment

FrameRange = tuple[int, "int | None"]
# How a path within a value is written; `str` leaves it as it is.
WritePath = Callable[[Path], str]


class Kind:
    """Base of all kinds; by itself, any text.

    Attributes:
        expected: what a value is, for messages. several: what a list of them is.
        metavar: what help calls the value. low, high: the legal range of numbers in it.
        choices: the legal words, if only some are.
        is_list: whether the command line takes several words.
        names_files: whether a value names files, whose content counts and not their names.
    """

    expected: str = "a word in quotes"
    several: ClassVar[str] = "names, as ['relu1_1', 'relu2_1']"
    metavar: str = ""
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    is_list: ClassVar[bool] = False
    names_files: bool = False

    def __init__(self, metavar: str = "") -> None:
        self.metavar = metavar or self.metavar

    def parse(self, word: str) -> Any:
        """Returns the value that a word on the command line stands for; of a list, one item.

        Raises:
            ValueError: it stands for none.
        """
        return word

    def from_python(self, value: Any) -> Any:
        """Returns a caller's value in the type that the setting has: 25 becomes a rate, "a.png" a path.

        Raises:
            ValueError, TypeError, OverflowError: it is of another kind.
        """
        if not isinstance(value, str):
            raise TypeError(value)
        return self.parse(value)

    def from_toml(self, value: Any) -> Any:
        """Returns a TOML value as `from_python` takes it; TOML is read more strictly than Python's values.

        Raises:
            ValueError: it is of another kind.
        """
        if not isinstance(value, str):
            raise ValueError(value)
        return value

    def to_toml(self, value: Any) -> Any:
        """Returns a value as a TOML file holds it, or None where it is left out."""
        return value

    def words(self, value: Any, written: WritePath = str) -> list[str]:
        """Returns a value as words on the command line."""
        return [str(self.moved(value, written))]

    def moved(self, value: Any, written: WritePath) -> Any:
        """Returns a value with the paths in it written in another way, as from another folder."""
        return value

    def files(self, value: Any) -> Iterator[tuple[Path, str]]:
        """Yields the files that a render reads because of a value, each with what it is, for messages."""
        yield from ()

    def is_of_film(self, value: Any) -> bool:
        """Tells whether a value belongs to one input, though the setting as such belongs to a look."""
        return False

    def check(self, name: str, value: Any) -> Any:
        """Returns a legal value in the type that the setting has.

        Raises:
            SettingsError: it is of another kind or out of range; the message names the setting and what is legal.
        """
        try:
            if isinstance(value, bool):
                raise TypeError(value)
            typed = self.from_python(value)
        except SettingsError:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            raise self.refusal(name, value) from error
        for number in typed if isinstance(typed, tuple) else (typed,):
            is_number = isinstance(number, (int, float, Fraction))
            if is_number and not (math.isfinite(number) and self.low <= number <= self.high):
                raise SettingsError(
                    f"{name} is {_plain(number)}; the range is {_plain(self.low)} to {_plain(self.high)}"
                )
        return typed

    def refusal(self, name: str, value: Any) -> SettingsError:
        """Returns the error for a value of another kind: it says what to give."""
        return SettingsError(f"{name} is {value!r}; give {self.expected}")


def _plain(number: float | Fraction) -> str:
    """Returns a number as people write it: whole ones without a point."""
    is_whole = math.isfinite(number) and number == int(number)
    return str(int(number) if is_whole else number)


class Text(Kind):
    """A word of any kind."""


class Name(Kind):
    """A name, which is not blank."""

    expected = "a name in quotes"

    def parse(self, word: str) -> str:
        if not word.strip():
            raise ValueError(word)
        return word


class Choice(Kind):
    """One of a few words."""

    def __init__(self, *choices: str) -> None:
        self.choices = choices

    def from_toml(self, value: Any) -> Any:
        # Numbers may be written without quotes, as in `bit_depth = 10`.
        return str(value) if _is_number(value) else value

    def check(self, name: str, value: Any) -> Any:
        if value not in self.choices:
            raise SettingsError(f"{name} is {value!r}; choose one of {', '.join(self.choices)}")
        return value


class Switch(Kind):
    """True or false."""

    expected = "true or false"

    def from_toml(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise ValueError(value)
        return value

    def check(self, name: str, value: Any) -> Any:
        if not isinstance(value, bool):
            raise self.refusal(name, value)
        return value


class Number(Kind):
    """A number within a range."""

    expected = "a number"
    several = "numbers, as [0.7, 0.3]"

    def __init__(self, metavar: str, low: float, high: float) -> None:
        super().__init__(metavar)
        self.low, self.high = low, high

    def parse(self, word: str) -> Any:
        return float(word)

    def from_python(self, value: Any) -> Any:
        return float(value)

    def from_toml(self, value: Any) -> Any:
        if not _is_number(value):
            raise ValueError(value)
        return value


class Whole(Number):
    """A whole number within a range."""

    expected = "a whole number"

    def parse(self, word: str) -> Any:
        return int(word)

    def from_python(self, value: Any) -> Any:
        return _whole(value)


class WholeOr(Whole):
    """A whole number, or a word that stands for one, as "source" for the input's own size."""

    def __init__(self, metavar: str, low: int, high: int, word: str, what: str) -> None:
        super().__init__(f"{metavar}|{word}", low, high)
        self.word, self.expected = word, f"{what}, or '{word}'"

    def parse(self, word: str) -> int | str:
        return word if word == self.word else int(word)

    def from_python(self, value: Any) -> Any:
        return value if value == self.word else _whole(value)

    def from_toml(self, value: Any) -> Any:
        return value


class Rate(Number):
    """Frames per second, exactly: 25, 23.976 or 30000/1001."""

    expected = "a number above 0, or a fraction in quotes, as '30000/1001'"

    def parse(self, word: str) -> Fraction:
        try:
            return Fraction(word)
        except ZeroDivisionError as error:
            raise ValueError(word) from error

    def from_python(self, value: Any) -> Any:
        return self.parse(value) if isinstance(value, str) else Fraction(value)

    def from_toml(self, value: Any) -> Any:
        # 23.976 counts as it is written, not as it is rounded.
        return self.parse(str(value)) if _is_number(value) or isinstance(value, str) else value


class Frames(Kind):
    """The half-open range of "A:B", "A:", ":B" or ":"; (0, None) is every frame."""

    expected = "A and B: from Python (0, 100) or (5, None), in a file '0:100' or '5:'"
    metavar = "A:B"

    def parse(self, word: str) -> FrameRange:
        start, colon, stop = word.partition(":")
        if not colon:
            raise ValueError(word)
        return int(start or 0), int(stop) if stop else None

    def from_python(self, value: Any) -> Any:
        start, stop = _no_text(value)
        return _whole(start), None if stop is None else _whole(stop)

    def from_toml(self, value: Any) -> Any:
        return self.parse(value) if isinstance(value, str) else value

    def to_toml(self, value: Any) -> Any:
        return None if value == (0, None) else self.words(value)[0]

    def words(self, value: Any, written: WritePath = str) -> list[str]:
        return [":".join("" if end is None else str(end) for end in value)]


class Numbers(Kind):
    """Several numbers in one word, with commas between them."""

    def from_toml(self, value: Any) -> Any:
        return self.parse(value) if isinstance(value, str) else value

    def words(self, value: Any, written: WritePath = str) -> list[str]:
        return [",".join(map(str, value))]


class Window(Numbers):
    """How many frames back to look: "1,5,15"."""

    expected = "whole numbers from 1 on, in a list, as [1, 5, 15]"
    metavar = "N,N,..."
    low = 1

    def __init__(self, high: int) -> None:
        self.high = high

    def parse(self, word: str) -> tuple[int, ...]:
        return tuple(int(number) for number in word.split(","))

    def from_python(self, value: Any) -> Any:
        return tuple(_whole(number) for number in _no_text(value))


class Crop(Numbers):
    """Left, top, width and height, in shares of a picture: "0.5,0,0.5,1"."""

    expected = "four numbers, left, top, width and height in shares of the picture, as [0.5, 0, 0.5, 1]"
    metavar = "X,Y,W,H"
    low, high = 0, 1

    def parse(self, word: str) -> tuple[float, ...]:
        return self._four(tuple(float(share) for share in word.split(",")))

    def from_python(self, value: Any) -> Any:
        return self._four(tuple(float(share) for share in _no_text(value)))

    def _four(self, shares: tuple[float, ...]) -> tuple[float, ...]:
        if len(shares) != 4:
            raise ValueError(shares)
        return shares


class File(Kind):
    """The path of a file or folder.

    Args:
        what: a render reads there, for messages; "" if it does not read it.
    """

    expected = "the name of a file in quotes"
    names_files = True

    def __init__(self, metavar: str, what: str = "") -> None:
        super().__init__(metavar)
        self._what = what

    def parse(self, word: str) -> Path:
        return Path(word)

    def from_python(self, value: Any) -> Any:
        return Path(value)

    def words(self, value: Any, written: WritePath = str) -> list[str]:
        return [written(value)]

    def moved(self, value: Any, written: WritePath) -> Any:
        return Path(written(value))

    def files(self, value: Any) -> Iterator[tuple[Path, str]]:
        if self._what:
            yield value, self._what


class Cuts(Kind):
    """Where shots begin: "auto", "off" or the name of a file that lists it."""

    expected = "'auto', 'off' or the name of a file, in quotes"
    metavar = "auto|off|FILE"
    names_files = True

    def parse(self, word: str) -> str:
        if not word:
            raise ValueError(word)
        return word

    def moved(self, value: Any, written: WritePath) -> Any:
        # A file named "auto" or "off" gets ./ in front.
        if not self.is_of_film(value):
            return value
        name = written(Path(value))
        return f"./{name}" if name in ("auto", "off") else name

    def files(self, value: Any) -> Iterator[tuple[Path, str]]:
        if self.is_of_film(value):
            yield Path(value), "the list of cuts"

    def is_of_film(self, value: Any) -> bool:
        # A list of cuts names frames or times of one input.
        return value not in ("auto", "off")


class Region(Kind):
    """A mask and a style in one word, "MASK=STYLE"."""

    several = "masks with their styles, as ['sky.png=wave.jpg']"
    metavar = "MASK=STYLE"
    names_files = True

    def parse(self, word: str) -> str:
        split_region(word)
        return word

    def moved(self, value: Any, written: WritePath) -> Any:
        return join_region(*map(written, split_region(value)))

    def files(self, value: Any) -> Iterator[tuple[Path, str]]:
        mask, style = split_region(value)
        yield from ((mask, "a mask"), (style, "a region's style"))


class StyleAt(Kind):
    """A moment and the style that is reached then, in one word: "12.5s:b.jpg"."""

    several = "moments with their styles, as ['0:a.jpg', '12.5s:b.jpg']"
    metavar = "TIME:STYLE"
    names_files = True

    def parse(self, word: str) -> str:
        split_moment(word)
        return word

    def moved(self, value: Any, written: WritePath) -> Any:
        moment, name = split_moment(value)
        return join_moment(moment, written(Path(name)))


class Several(Kind):
    """A list of values of one kind, each a word on the command line."""

    is_list = True

    def __init__(self, item: Kind) -> None:
        super().__init__(item.metavar)
        self.low, self.high, self.names_files = item.low, item.high, item.names_files
        self._item = item

    def parse(self, word: str) -> Any:
        return self._item.parse(word)

    def from_python(self, value: Any) -> Any:
        return tuple(self._item.from_python(one) for one in _no_text(value))

    def from_toml(self, value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError(value)
        return [self._item.from_toml(one) for one in value]

    def words(self, value: Any, written: WritePath = str) -> list[str]:
        return [word for one in value for word in self._item.words(one, written)]

    def moved(self, value: Any, written: WritePath) -> Any:
        return tuple(self._item.moved(one, written) for one in value)

    def files(self, value: Any) -> Iterator[tuple[Path, str]]:
        for one in value:
            yield from self._item.files(one)

    def refusal(self, name: str, value: Any) -> SettingsError:
        return SettingsError(f"{name} is {value!r}; give a list of {self._item.several}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _whole(value: Any) -> int:
    """Returns a whole number as int.

    Raises:
        ValueError, TypeError, OverflowError: it is none.
    """
    number = int(value)
    if isinstance(value, bool) or number != value:
        raise ValueError(value)
    return number


def _no_text(values: Any) -> tuple[Any, ...]:
    """Returns the items of a list.

    Raises:
        ValueError, TypeError: it is none, or text, or holds true or false.
    """
    items = tuple(values)
    if isinstance(values, str) or any(isinstance(item, bool) for item in items):
        raise ValueError(values)
    return items


def split_region(text: str) -> tuple[Path, Path]:
    """Returns mask and style of "MASK=STYLE", split at the last "=" that stands alone; "==" is one in a name.

    Raises:
        SettingsError: it is not of that form.
    """
    alone = [run for run in re.finditer("=+", text) if len(run[0]) % 2]
    mask, style = (text[: alone[-1].end() - 1], text[alone[-1].end() :]) if alone else ("", "")
    if not mask or not style:
        raise SettingsError(f"region is {text!r}; give it as MASK=STYLE, with == for each = in the name of a file")
    return Path(mask.replace("==", "=")), Path(style.replace("==", "="))


def join_region(mask: str, style: str) -> str:
    """Returns what `split_region` splits into the paths of these two names."""
    # After the sign that stands alone, one that begins a name would be taken for its other half.
    style = f"./{style}" if style.startswith("=") else style
    return "=".join(name.replace("=", "==") for name in (mask, style))
