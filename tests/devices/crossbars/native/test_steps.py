"""Pulses along a table of measured steps, against single pulses one after another."""

from pathlib import Path

import numpy as np
import pytest
import torch

from devices.crossbars.native.cells import Devices
from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.response import PulseResponse, draw_devices, pulse_
from devices.crossbars.native.steps import COLUMNS, PIECES, StepTable, read_steps
from devices.measurement_columns import MeasurementError
from substrate.cli.verify import kit_of_chip
from substrate.run.code import named_code
from substrate.scenario.schema import NativeChip

WINDOW = Conductance(w_max=0.8, w_min=-0.5, w_max_spread=0.1, w_min_spread=0.1)
CPU = torch.device("cpu")


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def curves(weight):
    """Mean step up and down of a made-up device that no linear step follows."""
    r = np.where(weight > 0, weight / 0.8, weight / 0.5)
    return 1.2 - 0.9 * np.tanh(2.5 * r), 0.9 + 0.7 * np.tanh(3 * r)


def written(path: Path, weights, up, down, spread_up, spread_down) -> Path:
    rows = np.column_stack([weights, up, spread_up, down, spread_down])
    np.savetxt(path, rows, delimiter=",", header=",".join(COLUMNS), comments="", fmt="%.9g")
    return path


@pytest.fixture
def table(tmp_path):
    w = np.concatenate([np.linspace(-0.5, 0, 21)[:-1], np.linspace(0, 0.8, 21)])
    up, down = curves(w)
    return written(tmp_path / "steps.csv", w, up, down, 0.3 * up + 0.1, 0.4 * down)


def one_by_one(weights, directions, devices, table: StepTable, spread, generator):
    """Apply single pulses in order, steps looked up by numpy in double precision."""
    w = weights.double().numpy().copy()
    high, low, u, v = (
        np.broadcast_to(each.double().numpy(), w.shape)
        for each in (devices.w_max, devices.w_min, devices.up, devices.down)
    )
    knots = np.linspace(-1, 1, PIECES + 1)
    for direction in directions:
        place = np.where(w > 0, w / high, -w / low)
        xi = spread * torch.randn(w.shape, generator=generator, dtype=torch.float64).numpy()
        look = [np.interp(place, knots, each) for each in table]
        up, down = u * (look[0] + xi * look[2]), v * (look[1] + xi * look[3])
        w = w + np.where(direction > 0, up, 0) - np.where(direction < 0, down, 0)
        w = np.clip(w, low, high)
    return torch.from_numpy(w)


@pytest.mark.parametrize("direction", [1, -1])
def test_pulses_of_one_direction_follow_the_table(table, direction):
    response = PulseResponse(dw_min=0.004, steps=table, cycle_spread=0.0)
    devices = draw_devices(WINDOW, response, (20, 30), stream(), CPU)
    weights = torch.rand(20, 30, generator=stream(1)) - 0.4
    count = torch.arange(600.0).view(20, 30) % 50
    directions = [(direction * (count > k)).numpy() for k in range(50)]
    expected = one_by_one(weights, directions, devices, response.table, 0, stream())
    none = torch.zeros_like(count)
    before = weights.clone()
    pulse_(
        weights, *((count, none) if direction > 0 else (none, count)), devices, response, stream()
    )
    moved = (expected - before).abs().max()
    # the way of fifty pulses leads over several pieces of the table
    assert (weights - expected).abs().max() < 0.01 * moved


