"""The conformance kit for benches: sound ones pass, and every slip of a driver is found."""

from typing import Any, ClassVar

import numpy as np
import pytest

from substrate.verify import BenchConformance, run_checks
from tests.benches import Outerly, Programmed, ReadOnly, Updated, Whole


class TestProgrammed(BenchConformance):
    model = Programmed
    settings: ClassVar[dict[str, float]] = {"std": 0.05}


class TestUpdated(BenchConformance):
    model = Updated
    settings: ClassVar[dict[str, float]] = {"std": 0.02}


class TestOuterly(BenchConformance):
    model = Outerly


class TestWhole(BenchConformance):
    model = Whole
    settings: ClassVar[dict[str, float]] = {"std": 0.3}


class SwapsColumns(Whole):
    def program(self, array: int, weights: np.ndarray) -> None:
        super().program(array, weights[::-1])


class WritesTheSignAlone(Whole):
    def program(self, array: int, weights: np.ndarray) -> None:
        super().program(array, np.sign(weights))


class UpdatesBackwards(Whole):
    def update(self, array: int, change: np.ndarray) -> None:
        super().update(array, -change)


class UpdatesTenfold(Whole):
    def update(self, array: int, change: np.ndarray) -> None:
        super().update(array, 10 * change)


class RoundsToWholePulses(Whole):
    def update(self, array: int, change: np.ndarray) -> None:
        super().update(array, self.step * np.rint(change / self.step))


class WritesTheNextColumn(Whole):
    def update(self, array: int, change: np.ndarray) -> None:
        super().update(array, np.roll(change, 1, axis=0))


class WritesTheMeanOfColumns(Whole):
    def update(self, array: int, change: np.ndarray) -> None:
        super().update(array, np.broadcast_to(change.mean(0), change.shape))


class UpdatesNegativeWeightsBackwards(Whole):
    def update(self, array: int, change: np.ndarray) -> None:
        held = super().read(array, np.eye(change.shape[1])).T
        super().update(array, np.where(held < 0, -change, change))


class Saturates(Whole):
    def read(self, array: int, x: np.ndarray) -> np.ndarray:
        return super().read(array, x).clip(-0.4, 0.4)


class ClipsItsInputs(Whole):
    largest_input = 20.0

    def read(self, array: int, x: np.ndarray) -> np.ndarray:
        return super().read(array, x.clip(-2, 2))


class WritesEverywhere(Whole):
    def program(self, array: int, weights: np.ndarray) -> None:
        super().program(array, weights)
        self.cells[1 - array][:] = weights.mean()


class ReadsBackwardsAsForwards(Whole):
    def read_transposed(self, array: int, y: np.ndarray) -> np.ndarray:
        return y @ self.cells[array][:, ::-1]


class ForgetsWhatItSaved(Whole):
    def restore(self, array: int, state: Any) -> None:
        pass


class StaysOpen(Whole):
    connections = 0

    def open(self) -> None:
        if type(self).connections:
            raise ConnectionError("only one connection is allowed")
        type(self).connections += 1
        super().open()


class OverwritesItsInput(Whole):
    def read(self, array: int, x: np.ndarray) -> np.ndarray:
        x *= 2
        return super().read(array, x)


class HasNoTitle(Whole):
    title = ""


class ReportsText(Whole):
    def metrics(self) -> Any:
        return {"state": "fine"}


@pytest.mark.parametrize(
    ("bench", "check"),
    [
        (SwapsColumns, "Holds the weights"),
        (WritesTheSignAlone, "Holds the weights"),
        (UpdatesBackwards, "Changes its weights"),
        (UpdatesTenfold, "Changes its weights"),
        (WritesTheNextColumn, "Changes its weights"),
        (WritesTheMeanOfColumns, "Changes its weights"),
        (UpdatesNegativeWeightsBackwards, "Changes its weights"),
        (RoundsToWholePulses, "Carries out changes that are smaller"),
        (Saturates, "Multiplies"),
        (ClipsItsInputs, "Holds the weights"),
        (WritesEverywhere, "Writes one array"),
        (ReadsBackwardsAsForwards, "Reads backwards"),
        (ForgetsWhatItSaved, "Goes back to a saved state"),
        (StaysOpen, "Opens, closes"),
        (OverwritesItsInput, "Holds the weights"),
        (HasNoTitle, "Names itself"),
        (ReportsText, "Reports finite numbers"),
    ],
)
def test_a_slip_of_a_driver_is_found(bench: type[ReadOnly], check: str) -> None:
    kit: Any = type("Kit", (BenchConformance,), {"model": bench})()
    failed = [each.check for each in run_checks(kit) if each.result == "failed"]
    assert any(each.startswith(check) for each in failed), failed


def test_noise_that_would_let_a_wrong_driver_pass_is_refused() -> None:
    kit = type("Kit", (BenchConformance,), {"model": Whole, "settings": {"std": 8.0}})
    with pytest.raises(AssertionError, match="tells too little; average more than"):
        kit().test_product()
