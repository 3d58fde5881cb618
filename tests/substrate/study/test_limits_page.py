"""What a search for a limit came to, as it is drawn."""

import math
from dataclasses import replace

import numpy as np

from substrate.report.palette import LIGHT
from substrate.spec.axis import Axis
from substrate.spec.search import Found, Limit
from substrate.study.limits import Question
from substrate.study.limits_page import gap_runs

BITS = Axis(2, 8, whole=True)
QUESTION = Question(["arms.a.chip.output_converter.bits"], [BITS], "a", "bp", 0.02, "2 points")


def dots(gaps: list[float], limit: Limit) -> dict[str, int]:
    points = [(2.0,), (5.0,), (8.0,)]
    found = Found([BITS], True, [limit], 0.95, points, [0.0] * 3, True)
    axes = gap_runs(QUESTION, found, gaps, "test_accuracy", LIGHT, 4.0).figure.axes[0]
    assert [each.get_text() for each in axes.get_xticklabels()] == list("2345678")
    counted = {"o": 0, "X": 0}
    for line in axes.lines:
        assert np.isfinite(np.asarray(line.get_ydata(), float)).all()
        if line.get_marker() in counted:
            counted[line.get_marker()] += len(line.get_xdata())
    return counted


def test_a_run_has_a_dot_and_one_that_diverged_a_cross():
    limit = Limit(None, 4.5, 4.0, 5.0, 0.0, 0.0)
    assert dots([0.5, 0.01, math.nan], limit) == {"o": 2, "X": 1}


def test_where_all_diverged_there_are_crosses_alone():
    nowhere = Limit(None, 8.0, 8.0, 8.0, 0.0, 1.0)
    assert dots([math.nan] * 3, nowhere) == {"o": 0, "X": 3}


def test_the_axis_has_the_unit_of_its_field():
    limit = Limit(None, 4.5, 4.0, 5.0, 0.0, 0.0)
    points = [(2.0,), (5.0,), (8.0,)]
    found = Found([BITS], True, [limit], 0.95, points, [0.0] * 3, True)
    question = replace(QUESTION, meanings=("Resolution in bits, or exact: infinitely fine.",))
    axes = gap_runs(question, found, [0.1] * 3, "test_accuracy", LIGHT, 4.0).figure.axes[0]
    assert axes.get_xlabel() == "arms.a.chip.output_converter.bits, bits"


def test_a_limit_that_the_runs_contradict_is_not_drawn():
    limit = Limit(None, 4.5, 4.0, 5.0, 0.0, 0.0)
    points = [(2.0,), (5.0,), (8.0,)]
    for margins, bands in (([0.01, 0.01, -0.5], 0), ([-0.5, 0.01, 0.01], 1)):
        found = Found([BITS], True, [limit], 0.95, points, margins, True)
        axes = gap_runs(QUESTION, found, [0.01] * 3, "test_accuracy", LIGHT, 4.0).figure.axes[0]
        assert len(axes.patches) == bands
