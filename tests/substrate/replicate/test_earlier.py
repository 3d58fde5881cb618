"""A page written anew where the runs of an earlier one are gone."""

import shutil

import pytest

from substrate.replicate.earlier import earlier
from substrate.replicate.experiments import experiments
from substrate.replicate.write import write_page

ROWS = [
    (arm, seed, epoch, 0.2, accuracy)
    for seed in (0, 1)
    for arm in ("np", "bp")
    for epoch, accuracy in enumerate((0.1, 0.3, 0.5))
]


@pytest.fixture
def written(shipped, tmp_path):
    path = tmp_path / "docs" / "replication.md"

    def write() -> str:
        write_page(experiments(), tmp_path / "runs", path)
        return path.read_text()

    return write


def section(page: str, name: str) -> str:
    (found,) = [part for part in page.split("\n## ")[1:] if part.startswith(f"{name}\n")]
    return found.strip()


def overview(page: str, name: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith(f"| [{name}](#")]


def test_what_can_no_longer_be_written_is_kept(report, leave, tmp_path, written):
    report(small={"paper": {"np": {"train": 28.1, "test": 28.2}}, "statements": ["bp best"]})
    leave("paper-small-full", ROWS)
    leave("crossbar-small-full", ROWS)
    first = written()
    assert "Kept from" not in first
    shutil.rmtree(tmp_path / "runs" / "paper-small-full")
    second = written()
    kept, before = section(second, "paper/small"), section(first, "paper/small")
    line = next(line for line in kept.splitlines() if line.startswith("*Kept from the page of 20"))
    assert kept.replace(f"{line}\n\n", "") == before
    assert overview(second, "paper/small") == overview(first, "paper/small")
    assert section(second, "crossbar/small") == section(first, "crossbar/small")
    # once more, and nothing is said twice
    assert section(written(), "paper/small") == kept


def test_a_new_run_takes_the_place_of_what_was_kept(report, leave, tmp_path, written):
    report(small={"paper": {"np": {"train": 28.1, "test": 28.2}}})
    folder = leave("paper-small-full", ROWS)
    written()
    shutil.rmtree(folder)
    written()
    leave("paper-small-full", ROWS)
    assert "Kept from" not in written()


def test_what_was_never_run_is_not_kept(report, tmp_path, written):
    report(small={"paper": {"np": {"train": 28.1, "test": 28.2}}})
    written()
    assert earlier(tmp_path / "docs" / "replication.md") == {}
    assert earlier(tmp_path / "none.md") == {}
