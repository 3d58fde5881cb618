"""`substrate align` as a user calls it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Substrate = Callable[..., CompletedProcess[str]]


def test_a_scenario_of_a_device_is_measured_too(
    substrate_here: Substrate, tiny: Path, tmp_path: Path
) -> None:
    done = substrate_here(
        "align", tiny, "--samples", 20, "--sigma-samples", 5, "--inputs", 2, "--out", "a", "--json"
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result == json.loads((tmp_path / "a" / "align.json").read_text())
    assert result["layers"] == ["64→8", "8→10"]
    assert set(result["arms"]) == {"crossbar", "clean_danp"}
    assert result["arms"]["crossbar"]["by_sigma"] is None  # its own noise is not ours to set
    # two noisy passes a sample on the device, one beside a clean one on the ideal chip
    assert result["arms"]["crossbar"]["passes"][-1] == 40
    assert result["arms"]["clean_danp"]["passes"][-1] == 20
    for name in ("angle_noise_samples.png", "angle_passes.png", "angle_sigma.png"):
        assert (tmp_path / "a" / name).read_bytes().startswith(b"\x89PNG")


def test_a_network_without_gradient_has_nothing_to_compare_with(
    substrate_here: Substrate, tiny: Path
) -> None:
    bp = "baselines.backpropagation.learning={rule: np, optimiser: {learning_rate: 0.1}}"
    done = substrate_here("align", tiny, "--set", "network.activation=sign", "--set", bp)
    assert done.returncode == 2
    assert "network: there is no gradient to compare with" in done.stderr


def test_more_inputs_than_the_data_has(substrate_here: Substrate, tiny: Path) -> None:
    done = substrate_here("align", tiny, "--inputs", 5000)
    assert done.returncode == 2
    assert "alignment.inputs: digits has only" in done.stderr
