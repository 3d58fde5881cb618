"""Reads that leave no trace, in parts that undo them each in its own way."""

import pytest
import torch

from devices.crossbars.aihwkit import AihwkitCrossbar
from devices.crossbars.aihwkit_config import preset_config
from devices.without_trace import without_trace
from tests.chips import CPU

DRIFTS = {"device": {"drift": {"nu": 0.2}}, "forward": {"is_perfect": True}}


def test_an_aihwkit_tile_does_not_drift_inside() -> None:
    crossbar = AihwkitCrossbar(
        4, 3, preset_config("GokmenVlasovPreset", DRIFTS), CPU, seconds_per_read=1e6
    )
    crossbar.program(torch.full((4, 3), 0.3))
    x = torch.eye(3)
    with without_trace(crossbar):
        before = crossbar.read(x)
        inside = [crossbar.read(x) for _ in range(3)]
    assert all(each.equal(before) for each in inside)
    assert not crossbar.read(x).equal(crossbar.read(x))


def test_an_aihwkit_tile_spends_no_calibration_inside() -> None:
    ranges = {"pre_post": {"input_range": {"enable": True, "init_from_data": 2}}}
    config = preset_config("TorchInferenceRPUConfig", ranges)
    crossbar = AihwkitCrossbar(4, 3, config, CPU)
    before = crossbar.state()
    with without_trace(crossbar):
        for _ in range(3):
            crossbar.read(torch.linspace(-9, 9, 15).view(5, 3))
        assert not crossbar.state()["periphery.input_range"].equal(before["periphery.input_range"])
    after = crossbar.state()
    assert all(after[name].equal(value) for name, value in before.items())


def test_what_fails_inside_leaves_no_trace_either() -> None:
    class Counter:
        reads = 0

        def state(self) -> dict[str, torch.Tensor]:
            return {"reads": torch.tensor(self.reads)}

        def restore(self, state: dict[str, torch.Tensor]) -> None:
            self.reads = int(state["reads"])

        def read(self) -> None:
            self.reads += 1
            raise ZeroDivisionError

    counter = Counter()
    with pytest.raises(ZeroDivisionError), without_trace(counter):
        counter.read()
    assert counter.reads == 0
