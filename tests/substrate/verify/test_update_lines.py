"""Changes are held to what was asked for in every row and every column, not as a whole alone."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from devices.crossbars.base import Crossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.interface import Dense, Outer
from substrate.cli.verify import kit_of_chip
from substrate.randomness import stream
from substrate.scenario.schema import AihwkitChip
from substrate.verify import CrossbarConformance
from substrate.verify.statistics import assert_lines_near
from substrate.verify.updates import by_line, drawn


def _without(*lines: tuple[int, int]) -> Callable[[Tensor], Tensor]:
    def change(delta: Tensor) -> Tensor:
        delta = delta.clone()
        for axis, line in lines:
            delta.select(axis, line).zero_()
        return delta

    return change


def _flipped(column: int) -> Callable[[Tensor], Tensor]:
    sign = torch.ones(6, 1)
    sign[column] = -1
    return lambda delta: delta * sign


FAULTS: dict[str, Callable[[Tensor], Tensor]] = {
    "columns reversed": lambda delta: delta.flip(0),
    "the next column": lambda delta: delta.roll(1, 0),
    "the next row": lambda delta: delta.roll(1, 1),
    "the mean of all columns": lambda delta: delta.mean(0, keepdim=True).expand_as(delta),
    "the last column not written": _without((0, -1)),
    "two dead rows": _without((1, 0), (1, 1)),
    "two columns changed over": lambda delta: delta[[1, 0, 2, 3, 4, 5]],
    **{f"column {column} of the wrong sign": _flipped(column) for column in range(6)},
}


def wrong(right: Callable[[Outer | Dense], None], change: Callable[[Tensor], Tensor]) -> Any:
    def update(request: Outer | Dense) -> None:
        if isinstance(request, Outer):
            request = Dense(-request.rate * request.d.T @ request.x)
        right(Dense(change(request.delta)))

    return update


@pytest.mark.parametrize("fault", FAULTS)
def test_a_change_that_reaches_the_wrong_cells_is_found(fault: str) -> None:
    class Kit(CrossbarConformance):
        def make(
            self, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None
        ) -> Crossbar:
            crossbar = IdealCrossbar(n_out, n_in, torch.device(device))
            setattr(crossbar, "update", wrong(crossbar.update, FAULTS[fault]))  # noqa: B010
            return crossbar

    with pytest.raises(AssertionError, match="the change made"):
        Kit().test_updates()


@pytest.mark.parametrize("fault", ["the last column not written", "column 5 of the wrong sign"])
def test_it_is_found_of_a_wrapped_tile(fault: str) -> None:
    kit = kit_of_chip(AihwkitChip(crossbar="aihwkit", preset="IdealizedPreset"), 0)

    class Kit(kit):  # type: ignore[misc, valid-type]
        def make(self, *arguments: Any, **named: Any) -> Any:
            crossbar = super().make(*arguments, **named)
            crossbar.update = wrong(crossbar.update, FAULTS[fault])
            return crossbar

    with pytest.raises(AssertionError, match="the changes made"):
        Kit().test_updates()


@pytest.mark.parametrize("shape", [(6, 9), (7, 7)])
@pytest.mark.parametrize("seed", range(8))
def test_rows_and_columns_are_asked_for_as_much_and_in_ways_of_their_own(
    shape: tuple[int, int], seed: int
) -> None:
    x, d = drawn(*shape, stream(seed, "a test"))
    change = d.T @ x
    assert float(change.abs().max()) == pytest.approx(1.4)
    for lines in (change, change.T):
        sizes = lines.norm(dim=1)
        assert float(sizes.max() / sizes.min()) < 1.1
        unit = lines / sizes[:, None]
        assert float((unit @ unit.T - torch.eye(len(unit))).abs().max()) < 0.9


def test_right_lines_fail_as_rarely_as_stated() -> None:
    """Every line at the very bound of its size, where false alarms are most frequent."""
    from scipy import stats

    generator = torch.Generator().manual_seed(0)
    wanted = torch.randn(3, 4, generator=generator)
    trials, rate = 400, 0.3
    alarms = {"asked for": 0, "as the others": 0}
    for _ in range(trials):
        noise = 0.7 * torch.randn(2, 24, 3, 4, generator=generator)
        found, others = 0.5 * wanted + noise[0], wanted + 0.3 * noise[1]
        try:
            for each in by_line(found, wanted, "x", false_alarm=rate):
                each.hold_to(size=(0.5, 2.0), cosine=0.5)
        except AssertionError:
            alarms["asked for"] += 1
        try:
            assert_lines_near(found, others, "x", most=2.0, false_alarm=rate)
        except AssertionError:
            alarms["as the others"] += 1
    for number in alarms.values():
        assert stats.binomtest(number, trials, rate, alternative="greater").pvalue > 1e-4
        assert number > 0
