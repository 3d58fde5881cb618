"""Another device laid over a scenario that has the figures of the former one written out."""

from pathlib import Path

import pytest
import yaml

from substrate.new.write import write_new
from substrate.scenario.load import load_scenario, resolved
from tests.torture.runs import write_scenario


@pytest.mark.parametrize(
    "settings",
    [
        ["arms.native.chip.preset=tang_2018"],
        ["arms.native.chip.device={conductance: {g_max: 3.0e-5}, drift: {nu: 0.05}}"],
        ["arms.native.chip.device.drift.nu=0.05"],
        # rasch_2019 has the same, but this one was asked for
        ["arms.native.chip.update.dw_min=0.0002", "arms.native.chip.preset=kim_2019"],
    ],
)
def test_a_device_laid_over_a_resolved_scenario_is_that_device(
    tmp_path: Path, settings: list[str]
) -> None:
    path = write_scenario(tmp_path)
    written_out = tmp_path / "resolved.yaml"
    written_out.write_text(resolved(load_scenario(path)[0]))
    expected = load_scenario(path, settings)[0].arms["native"]
    assert load_scenario(written_out, settings)[0].arms["native"] == expected
    assert expected.chip.conductance.read_noise == 0.02  # set beside the preset, it stays


def test_a_device_laid_knows_better_than_one_that_was_laid_before(tmp_path: Path) -> None:
    path = write_scenario(tmp_path)
    setting = "arms.native.chip.device={drift: {nu: %s}, faults: {stuck_low: 0.1}}"
    written_out = tmp_path / "resolved.yaml"
    written_out.write_text(resolved(load_scenario(path, [setting % 0.05])[0]))
    chip = load_scenario(written_out, [setting % 0.07])[0].arms["native"].chip
    assert (chip.drift.nu, chip.faults.stuck_low) == (0.07, 0.1)


def test_what_a_hand_wrote_beside_a_preset_stays_though_the_preset_has_it_too(
    tmp_path: Path,
) -> None:
    path = write_scenario(tmp_path)
    path.write_text(path.read_text().replace("read_noise: 0.02", "read_noise: 0.0"))
    chip = load_scenario(path, ["arms.native.chip.preset=rasch_2019"])[0].arms["native"].chip
    assert chip.conductance.read_noise == 0.0
    assert (
        load_scenario(path, ["arms.native.chip.preset=nandakumar_2019"])[0]
        .arms["native"]
        .chip.conductance.read_noise
        == 0.0
    )


def test_another_model_of_a_bench_is_that_model(working_folder: Path) -> None:
    write_new("bench", "ProbeStation", working_folder)
    for name, figure in (("one", 0.0125), ("two", 0.03)):
        model = {
            "device": {"update": {"dw_min": figure}},
            "noise": [{"model": "gaussian", "at": "output", "std": figure}],
        }
        (working_folder / f"{name}.yaml").write_text(yaml.safe_dump(model))
    path = write_scenario(working_folder)
    chip = "{bench: 'probe_station.py:ProbeStation', mock: true, model: one.yaml}"
    written_out = working_folder / "resolved.yaml"
    written_out.write_text(resolved(load_scenario(path, [f"arms.native.chip={chip}"])[0]))
    setting = "arms.native.chip.model=two.yaml"
    arm = load_scenario(written_out, [setting])[0].arms["native"]
    assert arm.chip.update.dw_min == arm.chip.noise[0].std == 0.03
