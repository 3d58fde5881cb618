"""Statistical comparison with a stated rate of false alarms."""

from scipy import stats
from torch import Tensor


def assert_mean(samples: Tensor, expected: Tensor, false_alarm: float = 1e-6) -> None:
    """Compare the mean over axis 0 with what is expected, all components at once.

    The largest of n normal deviates is compared with its Bonferroni quantile, so that a right
    program fails in at most `false_alarm` of all runs. Also fails where the samples are too noisy
    to tell the expected values from zero, since such a test could not fail.
    """
    mean, error = samples.mean(0), samples.std(0) / len(samples) ** 0.5
    threshold = stats.norm.isf(false_alarm / (2 * expected.numel()))
    z = ((mean - expected) / error).abs().max().item()
    assert z < threshold, f"largest deviation is {z:.1f} standard errors, allowed {threshold:.1f}"
    assert expected.norm() > threshold * error.norm(), "too few samples to tell anything"
