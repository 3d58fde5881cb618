"""Writing a commented starting file and its test."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal

from substrate.files import write_atomically
from substrate.scenario.source import ScenarioError

Kind = Literal["noise", "device", "rule", "bench"]


def write_new(kind: Kind, name: str, folder: Path) -> tuple[Path, Path]:
    """Write `name`.py and test_`name`.py; gives both paths.

    Args:
        kind: which template.
        name: as the class (`CryoReadNoise`) or the file (`cryo_read_noise`) is to be called.
        folder: where to.

    Raises:
        ScenarioError: the name is none that Python allows, or a file is already there.
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    module = "_".join(word.lower() for word in words)
    legal = re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) and not keyword.iskeyword(module)
    if not legal or not words:
        raise ScenarioError(
            "is no name for a class",
            found=name,
            hint="letters, digits and _, such as CryoReadNoise",
        )
    given_as_class = name.isidentifier() and name[0].isupper() and "_" not in name
    names = {
        "Class": name if given_as_class else "".join(word[0].upper() + word[1:] for word in words),
        "name": module,
        "file": f"{module}.py",
        "words": " ".join(word if word.isupper() else word.lower() for word in words),
    }
    names["Title"] = names["words"][0].upper() + names["words"][1:]
    paths = folder / f"{module}.py", folder / f"test_{module}.py"
    if not folder.is_dir():
        raise ScenarioError("is no folder", file=f"--out {folder}")
    for path in paths:
        if path.exists():
            raise ScenarioError("is already there, and is not overwritten", file=str(path))
    templates = (f"{kind}.py.txt", f"{kind}_test.py.txt")
    for path, template in zip(paths, templates, strict=True):
        text = files("substrate.new").joinpath(template).read_text(encoding="utf-8")
        write_atomically(path, Template(text).substitute(names))
    return paths
