"""The scripts, which are no package, as modules for tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

_SCRIPTS = Path(__file__).parent.parent / "scripts"


@contextmanager
def loaded_script(name: str) -> Iterator[ModuleType]:
    """Yields `scripts/NAME.py` as a module that finds what lies beside it, as when it is run."""
    spec = spec_from_file_location(name, _SCRIPTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    path = list(sys.path)
    # Dataclasses look their module up.
    module = sys.modules[name] = module_from_spec(spec)
    try:
        sys.path.insert(0, str(_SCRIPTS))
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules[name]
        sys.path[:] = path
