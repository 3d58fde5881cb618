"""Objects of a user's own: `path/to/file.py:Name`, or `package.module:Name`.

A relative file path is resolved against the folder of the scenario that names it; a module is
looked for as a file in that folder first, and then where Python looks. Naming an object in a
scenario runs the file that holds it, and lets it import what lies beside it, as `python file.py`
would.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from substrate.scenario.source import nearest

FORM = "'my_file.py:Name' or 'my_package.my_module:Name'"


class PluginError(ValueError):
    """An object of a user's own cannot be loaded.

    Attributes:
        message: what is wrong.
        hint: what was probably meant, None where that is not known.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        """Keep both for a message that also names the scenario's line."""
        super().__init__(f"{message}; {hint}" if hint else message)
        self.message = message
        self.hint = hint


def names_plugin(text: str) -> bool:
    """Whether a value has the form of an object of a user's own, and not of a built-in name."""
    return ":" in text


def absolute_spec(spec: str, base_folder: Path) -> str:
    """Make a relative file absolute, so that the object is found from anywhere.

    Raises:
        PluginError: `spec` has not the form of an object of a user's own.
    """
    place, name = _split(spec)
    if place.endswith(".py"):
        return f"{(base_folder / Path(place).expanduser()).resolve()}:{name}"
    beside = base_folder / f"{place}.py"
    return f"{beside.resolve()}:{name}" if beside.is_file() else spec


def load_object(spec: str, base_folder: Path) -> Any:
    """Import the object that `spec` names.

    Args:
        spec: `file.py:Name` or `module:Name`.
        base_folder: folder of the scenario, against which relative files are resolved.

    Raises:
        PluginError: the form is wrong, there is no such file, module or name, or importing failed.
    """
    place, name = _split(absolute_spec(spec, base_folder))
    module = _load_file(Path(place)) if place.endswith(".py") else _load_module(place, base_folder)
    if not hasattr(module, name):
        public = [each for each in vars(module) if not each.startswith("_")]
        meant = nearest(name, public)
        hint = f"did you mean {meant!r}?" if meant else None
        raise PluginError(f"{place} has no {name!r}", hint)
    return getattr(module, name)


def _split(spec: str) -> tuple[str, str]:
    place, _, name = spec.rpartition(":")
    if not place or not name.isidentifier():
        raise PluginError(f"{spec!r} names no object", f"write {FORM}")
    return place, name


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        siblings = [each.name for each in path.parent.glob("*.py")]
        meant = nearest(path.name, siblings)
        hint = f"did you mean {path.with_name(meant)}?" if meant else None
        raise PluginError(f"there is no file {path}", hint)
    # one module a file, however often and from wherever it is named
    name = f"substrate_plugin_{path.as_posix()}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.parent)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except Exception as problem:
        del sys.modules[name]
        raise _import_failed(str(path), problem) from problem
    finally:
        sys.path.remove(folder)
    return module


def _load_module(place: str, base_folder: Path) -> ModuleType:
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as problem:
        if problem.name is None or not f"{place}.".startswith(f"{problem.name}."):
            raise _import_failed(place, problem) from problem
        raise PluginError(
            f"there is no module {problem.name!r}",
            f"neither where Python looks nor in the folder {base_folder.resolve()}",
        ) from None
    except Exception as problem:
        raise _import_failed(place, problem) from problem


def _import_failed(place: str, problem: Exception) -> PluginError:
    """Point to the last line of the user's own that was running."""
    frames = traceback.extract_tb(problem.__traceback__)
    own = [frame for frame in frames if "importlib" not in frame.filename]
    line = f" (line {own[-1].lineno} of {own[-1].filename})" if len(own) > 1 else ""
    return PluginError(f"importing {place} fails: {type(problem).__name__}: {problem}{line}")
