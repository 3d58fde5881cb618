"""The harness itself: mutations repeat, sound data is understood, what falls short is seen."""

import random
from pathlib import Path

import pytest

from tests.torture import data_files
from tests.torture.data_formats import FORMATS


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBSTRATE_CACHE", str(tmp_path / "cache"))


def written(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".yaml" and path.suffix != ".npz"  # holds the time
    }


def test_mutations_repeat_and_every_format_is_among_them(tmp_path: Path) -> None:
    kinds = set()
    for number in range(25):
        folders = [tmp_path / f"{number}-{again}" for again in range(2)]
        for folder in folders:
            folder.mkdir()
            kind, _, _ = data_files.write(0, number, folder)
            kinds.add(kind)
        if kind != "mat":  # holds the time
            assert written(folders[0]) == written(folders[1])
    assert kinds == FORMATS.keys()


def test_what_falls_short_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = next(n for n in range(50) if random.Random(f"0:{n}").choice(list(FORMATS)) == "mat")
    _, scenario, trace = data_files.write(0, number, tmp_path)

    def fails(*_: object, **__: object) -> None:
        raise KeyError("no such thing")

    monkeypatch.setattr("substrate.assemble.dataset.load_dataset", fails)
    assert data_files.outcome(scenario, trace).startswith("KeyError: \"'no such thing'\" at ")
