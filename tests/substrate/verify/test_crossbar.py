"""The conformance kit for crossbars: sound ones pass, faults are found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from devices.crossbars.base import Crossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.interface import Dense, LayerShape, Outer
from substrate.assemble.crossbar import build_crossbar
from substrate.new.write import write_new
from substrate.plugins import load_object
from substrate.scenario.schema import NativeChip
from substrate.verify import CrossbarConformance, run_checks


class TestIdeal(CrossbarConformance):
    max_cost = 100.0

    def make(self, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None) -> Crossbar:
        return IdealCrossbar(n_out, n_in, torch.device(device))


class TestNative(CrossbarConformance):
    # The native crossbar's own test of speed is a benchmark; other tests run beside this one.
    max_cost = 200.0

    def make(self, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None) -> Crossbar:
        of = self.seed if seed is None else seed
        chip = NativeChip.model_validate({"crossbar": "native"})
        return build_crossbar(chip, LayerShape(n_out, n_in), of, "test", torch.device(device))


class TestOfOnesOwn(CrossbarConformance):
    max_cost = 200.0

    @pytest.fixture(autouse=True)
    def _model(self, working_folder: Path) -> None:
        path, _ = write_new("device", "OwnCell", working_folder)
        type(self).model = load_object(f"{path}:OwnCell", working_folder)


class WritesBackwards(IdealCrossbar):
    def update(self, request: Outer | Dense) -> None:
        wanted = request.delta if isinstance(request, Dense) else -(request.d.T @ request.x)
        self.weights.sub_(wanted)


class SaysItIsNoisy(IdealCrossbar):
    noise_free = False


class ForgetsRepeats(IdealCrossbar):
    def read(self, x: torch.Tensor, repeats: int = 1) -> torch.Tensor:
        return super().read(x)


class ScalesByTheBatch(IdealCrossbar):
    def read(self, x: torch.Tensor, repeats: int = 1) -> torch.Tensor:
        return super().read(x, repeats) * (1 + x.abs().mean())


class ShowsItsWeights(IdealCrossbar):
    def read(self, x: torch.Tensor, repeats: int = 1) -> torch.Tensor:
        a = super().read(x, repeats)
        self.last = a
        return a


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (WritesBackwards, "direction asked for"),
        (SaysItIsNoisy, "Draws afresh"),
        (ForgetsRepeats, "right shapes"),
        (ScalesByTheBatch, "whatever else is in its batch"),
        (ShowsItsWeights, "seal"),
    ],
)
def test_every_fault_is_found(fault: Callable[..., Crossbar], words: str) -> None:
    def make(
        self: Any, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None
    ) -> Crossbar:
        return fault(n_out, n_in, torch.device(device))

    kit = type("Kit", (CrossbarConformance,), {"make": make, "max_cost": 1e3})
    found = {each.check: each.detail for each in run_checks(kit()) if each.result == "failed"}
    assert any(words in check for check in found), found
