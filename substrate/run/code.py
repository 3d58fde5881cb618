"""The version of what computes: our own code as it stands on the disk, and the user's.

A release's number says nothing of a checkout that is edited in place, so the sources themselves are
hashed: of `devices`, `learning` and those parts of `substrate` that a figure can depend on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import devices
import learning
import substrate
from substrate.library import BENCH_GROUP, CROSSBAR_GROUP, NOISE_GROUP, RULE_GROUP
from substrate.plugin_files import files_of, sha256_of_files
from substrate.plugins import changed_module, changed_since_import
from substrate.run.package_files import sha256_of_package
from substrate.scenario.source import ScenarioError

_OF_SUBSTRATE = (
    "assemble",
    "data",
    "scenario/schema",
    "scenario/capabilities.py",
    "library.py",
    "plugin_files.py",
    "plugins.py",
    "randomness.py",
    "record/ledger.py",
    "record/wire.py",
    "run/afterwards.py",
    "run/checkpoint.py",
    "run/isolated.py",
    "run/last_figures.py",
    "run/multiplications.py",
    "run/operations.py",
    "run/outcomes.py",
    "run/training.py",
    "run/unit.py",
    "run/unit_settings.py",
    "wire",
)
_MODULE = re.compile(r"[A-Za-z_]\w*(\.\w+)*")


@cache
def own_code() -> str:
    """SHA-256 of the sources of ours that compute, as they are when this process first asks."""
    inside = Path(substrate.__path__[0])
    roots = [Path(devices.__path__[0]), Path(learning.__path__[0])]
    return sha256_of_files(_sources([*roots, *(inside / each for each in _OF_SUBSTRATE)]))[:16]


@cache
def registered_code() -> dict[str, str]:
    """SHA-256 of installed packages that register models, by package."""
    found = {}
    for group in (NOISE_GROUP, CROSSBAR_GROUP, RULE_GROUP, BENCH_GROUP):
        for entry in entry_points(group=group):
            package = entry.module.partition(".")[0]
            found[package] = sha256_of_package(package)
    return found


def named_code(settings: object) -> dict[str, str]:
    """SHA-256 of files that settings name, by path or module, and of what code beside them imports.

    A file is a trace, or a class's `my_lab.py:MyNoise`; a module is `my_package.my_module:MyNoise`.

    Raises:
        ScenarioError: this process runs what a file held before it was changed.
    """
    found = {}
    for value in set(_strings(settings)):
        before, _, after = value.rpartition(":")
        if Path(value).is_absolute():
            for path in (value, before):
                if path and Path(path).is_file():
                    found.update(_of_file(Path(path)))
        elif after.isidentifier() and _MODULE.fullmatch(before):
            if (changed := changed_module(before)) is not None:
                message = "was changed after this process imported it: start Python anew"
                raise ScenarioError(message, file=str(changed))
            found[before] = sha256_of_package(before.partition(".")[0])
    return dict(sorted(found.items()))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            # no figure depends on the secrets and certificates of a chip behind a wire
            if not (key == "chip" and isinstance(each, dict) and "remote" in each):
                yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, str):
        yield value


def _of_file(path: Path) -> dict[str, str]:
    if changed_since_import(path):
        message = "was changed after this process imported it: read the scenario anew"
        raise ScenarioError(message, file=str(path))
    return {str(each): sha256_of_files([each]) for each in files_of(path)}


def _sources(roots: Iterable[Path]) -> list[Path]:
    return [each for root in roots for each in _python_files(root)]


def _python_files(root: Path) -> list[Path]:
    return [root] if root.is_file() else sorted(root.rglob("*.py"))
