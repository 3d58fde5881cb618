"""How figures are written in the report and in the terminal: accuracies in percent, gaps in points.

Where a run measured nothing (divergence, a single seed) the figure is a dash.
"""

from math import floor, log10

from substrate.record.summary import Comparison, Measure, MetricName, Summary, Verdict

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
