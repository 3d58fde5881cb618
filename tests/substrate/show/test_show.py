"""`substrate show`: what is drawn agrees with what the device was set to; parameters have units."""

from pathlib import Path

import numpy as np
import pytest

from substrate.cli.show import show_command
from substrate.scenario.schema import AihwkitChip, NativeChip
from substrate.show.crossbar import BETWEEN_READS, PULSES, measure
from substrate.show.traces import autocorrelation


def test_a_noise_model_is_drawn_with_its_parameters(tmp_path: Path, capsys) -> None:
    picture = tmp_path / "telegraph.png"
    show_command("telegraph", ["high=0.5"], picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert "high = 0.5: upper level, in units of the signal" in printed
    assert "dwell_low = 1e-05: mean dwell time in the lower level, s" in printed
    assert "Machlup" in printed


def test_a_long_list_of_parameters_has_room(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("substrate.show.crossbar.PULSES", 5)
    picture = tmp_path / "native.png"
    show_command("native", [], picture)
    height = int.from_bytes(picture.read_bytes()[20:24], "big")
    width = int.from_bytes(picture.read_bytes()[16:20], "big")
    assert height < 1.5 * width
    assert "conductance.g_max" in capsys.readouterr().out


def test_measurements_agree_with_what_was_set() -> None:
    chip = NativeChip.model_validate(
        {
            "crossbar": "native",
            "conductance": {
                "read_noise": 0.0,
                "programming_error": [0.0],
                "w_max_spread": 0.0,
                "w_min_spread": 0.0,
            },
            "input_converter": {"bits": "exact"},
            "output_converter": {"bits": "exact"},
            "drift": {"nu": 0.1, "nu_spread": 0.0},
        }
    )
    measured = measure(chip, seed=0)
    slopes = np.polyfit(measured.drives, measured.transfer_mean, 1)[0]
    np.testing.assert_allclose(slopes, np.linspace(-0.3, 0.3, 5), atol=0.02)
    assert measured.transfer_std.max() < 1e-5
    np.testing.assert_allclose(measured.held, measured.asked, atol=0.02)
    assert measured.pulses[0].mean() == pytest.approx(0, abs=0.01)
    top = measured.pulses[PULSES // BETWEEN_READS].mean()
    assert top > 0.2
    assert measured.pulses[-1].mean() < top - 0.2
    # a power law: G ∝ (t / 20 s)^-ν once past 20 s
    assert measured.drift is not None
    assert measured.drift[-1] == pytest.approx((1e7 / 20) ** -0.1, rel=0.05)


def test_a_pulsed_aihwkit_tile_has_no_drift_panel_and_an_inference_tile_has() -> None:
    pulsed = AihwkitChip(crossbar="aihwkit", preset="IdealizedPreset")
    assert measure(pulsed, seed=0).drift is None
    # PCM drifts by ν ≈ 0.05 or so, unless a global factor makes up for it.
    bare = {"drift_compensation": None}
    inference = AihwkitChip(crossbar="aihwkit", preset="InferenceRPUConfig", config=bare)
    left = measure(inference, seed=0).drift
    assert left is not None
    assert left[-1] < 0.8 * left[0]


def test_autocorrelation_is_that_of_numpy() -> None:
    samples = np.random.default_rng(0).normal(size=300).cumsum()
    centred = samples - samples.mean()
    direct = np.correlate(centred, centred, "full")[299:] / (centred**2).sum()
    np.testing.assert_allclose(autocorrelation(samples, 50), direct[:50], atol=1e-12)


def test_a_device_without_noise_says_so_in_place_of_empty_panels():
    from matplotlib.figure import Figure

    from substrate.show.traces import trace_panels

    panels = trace_panels({"read noise": np.zeros(100)}, None, "a")
    assert len(panels) == 1
    axes = Figure().add_subplot()
    panels[0](axes)
    assert [text.get_text() for text in axes.texts] == ["No noise: every read is the same"]
