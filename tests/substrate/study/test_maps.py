"""Maps over two axes: what stands in a cell, dots where there is no grid, and the border."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_rgba
from matplotlib.contour import QuadContourSet

from substrate.report.palette import DARK, LIGHT
from substrate.study.maps import energy_map, feasible_map, gap_map
from substrate.study.schema import StudyAxis

BITS = ("bits", StudyAxis(field="a", values=[2, 4, 8]))
NOISE = ("noise", StudyAxis(field="b", range=(0.0, 1.0)))
DEVICE = ("device", StudyAxis(choices={"tang": {}, "rasch": {}}))


@pytest.fixture
def points() -> pd.DataFrame:
    """Gaps that grow with the noise, over a grid: up to 0.4 they are within the tolerance."""
    rows = [(bits, noise) for bits in (2, 4, 8) for noise in (0.0, 0.25, 0.5, 0.75, 1.0)]
    table = pd.DataFrame(rows, columns=["bits", "noise"])
    table["device"] = np.where(table["bits"] < 5, "tang", "rasch")
    table["gap"] = 0.1 * table["noise"]
    table["tolerance"] = 0.04
    table["verdict"] = np.where(table["gap"] < table["tolerance"], "feasible", "not feasible")
    table["diverged"], table["shared_error"] = 0, 0.0
    table["training_joules"] = 1e-3 * table["bits"]
    table["without_price"] = table["untold"] = None
    return table


def kinds(axes) -> set[type]:
    return {type(each) for each in axes.collections}


def words(axes) -> list[str]:
    return [each.get_text() for each in axes.texts]


def test_every_cell_says_its_gap_and_a_run_that_diverged_has_a_cross(points):
    points.loc[0, "gap"] = np.nan
    axes = gap_map(points, BITS, NOISE, None, "test_accuracy", LIGHT, 4.0).figure.axes[0]
    assert QuadMesh in kinds(axes)
    assert QuadContourSet not in kinds(axes)
    said = words(axes)
    assert len(said) == 15
    assert said.count("×") == 1
    assert said[-1] == said[-2] == "10.0"  # all bits at the strongest noise, in points


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_figures_can_be_read_on_the_colour_of_their_cell(points, theme):
    axes = gap_map(points, BITS, NOISE, None, "test_accuracy", theme, 4.0).figure.axes[0]
    (mesh,) = (each for each in axes.collections if isinstance(each, QuadMesh))
    cells = mesh.cmap(mesh.norm(mesh.get_array())).reshape(-1, 4)
    for cell, text in zip(cells, axes.texts, strict=True):
        luminances = []
        for colour in (cell[:3], np.array(to_rgba(text.get_color()))[:3]):
            linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
            luminances.append(linear @ (0.2126, 0.7152, 0.0722))
        dark, light = sorted(luminances)
        # ink on surface has 15; between the two, the better of them has √15 at least
        assert (light + 0.05) / (dark + 0.05) >= 3.8


def test_a_point_that_lost_one_seed_does_not_look_feasible(points):
    # in the seeds that are left: level, and so far behind that it is not feasible anyway
    points.loc[[0, 4], "diverged"] = 1
    figure = gap_map(points, BITS, NOISE, None, "test_accuracy", LIGHT, 4.0).figure
    said = words(figure.axes[0])
    assert said[0] == "0.0 ×"
    assert said[-3] == "10.0 ×"
    assert "×: diverged in some seed" in figure.texts[1].get_text()


def test_cells_of_several_points_are_said_to_be_means(points):
    def note(table):
        figure = gap_map(table, DEVICE, BITS, None, "test_accuracy", LIGHT, 4.0).figure
        return figure.texts[1].get_text()

    assert "means over the other axes" in note(points).replace("\n", " ")
    assert "means" not in note(points[points["noise"] == 0.5])


def test_energies_stand_in_cells_and_one_that_is_unknown_is_left_empty(points):
    points.loc[0, "training_joules"] = np.nan
    axes = energy_map(points, BITS, NOISE, None, LIGHT, 4.0).figure.axes[0]
    assert words(axes)[:3] == ["", "4 mJ", "8 mJ"]


def test_energies_that_lack_something_are_the_least_that_they_may_be(points):
    points.loc[points["bits"] == 4, "untold"] = "time of pulse trains; energy of pulses on cells"
    points.loc[points["bits"] == 8, "untold"] = "time of pulse trains"
    axes = energy_map(points, BITS, NOISE, None, LIGHT, 4.0).figure.axes[0]
    assert words(axes)[:3] == ["2 mJ", "≥ 4 mJ", "8 mJ"]


def test_points_that_are_no_grid_are_dots(points):
    few = points.iloc[[0, 6, 12]]
    for drawn in (
        gap_map(few, BITS, NOISE, None, "test_loss", LIGHT, 4.0),
        energy_map(few, BITS, NOISE, None, LIGHT, 4.0),
    ):
        axes = drawn.figure.axes[0]
        assert kinds(axes) == {PathCollection}
        assert not words(axes)


def test_the_border_lies_where_the_gap_is_the_tolerance(points):
    border = feasible_map(points, BITS, NOISE)
    assert border.shape == (25, 25)
    at = np.linspace(0, 1, 25)
    assert (border[at < 0.3] > 0.9).all()  # noise goes up, the first axis
    assert (border[at > 0.5] < 0.1).all()
    axes = gap_map(points, BITS, NOISE, border, "test_accuracy", LIGHT, 4.0).figure.axes[0]
    (lines,) = (each for each in axes.collections if isinstance(each, QuadContourSet))
    middle = lines.get_paths()[1].vertices
    assert middle[:, 1] == pytest.approx(0.4, abs=0.06)


def test_choices_have_no_border(points):
    assert feasible_map(points, DEVICE, NOISE) is None


def test_points_that_diverged_are_beyond_the_border(points):
    assert feasible_map(points, BITS, NOISE)[-1].max() < 0.5
    lost = points["noise"] > 0.5
    points.loc[lost, "diverged"] = 1
    points.loc[lost, "gap"] = np.nan
    assert feasible_map(points, BITS, NOISE)[-1].max() < 0.1
    points.loc[lost, "gap"] = 0.0  # of the seeds that are left
    assert feasible_map(points, BITS, NOISE)[-1].max() < 0.1
    points.loc[lost, "diverged"] = 0
    assert feasible_map(points, BITS, NOISE)[-1].min() > 0.9


def test_an_arm_that_diverged_everywhere_is_drawn(points):
    points["gap"], points["diverged"] = np.nan, 3
    border = feasible_map(points, BITS, NOISE)
    assert not border.any()
    axes = gap_map(points, BITS, NOISE, border, "test_accuracy", LIGHT, 4.0).figure.axes[0]
    assert words(axes) == ["×"] * 15


def test_the_interval_of_the_border_holds_what_all_points_share():
    """The border of a straight device, where points share an error of 0.8 points."""
    axes = [(name, StudyAxis(field=name, range=(0, 1), steps=5)) for name in ("x", "y")]
    generator = np.random.default_rng(0)
    place = np.linspace(0, 1, 5)
    table = pd.DataFrame([(x, y) for x in place for y in place], columns=["x", "y"])
    table = table.assign(tolerance=0.02, diverged=0, shared_error=0.008)
    held = 0
    for _ in range(20):
        noise = 0.008 * generator.standard_normal() + 0.003 * generator.standard_normal(25)
        table["gap"] = 0.04 * table["x"] + 0.01 * table["y"] + noise
        probability = feasible_map(table, *axes)[12]  # at y = 1/2 the border is at x = 3/8
        held += 0.025 <= np.interp(0.375, np.linspace(0, 1, 25), probability) <= 0.975
    assert held >= 17  # 19 on average; without what they share 9


def test_a_border_whose_error_nobody_knows_has_no_interval(points):
    points["shared_error"] = np.nan  # as of a single seed
    border = feasible_map(points, BITS, NOISE)
    figure = gap_map(points, BITS, NOISE, border, "test_accuracy", LIGHT, 4.0).figure
    (lines,) = (each for each in figure.axes[0].collections if isinstance(each, QuadContourSet))
    assert len(lines.levels) == 1
    note = figure.texts[1].get_text()
    assert "border" in note
    assert "interval" not in note
