from itertools import combinations

import numpy as np
import pytest
from jaxtyping import Float

from substrate.report.palette import DARK, DASHES, LIGHT, Theme, arm_styles

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
D65 = np.array([0.9505, 1.0, 1.089])
CLEARLY_DIFFERENT = 12  # CIE76; about five just noticeable differences


def linear(colour: str) -> Float[np.ndarray, "3"]:
    coded = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    dark, light = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    xyz = TO_XYZ @ np.clip(rgb, 0, 1) / D65
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_can_be_read(theme: Theme) -> None:
    for colour in (theme.ink, theme.muted, *theme.arms):
        assert contrast(colour, theme.surface) >= 4.5
    for tone, surface in (
        (theme.feasible, theme.feasible_surface),
        (theme.not_feasible, theme.not_feasible_surface),
        (theme.undecided, theme.undecided_surface),
    ):
        assert contrast(tone, theme.surface) >= 4.5
        assert contrast(tone, surface) >= 4.5
        assert contrast(theme.ink, surface) >= 4.5


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_arms_differ_in_every_vision(theme: Theme, vision: str) -> None:
    for one, other in combinations(theme.arms, 2):
        seen = [lab(VISION[vision] @ linear(colour)) for colour in (one, other)]
        assert np.linalg.norm(seen[0] - seen[1]) > CLEARLY_DIFFERENT


def test_many_arms_differ_by_dash() -> None:
    arms = [f"arm {place}" for place in range(len(LIGHT.arms) * len(DASHES))]
    assert len(set(arm_styles(LIGHT, arms).values())) == len(arms)
