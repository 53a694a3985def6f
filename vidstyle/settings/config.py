"""Settings in a TOML file: a look that can be kept and shared.

Names are those of `Settings`, besides `style` and `quality`. Paths are relative to the file's own folder.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidstyle.errors import OutputError, SettingsError
from vidstyle.files import check_writable, write_whole
from vidstyle.settings.definitions import ALL_SETTINGS, RENAMED, Settings
from vidstyle.settings.named_files import given_styles, named_files
from vidstyle.settings.quality import QUALITIES, STANDARD, quality_settings

SUFFIX = ".toml"
LARGEST_CONFIG_BYTES = 1 << 20
_STYLE, _QUALITY = "style", "quality"


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
    if name in RENAMED:
        raise SettingsError(f"{name} is now {RENAMED[name]}; change the name, and leave the value as it is")
    if name not in ALL_SETTINGS:
        known = [*ALL_SETTINGS, _STYLE, _QUALITY]
        nearest = difflib.get_close_matches(name.replace("-", "_"), known, 1)
        advice = f"did you mean {nearest[0]}?" if nearest else "see vidstyle --help; names have _ for -"
        raise SettingsError(f"{name} is no setting; {advice}")
    kind = ALL_SETTINGS[name].kind
    try:
        value = kind.from_toml(value)
    except ValueError as error:
        raise kind.refusal(name, value) from error
    return kind.moved(ALL_SETTINGS[name].check(value), lambda file: (folder / file).as_posix())


def with_quality(values: Mapping[str, Any], name: str, network: str | None = None) -> dict[str, Any]:
    """Returns settings by name with those of a preset over them.

    Where another network is used then, those that are of the network are left out.

    Args:
        network: that will be used, if not the preset's.

    Raises:
        SettingsError: there is no such preset.
    """
    preset = quality_settings(name)
    before = values.get("network", QUALITIES[STANDARD].settings["network"])
    is_another = (network or preset["network"]) != before
    return {key: value for key, value in values.items() if not (is_another and ALL_SETTINGS[key].of_network)} | preset


def as_config(settings: Settings, style: str | Path | Sequence[str | Path], folder: str | Path | None = None) -> str:
    """Returns what `save_config` writes, for a file in that folder, or else in the current one.

    Raises:
        SettingsError: a path cannot be written as text.
    """
    return config_text(settings, given_styles(style), Path.cwd() if folder is None else Path(folder), is_look=True)


def left_out(settings: Settings) -> tuple[str, ...]:
    """Returns the names of settings that belong to one film or output and are not the defaults: no look has them."""
    return tuple(
        spec.name
        for spec in ALL_SETTINGS.values()
        for value in [getattr(settings, spec.name)]
        if value != spec.default and spec.scope_of(value) in ("film", "output")
    )


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

    def written(file: Path) -> str:
        return moved(file).as_posix()

    names = [written(style) for style in styles]
    lines = [f"{_STYLE} = {_toml(names[0] if len(names) == 1 else names)}"]
    scopes = ("look",) if is_look else ("look", "film", "output")
    for name, spec in ALL_SETTINGS.items():
        value = getattr(settings, name)
        if value is None or spec.scope_of(value) not in scopes:
            continue
        value = spec.kind.to_toml(spec.kind.moved(value, written))
        if value is not None:
            lines.append(f"{name} = {_toml(value)}")
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

    Settings that belong to a machine, a run, a film or its output are left out, and so is a list of cuts.

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
