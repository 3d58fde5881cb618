"""Every shipped noise model passes the conformance kit, at its defaults and far from them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from devices.noise import MODELS
from substrate.verify import NoiseConformance

# Chance that one right model fails; about twenty models of three statistics each are tried.
FALSE_ALARM = 1e-6

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in MODELS if name != "trace"),
    ("gaussian", {"std": 0.0}),
    ("shot", {"unit": 1e-9, "dark_current": 1e-9}),
    ("thermal", {"temperature": 4.2, "measured": "voltage", "resistance": 50}),
    ("pink", {"alpha": 1.6, "corner": 1e5, "lowest": 1e3}),
    ("pink", {"alpha": 0.5, "corner": 4e5, "lowest": 2e3}),
    ("telegraph", {"low": 0, "high": 1, "dwell_low": 4e-5, "dwell_high": 5e-6}),
    ("magnetic_tunnel_junction", {"dwell_antiparallel": 50e-6, "std": 0.02}),
    ("autoregressive", {"correlation_time": 5e-7}),
    ("common_mode", {"tile": 2}),
    ("trace", {"scale": 2.0}),
    ("trace", {"read_interval": 2.5e-6, "centre": False}),
]


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording that remembers: white noise, smoothed over a few samples."""
    path = tmp_path_factory.mktemp("recordings") / "recording.npy"
    white = np.random.default_rng(0).normal(1.0, 1.0, 20_000)
    np.save(path, np.convolve(white, np.ones(4) / 4, mode="same"))
    return path


@pytest.mark.parametrize(("name", "parameters"), SETTINGS, ids=lambda each: str(each)[:60])
class TestShippedModels(NoiseConformance):
    false_alarm = FALSE_ALARM
    # The products of other tests run beside this one.
    max_cost = 60.0

    @pytest.fixture(autouse=True)
    def _model(self, name: str, parameters: dict[str, Any], recording: Path) -> None:
        if name == "trace":
            parameters = {"path": recording, "sampling_rate": 1e6} | parameters
        type(self).model = MODELS[name].model_validate(parameters)
