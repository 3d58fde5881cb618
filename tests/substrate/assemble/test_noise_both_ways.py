"""A scenario's noise on every array and in both directions: variances in closed form."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from devices.interface import Chip
from devices.noise.base import NoiseSource
from devices.noise.gaussian import GaussianNoise
from substrate.assemble.chip import build_chip
from substrate.assemble.dataset import checked_dataset
from substrate.assemble.host import SimulatedHost
from substrate.randomness import stream
from substrate.scenario.load import load_scenario
from tests.statistics import assert_mean

CPU = torch.device("cpu")
READS = 20_000
EXACT = {"input_converter": {"bits": "exact"}, "output_converter": {"bits": "exact"}}
STILL = {"w_max_spread": 0, "w_min_spread": 0, "programming_error": 0, "read_noise": 0}
CHIPS: dict[str, dict[str, Any]] = {
    "native": {"crossbar": "native", "conductance": STILL, **EXACT},
    "aihwkit": {"crossbar": "aihwkit", "preset": "FloatingPointPreset"},
    "aihwkit's inference": {
        "crossbar": "aihwkit",
        "preset": "TorchInferenceRPUConfig",
        "config": {"forward": {"is_perfect": True}, "noise_model": None},
    },
}  # fmt: skip


SPLIT = {"max_rows": 4, "max_columns": 3}


def loaded(folder: Path, chip: dict[str, Any], noise: list[dict[str, Any]]) -> Any:
    rule = {
        "rule": "weight_mirror",
        "settings": {"where": "crossbar"},
        "decorrelation": {"rate": 0.001, "on": "crossbar"},
        "optimiser": {"learning_rate": 0.1},
    }
    arm = {"chip": {"transposed_read": True, **chip, "noise": noise}, "learning": rule}
    clean = {"learning": {"rule": "bp", "optimiser": {"learning_rate": 0.1}}}
    path = folder / "noisy.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "name": "noisy",
                "data": {"name": "digits", "limit_train": 100, "limit_test": 100},
                "network": {"layers": [6]},
                "arms": {"device": arm},
                "baselines": {"bp": clean},
            }
        )
    )
    return load_scenario(path)


def chip_of(
    folder: Path, kind: str, noise: list[dict[str, Any]], seed: int = 0, **more: int
) -> Chip:
    scenario, source = loaded(folder, CHIPS[kind] | more, noise)
    dataset = checked_dataset(scenario, source)
    return build_chip(scenario, scenario.arms["device"], dataset, seed, CPU)


def reads(chip: Chip) -> dict[str, torch.Tensor]:
    """What every read of the second layer gives of many equal drives; the layer is 6 to 10."""
    columns, rows = torch.full((READS, 10), 0.5), torch.full((READS, 6), 0.5)
    return {
        "weights": chip.read_transposed(1, columns),
        "mirror": chip.read_mirror(1, rows),
        "mirror, transposed": chip.read_mirror_transposed(1, columns),
        "R, transposed": chip.read_decorrelation_transposed(1, rows),
    }


@pytest.mark.parametrize("kind", CHIPS)
def test_output_noise_is_on_what_every_array_gives_from_either_side(tmp_path, kind):
    noisy = chip_of(tmp_path, kind, [{"model": "gaussian", "at": "output", "std": 0.2}])
    for given in reads(noisy).values():
        # reads of the same drives differ by noise alone; false alarms: 1e-6 each
        differences = given[1::2] - given[::2]
        assert_mean(differences.square(), torch.full(given.shape[1:], 2 * 0.2**2))


# The second layer is 6 to 10, so that W and its mirror lie on 2 arrays a column and 4 a row, R on
# 2 and 2. Every array adds its own noise to what is summed up digitally.
@pytest.mark.parametrize("kind", CHIPS)
def test_every_array_of_a_split_matrix_has_output_noise_of_its_own(tmp_path, kind):
    noise = [{"model": "gaussian", "at": "output", "std": 0.2}]
    noisy = chip_of(tmp_path, kind, noise, **SPLIT)
    arrays = {"weights": 4, "mirror": 2, "mirror, transposed": 4, "R, transposed": 2}
    found = reads(noisy)
    assert found.keys() == arrays.keys()
    for matrix, given in found.items():
        differences = given[1::2] - given[::2]
        expected = 2 * 0.2**2 * arrays[matrix]
        assert_mean(differences.square(), torch.full(given.shape[1:], expected))


@pytest.mark.parametrize("kind", ["aihwkit", "aihwkit's inference"])
def test_a_matrix_on_one_array_has_the_noise_that_it_always_had(tmp_path, kind):
    """Around it, from streams that no array's name is part of."""
    noise = [{"model": "gaussian", "at": at, "std": 0.2} for at in ("input", "output")]
    chips = (chip_of(tmp_path, kind, noise, max_rows=64, max_columns=64) for _ in range(2))
    one, other = (chip.read_transposed(1, torch.eye(10)) for chip in chips)
    assert torch.equal(one, other)
    clean = [{"model": "gaussian", "at": "input", "std": 1e-9}]
    weights = chip_of(tmp_path, kind, clean).read_transposed(1, torch.eye(10))
    drives, given = (
        NoiseSource(
            GaussianNoise(std=0.2), stream(0, "noise", at, "layer 2", f"source {n}", "transposed")
        )
        for n, at in enumerate(("input", "output"))
    )
    torch.testing.assert_close(one, given(drives(torch.eye(10)) @ weights))


@pytest.mark.parametrize("kind", CHIPS)
def test_input_noise_is_on_what_drives_the_columns(tmp_path, kind):
    """Σ_j W_ji² σ² in every row i, with the weights as they are read."""
    # the rule is refused on a chip that is free of noise
    clean = chip_of(tmp_path, kind, [{"model": "gaussian", "at": "input", "std": 1e-9}])
    weights = clean.read_transposed(1, torch.eye(10))
    noisy = chip_of(tmp_path, kind, [{"model": "gaussian", "at": "input", "std": 0.2}])
    given = noisy.read_transposed(1, torch.full((READS, 10), 0.5))
    differences = given[1::2] - given[::2]
    assert_mean(differences.square(), 2 * 0.2**2 * weights.square().sum(0))


@pytest.mark.parametrize("kind", CHIPS)
def test_reads_from_the_columns_shift_no_pass_forward(tmp_path, kind):
    noise = [{"model": "gaussian", "at": at, "std": 0.2} for at in ("input", "output")]
    one, other = (chip_of(tmp_path, kind, noise) for _ in range(2))
    x = torch.rand(5, 1, 8, 8)
    for _ in range(2):
        one.read_transposed(1, torch.ones(3, 10))
        assert torch.equal(one.forward(x).output, other.forward(x).output)


@pytest.mark.parametrize("kind", CHIPS)
def test_a_saved_chip_goes_on_with_the_noise_of_its_arrays(tmp_path, kind):
    noise = [{"model": "autoregressive", "at": at} for at in ("input", "output")]
    scenario, source = loaded(tmp_path, CHIPS[kind], noise)
    dataset = checked_dataset(scenario, source)
    host = SimulatedHost(scenario, scenario.arms["device"], dataset, CPU)
    host.begin(0)
    reads(host.chip)
    state = host.state()
    with host.aside("a look"):
        looked = reads(host.chip)
    first = reads(host.chip)
    host.begin(1)
    host.restore(state)
    again = reads(host.chip)
    for what, given in first.items():
        assert torch.equal(given, again[what]), what
        assert not torch.equal(given, looked[what]), what
