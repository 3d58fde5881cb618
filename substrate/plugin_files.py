"""The files that an object of a user's own is made of: found by reading them, running nothing."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path


def files_of(path: Path) -> list[Path]:
    """A file and, if it is code, those in its folder and below that it imports, directly or not."""
    found: list[Path] = []
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.append(file)
        if file.suffix == ".py":
            waiting += [each for each in _imported(file, path.parent) if each.is_file()]
    return [path, *sorted(found[1:])]


def sha256_of_files(files: Iterable[Path]) -> str:
    """SHA-256 of names and contents."""
    found = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        found.update(f"{path.name} {len(content)} ".encode() + content)
    return found.hexdigest()


def _imported(file: Path, folder: Path) -> Iterator[Path]:
    """Where the modules that a file imports would lie, if they are not installed ones."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return  # whoever imports it says so
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _places(folder, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom) and node.level <= len(file.parents):
            base = folder if not node.level else file.parents[node.level - 1]
            parts = node.module.split(".") if node.module else []
            for alias in node.names:
                yield from _places(base, [*parts, alias.name])


def _places(base: Path, parts: list[str]) -> Iterator[Path]:
    for part in parts:
        yield base / f"{part}.py"
        base /= part
        yield base / "__init__.py"
