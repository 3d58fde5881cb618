"""Limits from Python: `sb.spec`, as the command line has them (`substrate.study.limit_session`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from substrate.api.arguments import NEW_FOLDER, as_how, as_path, refuse_no_text, whole_number
from substrate.api.made import Made
from substrate.api.runs import as_read, as_scenario, console_for
from substrate.api.tables import frame
from substrate.scenario.load import checked
from substrate.scenario.schema import Scenario
from substrate.scenario.source import ScenarioError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from substrate.study.limit_session import MadeLimit


@dataclass(frozen=True)
class Limit(Made):
    """The limit of a field, or the border over two.

    Attributes:
        made: what the search came to.
    """

    made: MadeLimit

    @property
    def record(self) -> dict[str, Any]:
        """Everything that `limit.json` says."""
        return self.made.record

    @cached_property
    def limits(self) -> pd.DataFrame:
        """The limit with its interval; over two fields a row for each value of the first, `at`.

        `feasible_everywhere` and `feasible_nowhere` are the probabilities that the range holds no
        limit. All are NaN where the runs contradict it, as `record["checked"]` has it.
        """
        rows = self.record["limits"]
        columns = [*(["at"] if "at" in rows[0] else []), "limit", "low", "high"]
        columns += ["feasible_everywhere", "feasible_nowhere"]
        return frame(rows, columns, columns)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row for every run: the fields, its seed, the gap, and the energy of the training.

        The gap of a run that diverged is NaN. `without_price` and `untold` are what the sums of its
        bill lack.
        """
        fields = self.record["fields"]
        rows = [
            {**dict(zip(fields, each["at"], strict=True)), **each} for each in self.record["runs"]
        ]
        numbers = [*fields, "gap", "training_joules"]
        return frame(rows, [*fields, "seed", *numbers[-2:], "without_price", "untold"], numbers)

    def draw(self) -> Figure:
        """Draw the runs with the limit, or the border."""
        from substrate.report.palette import LIGHT
        from substrate.study.limits_page import draw_limit

        made = self.made
        return draw_limit(made.question, made.found, made.runs.gaps, made.runs.metric, LIGHT).figure

    def __repr__(self) -> str:
        """The sentence for a data sheet."""
        return f"<substrate.Limit: {self.said[0]} {self.folder}>"


def spec(
    scenario: Scenario | Path | str,
    vary: str | Sequence[str],
    within: str | float,
    *,
    arm: str | None = None,
    against: str | None = None,
    least: str | None = None,
    resolution: float | None = None,
    runs: int | None = None,
    out: Path | str | None = None,
    jobs: int | None = None,
    device: str = "cpu",
    cluster: str | None = None,
    quiet: bool = False,
) -> Limit:
    """Find the limit of a field that keeps a device feasible, or the border over two fields.

    A search that was stopped goes on by the same call, since what was trained lies in the store.

    Args:
        scenario: as of `run`.
        vary: `PATH`, `PATH=LOW:HIGH` or `PATH=LOW:HIGH:log` of the field, or two of them.
        within: how far behind the device may fall, such as `"1 point"`; of a loss a number.
        arm: whose limit; that of the field where it is left out.
        against: the baseline; the best one where it is left out.
        least: `energy` or `time`: say too where training takes least of it.
        resolution: how narrow the interval is to be, as a fraction of the range.
        runs: make no more.
        out: its folder; below `runs` where it is left out.
        jobs: as of `run`, and likewise all that follow.
        device: where to compute.
        cluster: that does the work.
        quiet: show no progress.

    Raises:
        ScenarioError: the scenario, a field, a range, the data or the folder is wrong.
        RecordError: a run was given up, or a unit's folder in the store is damaged.
    """
    from substrate.study.limit_session import ask, make_limit

    scenario = as_scenario(scenario)
    fields = [vary] if isinstance(vary, str) else vary
    if not isinstance(fields, Sequence) or not all(isinstance(each, str) for each in fields):
        message = "must be the path of a field, with its range, or a list of two"
        raise ScenarioError(message, field="vary", found=vary)
    refuse_no_text(arm=arm, against=against, least=least)
    how = as_how(device, jobs, cluster)
    if not isinstance(resolution, Real | None):
        message = "must be a fraction of the range, such as 0.0625"
        raise ScenarioError(message, field="resolution", found=resolution)
    narrow = None if resolution is None else float(resolution)
    most = None if runs is None else whole_number(runs, "runs")
    source = as_read(scenario)
    scenario = checked(source)
    question = ask(fields, str(within), arm, against, least, scenario, source)
    folder, command = (
        None if out is None else as_path(out, "out", NEW_FOLDER),
        "substrate.spec, from Python",
    )
    asked = (question, scenario, source, narrow, most, folder, how)
    return Limit(make_limit(*asked, command, console_for(quiet)))
