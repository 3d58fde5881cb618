"""Noise models, one a file. What they have in common stands in `devices.noise.base`."""

from devices.noise.autoregressive import AutoregressiveNoise
from devices.noise.base import NoiseModel
from devices.noise.common_mode import CommonModeNoise
from devices.noise.drift import DriftNoise
from devices.noise.gaussian import GaussianNoise
from devices.noise.magnetic_tunnel_junction import MagneticTunnelJunctionNoise
from devices.noise.multiplicative import MultiplicativeNoise
from devices.noise.pink import PinkNoise
from devices.noise.shot import ShotNoise
from devices.noise.telegraph import TelegraphNoise
from devices.noise.thermal import ThermalNoise
from devices.noise.trace import TraceNoise
from devices.noise.uniform import UniformNoise

__all__ = [
    "MODELS",
    "AutoregressiveNoise",
    "CommonModeNoise",
    "DriftNoise",
    "GaussianNoise",
    "MagneticTunnelJunctionNoise",
    "MultiplicativeNoise",
    "NoiseModel",
    "PinkNoise",
    "ShotNoise",
    "TelegraphNoise",
    "ThermalNoise",
    "TraceNoise",
    "UniformNoise",
]

MODELS: dict[str, type[NoiseModel]] = {
    model.name: model
    for model in (
        GaussianNoise,
        UniformNoise,
        MultiplicativeNoise,
        ShotNoise,
        ThermalNoise,
        PinkNoise,
        TelegraphNoise,
        MagneticTunnelJunctionNoise,
        AutoregressiveNoise,
        DriftNoise,
        CommonModeNoise,
        TraceNoise,
    )
}
"""The models that come with the project, by the name that a scenario gives them."""
