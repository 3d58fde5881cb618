"""A run that goes on, as its files stand in the middle of it."""

from pathlib import Path

import pytest
import yaml

from substrate.files import write_atomically
from substrate.record.folder import METRICS, UNITS
from substrate.record.metrics import Epoch
from substrate.record.summary import LayerNoise
from substrate.record.unit import ARM, ENDED, Origin, PlannedUnit, RunRecord, UnitEnd
from substrate.run.store import Store

TITLE = "Is <script>document.title='taken'</script> shown?"
SCENARIO = {
    "name": "watched",
    "title": TITLE,
    "training": {"epochs": 4},
    "arms": {"bench": {}},
    "baselines": {"clean": {}},
    "seeds": [0, 1],
    "verdict": {"tolerance": 0.05, "confidence": 0.95},
}


class Going:
    """A run of two arms with two seeds, of which a test says what is on the disk."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store = folder, store
        folder.mkdir()
        origin = Origin(
            scenario=yaml.safe_dump(SCENARIO), data="", files={}, versions={}, device="cpu"
        )
        self.planned = [
            PlannedUnit(arm=arm, seed=seed, key=f"{arm}{seed}".ljust(40, "0"))
            for arm in ("bench", "clean")
            for seed in (0, 1)
        ]
        record = RunRecord(
            origin=origin,
            command="substrate run watched.yaml",
            started="2026-01-01T00:00:00+00:00",
            wall_seconds=0.0,
            units=[],
            planned=self.planned,
            store=str(store.root),
        )
        write_atomically(folder / UNITS, record.sealed())

    def reaches(self, arm: str, seed: int, accuracies: list[float], **more: object) -> Path:
        """Write the figures of a unit's epochs, from 0 on."""
        key = next(each.key for each in self.planned if (each.arm, each.seed) == (arm, seed))
        home = self.store.folder(key)
        home.mkdir(parents=True, exist_ok=True)
        rows = [
            Epoch(
                arm=ARM,
                seed=seed,
                epoch=epoch,
                train_loss=None if epoch == 0 else 1.0 / epoch,
                train_accuracy=None if epoch == 0 else accuracy,
                test_loss=1.0,
                test_accuracy=accuracy,
                seconds=float(epoch),
                **more,  # type: ignore[arg-type]
            )
            for epoch, accuracy in enumerate(accuracies)
        ]
        (home / METRICS).write_bytes(b"".join(row.as_line() for row in rows))
        return home

    def ends(self, home: Path, noise: float) -> None:
        """Write that a unit has ended, and the noise that was observed then."""
        end = UnitEnd(
            key=home.name,
            noise=[LayerNoise(layer=1, noise_std=noise, signal_std=1.0)],
            ledger=None,
            diverged=None,
            metrics_sha256="",
            outcome_sha256="",
        )
        write_atomically(home / ENDED, end.sealed())


@pytest.fixture
def going(tmp_path: Path, own_store: Path) -> Going:
    return Going(tmp_path / "run", Store(own_store))
