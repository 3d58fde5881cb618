"""Several runs of one experiment as one: each may hold some of its arms and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from substrate.record.summary import Arm, DivergedSeed, Summary
from substrate.replicate.measured import TrainingRun

_OF_ARMS = ("arms", "baselines")
_MAY_DIFFER = {*_OF_ARMS, "seeds", "name", "title", "description", "verdict", "budget"}


def merged(runs: Sequence[TrainingRun]) -> TrainingRun:
    """Put runs together, whatever code computed them.

    The first is added to. Of the others counts what it lacks: arms, and seeds of an arm with the
    same settings. A run of other data, network or training is left out, and so is an arm of other
    settings.

    Args:
        runs: at least one, the one that counts most first.
    """
    first, *others = runs
    for other in others:
        if _common(other) == _common(first):
            first = _joined(first, other)
    return first


def _common(run: TrainingRun) -> dict[str, object]:
    return {key: value for key, value in run.scenario.items() if key not in _MAY_DIFFER}


def _arms(run: TrainingRun) -> dict[str, tuple[str, object]]:
    return {name: (role, each) for role in _OF_ARMS for name, each in run.scenario[role].items()}


def _joined(run: TrainingRun, other: TrainingRun) -> TrainingRun:
    has, offers = _arms(run), _arms(other)
    known = {(row.arm, row.seed) for row in run.rows}
    known |= {(arm, each.seed) for arm, lost in run.diverged.items() for each in lost}
    new = {
        (arm, seed)
        for arm in offers
        for seed in other.seeds
        if (arm, seed) not in known and offers[arm] == has.get(arm, offers[arm])
    }
    rows = [row for row in other.rows if (row.arm, row.seed) in new]
    lost = {
        arm: [each for each in lost if (arm, each.seed) in new]
        for arm, lost in other.diverged.items()
    }
    gives = {row.arm for row in rows} | {arm for arm, each in lost.items() if each}
    if not gives:
        return run
    outcomes = {arm: dict(run.outcomes.get(arm, {})) for arm in [*has, *gives]}
    for arm, by_seed in other.outcomes.items():
        for seed, by_sample in by_seed.items():
            if (arm, seed) in new:
                outcomes[arm][seed] = by_sample
    scenario = dict(run.scenario)
    for role in _OF_ARMS:
        fresh = {arm: each for arm, each in other.scenario[role].items() if arm in gives}
        scenario[role] = fresh | run.scenario[role]
    seeds = sorted({*run.seeds, *(seed for arm, seed in new if arm in gives)})
    return replace(
        run,
        scenario=scenario | {"seeds": seeds},
        complete=run.complete and other.complete,
        arms=[*scenario["arms"], *scenario["baselines"]],
        seeds=seeds,
        rows=[*run.rows, *rows],
        summary=_summary(run, other, lost),
        outcomes=outcomes,
    )


def _summary(
    run: TrainingRun, other: TrainingRun, lost: dict[str, list[DivergedSeed]]
) -> Summary | None:
    """What the runs say of their arms; the comparisons of either hold for itself alone."""
    if run.summary is None or other.summary is None:
        return None
    arms: dict[str, Arm] = {**other.summary.arms, **run.summary.arms}
    arms = {
        name: arm.model_copy(
            update={
                "diverged": [
                    *(run.summary.arms[name].diverged if name in run.summary.arms else []),
                    *lost.get(name, []),
                ]
            }
        )
        for name, arm in arms.items()
    }
    return run.summary.model_copy(update={"arms": arms, "comparisons": []})
