"""Objects of a user's own: `path/to/file.py:Name`, or `package.module:Name`.

A relative file path is resolved against the folder of the scenario that names it; a module is
looked for as a file in that folder first, and then where Python looks. Naming an object in a
scenario runs the file that holds it, and lets it import what lies beside it, as `python file.py`
would.

A scenario may come from elsewhere, so `Trust` says which of the code that it names is run: by
default files under the working folder, and modules that Python finds by itself, which are installed
or were put on its path by the user, never by a scenario.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from substrate.nearest import nearest, path_meant
from substrate.plugin_files import files_of, sha256_of_files

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


class NotRunError(PluginError):
    """The object is named and its file is there, but nothing may be run."""


class Trust(Enum):
    """Which of a user's own code may be run."""

    NOTHING = "nothing"
    WORKING_FOLDER = "files under the working folder, and modules that Python finds"
    EVERYTHING = "files and modules from anywhere"


class _Trusted(NamedTuple):
    trust: Trust = Trust.WORKING_FOLDER
    folder: Path | None = None
    named: Sequence[str] = ()


_trust: ContextVar[_Trusted] = ContextVar("trust")


@contextmanager
def trusting(trust: Trust, folder: Path | None = None) -> Iterator[list[str]]:
    """Let so much code be run within the block; gives the objects named in it, as they come.

    Args:
        trust: how much.
        folder: the working folder, where it is not that of this process.
    """
    named: list[str] = []
    token = _trust.set(_Trusted(trust, folder, named))
    try:
        yield named
    finally:
        _trust.reset(token)


def trust_now() -> Trust:
    """What may be run here."""
    return _trust.get(_Trusted()).trust


def told_trust() -> str:
    """Put what may be run here into words for another process, as `trusting_as_told` takes it."""
    return f"{trust_now().name} {_working_folder()}"


@contextmanager
def trusting_as_told(words: str) -> Iterator[None]:
    """Let be run within the block what might be where the words are from."""
    trust, _, folder = words.partition(" ")
    with trusting(Trust[trust], Path(folder)):
        yield


def _working_folder() -> Path:
    return (_trust.get(_Trusted()).folder or Path.cwd()).resolve()


def names_plugin(text: str) -> bool:
    """Whether a value has the form of an object of a user's own, and not of a built-in name."""
    return ":" in text


def absolute_spec(spec: str, base_folder: Path) -> str:
    """Make a relative file absolute, so that the object is found from anywhere.

    Raises:
        PluginError: `spec` has not the form of an object of a user's own.
    """
    place, name = _split(spec)
    try:
        if place.endswith(".py"):
            return f"{(base_folder / Path(place).expanduser()).resolve()}:{name}"
        beside = base_folder / f"{place}.py"
        return f"{beside.resolve()}:{name}" if beside.is_file() else spec
    except (OSError, ValueError, RuntimeError) as problem:
        # a name too long, a NUL in it, links in a circle, the home of somebody who has none
        raise PluginError(f"{place!r} can be no file: {problem}") from None


def load_object(spec: str, base_folder: Path) -> Any:
    """Import the object that `spec` names.

    Args:
        spec: `file.py:Name` or `module:Name`.
        base_folder: folder of the scenario, against which relative files are resolved.

    Raises:
        PluginError: the form is wrong, there is no such file, module or name, it may not be run, or
            importing failed.
        NotRunError: nothing may be run; whether the file holds such an object is not known.
    """
    place, name = _split(absolute_spec(spec, base_folder))
    path = _existing(place) if place.endswith(".py") else None
    _check_trust(f"{place}:{name}", path)
    module = _load_file(path) if path else _load_module(place, base_folder)
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


def _existing(place: str) -> Path:
    path = Path(place)
    try:
        there = path.is_file()
    except OSError as problem:  # a name too long, a folder that may not be entered
        raise PluginError(f"{path} cannot be read: {problem.strerror}") from None
    if not there:
        hint = path_meant(path, lambda each: each.suffix == ".py")
        raise PluginError(f"there is no file {path}", hint)
    return path


def _check_trust(spec: str, path: Path | None) -> None:
    trust, _, named = _trust.get(_Trusted())
    if isinstance(named, list) and spec not in named:
        named.append(spec)
    if trust is Trust.NOTHING:
        raise NotRunError(f"{spec} is not run")
    working_folder = _working_folder()
    if trust is Trust.WORKING_FOLDER and path and not path.is_relative_to(working_folder):
        raise PluginError(
            f"{path} lies outside the working folder {working_folder}, and is not run",
            "read it first; if you trust it, --trust runs code from anywhere",
        )


def changed_since_import(path: Path) -> bool:
    """Whether a file, or one in its folder that it imports, is not what this process runs of it."""
    return path in _imported and _imported[path] != sha256_of_files(files_of(path))


_imported: dict[Path, str] = {}
_parts: dict[Path, tuple[object, str]] = {}
"""Of modules by name: what reloading replaces, and the content when they were first seen here."""


def changed_module(name: str) -> Path | None:
    """Give a file of a module's package that is not what this process runs of it.

    What was imported but never asked for here counts as unchanged, and so does what was reloaded.
    """
    package = name.partition(".")[0]
    for each, module in [*sys.modules.items()]:
        file = getattr(module, "__file__", None)
        if each.partition(".")[0] == package and file is not None and file.endswith(".py"):
            path, spec = Path(file), module.__spec__
            content = sha256_of_files([path]) if path.is_file() else ""
            known = _parts.get(path)
            if known is None or known[0] is not spec:
                _parts[path] = spec, content
            elif known[1] != content:
                return path
    return None


def _load_file(path: Path) -> ModuleType:
    # one module a file, however often and from wherever it is named, as long as it stays the same
    name, files = f"substrate_plugin_{path.as_posix()}", files_of(path)
    content = sha256_of_files(files)
    if name in sys.modules and _imported.get(path) == content:
        return sys.modules[name]
    if name in sys.modules:  # it was edited, or one that it imports
        for each, module in [*sys.modules.items()]:
            if (file := getattr(module, "__file__", None)) and Path(file) in files:
                del sys.modules[each]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.parent)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as problem:
        del sys.modules[name]
        raise _import_failed(str(path), problem) from problem
    finally:
        sys.path.remove(folder)
    _imported[path] = content
    return module


def _load_module(place: str, base_folder: Path) -> ModuleType:
    try:
        module = importlib.import_module(place)
    except ModuleNotFoundError as problem:
        if problem.name is None or not f"{place}.".startswith(f"{problem.name}."):
            raise _import_failed(place, problem) from problem
        raise PluginError(
            f"there is no module {problem.name!r}",
            f"neither where Python looks nor in the folder {base_folder.resolve()}",
        ) from None
    except (Exception, SystemExit) as problem:
        raise _import_failed(place, problem) from problem
    # what else has imported a package is not ours to take away, so it is not imported anew
    if (changed := changed_module(place)) is not None:
        hint = "start Python anew, or reload the module"
        raise PluginError(f"{changed} was changed after this process imported it", hint)
    return module


def _import_failed(place: str, problem: BaseException) -> PluginError:
    """Point to the last line of the user's own that was running."""
    frames = traceback.extract_tb(problem.__traceback__)
    own = [frame for frame in frames if "importlib" not in frame.filename]
    line = f" (line {own[-1].lineno} of {own[-1].filename})" if len(own) > 1 else ""
    what = " ".join(str(problem).split())
    return PluginError(f"importing {place} fails: {type(problem).__name__}: {what}{line}")
