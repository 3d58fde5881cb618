"""The Markdown table."""

import pytest

from substrate.survey.plan import Plan
from substrate.survey.record import Cell, Survey, Training
from substrate.survey.table import survey_table


def cell(preset: str | None, arm: str, *accuracies: float | None, injected: bool = False) -> Cell:
    trained = [
        Training(
            learning_rate=0.02,
            seed=seed,
            loss=None if accuracy is None else 1 - accuracy,
            accuracy=accuracy,
            diverged_in=4 if accuracy is None else None,
            seconds=1.0,
        )
        for seed, accuracy in enumerate(accuracies)
    ]
    return Cell(preset=preset, arm=arm, injected=injected, validated=[], tested=trained)


@pytest.fixture
def survey(plan: Plan) -> Survey:
    return Survey(
        scenario=plan.scenario.model_dump(mode="json"),
        rates=list(plan.rates),
        samples={"training": 100, "held out": 20},
        network="64-8-10",
        metric="test_accuracy",
        versions={"torch": "2.12", "aihwkit": "1.1", "python": "3.11"},
        command="substrate survey two_rules",
        started="2026-01-01T00:00:00+00:00",
    )


def rows(table: str) -> list[list[str]]:
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [[word.strip() for word in line.strip("|").split("|")] for line in lines]


def test_a_row_a_preset_and_a_column_an_arm_the_best_first(plan: Plan, survey: Survey) -> None:
    cells = [
        cell(None, "bp", 0.97),
        cell("IdealizedPreset", "danp", 0.5, 0.6),
        cell("IdealizedPreset", "transposed", 0.8),
        cell("FloatingPointPreset", "danp", 0.7, injected=True),
        cell("FloatingPointPreset", "transposed", 0.9),
    ]
    table = survey_table(plan, survey.model_copy(update={"cells": cells}))
    assert rows(table) == [
        ["preset", "danp", "transposed"],
        ["---", "---:", "---:"],
        ["FloatingPointPreset (noise injected)", "70.0 % (0.02)", "90.0 % (0.02)"],
        ["IdealizedPreset", "55.0 ± 7.1 % (0.02)", "80.0 % (0.02)"],
    ]
    assert "bp 97.0 % (0.02)" in table
    assert "held out" in table
    assert "Partial" not in table


def test_divergence_and_what_is_missing_are_said(plan: Plan, survey: Survey) -> None:
    cells = [
        cell("IdealizedPreset", "danp", 0.9, None),
        cell("IdealizedPreset", "transposed"),
        cell("FloatingPointPreset", "danp", 0.2),
    ]
    table = survey_table(plan, survey.model_copy(update={"cells": cells}))
    assert rows(table)[2:] == [
        ["FloatingPointPreset", "20.0 % (0.02)", "not yet"],
        ["IdealizedPreset", "diverged in epoch 4 (0.02)", "diverged at every rate"],
    ]
    assert "Partial: 3 of 5 cells are finished." in table
    begun = survey_table(plan, survey.model_copy(update={"cells": cells[:1]}))
    assert [row[0] for row in rows(begun)[2:]] == ["IdealizedPreset"]


def test_in_a_regression_the_lowest_loss_is_best(plan: Plan, survey: Survey) -> None:
    cells = [
        cell("IdealizedPreset", "danp", 0.9),
        cell("FloatingPointPreset", "danp", 0.2),
    ]
    regression = survey.model_copy(update={"cells": cells, "metric": "test_loss"})
    assert [row[:2] for row in rows(survey_table(plan, regression))[2:]] == [
        ["IdealizedPreset", "0.1 (0.02)"],
        ["FloatingPointPreset", "0.8 (0.02)"],
    ]


def test_rates_at_an_end_of_those_that_were_tried_are_told_of(plan: Plan, survey: Survey) -> None:
    def table(*rates: float) -> str:
        trained = cell("IdealizedPreset", "danp", 0.5)
        tried = [trained.tested[0].model_copy(update={"learning_rate": rate}) for rate in rates]
        chosen = trained.model_copy(update={"validated": tried})
        update = {"cells": [chosen], "rates": list(rates)}
        return survey_table(plan, survey.model_copy(update=update))

    assert "1 cells did best at the lowest or the highest rate" in table(0.02, 0.1)
    assert "highest rate" not in table(0.01, 0.02, 0.1)
