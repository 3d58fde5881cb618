"""Files that a model of the user's own names: they lie beside the scenario, and count."""

from pathlib import Path

import pytest
import torch

from substrate.new.write import write_new
from substrate.run.unit_settings import units_of
from substrate.scenario.load import load_scenario

SCENARIO = """\
name: files
network: {layers: [4]}
training: {epochs: 1, batch_size: 10}
arms:
  mine: {CHIPlearning: {RULE, optimiser: {name: sgd, learning_rate: 0.1}}}
baselines:
  backpropagation: {learning: {rule: bp, optimiser: {learning_rate: 0.1}}}
seeds: [0]
"""


@pytest.mark.parametrize("given", ["{table: ./table.txt}", "{}"])
@pytest.mark.parametrize(
    ("kind", "field", "chip", "rule"),
    [
        ("device", "read_noise:", "chip: {crossbar: 'mine.py:Mine', parameters: GIVEN}, ", "danp"),
        ("bench", "address:", "chip: {bench: 'mine.py:Mine', settings: GIVEN}, ", "danp"),
        ("rule", "decay:", "", "'mine.py:Mine', settings: GIVEN"),
    ],
)
def test_a_table_beside_the_scenario_is_that_table_and_counts(
    working_folder: Path, kind: str, field: str, chip: str, rule: str, given: str
) -> None:
    folders = [working_folder / "one", working_folder / "other"]
    scenario = SCENARIO.replace("CHIP", chip).replace("RULE", f"rule: {rule}")
    for folder in folders:
        folder.mkdir()
        write_new(kind, "Mine", folder)
        text = (folder / "mine.py").read_text()
        indent = " " * (text.index(f" {field}") - text.rindex("\n", 0, text.index(f" {field}")))
        text = text.replace(
            f"{indent}{field}", f"{indent}table: ScenarioPath = 'table.txt'\n{indent}{field}", 1
        )
        start = text.index("\nfrom ")
        text = text[:start] + "\nfrom devices.scenario_path import ScenarioPath" + text[start:]
        (folder / "mine.py").write_text(text)
        (folder / "table.txt").write_text("1\n")
        (folder / "scenario.yaml").write_text(scenario.replace("GIVEN", given))

    def record(folder: Path) -> str:
        scenario, _ = load_scenario(folder / "scenario.yaml")
        return units_of(scenario, "mine", [0], "", torch.device("cpu"), once="x")[0].record

    records = [record(each) for each in folders]
    assert all(f"{each}/table.txt" in told for each, told in zip(folders, records, strict=True))
    (folders[0] / "table.txt").write_text("2\n")
    assert record(folders[0]) != records[0]
    assert record(folders[1]) == records[1]
