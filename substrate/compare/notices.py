"""What a reader of a comparison must know first: what is not the same in all of the runs."""

from __future__ import annotations

from collections.abc import Sequence

from substrate.compare.read import ReadRun
from substrate.record.summary import Summary
from substrate.report.wording import METRIC_TITLE


def notices_of(runs: Sequence[ReadRun]) -> list[str]:
    """What is not the same in all runs and is no setting that was varied on purpose."""
    first, *others = runs
    said = [
        f"{run.name} {'was interrupted' if run.summary.status == 'interrupted' else 'lost seeds'}:"
        " only seeds that came to their end are compared."
        for run in runs
        if run.summary.status != "complete"
    ]
    for run in runs:
        for name, arm in run.summary.arms.items():
            if arm.diverged:
                where = f"{len(arm.diverged)} of {len(run.summary.seeds)} seeds"
                rest = "the others alone are compared" if run.figures(name) else "none is left"
                said.append(f"{run.name}: {name} diverged in {where}; {rest}.")
    told = {
        "data": {run.name: _data_in_words(run.summary) for run in runs},
        "networks": {run.name: run.summary.network for run in runs},
        "metrics": {run.name: METRIC_TITLE[run.summary.metric] for run in runs},
    }
    for what, values in told.items():
        alike: dict[str, list[str]] = {}
        for name, value in values.items():
            alike.setdefault(value, []).append(name)
        if len(alike) > 1:
            listed = "; ".join(f"{', '.join(names)}: {value}" for value, names in alike.items())
            said.append(f"Different {what}. {listed}.")
    if any(not same_test_data(first, run) for run in others):
        named = ", ".join(run.name for run in others if not same_test_data(first, run))
        said.append(
            f"Not tested on the same samples as {first.name}: {named}. Their figures stand beside"
            " each other, and no difference is told."
        )
    else:
        known = [run.data for run in runs]
        if len(set(known)) > 1:
            said.append("The test data are the same, the training data are not.")
    versions = [run.summary.versions for run in runs]
    changed = sorted(
        {key for each in versions for key in each if each.get(key) != versions[0].get(key)}
        | {key for key in versions[0] if any(key not in each for each in versions)}
    )
    if changed:
        said.append(f"Made with different versions of {', '.join(changed)}.")
    return said


def same_test_data(one: ReadRun, other: ReadRun) -> bool:
    """Whether two runs were tested on the same samples, as far as their folders tell."""
    tests = one.summary.data.test_checksum, other.summary.data.test_checksum
    if None in tests:
        return one is other or (one.data is not None and one.data == other.data)
    return tests[0] == tests[1]


def _data_in_words(summary: Summary) -> str:
    data = summary.data
    return f"{data.name}, {data.train} training and {data.test} test samples"
