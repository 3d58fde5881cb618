"""The page: the paper's figures beside ours, for every experiment."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from substrate.environment import versions
from substrate.replicate.angles import AngleRun
from substrate.replicate.cells import NOTEWORTHY_POINTS, Cell, cells
from substrate.replicate.claims import claims_table
from substrate.replicate.earlier import Earlier
from substrate.replicate.experiments import Experiment
from substrate.replicate.measured import Run, TrainingRun
from substrate.replicate.passes import passes_table
from substrate.replicate.statements import CONFIDENCE, Answer, Check, check
from substrate.replicate.table_one import Full, table_one
from substrate.replicate.tables import (
    accuracy_table,
    angle_table,
    gap_table,
    loss_table,
    points,
    table,
)
from substrate.report.wording import NOTHING, duration
from substrate.scenario.budgets import FULL


@dataclass(frozen=True)
class Outcome:
    """An experiment with what was run of it.

    Attributes:
        checks: the statements' fate, by budget.
        pictures: files of the pictures, by budget.
        earlier: what an earlier page said of it, where nothing that was run is at hand.
    """

    experiment: Experiment
    runs: list[Run]
    checks: dict[str, list[Check]]
    pictures: dict[str, list[Path]]
    earlier: Earlier | None = None

    def run(self, budget: str) -> Run:
        """What was run at a budget."""
        return next(run for run in self.runs if run.budget == budget)

    def cells(self) -> list[Cell]:
        """Of all budgets that were run; empty ones where none was."""
        if not self.runs:
            return cells(self.experiment, None)
        trained = [run for run in self.runs if isinstance(run, TrainingRun)]
        return [cell for run in trained for cell in cells(self.experiment, run)]


def tally(checks: Sequence[Check]) -> str:
    """`3 of 4 confirmed, 1 not told apart`; nothing of no statements."""
    counts = Counter(each.answer for each in checks)
    others = [f"{counts[answer]} {answer}" for answer in _OTHERS if counts[answer]]
    if not checks:
        return ""
    return ", ".join([f"{counts['confirmed']} of {len(checks)} confirmed", *others])


def outcome(
    experiment: Experiment,
    runs: list[Run],
    pictures: dict[str, list[Path]],
    earlier: Earlier | None = None,
) -> Outcome:
    """Hold the experiment's statements against all that was run of it."""
    statements = experiment.reported.statements
    checks = {run.budget: [check(each, run) for each in statements] for run in runs}
    return Outcome(experiment, runs, checks, pictures, None if runs else earlier)


def render(outcomes: Sequence[Outcome], folder: Path) -> str:
    """The page as Markdown.

    Args:
        outcomes: all experiments.
        folder: where the page will lie, for links.
    """
    checks = {each.experiment.name: each.checks for each in outcomes}
    parts = [_TITLE, claims_table(checks), table_one(_full(outcomes)), _TABLE_ONE]
    parts += [_HEAD, _provenance(), _overview(outcomes)]
    for each in outcomes:
        parts += [each.earlier.section if each.earlier else _section(each, folder)]
    return "\n\n".join(parts) + "\n"


_OTHERS: tuple[Answer, ...] = ("refuted", "not told apart", "not measured")

_TITLE = """\
# The paper, replicated

Every experiment of *Node Perturbation Can Effectively Train Multi-Layer Neural Networks* (Dalm,
van Gerven and Ahmad, arXiv 2310.00965), run again on real data, and after them what the paper only
promises for hardware. `substrate replicate` writes this page from run folders and from records of
runs, under `replication/` beside it; nobody edits it.

The two tables count what those say. A section below that is marked as kept from an earlier page
counts in neither: its runs left no record, and what it calls confirmed was judged by means."""

_TABLE_ONE = f"""\
Peak test accuracies in percent on CIFAR-10 at full budget, the paper's table. Ours is the mean over
seeds with its {CONFIDENCE:.0%} interval over new seeds and new test images, of one seed over images
alone; the paper's interval is what 10,000 test images leave open. *Peak of the mean* is the best
over the epochs of the mean over seeds: lower than the mean of the peaks where a curve goes up and
down by itself, and the paper does not say which of the two it gives. The epoch of a peak is chosen
on the test images themselves, in the paper as here, so peaks are higher than what new images would
give; neither interval includes this selection. A difference larger than both has a reason found by
experiment, or is not explained. `mirror` and `mirror_critic` (from losses alone) are no rules of
the paper's."""

