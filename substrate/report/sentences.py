"""What a run came to in sentences: its verdict, doubts about it, what was lost, and what to do."""

import shlex
from pathlib import Path

from substrate.record.summary import (
    RUNGS,
    Comparison,
    DivergedSeed,
    FailedSeed,
    Rung,
    Summary,
    Unmeasured,
    Verdict,
)
from substrate.report.wording import (
    METRIC_TITLE,
    behind_or_ahead,
    gap_number,
    gap_with_unit,
    sided,
)


def comparison_in_words(comparison: Comparison, summary: Summary) -> str:
    """The comparison as one sentence, for readers who cannot see the picture of it."""
    metric = summary.metric
    pair = f"{comparison.arm} against {comparison.baseline}"
    if comparison.gap is None:
        return f"{pair}: no gap could be measured; {comparison.verdict}."
    low, high = comparison.ci_low, comparison.ci_high
    spread = (
        "no confidence interval"
        if low is None or high is None
        else f"{confidence_in_words(summary)} {sided(low, high, metric, comparison.tolerance)}"
    )
    return (
        f"{pair}: {behind_or_ahead(comparison.gap, metric)} ({spread}), "
        f"tolerance {gap_with_unit(comparison.tolerance, metric)}; {comparison.verdict}."
    )


def correction_in_words(verdict: Verdict, not_at_once: int | None) -> str:
    """``by Holm's correction for 4 comparisons``, where it alone decides; empty elsewhere."""
    if not_at_once is None:
        return ""
    if verdict == "feasible":
        return f"not with Holm's correction for {not_at_once} device arms"
    return f"by Holm's correction for {not_at_once} comparisons"


def badly_tuned(baseline: str) -> str:
    """What a device that is far ahead of its clean baseline tells of it; what was seen follows."""
    return f"{baseline} is probably badly tuned (learning rate, or too few epochs):"


def doubts_in_words(summary: Summary) -> list[str]:
    """``bp is probably badly tuned …``, of every baseline that a device arm overtakes so far."""
    doubted: dict[str, list[str]] = {}
    for each in summary.comparisons:
        if each.baseline_doubted and each.gap is not None:
            ahead = f"{each.arm} is {behind_or_ahead(each.gap, summary.metric)} of it"
            doubted.setdefault(each.baseline, []).append(ahead)
    return [
        f"{badly_tuned(baseline)} {', '.join(ahead)}, by more than the tolerance. To keep up with"
        " such a baseline says little."
        for baseline, ahead in doubted.items()
    ]


def verdict_in_words(summary: Summary) -> str:
    """One sentence with the figures that decide, or the bare reason where figures decide nothing.

    Of the comparisons that have the verdict of the run, the one with the largest gap speaks.
    """
    telling = [
        comparison
        for comparison in summary.comparisons
        if comparison.verdict == summary.verdict
        and comparison.ci_low is not None
        and comparison.ci_high is not None
        and comparison.arm == (summary.decided_by or comparison.arm)
    ]
    lost = any(arm.diverged for arm in summary.arms.values())
    if summary.status != "complete" or lost or not telling:
        return summary.verdict_reason
    worst = max(telling, key=lambda comparison: comparison.gap or 0.0)
    low, high = worst.ci_low or 0.0, worst.ci_high or 0.0
    metric = summary.metric
    size = behind_or_ahead(worst.gap or 0.0, metric)
    distance = (
        f"falls {size}"
        if size.endswith("behind")
        else f"is {size} of"
        if size.endswith("ahead")
        else "is level with"
    )
    sentence = (
        f"The {worst.arm} arm {distance} {worst.baseline} in {METRIC_TITLE[metric].lower()} "
        f"({confidence_in_words(summary)} {sided(low, high, metric, worst.tolerance)}); "
        f"the scenario allows {gap_number(worst.tolerance, metric)}."
    )
    if summary.verdict != "undecided":
        return sentence + _rest_of_ladder(summary)
    reason = worst.reason
    return f"{sentence} {reason[:1].upper()}{reason[1:]}."


