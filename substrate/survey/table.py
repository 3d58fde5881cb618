"""A survey as a Markdown table: a row for every preset, a column for every device arm."""

from __future__ import annotations

from statistics import fmean, stdev

from substrate.record.summary import Measure
from substrate.report.wording import METRIC_TITLE, mean_and_deviation
from substrate.survey.plan import Place, Plan
from substrate.survey.record import Cell, Survey


def survey_table(plan: Plan, survey: Survey) -> str:
    """Write what is finished, the preset first whose best cell is best.

    Presets of which nothing is finished are left out.
    """
    arms = list(plan.scenario.arms)
    rows = {preset: [survey.cell(Place(preset, name)) for name in arms] for preset in plan.presets}
    rows = {preset: row for preset, row in rows.items() if any(row)}
    order = sorted(rows, key=lambda preset: (*_best_first(rows[preset], survey), preset))
    lines = [
        *_heading(plan, survey),
        "",
        f"    {survey.command}",
        "",
        f"| preset | {' | '.join(arms)} |",
        f"| --- |{' ---: |' * len(arms)}",
        *(
            f"| {preset}{_note(rows[preset])} | "
            + " | ".join(shown_cell(cell, survey) for cell in rows[preset])
            + " |"
            for preset in order
        ),
    ]
    return "\n".join(lines) + "\n"


def _heading(plan: Plan, survey: Survey) -> list[str]:
    scenario, versions = plan.scenario, survey.versions
    rates = ", ".join(f"{rate:g}" for rate in survey.rates)
    if len(survey.rates) > 1:
        held_out, training = survey.samples["held out"], survey.samples["training"]
        rates = (
            f"in brackets the learning rate, of {rates} the one that did best on {held_out} of the"
            f" {training} training samples, which were held out for that"
        )
    else:
        rates = f"learning rate {rates}"
    seeds = ", ".join(map(str, scenario.seeds))
    lines = [
        f"{METRIC_TITLE[survey.metric]}; {rates}. {survey.network}; {scenario.training.epochs}"
        f" epochs, batch {scenario.training.batch_size}; seeds {seeds}; {survey.started[:10]};"
        f" aihwkit {versions['aihwkit']}, torch {versions['torch']}, Python {versions['python']}."
    ]
    baselines = [survey.cell(Place(None, name)) for name in scenario.baselines]
    shown = [f"{cell.arm} {shown_cell(cell, survey)}" for cell in baselines if cell]
    if shown:
        lines += ["", f"Baselines, at their own learning rates: {', '.join(shown)}."]
    if any(cell.injected for cell in survey.cells):
        lines += [
            "",
            "Noise injected: the preset has none of its own, so that rules which compare passes are"
            " given some by the periphery.",
        ]
    if at_end := _at_an_end(survey):
        lines += [
            "",
            f"{at_end} cells did best at the lowest or the highest rate that was tried; one beyond"
            " might do better.",
        ]
    places = plan.places
    finished = sum(survey.cell(place) is not None for place in places)
    if finished < len(places):
        lines += ["", f"Partial: {finished} of {len(places)} cells are finished."]
    return lines


def _at_an_end(survey: Survey) -> int:
    """Cells whose chosen rate is an end of those that were tried."""
    ends = {min(survey.rates), max(survey.rates)}
    return sum(
        cell.tested[0].learning_rate in ends
        for cell in survey.cells
        if len(cell.validated) > 1 and cell.tested
    )


def _best_first(row: list[Cell | None], survey: Survey) -> tuple[bool, float]:
    figures = [mean for cell in row if cell and (mean := _mean(cell, survey)) is not None]
    if survey.metric == "test_loss":
        return not figures, min(figures, default=0.0)
    return not figures, -max(figures, default=0.0)


def _figures(cell: Cell, survey: Survey) -> list[float]:
    figures = [each.loss if survey.metric == "test_loss" else each.accuracy for each in cell.tested]
    return [each for each in figures if each is not None]


def _mean(cell: Cell, survey: Survey) -> float | None:
    """Of all seeds; None if one of them diverged."""
    figures = _figures(cell, survey)
    return fmean(figures) if figures and len(figures) == len(cell.tested) else None


def shown_cell(cell: Cell | None, survey: Survey) -> str:
    """Write what a cell reached, and at which learning rate."""
    if cell is None:
        return "not yet"
    if not cell.tested:
        return "diverged at every rate"
    rate = f" ({cell.tested[0].learning_rate:g})"
    mean, figures = _mean(cell, survey), _figures(cell, survey)
    if mean is None:
        epochs = [each.diverged_in for each in cell.tested if each.diverged_in is not None]
        return f"diverged in epoch {', '.join(map(str, epochs))}{rate}"
    std = stdev(figures) if len(figures) > 1 else None
    measure = Measure(mean=mean, std=std, values=list(figures))
    return mean_and_deviation(measure, survey.metric) + rate


def _note(row: list[Cell | None]) -> str:
    return " (noise injected)" if any(cell and cell.injected for cell in row) else ""