def test_mixed_pulses_have_mean_and_spread_of_single_ones(table):
    response = PulseResponse(
        dw_min=0.004, steps=table, cycle_spread=1.5, cycle_spread_is="measured",
        dw_min_spread=0.0, up_down_spread=0.0,
    )  # fmt: skip
    cells = 40_000
    one = draw_devices(
        WINDOW.model_copy(update={"w_max_spread": 0.0, "w_min_spread": 0.0}),
        response, (1, 1), stream(), CPU,
    )  # fmt: skip
    start = torch.full((cells, 1), 0.1)
    signs = torch.cat([torch.ones(20), -torch.ones(10)])
    orders = signs[torch.rand(cells, 30, generator=stream(1)).argsort(1)]
    plain = read_steps(table)
    singles = one_by_one(start, orders.T[..., None].numpy(), one, plain, 1.5, stream(2))
    weights = start.clone()
    pulse_(
        weights, torch.full_like(start, 20), torch.full_like(start, 10), one, response, stream(3)
    )
    error = singles.std().item() / cells**0.5
    # a tenth of a step is what the order of pulses makes of a mean
    assert weights.mean().item() == pytest.approx(singles.mean().item(), abs=6 * error + 0.0004)
    assert weights.std().item() == pytest.approx(singles.std().item(), rel=0.03 + 0.04)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2049)])
