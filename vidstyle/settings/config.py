"""Settings in a TOML file: a look that can be kept and shared.

Names are those of `Settings`, besides `style` and `quality`. Paths are relative to the file's own folder.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from vidstyle.errors import OutputError, SettingsError
from vidstyle.files import check_writable, write_whole
from vidstyle.frames import join_moment, split_moment
from vidstyle.settings.definitions import Settings
from vidstyle.settings.named_files import given_styles, named_files
from vidstyle.settings.quality import quality_settings
from vidstyle.settings.values import (
    checked,
    cuts_file,
    join_region,
    no_such_kind,
    parse_cuts,
    parse_rate,
    parse_region,
    parse_size,
    parse_style_at,
    split_region,
)

SUFFIX = ".toml"
# What belongs to a machine or to one run, not to a look: it is read, but not written.
OF_ONE_RUN = frozenset(
    {
        *("device", "precision", "workers", "cluster", "gpus_per_shot", "cpus_per_shot", "no_shared_storage"),
        *("report", "overwrite", "job_dir", "keep_job", "restart"),
    }
)
# What belongs to one film or its output: another film would fail with it, or silently be cut short.
OF_ONE_FILM = frozenset(
    {
        *("frames", "fps", "stream", "mask", "region"),
        *("frame_format", "codec", "pix_fmt", "bit_depth", "crf", "preset"),
    }
)
LARGEST_CONFIG_BYTES = 1 << 20
_STYLE, _QUALITY = "style", "quality"
_SPECS = {spec.name: spec for spec in fields(Settings)}
# What TOML has for each of these; other values may be written as on the command line, too.
_TYPES: dict[Any, tuple[type, ...]] = {
    None: (bool,),
    int: (int,),
    float: (int, float),
    str: (str,),
    Path: (str,),
    parse_cuts: (str,),
    parse_region: (str,),
    parse_style_at: (str,),
}


@dataclass(frozen=True)
class Config:
    """What a file says.

    Attributes:
        styles: pictures that it names. values: of settings, by name; those of its `quality` beneath its own.
    """

    styles: tuple[Path, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


def read_config(path: str | Path) -> Config:
    """Reads a TOML file; `Settings(**read_config(path).values)` are the settings that it holds.

    Raises:
        SettingsError: it cannot be read, or says what is no setting or no legal value; the message names which.
    """
    path = Path(path)
    content = _content(path)
    styles, values = _styles(path, content.pop(_STYLE, [])), {}
    try:
        if _QUALITY in content:
            values = quality_settings(content.pop(_QUALITY))
        values |= {name: _value(name, value, path.parent) for name, value in content.items()}
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
    return Config(styles, values)


def _content(path: Path) -> dict[str, Any]:
    try:
        if path.is_file() and path.stat().st_size > LARGEST_CONFIG_BYTES:
            raise SettingsError(f"{path}: far too large for settings; give a TOML file")
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    except (ValueError, RecursionError) as error:  # what is no TOML, no UTF-8, or no path
        raise SettingsError(f"{path}: is not a TOML file ({error}); write lines such as size = 640") from error
    return content


def _styles(path: Path, given: Any) -> tuple[Path, ...]:
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise SettingsError(f'{path}: style is {given!r}; give the name of a picture, or several: ["a.jpg"]')
    return tuple(path.parent / name for name in names)


def _value(name: str, value: Any, folder: Path) -> Any:
    """Returns the value of a setting as `Settings` takes it."""
    if name not in _SPECS:
        known = [*_SPECS, _STYLE, _QUALITY]
        nearest = difflib.get_close_matches(name.replace("-", "_"), known, 1)
        advice = f"did you mean {nearest[0]}?" if nearest else "see vidstyle --help; names have _ for -"
        raise SettingsError(f"{name} is no setting; {advice}")
    spec = _SPECS[name]
    meta, parse = dict(spec.metadata), spec.metadata["parse"]
    wrong = no_such_kind(name, value, meta)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if meta["choices"]:
        value = str(value) if is_number else value  # bit_depth = 10
    elif parse in _TYPES:
        ones = value if meta["many"] and isinstance(value, list) else [value]
        kinds = _TYPES[parse]
        if (value is ones) != meta["many"] or not all(isinstance(one, kinds) for one in ones):
            raise wrong
        if parse is not None and any(isinstance(one, bool) for one in ones):
            raise wrong
    elif parse is parse_rate and is_number:
        value = parse_rate(str(value))  # 23.976 as it is written, not as it is rounded
    elif isinstance(value, str) and parse is not parse_size:
        try:
            value = parse(value)
        except ValueError as error:
            raise wrong from error
    typed = checked(name, value, spec.default, meta)
    return _with_paths(name, typed, lambda file: folder / file)


def _with_paths(name: str, value: Any, moved: Callable[[Path], Path]) -> Any:
    """Returns a setting's value with the paths in it moved, and with / where they are a part of text."""
    if isinstance(value, Path):
        return moved(value)
    if name == "cuts" and _is_list(value):
        return cuts_file(moved(Path(value)).as_posix())
    if name == "region":
        return tuple(join_region(*(moved(file).as_posix() for file in split_region(region))) for region in value)
    if name == "style_at":
        parts = map(split_moment, value)
        return tuple(join_moment(moment, moved(Path(file)).as_posix()) for moment, file in parts)
    return value


