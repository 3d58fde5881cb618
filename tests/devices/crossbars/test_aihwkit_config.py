import pytest
from aihwkit.inference import DualPairConductanceConverter, PCMLikeNoiseModel
from aihwkit.inference.noise.hermes import HermesNoiseModel
from aihwkit.simulator.configs.devices import SoftBoundsDevice
from aihwkit.simulator.parameters.enums import PulseType
from aihwkit.simulator.presets import EcRamPreset
from aihwkit.simulator.presets.devices import PCMPresetDevice
from aihwkit.simulator.tiles import TorchInferenceTile

from devices.crossbars.aihwkit_config import (
    BARE_CONFIGS,
    PRESETS,
    ConfigProblem,
    preset_config,
)


def test_every_preset_and_every_configuration_class_of_aihwkit_can_be_named():
    assert len(PRESETS) >= 54
    assert {"SingleRPUConfig", "InferenceRPUConfig", "TorchInferenceRPUConfig"} <= set(BARE_CONFIGS)
    for name in [*PRESETS, *BARE_CONFIGS]:
        assert type(preset_config(name)).__name__ == name


def test_what_is_not_set_stays_as_the_preset_has_it():
    config = preset_config("EcRamPreset", {"forward": {"out_noise": 1}, "device": {"dw_min": 0.5}})
    expected = EcRamPreset()
    expected.forward.out_noise = 1.0
    expected.device.dw_min = 0.5
    expected.mapping.max_input_size = expected.mapping.max_output_size = 0
    assert config == expected


def test_enumerations_are_named_and_a_class_begins_anew():
    config = preset_config(
        "EcRamPreset",
        {
            "update": {"pulse_type": "MEAN_COUNT"},
            "device": {"class": "SoftBoundsDevice", "dw_min": 0.01},
        },
    )
    assert config.update.pulse_type is PulseType.MEAN_COUNT
    assert config.device == SoftBoundsDevice(dw_min=0.01)


def test_devices_in_a_unit_cell_are_changed_or_replaced_one_by_one():
    devices = [{"dw_min": 0.01}, {"class": "SoftBoundsDevice"}]
    config = preset_config("PCMPreset", {"device": {"unit_cell_devices": devices}})
    assert config.device.unit_cell_devices == [PCMPresetDevice(dw_min=0.01), SoftBoundsDevice()]


def test_noise_models_and_converters_take_their_constructors_parameters():
    noise_model = {
        "class": "HermesNoiseModel",
        "num_devices": 1,
        "g_max": 10,
        "g_converter": {"class": "DualPairConductanceConverter", "f_lst": [1, 0.5]},
    }
    config = preset_config("InferenceRPUConfig", {"noise_model": noise_model})
    assert isinstance(config.noise_model, HermesNoiseModel)
    assert isinstance(config.noise_model.g_converter, DualPairConductanceConverter)
    assert config.noise_model.num_devices == 1
    scaled = preset_config("InferenceRPUConfig", {"noise_model": {"prog_noise_scale": 0.5}})
    assert isinstance(scaled.noise_model, PCMLikeNoiseModel)
    assert scaled.noise_model.prog_noise_scale == 0.5


def test_keys_of_a_table_are_numbers_again():
    table = {"class": "ReRamWan2022NoiseModel", "coeff_dic": {"1.0": [0.1, 0.2]}}
    config = preset_config("InferenceRPUConfig", {"noise_model": table})
    assert config.noise_model.coeff_dic == {1.0: [0.1, 0.2]}


def test_a_tile_class_is_named():
    config = preset_config("InferenceRPUConfig", {"tile_class": "TorchInferenceTile"})
    assert config.tile_class is TorchInferenceTile


def test_nothing_is_a_value_where_aihwkit_can_do_without():
    settings = {"noise_model": None, "drift_compensation": None}
    config = preset_config("InferenceRPUConfig", settings)
    assert config.noise_model is None
    assert config.drift_compensation is None