_HEAD = f"""\
- Accuracies are in percent, train / test. Like the paper's, they are peaks: the best over the
  epochs of each seed, then mean ± standard deviation over seeds. Training figures are those of the
  baseline passes during an epoch.
- *Difference* is ours less the paper's peak test accuracy, in points. Above
  {NOTEWORTHY_POINTS:g} points the reason is given, or it is said that none was found yet.
- Statements compare means on test data (peak accuracies, final losses), over the seeds and epochs
  that all arms in them have. *Difference* is what a statement is about, how far its first arm is
  ahead, behind, different or closer, with its {CONFIDENCE:.0%} interval over new seeds and new test
  data (`substrate/run/estimate.py`; what the test samples leave open is that of each arm's last
  evaluation). The interval does not include that the epoch of a peak was chosen on the test images.
  The whole interval confirms or refutes, each statement by itself; otherwise arms are not told
  apart, and by one seed none are. Angles are compared over inputs, for one set of weights.
- Learning rates are those of the scenario files. `substrate tune` now chooses on a fifth of the
  training samples, held out; its records under `docs/tuning` that give a `test_loss` chose on test
  data.
- Arms and seeds of one experiment may come of several runs with the same settings.
- The budget `full` is what a scenario file says; others are shorter by what stands in the file. Set
  beside the paper's figures they show the order of the rules rather than how far they get."""


def _full(outcomes: Sequence[Outcome]) -> Full:
    """Every experiment, with its training at full budget."""
    return {
        each.experiment.name: (
            each.experiment,
            next((r for r in each.runs if r.budget == FULL and isinstance(r, TrainingRun)), None),
        )
        for each in outcomes
    }


_REPEAT = "`substrate replicate NAME --budget BUDGET`; `SUBSTRATE_DATA` names the data's folder"


def _provenance() -> str:
    found = versions()
    packages = ", ".join(f"{name} {found[name]}" for name in found if name != "platform")
    return table(
        ["this page", ""],
        [
            ["written", f"{date.today():%Y-%m-%d}"],
            ["with", packages],
            ["on", f"{found['platform']}, {os.cpu_count()} cores"],
            ["repeat it with", _REPEAT],
        ],
    )


def _overview(outcomes: Iterable[Outcome]) -> str:
    rows = []
    for each in outcomes:
        name = each.experiment.name
        link = f"[{name}](#{_anchor(name)})"
        if each.earlier:
            rows += each.earlier.rows
            continue
        if not each.runs:
            lacks = "" if each.experiment.path else " (no scenario file)"
            rows.append([link, f"not run{lacks}", "", ""])
        for run in each.runs:
            state = "complete" if run.complete else "**unfinished**"
            checks = each.checks[run.budget]
            compared = [
                cell for cell in each.cells() if cell.budget == run.budget and cell.comparable
            ]
            close = sum(not cell.noteworthy for cell in compared)
            rows.append(
                [
                    link,
                    f"`{run.budget}`, {state}",
                    tally(checks) or NOTHING,
                    f"{close} of {len(compared)}" if compared else NOTHING,
                ]
            )
    near = f"arms within {NOTEWORTHY_POINTS:g} points of the paper's test accuracy"
    return "## Overview\n\n" + table(["experiment", "run", "statements", near], rows)


