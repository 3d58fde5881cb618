"""Training over a wire ends as in one process, bit for bit."""

import math

import pytest
import torch

from devices.interface import Capability, CapabilityError
from substrate.new.write import write_new
from substrate.run.training import ArmRun
from substrate.wire.states import States
from tests.wires import (
    ADAM,
    CPU,
    DANP,
    NATIVE,
    OWN_NOISE,
    a_host,
    a_scenario,
    a_server,
    few_digits,
    trained,
)

INJECTS = {**NATIVE, "inject": True}
BOTH = {"source": "both", "baseline": "noisy"}
CASES = {
    "danp on native arrays, pulsed": (NATIVE, {**DANP, "decorrelation": {}}),
    "decorrelation in part, on a crossbar": (
        NATIVE,
        {**DANP, "decorrelation": {"on": "crossbar", "sample_fraction": 0.5}},
    ),
    "np with injected noise, resampled": (
        INJECTS,
        {"rule": "np", "perturbation": {**BOTH, "resamples": 3}, "optimiser": ADAM},
    ),
    "layer by layer": (INJECTS, {"rule": "inp", "perturbation": BOTH, "optimiser": ADAM}),
    "a mirror on a crossbar": (
        NATIVE,
        {
            "rule": "weight_mirror",
            "settings": {"where": "crossbar"},
            "perturbation": OWN_NOISE,
            "decorrelation": {},
            "optimiser": ADAM,
        },
    ),
    "transposed reads": ({**NATIVE, "transposed_read": True}, {"rule": "bp", "optimiser": ADAM}),
    "the ideal chip": ({"crossbar": "ideal"}, {"rule": "danp", "optimiser": ADAM}),
}


@pytest.mark.parametrize("case", CASES)
def test_figures_and_final_state_are_those_of_one_process(case, tmp_path):
    chip, learning = CASES[case]
    scenario = a_scenario(chip, learning)
    here, expected = trained(scenario)
    with a_server(scenario, tmp_path) as address, a_host(address) as host:
        there, found = trained(scenario, host)
        assert found == expected
        state = there.state()
        name = bytes(state.pop("chip.kept as").tolist()).decode()
        own = here.state()
        of_chip = {k: own.pop(k) for k in list(own) if k.startswith("chip.")}
        kept = States(tmp_path).read(name)
        assert kept.keys() == {each.removeprefix("chip.") for each in of_chip}
        for each, value in of_chip.items():
            assert torch.equal(kept[each.removeprefix("chip.")], value), each
        for each, value in own.items():
            assert torch.equal(state[each], value), each
        assert there.ledger() == here.ledger()
        assert there.observed_noise() == here.observed_noise()


def test_a_device_of_ones_own_travels(working_folder):
    write_new("device", "FerroCell", working_folder)
    chip = {"crossbar": f"{working_folder}/ferro_cell.py:FerroCell"}
    scenario = a_scenario(chip, {**DANP, "optimiser": {"name": "sgd", "learning_rate": 0.1}})
    _, expected = trained(scenario)
    with a_server(scenario, working_folder / "states") as address, a_host(address) as host:
        assert trained(scenario, host)[1] == expected


def test_an_aihwkit_chip_learns_over_the_wire(tmp_path):
    chip = {"crossbar": "aihwkit", "preset": "IdealizedPreset"}
    optimiser = {"name": "sgd", "learning_rate": 0.05, "write": "pulses"}
    scenario = a_scenario(chip, {**DANP, "optimiser": optimiser}, epochs=6)
    with a_server(scenario, tmp_path) as address, a_host(address) as host:
        run, figures = trained(scenario, host)
        # its C++ tiles take no seed, so that no two trainings are the same
        assert figures[-1] < figures[3]  # training losses of the last epoch and the first
        assert run.ledger().training.passes > 0
        assert all(each.noise_std > 0 for each in run.observed_noise())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_chip_on_a_gpu_travels(tmp_path):
    scenario = a_scenario(NATIVE, DANP)
    cuda = torch.device("cuda")
    with a_server(scenario, tmp_path, device=cuda) as address, a_host(address) as host:
        _, figures = trained(scenario, host)
    assert all(map(math.isfinite, figures))


def test_a_convolution_travels(tmp_path):
    scenario = a_scenario(
        NATIVE,
        DANP,
        network={"layers": [{"conv": 3, "kernel": 3}, 10]},
    )
    _, expected = trained(scenario)
    with a_server(scenario, tmp_path) as address, a_host(address) as host:
        assert trained(scenario, host)[1] == expected


def test_a_training_goes_on_from_a_kept_state(tmp_path):
    scenario = a_scenario(NATIVE, DANP, epochs=3)
    _, expected = trained(scenario)
    with a_server(scenario, tmp_path) as address:
        with a_host(address) as host:
            run = ArmRun(scenario, "arm", 0, few_digits(scenario), CPU, host)
            epochs = run.epochs()
            next(epochs)
            last = next(epochs)
            state = run.state()
            next(epochs)  # what is lost
        with a_host(address) as host:
            run = ArmRun(scenario, "arm", 0, few_digits(scenario), CPU, host)
            run.restore(state, last)
            found = [each.test_loss for each in run.epochs()]
    assert found == expected[4::2]


def test_gradients_are_not_to_be_had(tmp_path):
    scenario = a_scenario({"crossbar": "ideal"}, {"rule": "np", "optimiser": ADAM})
    with a_server(scenario, tmp_path) as address, a_host(address) as host:
        host.begin(0)
        assert Capability.GRADIENTS not in host.chip.capabilities
        with pytest.raises(CapabilityError, match="gradients"):
            host.chip.backpropagate(torch.ones(1, 64), lambda output: output.sum(1))
        with pytest.raises(CapabilityError, match="has no mirror"):
            host.chip.read_mirror(1, torch.ones(1, 12))
