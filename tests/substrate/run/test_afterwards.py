"""What training leaves behind: drift, reads and failing cells, after the last figure."""

from pathlib import Path

import pytest
import torch

from devices.seal import arrays
from substrate.assemble.dataset import checked_dataset
from substrate.run.afterwards import FAILING, TIMES
from substrate.run.training import ArmRun
from substrate.scenario.load import load_scenario

SCENARIO = """\
name: tiny
data: {name: digits, limit_train: 60}
network: {layers: [8]}
training: {epochs: 1, batch_size: 20}
arms:
  arm:
    learning:
      rule: danp
      perturbation: {source: intrinsic, baseline: noisy}
      optimiser: {learning_rate: 0.05}
baselines:
  other: {learning: {rule: np, optimiser: {learning_rate: 0.1}}}
"""
DRIFT = "{crossbar: native, drift: {nu: 0.2, nu_spread: 0.5}}"
CHIPS = {
    "native": "{crossbar: native}",
    "drifts": DRIFT,
    "in tiles": "{crossbar: native, max_rows: 20, drift: {nu: 0.1}}",
    "pulsed": "{crossbar: aihwkit, preset: EcRamPreset}",
    "programmed": "{crossbar: aihwkit, preset: TorchInferenceRPUConfig, config:"
    " {noise_model: {class: PCMLikeNoiseModel}}, seconds_after_programming: 30.0}",
}
CPU = torch.device("cpu")
pytestmark = pytest.mark.filterwarnings("ignore:Using a non-tuple sequence:UserWarning")


def trained(path: Path, chip: str, *overrides: str) -> ArmRun:
    path.write_text(SCENARIO)
    scenario, source = load_scenario(path, [f"arms.arm.chip={chip}", *overrides])
    run = ArmRun(scenario, "arm", 0, checked_dataset(scenario, source), CPU)
    list(run.epochs())
    return run


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS.keys())
def test_every_condition_is_tried_or_says_why_not(tmp_path: Path, chip: str) -> None:
    found = trained(tmp_path / "a.yaml", chip).afterwards()
    read, *rest = found
    assert (read.what, read.amount) == ("read again", 0)
    aged = [each for each in rest if each.what == "drift"]
    broken = [each for each in rest if each.what == "failing cells"]
    if chip in (CHIPS["native"], CHIPS["pulsed"]):
        (reason,) = [each.untried for each in aged]
        assert reason is not None
    else:
        assert [each.amount for each in aged] == list(TIMES)
    assert [each.amount for each in broken] == list(FAILING)
    figures = [each for each in found if each.untried is None]
    assert all(each.test_loss is not None for each in figures)
    assert len({each.test_loss for each in figures}) == len(figures)


@pytest.mark.parametrize("chip", [CHIPS["drifts"], CHIPS["in tiles"], CHIPS["programmed"]])
def test_nothing_that_was_trained_or_measured_changes(tmp_path: Path, chip: str) -> None:
    run = trained(tmp_path / "a.yaml", chip)
    before, noise = run.state(), run.observed_noise()
    # time alone, so that every part has to be as it was
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("substrate.run.afterwards.FAILING", ())
        run.afterwards()
    after = run.state()
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert torch.equal(value, after[name]), name
    assert run.observed_noise() == noise


def test_the_longer_it_drifts_the_further_it_is_from_what_was_trained(tmp_path: Path) -> None:
    run = trained(
        tmp_path / "a.yaml",
        DRIFT,
        "training.epochs=4",
        "data.limit_train=600",
        "arms.arm.learning.rule=weight_mirror",
        "arms.arm.learning.optimiser={name: sgd, learning_rate: 0.1, write: pulses}",
    )
    read, *rest = run.afterwards()
    losses = [each.test_loss or 0.0 for each in (read, *rest) if each.what != "failing cells"]
    assert losses[0] < 2.0  # it has learned something
    assert losses == sorted(losses)


def test_so_many_cells_fail_and_the_first_of_them_stay_broken(tmp_path: Path) -> None:
    run = trained(tmp_path / "a.yaml", "{crossbar: native}")
    (first, *_) = arrays(run._chip)
    stream = torch.Generator()
    broken = []
    for fraction in (0.05, 0.2):
        first.fail(fraction, stream.manual_seed(3))
        broken.append(~first.state()["stuck"].isnan())
    few, many = broken
    assert few.float().mean().item() == pytest.approx(0.05, abs=0.02)
    assert many.float().mean().item() == pytest.approx(0.2, abs=0.04)
    assert (many | ~few).all()
    ends = first.state()["stuck"][many].unique().tolist()
    assert ends == pytest.approx([1e-7, 25e-6])
    high = (first.state()["stuck"][many] > 1e-6).float().mean().item()
    assert high == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("preset", ["EcRamPreset", "TorchInferenceRPUConfig"])
def test_weights_of_a_tile_that_fail_go_to_its_ends(tmp_path: Path, preset: str) -> None:
    run = trained(tmp_path / "a.yaml", f"{{crossbar: aihwkit, preset: {preset}}}")
    (first, *_) = arrays(run._chip)
    before = first._tile.tile.get_weights().clone()
    first.fail(0.3, torch.Generator().manual_seed(0))
    after = first._tile.tile.get_weights()
    largest = after.abs() > 0.6 * before.abs().max()
    usual = (before.abs() > 0.6 * before.abs().max()).float().mean()
    assert largest.float().mean() - usual == pytest.approx(0.3, abs=0.12)


def test_an_ideal_chip_has_no_afterwards(tmp_path: Path) -> None:
    run = trained(
        tmp_path / "a.yaml",
        "{crossbar: ideal}",
        "arms.arm.learning.perturbation={source: injected, sigma: 0.01, baseline: clean}",
    )
    assert run.afterwards() == []