def _section(each: Outcome, folder: Path) -> str:
    experiment = each.experiment
    lines = [
        f"## {experiment.name}",
        f"{experiment.title}." if experiment.path else "No scenario file.",
    ]
    if experiment.reported.source:
        lines[-1] += f" In the paper: {experiment.reported.source}."
    if experiment.path is not None:
        lines[-1] += f" Scenario: `scenarios/{experiment.name}.yaml`."
    for run in each.runs:
        lines.append(_setting(run))
        if changed := experiment.settings_changed(run):
            lines[-1] += f" **Not run with the file's settings:** {', '.join(changed)}."
    ran = [run.budget for run in each.runs]
    missing = [f"`{budget}`" for budget in experiment.budgets if budget not in ran]
    if missing:
        lines.append(f"Not run: budget {', '.join(missing)}.")
    angles = [run for run in each.runs if isinstance(run, AngleRun)]
    if experiment.angles:
        lines += [angle_table(run) for run in angles if len(run.counts) > 1]
    elif any(run.metric == "test_loss" for run in each.runs if isinstance(run, TrainingRun)):
        lines.append(loss_table(each.cells()))
    elif experiment.arms:
        lines.append(accuracy_table(experiment, each.cells()))
    for run in each.runs:
        if isinstance(run, TrainingRun):
            lines += gap_table(experiment, run)
            lines += passes_table(run)
            lines += _repeatability(run)
    checks = [(budget, one) for budget, found in each.checks.items() for one in found]
    if checks:
        rows = [
            [one.statement, f"`{b}`", _answer(one), one.figures, _difference(one, each.run(b))]
            for b, one in checks
        ]
        lines.append(table(["statement", "budget", "answer", "measured", "difference"], rows))
    elif experiment.reported.statements:
        lines.append("Not checked yet: " + "; ".join(experiment.reported.statements) + ".")
    for budget, files in each.pictures.items():
        for file in files:
            link = Path(os.path.relpath(file, folder)).as_posix()
            lines.append(f"![{experiment.name}, budget {budget}]({link})")
    lines += _reasons(each)
    return "\n\n".join(lines)


def _answer(found: Check) -> str:
    return f"**{found.answer}**" if found.answer == "refuted" else found.answer


def _difference(found: Check, run: Run) -> str:
    """`ahead by 1.2 (0.4 to 2.0)`, or why there is no interval."""
    words = []
    if found.low is not None and found.high is not None:
        words.append(f"{run.number(found.low)} to {run.number(found.high)}")
    words += [each for each in (found.note, found.lost) if each]
    return f"{found.difference} ({'; '.join(words)})" if words else found.difference or NOTHING


def _setting(run: Run) -> str:
    if isinstance(run, AngleRun):
        inputs = f"{run.inputs} input{'s' if run.inputs > 1 else ''}"
        return f"**Budget `{run.budget}`:** layers {', '.join(run.layers)}; mean over {inputs}."
    images = "" if run.classes is None else f", {run.classes} of its classes"
    images += "" if run.images is None else f", {run.images:,} training samples"
    if run.summary is not None:
        images += f", {run.summary.data.test:,} test samples"
    seeds = f"seed{'s' if len(run.seeds) > 1 else ''} {', '.join(map(str, run.seeds))}"
    text = f"**Budget `{run.budget}`:** {run.network}; {run.data}{images};"
    text += f" {run.epochs} epochs, {seeds}."
    if run.summary is not None and run.complete:
        trained = f"{run.summary.started[:10]}, trained for {duration(run.seconds)} in all"
        text += f" Run on {trained}, torch {run.summary.versions['torch']}."
    if not run.complete:
        text += " **This run has not come to its end; what it has measured is shown.**"
    return text


def _repeatability(run: TrainingRun) -> list[str]:
    if run.summary is None:
        return []
    arms = run.summary.arms
    loose = [name for name, arm in arms.items() if arm.reproducibility == "statistical"]
    if not loose:
        return []
    return [f"Repeat in their statistics only (aihwkit cannot be seeded): {', '.join(loose)}."]


def _reasons(each: Outcome) -> list[str]:
    reported = each.experiment.reported
    lines = [
        f"**Why{'' if arm == 'all' else f', {arm}'}:** {' '.join(text.split())}"
        for arm, text in reported.why.items()
    ]
    open_cells = [
        f"{cell.arm} at `{cell.budget}` ({points(cell.difference or 0.0)})"
        for cell in each.cells()
        if cell.noteworthy and not reported.explains(cell.arm)
    ]
    if open_cells:
        lines.append(f"**Not explained yet:** {', '.join(open_cells)}.")
    return lines


def _anchor(heading: str) -> str:
    """As GitHub and GitLab make it from a heading."""
    return heading.lower().replace("/", "")