def test_floating_point_brings_no_noise_model_of_its_own():
    assert preset_config("FloatingPointPreset").noise_model is None
    named = preset_config("FloatingPointPreset", {"noise_model": {"class": "PCMLikeNoiseModel"}})
    assert isinstance(named.noise_model, PCMLikeNoiseModel)


@pytest.mark.parametrize(
    ("preset", "settings", "path", "near"),
    [
        ("EcRamPrest", {}, ("preset",), "EcRamPreset"),
        ("EcRamPreset", {"forwards": {}}, ("forwards",), "forward"),
        ("EcRamPreset", {"forward": {"out_nois": 1}}, ("forward", "out_nois"), "out_noise"),
        (
            "EcRamPreset",
            {"update": {"pulse_type": "MEAN_CONT"}},
            ("update", "pulse_type"),
            "MEAN_COUNT",
        ),
        (
            "EcRamPreset",
            {"device": {"class": "SoftBoundDevice"}},
            ("device", "class"),
            "SoftBoundsDevice",
        ),
        (
            "PCMPreset",
            {"device": {"unit_cell_devices": [{}, {"dw_mn": 1}]}},
            ("device", "unit_cell_devices", 1, "dw_mn"),
            "dw_min",
        ),
        (
            "InferenceRPUConfig",
            {"noise_model": {"prog_noise_scal": 1}},
            ("noise_model", "prog_noise_scal"),
            "prog_noise_scale",
        ),
        ("InferenceRPUConfig", {"tile_class": "Torch"}, ("tile_class",), "TorchInferenceTile"),
    ],
)
def test_a_wrong_name_comes_with_its_path_and_the_valid_ones(preset, settings, path, near):
    with pytest.raises(ConfigProblem) as problem:
        preset_config(preset, settings)
    assert problem.value.path == path
    assert near in problem.value.known


@pytest.mark.parametrize(
    ("settings", "path", "what"),
    [
        ({"forward": {"out_noise": "much"}}, ("forward", "out_noise"), "must be a number"),
        ({"forward": {"out_noise": True}}, ("forward", "out_noise"), "must be a number"),
        ({"forward": {"is_perfect": 1}}, ("forward", "is_perfect"), "must be true or false"),
        ({"update": {"desired_bl": 1.5}}, ("update", "desired_bl"), "must be a whole number"),
        ({"forward": 3}, ("forward",), "must be a mapping"),
        ({"forward": None}, ("forward",), "must be a mapping"),
    ],
)
def test_a_value_of_another_type_is_refused(settings, path, what):
    with pytest.raises(ConfigProblem, match=what) as problem:
        preset_config("EcRamPreset", settings)
    assert problem.value.path == path


@pytest.mark.parametrize(
    ("settings", "path", "what"),
    [
        ({"update": {}}, ("update",), "keeps this field"),
        (
            {"noise_model": {"class": "HermesNoiseModel", "num_devices": 3}},
            ("noise_model",),
            "1 or 2",
        ),
        (
            {"noise_model": {"g_converter": {"class": "DualPairConductanceConverter"}}},
            ("noise_model", "g_converter", "f_lst"),
            "needs this key",
        ),
        (
            {"noise_model": {"class": "ReRamWan2022NoiseModel", "coeff_dic": {"soon": []}}},
            ("noise_model", "coeff_dic", "soon"),
            "must be a number",
        ),
    ],
)
def test_what_aihwkit_itself_refuses_is_told_with_its_path(settings, path, what):
    with pytest.raises(ConfigProblem, match=what) as problem:
        preset_config("InferenceRPUConfig", settings)
    assert problem.value.path == path


def test_a_list_that_grows_must_name_the_class_of_what_is_new():
    with pytest.raises(ConfigProblem, match="missing") as problem:
        preset_config("PCMPreset", {"device": {"unit_cell_devices": [{}, {}, {}]}})
    assert problem.value.path == ("device", "unit_cell_devices", 2, "class")
