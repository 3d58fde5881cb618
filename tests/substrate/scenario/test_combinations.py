from pathlib import Path

import pytest
import yaml

from substrate.scenario.load import load_scenario
from substrate.scenario.source import ScenarioError

SGD = {"name": "sgd", "learning_rate": 0.1}
NOISY = {"crossbar": "aihwkit", "preset": "IdealizedPreset"}


def load(folder: Path, learning: dict, chip: dict | None = None):
    arm = {"chip": chip or {"crossbar": "ideal"}, "learning": {"optimiser": SGD} | learning}
    path = folder / "scenario.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "name": "tried",
                "arms": {"one": arm},
                "baselines": {"bp": {"learning": {"rule": "bp", "optimiser": SGD}}},
            }
        )
    )
    return load_scenario(path)[0].arms["one"].learning


@pytest.mark.parametrize(
    ("learning", "chip", "reason"),
    [
        ({"rule": "dbp", "perturbation": {"resamples": 3}}, None, "perturbs nothing"),
        ({"rule": "anp", "settings": {"ridge": 1}}, None, "anp has no such setting"),
        ({"rule": "anp_corrected", "settings": {"rigde": 1}}, None, "did you mean 'ridge'"),
        ({"rule": "bp"}, NOISY, r"transposed_read: true"),
        ({"rule": "np_observed"}, None, "injected noise is known"),
        (
            {"rule": "dnp_observed", "perturbation": {"source": "injected"}},
            NOISY | {"inject": True},
            "such as np",
        ),
        ({"rule": "anp", "perturbation": {"source": "intrinsic"}}, None, "no noise of its own"),
        ({"rule": "anp", "perturbation": {"source": "both"}}, None, "no noise of its own"),
        ({"rule": "inp", "perturbation": {"source": "intrinsic"}}, NOISY, "must know"),
        ({"rule": "danp", "decorrelation": {"sample_fraction": 0}}, None, "greater than 0"),
        ({"rule": "danp", "decorrelation": {"sample_fraction": 1.5}}, None, "less than or equal"),
        ({"rule": "danp", "decorrelation": {"every": 0}}, None, "greater than 0"),
        ({"rule": "np_observed", "settings": {"calibration_trials": 0}}, NOISY, "greater than 0"),
        ({"rule": "anp_corrected", "settings": {"ridge": 0}}, None, "greater than 0"),
        ({"rule": "anp", "optimiser": SGD | {"name": "adam", "write": "pulses"}}, None, "only sgd"),
    ],
)
def test_senseless_combinations_are_refused_with_the_reason(tmp_path, learning, chip, reason):
    with pytest.raises(ScenarioError, match=reason):
        load(tmp_path, learning, chip)


QUIET = {"crossbar": "native", "preset": "tang_2018"}
READOUT = {"noise": [{"at": "readout", "model": "gaussian"}]}


@pytest.mark.parametrize("quiet", [QUIET, QUIET | READOUT], ids=["no noise", "read-out noise"])
def test_a_native_chip_that_nothing_perturbs_is_refused(tmp_path, quiet):
    with pytest.raises(ScenarioError, match=r"tang_2018 .*nothing perturbs") as caught:
        load(tmp_path, {"rule": "danp", "perturbation": {"source": "intrinsic"}}, quiet)
    assert "one.learning.perturbation.source" in str(caught.value)
    assert "read_noise" in str(caught.value)


@pytest.mark.parametrize(
    ("more", "source"),
    [
        ({"conductance": {"read_noise": 0.01}}, "intrinsic"),
        ({"noise": [{"at": "output", "model": "gaussian"}]}, "intrinsic"),
        ({"preset": "nandakumar_2019"}, "intrinsic"),
        ({"inject": True}, "injected"),
        ({"inject": True}, "both"),
    ],
)
def test_a_native_chip_that_something_perturbs_is_taken(tmp_path, more, source):
    learning = load(tmp_path, {"rule": "danp", "perturbation": {"source": source}}, QUIET | more)
    assert learning.perturbation.source == source


@pytest.mark.parametrize("rule", ["np_observed", "dnp_observed", "danp_corrected"])
def test_rules_for_unmeasurable_noise_take_the_devices_own(tmp_path, rule):
    learning = load(tmp_path, {"rule": rule}, NOISY)
    assert learning.perturbation.source == "intrinsic"
    assert learning.perturbation.baseline == "noisy"


def test_np_on_a_noisy_chip_takes_an_injected_probe(tmp_path):
    learning = load(tmp_path, {"rule": "np"}, NOISY | {"inject": True})
    assert learning.perturbation.source == "both"


def test_defaults_of_a_rule_are_written_out(tmp_path):
    corrected = load(tmp_path, {"rule": "danp_corrected"})
    assert corrected.settings == {"covariance_decay": 0.95, "ridge": 1.0}
    assert corrected.decorrelation.on == "digital"
    assert load(tmp_path, {"rule": "danp"}).settings is None
    observed = load(tmp_path, {"rule": "np_observed"}, NOISY)
    assert observed.settings == {"calibration_trials": 10}
