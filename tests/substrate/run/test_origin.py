"""What a stopped run must find as it left it."""

import numpy as np
import pytest
import torch

from substrate.data import load_dataset
from substrate.plugins import load_object
from substrate.run.code import named_code
from substrate.run.origin import data_checksum, differences, origin
from substrate.scenario.load import load_scenario
from substrate.scenario.source import ScenarioError
from tests.torture.runs import write_scenario

CPU = torch.device("cpu")


def origin_of(path, *overrides):
    scenario, _ = load_scenario(path, overrides)
    return origin(scenario, data_checksum(load_dataset(scenario.data)), CPU)


@pytest.fixture
def path(tmp_path):
    return write_scenario(tmp_path)


def test_the_same_again_is_the_same(path):
    assert differences(origin_of(path), origin_of(path)) == []


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("training.epochs=4", "training.epochs (3, now 4)"),
        ("seeds=[1, 0]", "seeds ([0, 1], now [1, 0])"),
        ("verdict.tolerance=0.1", "verdict.tolerance (0.05, now 0.1)"),
        (
            "baselines.backpropagation.learning.optimiser.learning_rate=0.01",
            "baselines.backpropagation.learning.optimiser.learning_rate (0.003, now 0.01)",
        ),
        ("description=another", "description (, now another)"),
    ],
)
def test_an_edited_setting_is_named(path, setting, words):
    assert differences(origin_of(path), origin_of(path, setting)) == [words]


def test_arms_in_another_order_differ(path):
    before = origin_of(path)
    text = path.read_text()
    hot = text[text.index("  hot:") : text.index("baselines:")]
    path.write_text(text.replace(hot, "").replace("arms:\n", f"arms:\n{hot}"))
    assert differences(before, origin_of(path)) == ["the order of the scenario's keys"]


def test_one_value_of_the_data_is_enough(path, tmp_path):
    before = origin_of(path)
    with np.load(tmp_path / "data.npz") as file:
        arrays = dict(file)
    arrays["x_test"][3, 4] += 1e-6
    np.savez(tmp_path / "data.npz", **arrays)
    assert differences(before, origin_of(path)) == ["the data that the scenario names"]


def test_a_file_of_ones_own_is_named(path, working_folder):
    mine = working_folder / "mine.py"
    mine.write_text("def loss(output, target):\n    return (output**2).sum(1)\n")
    own = f"training.loss={mine}:loss"
    trace = working_folder / "trace.csv"
    trace.write_text("".join(f"{n % 7}\n" for n in range(200)))
    noise = (
        f"arms.native.chip.noise=[{{model: trace, at: output, path: {trace}, sampling_rate: 1}}]"
    )
    without_bp = (
        "baselines.backpropagation={learning: {rule: np, optimiser: {learning_rate: 0.01}}}"
    )
    before = origin_of(path, own, noise, without_bp)
    assert differences(before, origin_of(path, own, noise, without_bp)) == []
    mine.write_text(mine.read_text().replace("**2", "**4"))
    trace.write_text(trace.read_text() + "8\n")
    assert differences(before, origin_of(path, own, noise, without_bp)) == [
        f"the file {mine}",
        f"the file {trace}",
    ]


def test_other_versions_and_another_device_are_named(path):
    now = origin_of(path)
    then = now.model_copy(update={"versions": now.versions | {"torch": "2.0.0"}, "device": "cuda"})
    torch_now = now.versions["torch"]
    assert differences(then, now) == [
        f"torch (2.0.0, now {torch_now})",
        "the device (cuda, now cpu)",
    ]
    assert "platform" not in now.versions


def test_a_package_without_init_is_hashed(tmp_path, monkeypatch):
    (tmp_path / "lab_of_mine").mkdir()
    model = tmp_path / "lab_of_mine" / "noise.py"
    model.write_text("STD = 0.05\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = named_code(["lab_of_mine.noise:MyNoise"])
    assert [*before] == ["lab_of_mine.noise"]
    model.write_text("STD = 0.5\n")
    assert named_code(["lab_of_mine.noise:MyNoise"]) != before


def test_code_that_was_edited_after_it_was_imported_is_refused(working_folder):
    mine = working_folder / "edited.py"
    mine.write_text("value = 1\n")
    assert load_object(f"{mine}:value", working_folder) == 1
    assert named_code([f"{mine}:value"])
    mine.write_text("value = 22\n")
    with pytest.raises(ScenarioError, match="after this process imported it"):
        named_code([f"{mine}:value"])