RUNG_TITLE: dict[Rung, str] = {
    "observe": "Observe",
    "mirror": "Observe and mirror",
    "transposed reads": "Transposed reads",
    "clean pass": "A clean pass",
    "gradients": "Gradients",
}
RUNG_MEANING: dict[Rung, str] = {
    "observe": "read the activities of two passes, noise and all",
    "mirror": "and keep a second copy of the weights, learned from the same two passes",
    "transposed reads": "drive the arrays from their columns",
    "clean pass": "take one pass without noise",
    "gradients": "backpropagate through the pass",
}


def ladder(summary: Summary) -> list[tuple[Rung, list[str]]]:
    """The rungs from the top down with the arms on each, if device arms stand on more than one."""
    devices = {arm.rung for arm in summary.arms.values() if arm.role == "device"}
    if len(devices) < 2:
        return []
    on = {
        rung: [name for name, arm in summary.arms.items() if arm.rung == rung]
        for rung in reversed(RUNGS)
    }
    return [(rung, arms) for rung, arms in on.items() if arms]


def _rest_of_ladder(summary: Summary) -> str:
    """`` The cheapest rung that is feasible: observe and mirror.`` where there are several."""
    decided_by = summary.decided_by
    if decided_by is None or summary.verdict != "feasible" or not ladder(summary):
        return ""
    rung = summary.arms[decided_by].rung
    return (
        "" if rung is None else f" The cheapest rung that is feasible: {RUNG_TITLE[rung].lower()}."
    )


def confidence_in_words(summary: Summary) -> str:
    """``95 % CI``."""
    return f"{100 * summary.confidence:g} % CI"


def divergence_in_words(divergence: DivergedSeed) -> str:
    """``seed 1 diverged at epoch 3: loss is NaN``."""
    seed, epoch = divergence.seed, divergence.epoch
    return f"seed {seed} diverged at epoch {epoch}: {divergence.what}"


def failure_in_words(failure: FailedSeed) -> str:
    """``seed 1 was given up: the worker was killed … (failed-crossbar-1.log)``."""
    return f"seed {failure.seed} was given up: {failure.what} ({failure.log})"


def unmeasured_in_words(summary: Summary, *kinds: Unmeasured) -> list[str]:
    """``crossbar: ledger not measured (seeds 0, 1): it failed with …``, of what there is of it."""
    seeds: dict[tuple[str, str, str], list[str]] = {}
    for name, arm in summary.arms.items():
        for each in sorted(arm.unmeasured, key=lambda each: each.seed):
            if each.what in kinds:
                seeds.setdefault((name, each.what, each.why), []).append(str(each.seed))
    return [
        f"{name}: {what} not measured (seed{'s' if len(of) > 1 else ''} {', '.join(of)}): {why}."
        for (name, what, why), of in seeds.items()
    ]


def what_next(summary: Summary, folder: Path) -> str:
    """The command that would narrow an undecided interval, or try again what failed; or nothing."""
    where = f"substrate run --resume {shlex.quote(str(folder))}"
    if summary.status == "failed":
        return f"Try again what failed: {where}"
    if summary.more_seeds is None:
        return ""
    return f"More seeds: {where} --seeds {','.join(map(str, summary.more_seeds))}"


def cut_short_in_words(summary: Summary) -> list[str]:
    """``crossbar: 3.1 % of its pulse trains were cut short …``, of every arm where some were."""
    said = []
    for name, arm in summary.arms.items():
        trains = arm.pulse_trains
        if trains and trains.cut_short:
            share = 100 * trains.cut_short / trains.looked_at
            said.append(
                f"{name}: {share:.2g} % of its pulse trains were cut short (of"
                f" {trains.looked_at:,} looked at), so weights moved by less than was asked."
                " Lower the learning rate, or let trains be longer."
            )
    return said
