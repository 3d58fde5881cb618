"""What every test shares: run-time checks of shapes and types, one thread a worker, the data.

A test file that gives no test is an error.
"""

import builtins
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before torch is imported, here or in a command that a test starts: each worker has one core.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["MKL_NUM_THREADS"] = "1"

import torch

from tests import shapes
from tests.stores import store_at

# Modules that must not import torch (`devices.deferred`) import this name for type checkers alone,
# and a builtin is where beartype finds what a module lacks.
builtins.Tensor = torch.Tensor  # type: ignore[attr-defined]

# Before any test imports the packages: every annotated call is then checked as it runs.
shapes.install()


class SilentFile(pytest.Item):
    """Stands for a test file that gave no test."""

    def runtest(self) -> None:
        pytest.fail("no test was collected from this file", pytrace=False)


@pytest.hookimpl(tryfirst=True)  # before -k and -m take tests away
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Let a run of all tests fail where a file gave none, such as one in a folder never entered."""
    here = Path(__file__).parent
    if [Path(each).resolve() for each in config.args] == [here]:
        silent = {*here.rglob("test_*.py")} - {item.path for item in items}
        names = sorted(str(path.relative_to(here.parent)) for path in silent)
        items += [SilentFile.from_parent(session, name=name) for name in names]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with the development data, as `unpack.sh DIR` makes it."""
    folder = os.environ.get("SUBSTRATE_DATA")
    if not folder:
        pytest.skip("SUBSTRATE_DATA is unset: it names the folder with the unpacked data sets")
    if not Path(folder).is_dir():
        pytest.fail(f"SUBSTRATE_DATA={folder} is not a folder")
    return Path(folder)


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path) -> Iterator[Path]:
    """A store of units for every test, so that nothing is taken from another; and one core."""
    with store_at(tmp_path / "store-of-units") as store:
        yield store


@pytest.fixture(autouse=True)
def own_locks(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks of this process alone, so that tests that run elsewhere are not waited for."""
    monkeypatch.setattr("substrate.files._OF_ALL_USERS", tmp_path_factory.getbasetemp())


@pytest.fixture(autouse=True)
def checkpoints_of_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Epochs of tests take milliseconds, and a stop in between is to find a checkpoint."""
    monkeypatch.setattr("substrate.run.unit.CHECKPOINT_SECONDS", 0.0)
