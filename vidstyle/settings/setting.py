"""What is known of one setting, and the topics and scopes that settings have."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from vidstyle.settings.kinds import Kind

# What belongs to a "look" is kept by --save-config. The rest is of one "film" (an input), of its "output", of a
# "machine" or of one "run".
Scope = Literal["look", "film", "output", "machine", "run"]
# The topics under which help and manual list the settings, in that order.
GROUPS = {
    "look": "the look",
    "network": "size and network",
    "objective": "what is minimized, and how",
    "temporal": "from frame to frame",
    "shots": "shots",
    "parts": "parts of a frame",
    "machine": "where it is painted",
    "input": "the input",
    "output": "the output",
    "run": "the run",
}


@dataclass(frozen=True)
class Setting:
    """What is known of one setting.

    Attributes:
        name, default: of the field. kind: of its values. help: one sentence, without the default.
        group: a key of `GROUPS`. scope: what it belongs to.
        changes_frames: whether another value makes another render, so that a job cannot be continued with it. Files
            count by their content instead, which a job compares by itself.
        when_joining: whether it counts only when finished segments are joined, so that a job can be continued.
        of_network: whether it fits one network, and often no other.
        is_repeated: whether the command that continues a job says it again.
    """

    name: str
    default: Any
    kind: Kind
    help: str
    group: str
    scope: Scope
    changes_frames: bool
    when_joining: bool
    of_network: bool
    is_repeated: bool

    def check(self, value: Any) -> Any:
        """Returns a legal value in the setting's type.

        Raises:
            SettingsError: it is not legal.
        """
        return None if value is None and self.default is None else self.kind.check(self.name, value)

    def shown(self, value: Any) -> str:
        """Returns a default as help and manual show it; "" where they say nothing."""
        if value is None or value is False or value == ():
            return ""
        text = " ".join(self.kind.words(value))
        return re.sub(r"\.0(?=,|$)", "", text) if text != ":" else ""

    def scope_of(self, value: Any) -> Scope:
        """Returns what a value belongs to."""
        return "film" if self.kind.is_of_film(value) else self.scope


def setting(
    default: Any,
    kind: Kind,
    help_text: str,
    *,
    group: str,
    scope: Scope,
    changes_frames: bool | None = None,
    when_joining: bool = False,
    of_network: bool = False,
    is_repeated: bool = True,
) -> Any:
    """Returns a dataclass field that carries the facts of a `Setting`; `changes_frames` follows from scope and kind."""
    if changes_frames is None:
        changes_frames = scope not in ("machine", "run") and not kind.names_files
    facts = {
        "kind": kind,
        "help": help_text,
        "group": group,
        "scope": scope,
        "changes_frames": changes_frames,
        "when_joining": when_joining,
        "of_network": of_network,
        "is_repeated": is_repeated,
    }
    return field(default=default, metadata=facts)
