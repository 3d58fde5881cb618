"""Noise models of one's own in scenarios."""

import textwrap
from pathlib import Path

import pytest

from substrate.new.write import write_new
from substrate.scenario.schema import Scenario

SGD = {"name": "sgd", "learning_rate": 0.05}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a noise model that has a setting which may be nothing."""
    monkeypatch.chdir(tmp_path)
    write_new("noise", "Maybe", tmp_path)
    text = Path("maybe.py").read_text()
    marked = "class Maybe(NoiseModel):"
    assert marked in text
    head, rest = text.split(marked)
    docstring, body = rest.split("\n\n", 1)
    setting = textwrap.indent("cutoff: float | None = 0.5\n\n", "    ")
    Path("maybe.py").write_text(f"{head}{marked}{docstring}\n\n{setting}{body}")
    return tmp_path


@pytest.mark.parametrize("given", [None, 0.5, 2.0])
def test_nothing_is_a_value_of_a_setting_and_not_its_default(
    folder: Path, given: float | None
) -> None:
    noise = {"model": "maybe.py:Maybe", "at": "output", "cutoff": given}
    scenario = Scenario.model_validate(
        {
            "name": "tried",
            "network": {"layers": [8]},
            "training": {"epochs": 1},
            "arms": {
                "a": {
                    "chip": {"crossbar": "native", "noise": [noise]},
                    "learning": {"rule": "danp", "optimiser": SGD},
                }
            },
            "baselines": {"bp": {"learning": {"rule": "bp", "optimiser": SGD}}},
            "seeds": [0],
        },
        context={"folder": folder},
    )
    written = scenario.model_dump(mode="json", exclude_none=True)
    (kept,) = written["arms"]["a"]["chip"]["noise"]
    assert kept["cutoff"] == given
    again = Scenario.model_validate(written, context={"folder": folder})
    assert again.arms["a"].chip.noise[0].cutoff == given
