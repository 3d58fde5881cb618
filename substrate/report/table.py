"""The verdict, the arms and their comparisons for the terminal."""

from pathlib import Path
from textwrap import wrap

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from substrate.record.summary import Summary, Verdict
from substrate.report import afterwards, bill, reported, wire
from substrate.report.sensitivity import sensitivity_table
from substrate.report.sentences import (
    confidence_in_words,
    correction_in_words,
    cut_short_in_words,
    divergence_in_words,
    doubts_in_words,
    failure_in_words,
    unmeasured_in_words,
    verdict_in_words,
    what_next,
)
from substrate.report.wording import (
    METRIC_TITLE,
    NOTHING,
    VERDICT_SYMBOL,
    behind_or_ahead,
    duration,
    gap_with_unit,
    interval,
    mean_and_deviation,
    metrics_shown,
    seeds_in_words,
    seeds_measured,
)
from substrate.text import plain

_VERDICT_STYLE: dict[Verdict, str] = {
    "feasible": "bold green",
    "not feasible": "bold red",
    "undecided": "bold yellow",
}


def run_result(summary: Summary, folder: Path) -> Group:
    """Everything a finished run tells in the terminal, the verdict last, where the eye rests."""
    parts: list[RenderableType] = [arms_table(summary), "", comparisons_table(summary)]
    parts += [
        _text(f"{each.arm} against {each.baseline}: {each.reason}.")
        for each in summary.comparisons
        if each.not_at_once is not None
    ]
    parts.append("")
    if bill.billed(summary):
        parts += [bill_table(summary), *map(_text, bill.left_out(summary)), ""]
    if unmeasured := unmeasured_in_words(summary, "ledger", "observed noise"):
        parts += [*(_text(said, "yellow") for said in unmeasured), ""]
    if afterwards.tested(summary):
        parts += [afterwards_table(summary), *map(_text, afterwards.untried(summary)), ""]
    if summary.sensitivity is not None:
        parts += [sensitivity_table(summary, summary.sensitivity)]
        parts += [_text(f"not varied: {said}") for said in summary.sensitivity.left_out] + [""]
    parts += [
        _text(f"{name}, {divergence_in_words(divergence)}", "red")
        for name, arm in summary.arms.items()
        for divergence in arm.diverged
    ]
    parts += [
        _text(f"{name}, {failure_in_words(failure)}", "red")
        for name, arm in summary.arms.items()
        for failure in arm.failed
    ]
    if summary.status == "interrupted":
        parts.append(_text("Interrupted: what was measured until then is shown.", "bold yellow"))
    parts += [_text(said) for said in (*wire.lines(summary), *reported.lines(summary))]
    parts += [
        _text(said, "yellow") for said in (*doubts_in_words(summary), *cut_short_in_words(summary))
    ]
    parts.append(verdict_line(summary))
    if more := what_next(summary, folder):
        parts.append(_text(more))
    return Group(*parts)


def verdict_line(summary: Summary) -> Text:
    """``✓ Feasible.`` and the figures that decide, or the reason."""
    verdict = summary.verdict
    head = _text(f"{VERDICT_SYMBOL[verdict]} {verdict.capitalize()}. ", _VERDICT_STYLE[verdict])
    return head.append_text(_text(verdict_in_words(summary), "not bold"))


def arms_table(summary: Summary) -> Table:
    """One row an arm: mean ± standard deviation over seeds, on test and training data."""
    metrics = metrics_shown(summary)[:2]
    seeds = len(summary.seeds)
    table = _table(f"Arms: mean ± standard deviation over {seeds_in_words(seeds)}")
    for heading in ("Arm", "Chip", "Rule"):
        table.add_column(heading, overflow="fold")
    for metric in metrics:
        table.add_column(METRIC_TITLE[metric].replace(" ", "\n"), justify="right")
    table.add_column("Time", justify="right")
    for name, arm in summary.arms.items():
        cells = [_text(name, "bold" if arm.role == "device" else ""), _text(arm.chip)]
        cells.append(_text(arm.rule))
        for metric in metrics:
            measure = arm.measure(metric)
            cell = mean_and_deviation(measure, metric)
            if measure is not None and 0 < seeds_measured(measure) < seeds:
                cell += f"\n{seeds_measured(measure)} of {seeds_in_words(seeds)}"
            if arm.after_epoch is not None:
                cell += f"\nepoch {arm.after_epoch} of {summary.epochs}"
            cells.append(_text(cell))
        table.add_row(*cells, _text(duration(arm.seconds)))
    return table


def comparisons_table(summary: Summary) -> Table:
    """One row a comparison: gap, its confidence interval over new seeds and test data, verdict."""
    metric = summary.metric
    tolerance = gap_with_unit(summary.tolerance, metric)
    table = _table(
        f"Gap in {METRIC_TITLE[metric].lower()} to clean training, tolerance {tolerance}"
    )
    for heading in ("Arm", "Baseline"):
        table.add_column(heading, overflow="fold")
    for heading in ("Gap", confidence_in_words(summary)):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    for comparison in summary.comparisons:
        gap = comparison.gap
        verdict = comparison.verdict
        why = correction_in_words(verdict, comparison.not_at_once)
        lines = wrap(why, len("✗ not feasible"))
        table.add_row(
            _text(comparison.arm),
            _text(comparison.baseline),
            NOTHING if gap is None else behind_or_ahead(gap, metric),
            interval(comparison, metric),
            _text(f"{VERDICT_SYMBOL[verdict]} {verdict}", _VERDICT_STYLE[verdict]).append_text(
                _text("".join(f"\n{line}" for line in lines), "not bold")
            ),
        )
    return table


def bill_table(summary: Summary) -> Table:
    """One row an arm: energy and time with the ranges of their unit costs, wear."""
    table = _table("The bill, with the range that the unit costs leave")
    table.add_column("Arm", overflow="fold")
    for heading in ("Energy to\ntrain", "Time to\ntrain", "For an\ninference"):
        table.add_column(heading, justify="right")
    table.add_column("Of it\nconverters", justify="right")
    table.add_column("Wear")
    for name, (_, of_arm) in bill.billed(summary).items():
        training, time = of_arm.training_joules, of_arm.training_seconds
        table.add_row(
            _text(name),
            _text(f"{bill.training_energy(of_arm)}\n{bill.energy_interval(training)}"),
            _text(f"{bill.training_time(of_arm)}\n{bill.period_interval(time)}"),
            _text(f"{bill.inference_energy(of_arm)}\n{bill.inference_time(of_arm)}"),
            _text(bill.share(of_arm)),
            _text(bill.wear(of_arm)),
        )
    return table


def afterwards_table(summary: Summary) -> Table:
    """One row a condition: what the trained network gives later, or with broken cells."""
    table = _table(f"What training leaves behind: {METRIC_TITLE[summary.metric].lower()}")
    table.add_column("")
    for name in afterwards.tested(summary):
        table.add_column(_text(name), justify="right", overflow="fold")
    for condition, figures in afterwards.rows(summary):
        table.add_row(condition, *map(_text, figures))
    return table


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )


def _text(content: str, style: str = "") -> Text:
    """Names come from scenario files: neither rich markup nor terminal escapes may act in them."""
    return Text(plain(content), style)
