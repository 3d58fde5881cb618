"""Alignment at small size: what the issue says of INP, NP, ANP and σ²."""

from pathlib import Path

import pytest
import torch

from substrate.align import measure as module
from substrate.align.measure import Alignment, measure, sample_counts
from substrate.align.plots import pictures
from substrate.assemble.dataset import checked_dataset
from substrate.environment import scenarios_folder
from substrate.scenario.load import load_scenario

SMALL = ("data.inputs=30", "network.layers=[60, 60, 60]")


def aligned(*overrides: str, samples: int, sigma_samples: int = 0) -> Alignment:
    scenario, source = load_scenario(
        scenarios_folder() / "paper/alignment.yaml", [*SMALL, *overrides]
    )
    return measure(
        scenario,
        checked_dataset(scenario, source),
        torch.device("cpu"),
        inputs=4,
        samples=samples,
        sigma_samples=sigma_samples,
        told=lambda name, text: None,
    )


@pytest.fixture(scope="module")
def alignment() -> Alignment:
    return aligned(samples=5000)


def test_inp_is_lowest_in_every_hidden_layer(alignment: Alignment) -> None:
    last = {name: arm.angles[-1] for name, arm in alignment.arms.items()}
    for name in ("np", "anp", "anp_corrected"):
        assert all(inp < other for inp, other in zip(last["inp"][:3], last[name][:3], strict=True))


def test_np_and_anp_are_equal_in_the_first_layer_and_part_in_deeper_ones(
    alignment: Alignment,
) -> None:
    np, anp = alignment.arms["np"].angles[-1], alignment.arms["anp"].angles[-1]
    assert anp[0] == pytest.approx(np[0], abs=4)
    # ANP levels off at an angle set by the covariance of δa, NP goes on falling
    assert anp[2] > np[2] + 10
    before = alignment.noise_samples.index(1000)
    assert alignment.arms["anp"].angles[before][2] - anp[2] < 6
    assert alignment.arms["np"].angles[before][2] - np[2] > 6


def test_correction_by_the_covariance_goes_on_where_anp_levels_off(alignment: Alignment) -> None:
    anp, corrected = (alignment.arms[name].angles[-1][2] for name in ("anp", "anp_corrected"))
    assert corrected < anp - 8


def test_inp_needs_a_pass_for_every_layer(alignment: Alignment) -> None:
    counts = alignment.noise_samples
    assert alignment.arms["np"].passes == counts
    assert alignment.arms["inp"].passes == [4 * count for count in counts]


def test_angles_do_not_depend_on_sigma_over_six_decades_in_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They do at both ends: float32's precision, and the curvature of the loss."""
    flat = (1e-10, 1e-8, 1e-6, 1e-4)
    monkeypatch.setattr(module, "SIGMAS_SQUARED", (1e-15, *flat, 1e1))
    for name, arm in aligned(samples=1, sigma_samples=1000).arms.items():
        assert arm.by_sigma is not None
        hidden = torch.tensor(arm.by_sigma)[:, :3].mean(1)
        assert hidden[1:-1].max() - hidden[1:-1].min() < 6, name
        assert hidden[0] > hidden[1:-1].max() + 10, name
        assert hidden[-1] > hidden[1:-1].max() + 10, name


def test_sample_counts_run_in_steps_of_1_2_5() -> None:
    assert sample_counts(1) == [1]
    assert sample_counts(70) == [1, 2, 5, 10, 20, 50, 70]
    assert sample_counts(1000) == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]


def test_pictures_are_pngs(alignment: Alignment, tmp_path: Path) -> None:
    from PIL import Image

    drawn = pictures(alignment)
    assert set(drawn) == {"angle_noise_samples.png", "angle_passes.png"}
    for name, png in drawn.items():
        (tmp_path / name).write_bytes(png)
        with Image.open(tmp_path / name) as image:
            colours = image.convert("RGB").getcolors(1 << 20)
        assert colours is not None
        assert len(colours) > 50


def test_angles_are_means_over_the_inputs_that_stand_beside_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SIGMAS_SQUARED", (1e-6, 1e-4))
    for arm in aligned(samples=2, sigma_samples=2).arms.values():
        assert arm.by_sigma is not None
        assert torch.tensor(arm.angles_by_input).mean(0).tolist() == arm.angles
        assert torch.tensor(arm.by_sigma_by_input).mean(0).tolist() == arm.by_sigma
        assert len(arm.angles_by_input) == 4
