from io import BytesIO
from itertools import pairwise
from typing import Any

import matplotlib
import numpy as np
import pytest
from jaxtyping import Bool
from matplotlib.image import imread
from matplotlib.text import Text

from substrate.record.metrics import Epoch
from substrate.record.summary import Summary
from substrate.report import plots
from substrate.report.canvas import NARROW_INCHES, WIDE_INCHES
from substrate.report.palette import DARK, LIGHT, Theme


def learning_curves(summary: Any, metrics: Any, theme: Theme, *width: float) -> bytes:
    rows = [Epoch.model_validate(row) for row in metrics]
    return plots.learning_curves(Summary.model_validate(summary), rows, theme, *width).png


def observed_noise(summary: Any, theme: Theme) -> bytes:
    return plots.observed_noise(Summary.model_validate(summary), theme).png


def measured(arm: str, epoch: int, accuracy: float) -> dict[str, Any]:
    known = {"train_loss": 1.0, "test_loss": 1.0, "seconds": 0.1}
    return {"arm": arm, "seed": 0, "epoch": epoch, "test_accuracy": accuracy, **known}


def where(png: bytes, colour: str) -> Bool[np.ndarray, "height width"]:
    """The pixels that have exactly this colour."""
    pixels = np.rint(255 * imread(BytesIO(png), format="png")[..., :3]).astype(int)
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return (pixels == wanted).all(axis=-1)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("width", [WIDE_INCHES, NARROW_INCHES])
def test_every_arm_is_drawn_in_its_colour(
    summary: Any, metrics: Any, theme: Theme, width: float
) -> None:
    png = learning_curves(summary, metrics, theme, width)
    for colour in theme.arms[: len(summary["arms"])]:
        columns = where(png, colour).any(axis=0)
        assert columns.mean() > 0.3  # a line across most of the axes, not a label alone
    assert not where(png, theme.arms[3]).any()


def test_higher_accuracy_is_drawn_higher(summary: Any, metrics: Any) -> None:
    png = learning_curves(summary, metrics, LIGHT)
    column = round(0.6 * where(png, LIGHT.ink).shape[1])
    rows = {
        arm: np.flatnonzero(where(png, colour)[:, column]).mean()
        for arm, colour in zip(summary["arms"], LIGHT.arms, strict=False)
    }
    assert rows["bp"] < rows["danp_clean"] < rows["crossbar"]


def test_band_spans_the_seeds(summary: Any, metrics: Any) -> None:
    """The band reaches as far above the mean as below it, and twice as far for twice the range."""
    device = summary["arms"]["crossbar"]
    # A second arm from 0 to 1 holds the axis where it is.
    summary["arms"] = {"crossbar": device, "frame": device}
    frame = [measured("frame", at, float(at)) for at in (0, 1)]

    def reach(half_range: float) -> tuple[int, int]:
        for row in metrics:
            row["test_accuracy"] = 0.5 + half_range * (row["seed"] - 1)
        png = learning_curves(summary, [*metrics, *frame], LIGHT)
        column = where(png, LIGHT.arms[0]).shape[1] // 2
        mean = np.flatnonzero(where(png, LIGHT.arms[0])[:, column]).mean()
        pixels = imread(BytesIO(png), format="png")[:, column, :3]
        tinted = np.flatnonzero(np.ptp(pixels, axis=-1) > 0.1)
        return round(mean - tinted.min()), round(tinted.max() - mean)

    narrow, wide = reach(0.1), reach(0.2)
    assert narrow[0] == pytest.approx(narrow[1], abs=2)
    assert wide[0] == pytest.approx(wide[1], abs=2)
    assert wide[0] == pytest.approx(2 * narrow[0], abs=3)


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_names_of_many_arms_stay_in_the_picture(summary: Any, metrics: Any, end: float) -> None:
    """Ten arms that end together beside one that does not: their names share what room there is."""
    names = [f"Arm{number}" for number in range(10)]
    device = summary["arms"]["crossbar"]
    summary["arms"] = dict.fromkeys([*names, "Other"], device)
    rows = [
        measured(arm, epoch, 1 - end if arm == "Other" else end)
        for arm in summary["arms"]
        for epoch in (0, 1)
    ]
    pixels = imread(BytesIO(learning_curves(summary, rows, LIGHT)), format="png")[..., :3]
    assert (pixels[-3:] == pixels[-1, 0]).all()
    label_rows = (pixels[:, -45:] != pixels[-1, 0]).any(axis=(1, 2))
    starts = np.flatnonzero(np.diff(label_rows.astype(int)) == 1)
    assert len(starts) == len(summary["arms"])  # a gap between any two


def test_divergence_is_marked(diverged: tuple[Any, Any]) -> None:
    summary, metrics = diverged
    marked = where(learning_curves(summary, metrics, LIGHT), LIGHT.arms[0]).sum()
    summary["arms"]["crossbar"]["diverged"] = []
    unmarked = where(learning_curves(summary, metrics, LIGHT), LIGHT.arms[0]).sum()
    assert marked > unmarked + 100


def test_noise_bars_are_to_scale(summary: Any) -> None:
    """The fixture's noise is 3, 6 and 9 % of the signal in layers 1 to 3."""
    lengths = where(observed_noise(summary, LIGHT), LIGHT.arms[0]).sum(axis=1)
    bars = sorted({int(length) for length in lengths if length > 100})
    groups = [bars[0], *(b for a, b in pairwise(bars) if b > 1.2 * a)]
    assert len(groups) == 3
    assert np.array(groups) / groups[0] == pytest.approx([1, 2, 3], rel=0.02)


def test_arms_without_noise_have_no_bars(summary: Any) -> None:
    png = observed_noise(summary, LIGHT)
    assert not where(png, LIGHT.arms[1]).any()
    summary["arms"].pop("crossbar")
    assert where(observed_noise(summary, LIGHT), LIGHT.ink).any()  # the note alone


def test_arms_whose_noise_was_not_measured_are_not_said_to_have_none(summary: Any) -> None:
    summary["arms"]["bp"]["observed_noise"] = []
    figure = plots.observed_noise(Summary.model_validate(summary), LIGHT).figure
    told = " ".join(each.get_text() for each in figure.findobj(Text))
    assert "No noise observed: danp_clean." in told


@pytest.mark.parametrize("kind", ["regression", "nothing measured"])
def test_other_runs_are_drawn(kind: str, request: pytest.FixtureRequest, summary: Any) -> None:
    rows = request.getfixturevalue("regression")[1] if kind == "regression" else []
    png = learning_curves(summary, rows, LIGHT)
    assert where(png, LIGHT.arms[0]).any() == (kind == "regression")


def test_no_setting_of_matplotlib_is_left_behind(summary: Any, metrics: Any) -> None:
    before = dict(matplotlib.rcParams)
    learning_curves(summary, metrics, DARK)
    assert dict(matplotlib.rcParams) == before
