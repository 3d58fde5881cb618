"""Several runs of one experiment as one: each may hold some of its arms and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from substrate.record.summary import Summary
from substrate.replicate.measured import TrainingRun
from substrate.run.outcomes import BySample

_OF_ARMS = ("arms", "baselines")
_MAY_DIFFER = {*_OF_ARMS, "seeds", "name", "title", "description", "verdict", "budget"}


def merged(runs: Sequence[TrainingRun]) -> TrainingRun:
    """Put runs together, whatever code computed them.

    The first is added to. Of the others counts what it lacks: arms, and seeds of an arm with the
    same settings, also those that it has begun and another has trained to the end. A run of other
    data, network or training is left out, and so is an arm of other settings. Together they are
    complete where nothing that any of them has begun is left unfinished: how many seeds an arm has
    is told with it.

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


def _diverged(run: TrainingRun) -> set[tuple[str, int]]:
    return {(arm, each.seed) for arm, lost in run.diverged.items() for each in lost}


def _ended(run: TrainingRun) -> set[tuple[str, int]]:
    """Arms and seeds that came to their last epoch, or diverged before it."""
    return {key for key, epoch in run.last.items() if epoch == run.epochs} | _diverged(run)


def _joined(run: TrainingRun, other: TrainingRun) -> TrainingRun:
    has, offers = _arms(run), _arms(other)
    ended, known = _ended(run), {*run.last} | _diverged(run)
    gained = {
        (arm, seed)
        for arm, seed in {*other.last} | _diverged(other)
        if offers[arm] == has.get(arm, offers[arm])
        and ((arm, seed) not in known or (arm, seed) in _ended(other) - ended)
    }
    if not gained:
        return run
    gives = {arm for arm, _ in gained}
    outcomes: dict[str, dict[int, BySample]] = {arm: {} for arm in [*has, *gives]}
    for of, chosen in ((run, {*run.last} - gained), (other, gained)):
        for arm, by_seed in of.outcomes.items():
            for seed, by_sample in by_seed.items():
                if (arm, seed) in chosen:
                    outcomes[arm][seed] = by_sample
    scenario = dict(run.scenario)
    for role in _OF_ARMS:
        fresh = {arm: each for arm, each in other.scenario[role].items() if arm in gives}
        scenario[role] = fresh | run.scenario[role]
    seeds = sorted({*run.seeds, *(seed for _, seed in gained)})
    arms = [*scenario["arms"], *scenario["baselines"]]
    begun = {key for each in (run, other) for key, epoch in each.last.items() if epoch > 0}
    return replace(
        run,
        scenario=scenario | {"seeds": seeds},
        complete=(run.complete and other.complete) or begun <= ended | _ended(other),
        arms=arms,
        seeds=seeds,
        rows=[
            *(row for row in run.rows if (row.arm, row.seed) not in gained),
            *(row for row in other.rows if (row.arm, row.seed) in gained),
        ],
        summary=_summary(run, other, gained),
        outcomes=outcomes,
    )


def _summary(run: TrainingRun, other: TrainingRun, gained: set[tuple[str, int]]) -> Summary | None:
    """What the runs say of their arms; the comparisons of either hold for itself alone."""
    if run.summary is None or other.summary is None:
        return None
    given = {arm for arm, _ in gained} - {arm for arm, _ in _ended(run)}
    arms = {
        **run.summary.arms,
        **{name: arm for name, arm in other.summary.arms.items() if name in given},
    }
    arms = {
        name: arm.model_copy(
            update={
                "diverged": [
                    *run.diverged.get(name, []),
                    *(each for each in other.diverged.get(name, []) if (name, each.seed) in gained),
                ]
            }
        )
        for name, arm in arms.items()
    }
    return run.summary.model_copy(update={"arms": arms, "comparisons": []})
