"""Gaps along an axis, as they are drawn."""

import pandas as pd
import pytest

from substrate.report.canvas import NARROW_INCHES, WIDE_INCHES
from substrate.report.palette import LIGHT
from substrate.study.plots import gap_curves
from substrate.study.schema import StudyAxis

BITS = ("bits", StudyAxis(field="a", values=[2, 4, 8], unit="bits"))
NOISE = ("noise", StudyAxis(field="b", range=(0.001, 0.1), scale="log", unit="of g_max"))


@pytest.fixture
def points() -> pd.DataFrame:
    """Two seeds: intervals that reach over the whole picture, and beyond it."""
    levels = [0.001 * 100 ** (each / 5) for each in range(6)]
    rows = [(bits, noise, 0.1 * bits) for bits in (2, 4, 8) for noise in levels]
    table = pd.DataFrame(rows, columns=["bits", "noise", "gap"])
    return table.assign(ci_low=-1.0, ci_high=1.5, tolerance=0.05, diverged=0)


@pytest.mark.parametrize("width", [WIDE_INCHES, NARROW_INCHES])
def test_the_legend_lies_beside_the_bars(points: pd.DataFrame, width: float) -> None:
    figure = gap_curves(points, BITS, NOISE, "test_accuracy", LIGHT, width).figure
    axes = figure.axes[0]
    legend = axes.get_legend()
    box = legend.get_window_extent()
    assert box.y0 >= axes.bbox.y1
    head = [each.get_window_extent() for each in figure.texts]
    assert box.y1 <= min(each.y0 for each in head)
    assert figure.bbox.x0 <= box.x0
    assert box.x1 <= figure.bbox.x1
    assert legend.get_title().get_text() == "noise, of g_max"
    assert [each.get_text() for each in legend.get_texts()][:2] == ["0.001", "0.002512"]


def test_intervals_that_are_cut_are_told_of(points: pd.DataFrame) -> None:
    def note(table: pd.DataFrame) -> str:
        figure = gap_curves(table, BITS, NOISE, "test_accuracy", LIGHT, WIDE_INCHES).figure
        return figure.texts[1].get_text()

    assert "some reach beyond the picture" in note(points)
    whole = points.assign(ci_low=points["gap"] - 0.01, ci_high=points["gap"] + 0.01)
    assert "beyond" not in note(whole)


def test_points_that_lost_seeds_are_crossed_out(points: pd.DataFrame) -> None:
    points = points.assign(diverged=[1, 3, *[0] * 16])  # of three: one, and all
    points.loc[1, ["gap", "ci_low", "ci_high"]] = None
    figure = gap_curves(points, NOISE, None, "test_accuracy", LIGHT, WIDE_INCHES).figure
    (crosses,) = (each for each in figure.axes[0].lines if each.get_marker() == "X")
    assert crosses.get_xydata().ravel().tolist() == pytest.approx([0.0, 0.2, 0.2, 0.05])
    assert "×: diverged in some seed" in figure.texts[1].get_text()


def test_an_arm_that_diverged_everywhere_is_drawn(points: pd.DataFrame) -> None:
    points[["gap", "ci_low", "ci_high"]] = float("nan")
    points = points.assign(diverged=3)
    axes = gap_curves(points, BITS, NOISE, "test_accuracy", LIGHT, WIDE_INCHES).figure.axes[0]
    crosses = [each for each in axes.lines if each.get_marker() == "X"]
    assert sum(len(each.get_xdata()) for each in crosses) == len(points)