def as_config(settings: Settings, style: str | Path | Sequence[str | Path], folder: str | Path | None = None) -> str:
    """Returns what `save_config` writes, for a file in that folder, or else in the current one.

    Raises:
        SettingsError: a path cannot be written as text.
    """
    return config_text(settings, given_styles(style), Path.cwd() if folder is None else Path(folder), is_look=True)


def left_out(settings: Settings) -> tuple[str, ...]:
    """Returns the names of settings that are not the defaults, and no part of a look, since they are of one film."""
    own = [name for name in _SPECS if name in OF_ONE_FILM and getattr(settings, name) != _SPECS[name].default]
    return (*own, *(["cuts"] if _is_list(settings.cuts) else []))


def _is_list(cuts: str) -> bool:
    return cuts not in ("auto", "off")


def config_text(settings: Settings, styles: Sequence[Path], folder: Path, *, is_look: bool = False) -> str:
    """Returns settings as TOML, but for what belongs to one run; what is None is left out.

    Args:
        folder: of the file, to which paths are made relative, where they can be.
        is_look: whether to leave out what belongs to one film, too.

    Raises:
        SettingsError: a path cannot be written as text.
    """

    real_folder = os.path.realpath(folder)

    def moved(file: Path) -> Path:
        # A way up leads out of the folder itself, wherever a link to it lies. The file may be a link, and stays one.
        real_file = Path(os.path.realpath(file.parent)) / file.name
        try:
            return Path(os.path.relpath(real_file, real_folder))
        except ValueError:  # on another drive
            return file.resolve()

    names = [moved(style).as_posix() for style in styles]
    lines = [f"{_STYLE} = {_toml(names[0] if len(names) == 1 else names)}"]
    for name, spec in _SPECS.items():
        value = getattr(settings, name)
        is_silent = value is None or (name == "frames" and value == spec.default)
        is_of_film = name in OF_ONE_FILM or (name == "cuts" and _is_list(value))
        if name in OF_ONE_RUN or is_silent or (is_look and is_of_film):
            continue
        if name == "frames":
            value = ":".join("" if end is None else str(end) for end in value)
        lines.append(f"{name} = {_toml(_with_paths(name, value, moved))}")
    text = "\n".join(["# How vidstyle paints: vidstyle INPUT --config FILE", *lines, ""])
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SettingsError(
            f"a name among the settings cannot be written as text ({error}); rename the file"
        ) from error
    return text


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Path):
        value = value.as_posix()
    # JSON's strings are TOML's, if nothing but control characters is escaped; TOML counts DEL among these.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def check_config(path: Path, settings: Settings, styles: Sequence[Path], *, overwrite: bool) -> str:
    """Makes sure that settings and styles can be written to a file, and returns them as it will hold them.

    Raises:
        OutputError, SettingsError: they cannot, or something else is there that may not be replaced.
    """
    text = config_text(settings, styles, path.parent, is_look=True)
    if path.suffix.lower() != SUFFIX:
        raise OutputError(f"{path}: settings are kept as TOML; end the name in {SUFFIX}")
    if path.exists():
        for file, what in named_files(styles, settings):
            if file.exists() and path.samefile(file):
                raise OutputError(f"{path}: is {what} itself; choose another name")
        if not overwrite and not _holds(path, text):
            raise OutputError(
                f"{path}: exists already, and holds something else; choose another name or use --overwrite"
            )
    check_writable(path.parent)
    return text


def save_config(
    path: str | Path, settings: Settings, style: str | Path | Sequence[str | Path], *, overwrite: bool = False
) -> None:
    """Writes settings and style as TOML, whole or not at all; a file that holds the same already is left alone.

    What belongs to a machine, a run, a film or its output is left out: `OF_ONE_RUN`, `OF_ONE_FILM`, a list of cuts.

    Raises:
        OutputError, SettingsError: they cannot be written there.
    """
    path = Path(path)
    text = check_config(path, settings, given_styles(style), overwrite=overwrite)
    if not _holds(path, text):
        write_whole(path, text.encode())


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False
