"""`substrate spec`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from substrate.cli.run import INTERRUPTED
from substrate.cli.scenario import open_scenario
from substrate.cli.study import workers_for
from substrate.environment import check_aihwkit
from substrate.files import remove_unfinished, sole_writer, write_atomically
from substrate.run.session import How, begin_workers
from substrate.scenario.source import ScenarioError
from substrate.terminal import Console, tell

if TYPE_CHECKING:
    from substrate.scenario.schema import Scenario
    from substrate.scenario.source import Source
    from substrate.spec.search import Found
    from substrate.study.least import Least
    from substrate.study.limits import LimitRuns, Question

RECORD = "limit.json"


def spec_command(
    path: Path,
    vary: list[str],
    within: str,
    arm: str | None,
    against: str | None,
    resolution: float | None,
    most_runs: int | None,
    least: str | None,
    overrides: list[str],
    budget: str,
    out: Path | None,
    how: How,
    as_json: bool,
    command: str,
) -> int:
    """Find the limit of one or two fields, and say it in a sentence; gives the exit status.

    Raises:
        ScenarioError: the scenario, a field, a range, the data or the folder is wrong.
        RecordError: a run was given up, or a unit in the store is damaged.
    """
    scenario, source = open_scenario(path, overrides, budget)
    from substrate.run.progress import counted
    from substrate.study.folder import PAGE, begin
    from substrate.study.least import least_of
    from substrate.study.limits import LimitRuns, find_limit, point_of
    from substrate.study.limits_page import limit_page

    question = _question(vary, within, arm, against, least, scenario, source)
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
    begin(folder, asked)
    console = Console(stderr=True)
    with sole_writer(folder), workers_for(points, how) as (data, units):
        remove_unfinished(folder)
        try:
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
        except KeyboardInterrupt:
            tell(f"Stopped; the same command with --out {folder} goes on.", err=True)
            return INTERRUPTED
        target = question.least
        at_least = least_of(found, runs.bills, target) if target else None
        said = _said(question, found, runs.against, at_least)
        record = _record(question, found, runs, said, at_least)
        text = json.dumps(record, indent=2, ensure_ascii=False)
        write_atomically(folder / RECORD, text + "\n")
        page = limit_page(question, scenario, data, found, runs, said, command)
        write_atomically(folder / PAGE, page)
    if as_json:
        tell(text)
    else:
        for line in said:
            tell(line)
        tell(f"Report: {folder / PAGE}")
    return 0


def _question(
    vary: list[str],
    within: str,
    arm: str | None,
    against: str | None,
    least: str | None,
    scenario: Scenario,
    source: Source,
) -> Question:
    from substrate.nearest import nearest
    from substrate.study.least import What
    from substrate.study.limits import Question, axis_of, tolerance_of

    if len(vary) > 2:
        message = "one field, or two; a study takes more"
        raise ScenarioError(message, file=f"--vary {vary[2]}")
    fields, axes = zip(*(axis_of(each, source, scenario) for each in vary), strict=True)
    named = {each.split(".")[1] for each in fields if each.startswith("arms.")}
    if arm is None and len(named | set(scenario.arms)) > 1 and len(named) != 1:
        hint = f"one of {', '.join(scenario.arms)}"
        raise ScenarioError("say whose limit is sought", file="--arm", hint=hint)
    chosen = arm or (named or set(scenario.arms)).pop()
    for option, name, known in (
        ("--arm", chosen, scenario.arms),
        ("--against", against, scenario.baselines),
    ):
        if name is not None and name not in known:
            meant = nearest(name, known)
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(known)}"
            raise ScenarioError("the scenario has no such arm", file=option, found=name, hint=hint)
    whats = get_args(What)
    if least is not None and least not in whats:
        hint = f"one of {', '.join(whats)}"
        raise ScenarioError("nothing that a bill has", file="--least", found=least, hint=hint)
    tolerance = tolerance_of(within)
    target = cast(What | None, least)
    return Question(fields, axes, chosen, against or "", tolerance, within.strip(), target)


def _round(console: Console, question: Question, found: Found) -> None:
    from substrate.spec.sentence import limit_in_words

    if len(question.axes) == 1:
        said = limit_in_words(found, found.limits[0])
        line = f"after {len(found.points)} runs: {said}"
    else:
        line = f"after {len(found.points)} runs"
    console.print(line, soft_wrap=True, highlight=False)


def _said(question: Question, found: Found, against: str, least: Least | None) -> list[str]:
    from substrate.spec.sentence import border_in_words, sentence
    from substrate.study.least import in_words

    fields = [short(each) for each in question.fields]
    said = (
        [f"{sentence(found, fields[0])}."]
        if len(fields) == 1
        else [f"{each}." for each in border_in_words(found, (fields[0], fields[1]))]
    )
    said.append(f"Feasible: {question.arm} within {question.within} of {against}, on average.")
    if least is not None:
        said.append(in_words(least, fields, question.within))
    elif question.least:
        said.append(f"No {question.least} is known of what is feasible.")
    if not found.resolved:
        said.append("The interval is wider than was asked for: more runs (--runs) narrow it.")
    return said


def short(field: str) -> str:
    """A field as a data sheet names it: without its arm."""
    parts = field.split(".")
    return ".".join(parts[3:] if parts[0] == "arms" and parts[2:3] == ["chip"] else parts[-2:])


def _record(
    question: Question, found: Found, runs: LimitRuns, said: list[str], least: Least | None
) -> dict[str, Any]:
    from substrate.study.energy import joules_of

    return {
        "sentence": said,
        "fields": list(question.fields),
        "arm": question.arm,
        "against": runs.against,
        "within": question.tolerance,
        "confidence": found.confidence,
        "better_when": "higher" if found.rising else "lower",
        "resolved": found.resolved,
        "limits": [
            {
                **({} if each.first is None else {"at": each.first}),
                "limit": each.estimate,
                "low": each.low,
                "high": each.high,
                "feasible_everywhere": each.all_feasible,
                "feasible_nowhere": each.none_feasible,
            }
            for each in found.limits
        ],
        **({} if least is None else {"least": asdict(least)}),
        "runs": [
            {
                "at": list(point),
                "seed": seed,
                "gap": None if math.isnan(gap) else gap,
                "training_joules": joules_of(bill),
            }
            for seed, (point, gap, bill) in enumerate(
                zip(runs.points, runs.gaps, runs.bills, strict=True)
            )
        ],
    }
