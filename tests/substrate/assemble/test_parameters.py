"""A device's parameters in words."""

import pytest

from substrate.assemble.parameters import device_in_words
from substrate.scenario.schema import AihwkitChip, IdealChip, NativeChip


def test_a_native_device_tells_what_is_at_work_and_leaves_out_what_is_not():
    told = device_in_words(NativeChip(crossbar="native", preset="gong_2018"))
    named = {each.name: each for each in told.parameters}
    assert "Gong et al. 2018" in told.source
    assert "siemens" in named["conductance.g_max"].meaning
    assert named["conductance.g_max"].value == "2.5e-05"
    assert not any(name.startswith(("drift.", "faults.", "line_")) for name in named)
    drifting = NativeChip.model_validate({"crossbar": "native", "drift": {"nu": 0.05}})
    assert any(each.name == "drift.nu" for each in device_in_words(drifting).parameters)


def test_figures_of_ones_own_are_not_credited_to_the_paper():
    own = {"conductance": {"read_noise": 0.02}, "drift": {"nu": 0.05}}
    chip = {"crossbar": "native", "preset": "gong_2018"} | own
    told = device_in_words(NativeChip.model_validate(chip)).source
    assert told.endswith("; by this scenario: conductance.read_noise, drift.nu")
    chip["update"] = {"dw_min": 0.1, "up_down": 0.1, "cycle_spread": 0.1}
    told = device_in_words(NativeChip.model_validate(chip)).source
    assert told.endswith("; by this scenario: 5 figures")


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("EcRamPreset", {"device.dw_min": "0.002", "forward.out_noise": "0.1"}),
        ("TikiTakaEcRamPreset", {"device.dw_min": "0.002"}),
        ("InferenceRPUConfig", {"noise_model": "PCMLikeNoiseModel"}),
        ("FloatingPointPreset", {}),
    ],
)
def test_aihwkits_devices_tell_their_figures(preset, expected):
    told = device_in_words(AihwkitChip(crossbar="aihwkit", preset=preset))
    assert {each.name: each.value for each in told.parameters}.items() >= expected.items()
    assert preset in told.source
    assert ":class:" not in told.source
    assert all(each.meaning for each in told.parameters)


def test_noise_is_told_with_its_place_and_source():
    chip = NativeChip.model_validate(
        {"crossbar": "native", "noise": [{"model": "gaussian", "at": "output", "std": 0.02}]}
    )
    told = device_in_words(chip)
    std = next(each for each in told.parameters if each.name == "gaussian.std")
    assert std.value == "0.02"
    assert "output" in std.meaning
    assert "gaussian noise" in told.source


def test_the_ideal_chip_has_no_device():
    assert device_in_words(IdealChip()) is None
