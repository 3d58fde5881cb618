"""How figures are written in the report and in the terminal: accuracies in percent, gaps in points.

Where a run measured nothing (divergence, a single seed) the figure is a dash.
"""

import shlex
from math import floor, log10
from pathlib import Path

from substrate.record.summary import (
    RUNGS,
    Comparison,
    DivergedSeed,
    FailedSeed,
    Measure,
    MetricName,
    Rung,
    Summary,
    Verdict,
)

NOTHING = "–"
_MOST_DECIMALS = 4
VERDICT_SYMBOL: dict[Verdict, str] = {"feasible": "✓", "not feasible": "✗", "undecided": "?"}
METRIC_TITLE: dict[MetricName, str] = {
    "test_accuracy": "Test accuracy",
    "train_accuracy": "Train accuracy",
    "test_loss": "Test loss",
    "train_loss": "Train loss",
}


def is_accuracy(metric: MetricName) -> bool:
    """Whether the metric is a fraction, and better when higher."""
    return metric.endswith("accuracy")


def percent(fraction: float | None) -> str:
    """``92.0 %``; ``99.96 %`` of what is not all, and ``0.02 %`` of what is not nothing."""
    return NOTHING if fraction is None else f"{_percents(fraction)} %"


def _percents(fraction: float) -> str:
    return next(
        text
        for decimals in range(1, _MOST_DECIMALS + 1)
        if (text := f"{100 * fraction:.{decimals}f}")
        and (float(text) not in (0, 100) or fraction in (0, 1) or decimals == _MOST_DECIMALS)
    )


def gap_number(value: float | None, metric: MetricName, apart_from: float | None = None) -> str:
    """A gap without its unit: percentage points for an accuracy, loss units for a loss.

    Args:
        value: the gap.
        metric: that it is of.
        apart_from: the tolerance; a gap that differs from it is not written as if it were it.
    """
    if value is None:
        return NOTHING
    written = _rounded(value, metric, 0)
    if apart_from is not None and value != apart_from:
        more = (_rounded(value, metric, digits) for digits in range(_MOST_DECIMALS))
        limits = (_rounded(apart_from, metric, digits) for digits in range(_MOST_DECIMALS))
        pairs = zip(more, limits, strict=True)
        return next((own for own, other in pairs if own != other), written)
    return written


def _rounded(value: float, metric: MetricName, digits: int) -> str:
    """A gap with some digits more than gaps commonly have."""
    points = is_accuracy(metric)
    size = f"{100 * abs(value):.{1 + digits}f}" if points else f"{abs(value):.{3 + digits}g}"
    return f"−{size}" if value < 0 and float(size) > 0 else size


def gap_with_unit(value: float | None, metric: MetricName) -> str:
    """``4.1 points`` for an accuracy, the number alone for a loss."""
    number = gap_number(value, metric)
    return f"{number} points" if is_accuracy(metric) and value is not None else number


def mean_and_deviation(measure: Measure | None, metric: MetricName) -> str:
    """``92.0 ± 1.0 %``: mean ± standard deviation over seeds, the mean alone for one seed."""
    if measure is None or measure.mean is None:
        return NOTHING
    mean, deviation = measure.mean, measure.std
    if deviation is None or seeds_measured(measure) < 2:
        return percent(mean) if is_accuracy(metric) else f"{mean:.4g}"
    if is_accuracy(metric):
        return f"{_percents(mean)} ± {100 * deviation:.1f} %"
    if not 0 < deviation < mean < 1e5:
        return f"{mean:.4g} ± {deviation:.2g}"
    # As many decimals as the deviation's second digit has, as measurements are written.
    decimals = max(0, 1 - floor(log10(deviation)))
    return f"{mean:.{decimals}f} ± {deviation:.{decimals}f}"


def seeds_measured(measure: Measure) -> int:
    """The seeds that gave a finite figure."""
    return sum(value is not None for value in measure.values)


def metrics_shown(summary: Summary) -> list[MetricName]:
    """The metrics that the arms of this run have, the deciding ones first."""
    order: list[MetricName] = ["test_accuracy", "train_accuracy", "test_loss", "train_loss"]
    return [metric for metric in order if any(arm.measure(metric) for arm in summary.arms.values())]


def seeds_in_words(count: int) -> str:
    """``one seed``, ``3 seeds``."""
    return "one seed" if count == 1 else f"{count} seeds"


def interval(comparison: Comparison, metric: MetricName) -> str:
    """``3.0 to 5.0``, or a dash where there is no interval."""
    low, high = comparison.ci_low, comparison.ci_high
    if low is None or high is None:
        return NOTHING
    return ends(low, high, metric, comparison.tolerance)


def ends(low: float, high: float, metric: MetricName, apart_from: float | None = None) -> str:
    """``−3.0 to 5.0``: the ends of a gap's interval, as far as there can be such gaps.

    Of two seeds Student's t may reach beyond 100 points. `apart_from` is as of `gap_number`.
    """
    low, high = _possible(low, high, metric)
    return " to ".join(gap_number(each, metric, apart_from) for each in (low, high))


def sided(low: float, high: float, metric: MetricName, apart_from: float | None = None) -> str:
    """``3.0 ahead to 5.0 behind``: the same for sentences, where a sign could mean either."""
    low, high = _possible(low, high, metric)
    first, last = (gap_number(each, metric, apart_from).removeprefix("−") for each in (low, high))
    if low >= 0:
        return f"{first} to {last}"
    return f"{last} to {first} ahead" if high <= 0 else f"{first} ahead to {last} behind"


def _possible(low: float, high: float, metric: MetricName) -> tuple[float, float]:
    return (max(-1.0, low), min(1.0, high)) if is_accuracy(metric) else (low, high)


def behind_or_ahead(gap: float, metric: MetricName) -> str:
    """``4.1 points behind``; a gap that rounds to nothing is ``level``."""
    size = gap_with_unit(abs(gap), metric)
    if float(gap_number(abs(gap), metric)) == 0:
        return "level"
    return f"{size} {'behind' if gap > 0 else 'ahead'}"


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


def duration(seconds: float) -> str:
    """``8.4 s``, ``81 s``, ``12 min 5 s`` or ``3 h 20 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
