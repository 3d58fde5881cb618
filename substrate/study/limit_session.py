"""A search for a limit as a user asks for it, from the command line or from Python.

What takes long to import is imported when everything that needs none of it has been refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from substrate.environment import check_aihwkit
from substrate.files import remove_unfinished, sole_writer, write_atomically
from substrate.nearest import did_you_mean
from substrate.run.session import How, begin_workers
from substrate.scenario.overrides import keys_of
from substrate.scenario.source import ScenarioError
from substrate.study.session import workers_for
from substrate.terminal import Console

if TYPE_CHECKING:
    from substrate.scenario.schema import Scenario
    from substrate.scenario.source import Source
    from substrate.spec.claim import Claim
    from substrate.spec.search import Found, Limit
    from substrate.study.least import Least
    from substrate.study.limits import LimitRuns, Question

RECORD = "limit.json"
LEAST_RUNS = 5
FINEST, COARSEST = 0.001, 1.0
"""Fractions of the range."""


@dataclass(frozen=True)
class MadeLimit:
    """A limit that was found, and what lies in its folder.

    Attributes:
        question: what was asked.
        found: the limit, or the border.
        runs: what was made for it.
        least: what training takes at least within it, where that was asked for.
        said: all of it in sentences, the data sheet's first.
        record: what `limit.json` says.
        folder: of it.
    """

    question: Question
    found: Found
    runs: LimitRuns
    least: Least | None
    said: list[str]
    record: dict[str, Any]
    folder: Path


def ask(
    vary: Sequence[str],
    within: str,
    arm: str | None,
    against: str | None,
    least: str | None,
    scenario: Scenario,
    source: Source,
) -> Question:
    """Read what is asked of a scenario; arguments as `substrate spec` has them.

    Raises:
        ScenarioError: there is no such field, arm or figure, or a range or distance is none.
    """
    from substrate.assemble.meaning import meaning_of
    from substrate.study.least import What
    from substrate.study.limits import Question, axis_of, tolerance_of

    if not 1 <= len(vary) <= 2:
        message = "one field, or two; a study takes more"
        raise ScenarioError(message, file=f"--vary {' '.join(vary[2:])}".rstrip())
    fields, axes = zip(*(axis_of(each, source, scenario) for each in vary), strict=True)
    named = {keys_of(each, source.data)[1] for each in fields if each.startswith("arms.")}
    if arm is None and len(named | set(scenario.arms)) > 1 and len(named) != 1:
        hint = f"one of {', '.join(scenario.arms)}"
        raise ScenarioError("say whose limit is sought", file="--arm", hint=hint)
    chosen = arm or (named or set(scenario.arms)).pop()
    for option, name, known, message in (
        ("--arm", chosen, scenario.arms, "the scenario has no such arm"),
        ("--against", against, scenario.baselines, "the scenario has no such baseline"),
        ("--least", least, get_args(What), "nothing that a bill has"),
    ):
        if name is not None and name not in known:
            hint = did_you_mean(name, known)
            raise ScenarioError(message, file=option, found=name, hint=hint)
    tolerance, target = tolerance_of(within), cast(What | None, least)
    meanings = tuple(meaning_of(scenario, field) for field in fields)
    return Question(
        fields, axes, chosen, against or "", tolerance, within.strip(), target, meanings
    )


def make_limit(
    question: Question,
    scenario: Scenario,
    source: Source,
    resolution: float | None,
    most_runs: int | None,
    out: Path | None,
    how: How,
    command: str,
    console: Console,
) -> MadeLimit:
    """Search a limit, and write its folder; Ctrl-C as of `make_study`.

    Args:
        question: what is asked.
        scenario: checked.
        source: where its settings stand.
        resolution: how narrow the interval is to be, as a fraction of the range; None for what
            suits the number of fields.
        most_runs: to end after; likewise.
        out: its folder; below `runs` where it is None.
        how: units are done.
        command: what was asked for, for the page.
        console: where progress is shown.

    Raises:
        ScenarioError: an end of a range makes no scenario, there are too few runs, the resolution
            is none, or the data, device or folder is wrong.
        RecordError: a run was given up, or a unit in the store is damaged.
    """
    from substrate.run.progress import counted
    from substrate.spec.claim import check
    from substrate.study.folder import PAGE, begin
    from substrate.study.least import least_of
    from substrate.study.limits import LimitRuns, check_tolerance, find_limit, point_of
    from substrate.study.limits_page import limit_page

    if most_runs is not None and most_runs < LEAST_RUNS:
        message = f"must be {LEAST_RUNS} or more"
        raise ScenarioError(message, field="runs", found=most_runs)
    if resolution is not None and not FINEST <= resolution <= COARSEST:
        message = f"must be a fraction of the range, from {FINEST:g} to {COARSEST:g}"
        raise ScenarioError(message, field="resolution", found=resolution)
    two = len(question.axes) == 2
    most = most_runs or (120 if two else 60)
    narrow = resolution or (1 / 8 if two else 1 / 16)
    ends = [tuple(axis.measurable(place) for axis in question.axes) for place in (0.0, 1.0)]
    points = [point_of(question, source, end, 0) for end in ends]
    begin_workers(how)
    check_aihwkit()
    folder = out or Path("runs") / f"{scenario.name}-spec"
    asked = {
        "fields": list(question.fields),
        "ranges": [[each.low, each.high, each.log] for each in question.axes],
        "arm": question.arm,
        "against": question.against,
        "within": question.tolerance,
        "resolution": narrow,
        "most_runs": most,
        "base": scenario.model_dump(mode="json"),
    }
    with workers_for(points, how) as (data, units), ExitStack() as held:
        check_tolerance(question, regression=data.of(points[0].scenario).regression)
        begin(folder, asked)
        held.enter_context(sole_writer(folder))
        remove_unfinished(folder)
        with counted(console, " and ".join(question.fields)) as on_unit:
            runs = LimitRuns(question, source, data, units, on_unit)
            found = find_limit(
                question,
                runs,
                resolution=narrow,
                confidence=scenario.verdict.confidence,
                most_runs=most,
                on_round=lambda found: _round(console, question, found),
            )
        claim, target = check(found, question.tolerance), question.least
        least = least_of(found, runs.bills, target) if target and claim.stands else None
        said = _said(question, found, claim, runs, least)
        record = _record(question, found, claim, runs, said, least)
        text = json.dumps(record, indent=2, ensure_ascii=False)
        write_atomically(folder / RECORD, text + "\n")
        page = limit_page(question, scenario, data, found, runs, said, command)
        write_atomically(folder / PAGE, page)
    return MadeLimit(question, found, runs, least, said, record, folder)


def short(field: str) -> str:
    """A field as a data sheet names it: without its arm, whose name may have dots."""
    arm, _, of_chip = field.partition(".chip.")
    return of_chip if of_chip and arm.startswith("arms.") else ".".join(field.split(".")[-2:])


def _round(console: Console, question: Question, found: Found) -> None:
    from substrate.spec.claim import check
    from substrate.spec.sentence import limit_in_words

    line = f"after {len(found.points)} runs"
    if not check(found, question.tolerance).stands:
        line += ": no limit that they do not contradict"
    elif len(question.axes) == 1:
        line += f": {limit_in_words(found, found.limits[0], question.units[0])}"
    console.print(line, soft_wrap=True, highlight=False)


def _said(
    question: Question, found: Found, claim: Claim, runs: LimitRuns, least: Least | None
) -> list[str]:
    from substrate.report.sentences import badly_tuned
    from substrate.spec.sentence import border_in_words, claim_in_words, no_limit, sentence
    from substrate.study.least import in_words, none_in_words

    fields = [short(each) for each in question.fields]
    if not claim.stands:
        said = [f"{no_limit(found, fields)}."]
    elif len(fields) == 1:
        said = [f"{sentence(found, fields[0], question.units[0])}."]
    else:
        said = [f"{each}." for each in border_in_words(found, fields, question.units)]
    within = question.within
    said += claim_in_words(found, claim, question.arm, runs.against, within, fields)
    if least is not None:
        said.append(in_words(least, fields, question.units, within))
    elif question.least:
        said.append(
            none_in_words(runs.bills, question.least)
            if claim.stands
            else f"Without a limit there is no least {question.least}."
        )
    if claim.stands and not found.resolved:
        said.append("The interval is wider than was asked for: more runs (--runs) narrow it.")
    ahead = sum(gap < -question.tolerance for gap in runs.gaps)
    if 2 * ahead > len(runs.gaps):
        said.append(
            f"{badly_tuned(runs.against)} {question.arm} is ahead of it by more than"
            f" {question.within} in {ahead} of {len(runs.gaps)} runs."
        )
    return said


def _record(
    question: Question,
    found: Found,
    claim: Claim,
    runs: LimitRuns,
    said: list[str],
    least: Least | None,
) -> dict[str, Any]:
    from substrate.study.energy import joules_of, left_out

    return {
        "sentence": said,
        "fields": list(question.fields),
        "units": list(question.units),
        "meanings": list(question.meanings),
        "arm": question.arm,
        "against": runs.against,
        "within": question.tolerance,
        "confidence": found.confidence,
        "better_when": "higher" if found.rising else "lower",
        "resolved": found.resolved and claim.stands,
        "checked": {
            "limit_named": claim.stands,
            **asdict(claim),
            "contradicted_at": None if claim.one_direction else list(found.against_at),
        },
        "limits": [
            {
                **({} if each.first is None else {"at": each.first}),
                **{name: figure if claim.stands else None for name, figure in _figures(each)},
            }
            for each in found.limits
        ],
        **({} if least is None else {"least": asdict(least) | {"lacks": least.lacks._asdict()}}),
        "runs": [
            {
                "at": list(point),
                "seed": seed,
                "gap": None if math.isnan(gap) else gap,
                "training_joules": joules_of(bill),
                **left_out(bill),
            }
            for seed, (point, gap, bill) in enumerate(
                zip(runs.points, runs.gaps, runs.bills, strict=True)
            )
        ],
    }


def _figures(limit: Limit) -> list[tuple[str, float]]:
    return [
        ("limit", limit.estimate),
        ("low", limit.low),
        ("high", limit.high),
        ("feasible_everywhere", limit.all_feasible),
        ("feasible_nowhere", limit.none_feasible),
    ]