def test_the_compiled_loops_follow_the_formula(table, shape):
    response = PulseResponse(dw_min=0.01, steps=table, cycle_spread=0.0)
    devices = draw_devices(WINDOW, response, shape, stream(), CPU)
    doubles = Devices(*(each.double() for each in devices))
    counts = torch.logspace(0, 2.5, shape[0] * shape[1]).view(shape).floor()
    for up, down in ((counts, counts.flip(1)), (counts, 0 * counts), (0 * counts, counts)):
        weights = torch.rand(shape, generator=stream(1)) - 0.4
        exact = weights.double()
        pulse_(weights, up, down, devices, response, stream())
        pulse_(exact, up.double(), down.double(), doubles, response, stream())
        torch.testing.assert_close(weights.double(), exact, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_what_lies_beyond_a_bound_takes_the_tables_last_steps(table, precision):
    none = dict.fromkeys(("dw_min_spread", "up_down_spread", "cycle_spread"), 0.0)
    response = PulseResponse(dw_min=0.004, steps=table, **none)
    window = Conductance(w_max=0.8, w_min=-0.5, w_max_spread=0.0, w_min_spread=0.0)
    devices = draw_devices(window, response, (1, 4), stream(), CPU)
    devices = Devices(*(each.to(precision) for each in devices))
    weights = torch.tensor([[0.9, 0.9, 0.9, -0.6]], dtype=precision)
    up = torch.tensor([[0, 7, 0, 0]], dtype=precision)
    down = torch.tensor([[0, 0, 3, 5]], dtype=precision)
    pulse_(weights, up, down, devices, response, stream())
    last = 0.004 * curves(np.array([0.8]))[1][0]
    expected = torch.tensor([[0.9, 0.9, 0.9 - 3 * last, -0.6]], dtype=precision)
    torch.testing.assert_close(weights, expected, atol=1e-4, rtol=0)


def test_the_compiled_loops_have_the_formulas_spread(table):
    response = PulseResponse(dw_min=0.01, steps=table, cycle_spread=1, cycle_spread_is="measured")
    cells = 40_000
    one = draw_devices(WINDOW, response, (1, 1), stream(), CPU)
    devices = Devices(*(each.expand(cells, 1).contiguous() for each in one))
    found = []
    for precision in (torch.float32, torch.float64):
        weights = torch.full((cells, 1), 0.1, dtype=precision)
        same = Devices(*(each.to(precision) for each in devices))
        up, down = torch.full_like(weights, 9), torch.full_like(weights, 4)
        pulse_(weights, up, down, same, response, stream(1))
        found.append(weights.double())
    ours, formula = found
    assert ours.mean().item() == pytest.approx(
        formula.mean().item(), abs=6 * ours.std().item() / 200
    )
    assert ours.std().item() == pytest.approx(formula.std().item(), rel=0.03)


def test_a_table_of_soft_bounds_is_the_soft_bounds_response(tmp_path):
    w = np.array([-1.0, 0.0, 1.0])
    path = written(tmp_path / "soft.csv", w, 1 - w, 1 + w, 0 * w, 0 * w)
    by_table = PulseResponse(dw_min=0.01, steps=path, cycle_spread=0.3)
    closed = PulseResponse(dw_min=0.01, gamma_up=1, gamma_down=1, cycle_spread=0.3)
    window = Conductance(w_max_spread=0, w_min_spread=0)
    found = []
    for response in (by_table, closed):
        weights = torch.rand(50, 60, generator=stream(1)) - 0.5
        devices = draw_devices(window, response, (50, 60), stream(2), CPU)
        up, down = torch.full_like(weights, 6), torch.full_like(weights, 2)
        pulse_(weights, up, down, devices, response, stream(3))
        found.append(weights)
    torch.testing.assert_close(*found, atol=2e-4, rtol=1e-3)


def test_counts_that_are_not_finite_do_not_pass_for_weights(table):
    response = PulseResponse(steps=table)
    devices = draw_devices(WINDOW, response, (2, 3), stream(), CPU)
    weights, up = torch.zeros(2, 3), torch.zeros(2, 3)
    up[1, 1] = torch.nan
    pulse_(weights, up, torch.zeros(2, 3), devices, response, stream())
    assert torch.equal(weights.isnan(), up.isnan())


def test_a_device_of_a_table_conforms(table):
    chip = NativeChip.model_validate(
        {
            "crossbar": "native",
            "conductance": {"w_max_spread": 0.05, "w_min_spread": 0.05},
            "update": {
                "dw_min": 0.002, "steps": str(table), "cycle_spread": 1,
                "cycle_spread_is": "measured", "dw_min_spread": 0.1,
            },
        }
    )  # fmt: skip
    kit = kit_of_chip(chip, 0)
    # its steps up shrink and its steps down grow with the weight: an update is turned by as much
    kit.update_size = (0.6, 1.6)
    checks = kit()
    checks.test_updates()
    checks.test_saves_and_restores()
    checks.test_repeats_under_a_seed()
    checks.test_meta_device()


def test_the_file_stands_beside_the_scenario_and_is_part_of_a_unit(table):
    data = {"crossbar": "native", "update": {"steps": table.name}}
    chip = NativeChip.model_validate(data, context={"folder": table.parent})
    assert chip.device.update.steps == table.resolve()
    before = named_code(chip.model_dump(mode="json"))
    assert list(before) == [str(table.resolve())]
    table.write_text(table.read_text().replace("0.8,", "0.81,"))
    assert named_code(chip.model_dump(mode="json")) != before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("weight,step_up,spread_up,step_down\n-1,1,0,1\n0,1,0,1\n1,1,0,1\n", "spread_down"),
        ("weight,step_up,spread_up,step_down,spread_down\n0,1,0,1,0\n1,1,0,1,0\n2,1,0,1,0\n",
         "both signs"),
        ("weight,step_up,spread_up,step_down,spread_down\n-1,1,0,1,0\n1,1,0,1,0\n0,1,0,1,0\n",
         "row 3"),
        ("weight,step_up,spread_up,step_down,spread_down\n-1,1,0,1,0\n0,1,0,-1,0\n1,1,0,1,0\n",
         "step_down is -1 in row 2"),
        ("weight,step_up,spread_up,step_down,spread_down\n-1,0,0,1,0\n0,0,0,1,0\n1,0,0,1,0\n",
         "ever moves"),
    ],
)  # fmt: skip
def test_tables_that_are_none_are_refused(tmp_path, text, said):
    path = tmp_path / "steps.csv"
    path.write_text(text)
    with pytest.raises(MeasurementError, match=said):
        read_steps(path)


def test_a_table_beside_slopes_of_its_own_is_refused(table):
    with pytest.raises(ValueError, match="leave gamma_up"):
        PulseResponse(steps=table, gamma_up=1.0)
    with pytest.raises(ValueError, match="needs a table"):
        PulseResponse(cycle_spread_is="measured")
