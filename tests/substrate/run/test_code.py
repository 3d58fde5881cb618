"""Which code a figure depends on: what is left out would leave stored units as new."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import devices
import learning
import substrate
from substrate.run import code

ROOT = Path(substrate.__file__).parents[1]
NO_FIGURE = {
    "files.py": "writes what it is given",
    "nearest.py": "words of errors",
    "record/__init__.py": "the error of records",
    "record/afterwards.py": "form of what is told",
    "record/base.py": "form of what is told",
    "record/device.py": "form of what is told",
    "record/folder.py": "names of files, and reading them",
    "record/metrics.py": "form of what is told",
    "record/summary.py": "form of what is told",
    "record/unit.py": "form of what is told",
    "run/origin.py": "says what a unit depends on, which is in its key",
    "run/server.py": "starts a process, and ends it",
    "run/store.py": "where units lie, and who has them in hand",
    "run/unit_figures.py": "reads what a unit has written",
    "scenario/combinations.py": "refuses, and changes nothing",
    "scenario/explain.py": "words of errors",
    "scenario/overrides.py": "its result is the scenario, which is in the key; of it, paths alone",
    "scenario/source.py": "places of keys, and words of errors",
    "terminal.py": "what a screen shows",
}


def imported(file: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            assert not node.level, f"{file}: relative imports are not followed here"
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            place = ROOT / name.replace(".", "/")
            for path in (place.with_suffix(".py"), place / "__init__.py"):
                if name.partition(".")[0] in ("devices", "learning", "substrate") and path.exists():
                    yield path


def test_whatever_hashed_code_imports_of_ours_is_hashed_or_makes_no_figure() -> None:
    inside = ROOT / "substrate"
    roots = [Path(devices.__file__).parent, Path(learning.__file__).parent]
    hashed = {*code._sources([*roots, *(inside / each for each in code._OF_SUBSTRATE)])}
    missing = {path for file in hashed for path in imported(file)} - hashed
    assert {str(path.relative_to(inside)) for path in missing} == NO_FIGURE.keys()


def test_tables_and_compiled_parts_of_a_package_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "lab_with_tables"
    for each in ("data", "__pycache__", "runs", "out"):
        (package / each).mkdir(parents=True)
    for each in ("__init__.py", "data/gain.csv", "fast.so", "runs/x.csv", "__pycache__/x.nbi"):
        (package / each).write_text("1\n")
    monkeypatch.syspath_prepend(tmp_path)
    written = ("runs/x.csv", "__pycache__/x.nbi", "out/units.json")

    def now() -> dict[str, str]:
        return code.named_code(["lab_with_tables.noise:Mine"])

    before = now()
    for each in written:
        (package / each).write_text("2\n")
    assert now() == before
    for each in ("data/gain.csv", "fast.so"):
        (package / each).write_text("2\n")
        assert now() != before, each
        before = now()
    (package / "data/gain.csv").rename(package / "gain.csv")
    assert now() != before


def test_secrets_of_a_chip_behind_a_wire_make_no_figure_and_a_key_of_their_name_may(
    tmp_path: Path,
) -> None:
    named = {each: str(tmp_path / each) for each in ("token", "table")}
    for path in named.values():
        Path(path).write_text("1\n")
    chip = {"remote": "localhost:50051", "token": named["token"]}
    settings = {"remote": True, "table": named["table"]}
    arm = {"chip": chip, "learning": {"rule": "mine", "settings": settings}}
    assert [*code.named_code({"arm": arm})] == [named["table"]]
