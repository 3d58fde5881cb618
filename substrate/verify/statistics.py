"""Comparing what was drawn with what was stated, at a stated rate of false alarms.

    t = (mean of the replicas - stated) / (their standard deviation / √replicas)

is compared with Student's quantile, divided over all comparisons (Bonferroni). Replicas have
generators of their own, so that memory in time and shared lines do no harm.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

TELLING = 0.25
"""Largest standard error, as a fraction of a stated power, at which a comparison says anything."""


def exceed_zero(
    replicas: Float[Tensor, "replicas n"], labels: list[str], false_alarm: float
) -> None:
    """Show that the mean of every column is greater than 0.

    Args:
        replicas: one row for every independent replica.
        labels: names of the columns, for the message.
        false_alarm: chance that columns of which one has the mean 0 pass.

    Raises:
        AssertionError: some mean is not, or not beyond chance.
    """
    from scipy import stats

    n = len(replicas)
    mean = replicas.mean(0)
    t = mean / (replicas.std(0) / n**0.5).clamp(min=1e-300)
    threshold = float(stats.t.isf(false_alarm, n - 1))
    worst = int(t.argmin())
    assert t[worst] > threshold, (
        f"{labels[worst]}: drawn {mean[worst]:.4g}, which must be greater than 0; that is "
        f"{t[worst]:.1f} standard errors, and chance alone gives {threshold:.1f} "
        f"(once in {1 / false_alarm:g})"
    )


def compare(
    replicas: Float[Tensor, "replicas n"],
    stated: Float[Tensor, " n"],
    labels: list[str],
    false_alarm: float,
    *,
    power: bool,
) -> None:
    """Compare the mean of every column with what is stated.

    Args:
        replicas: one row for every independent replica.
        stated: what the model says.
        labels: names of the columns, for the message.
        false_alarm: chance that a right model fails any of the comparisons.
        power: whether the columns are powers, which must be told from zero for a test to mean
            anything.

    Raises:
        AssertionError: the largest deviation is beyond chance, or the replicas are too few to tell.
    """
    from scipy import stats

    n = len(replicas)
    mean = replicas.mean(0)
    error = replicas.std(0) / n**0.5
    scale = stated.abs().clamp(min=1e-300)
    deviation = mean - stated
    # A model that replays a recording may have no spread at all; it must then be right itself.
    exact = error <= 1e-6 * scale
    t = torch.where(exact, torch.zeros_like(error), deviation / error.clamp(min=1e-300))
    threshold = float(stats.t.isf(false_alarm / (2 * len(stated)), n - 1))
    worst = int(t.abs().argmax())
    assert t[worst].abs() <= threshold, (
        f"{labels[worst]}: drawn {mean[worst]:.4g}, stated {stated[worst]:.4g}; that is "
        f"{t[worst].abs():.1f} standard errors apart, and chance allows {threshold:.1f} "
        f"(false alarms: {false_alarm:g})"
    )
    wrong = exact & (deviation.abs() > 1e-3 * scale)
    assert not wrong.any(), (
        f"{labels[int(wrong.int().argmax())]}: drawn {mean[wrong][0]:.4g} every time, "
        f"stated {stated[wrong][0]:.4g}"
    )
    if power:
        vague = int((error / scale).argmax())
        assert error[vague] <= TELLING * scale[vague], (
            f"{labels[vague]}: known only to {float(error[vague] / scale[vague]):.0%} from "
            f"{n} replicas, too little to tell; draw more (replicas)"
        )


def assert_near(
    found: Float[Tensor, "arrays *matrix"],
    wanted: Float[Tensor, "arrays *matrix"],
    title: str,
    *,
    most: float,
    false_alarm: float,
) -> float:
    """Show that independent arrays agree with what is wanted, but for what differs by chance.

        error² = ⟨(f_i - w_i)·(f_j - w_j)⟩ / ⟨w_i·w_j⟩,   i, j the two arrays of a pair

    Products of two arrays are free of the bias that noise gives to squares, so that an array may be
    as noisy as it likes, and only what all have in common counts.

    Args:
        found: of independent arrays, an even number.
        wanted: what each should be; other independent arrays, or the same every time.
        title: what is compared, in the plural.
        most: the error that is allowed.
        false_alarm: chance that arrays within it fail.

    Returns:
        The error; 0 where noise leaves less than that.

    Raises:
        AssertionError: the error is larger, beyond chance; or the arrays are too noisy to tell.
    """
    from scipy import stats

    f, w = found.double().flatten(1), wanted.double().flatten(1)
    off = f - w
    squares, norms = (off[::2] * off[1::2]).sum(1), (w[::2] * w[1::2]).sum(1)
    threshold = float(stats.t.isf(false_alarm / 2, len(norms) - 1)) / len(norms) ** 0.5
    norm = float(norms.mean())
    surplus = squares - most**2 * norms
    error = float((max(float(squares.mean()), 0.0) / max(norm, 1e-300)) ** 0.5)
    assert float(surplus.mean()) <= threshold * float(surplus.std()), (
        f"{title} are off by {error:.0%} on average, and {most:.0%} is allowed "
        f"(false alarms: {false_alarm:g})"
    )
    # what would be nothing at all, or twice as much, is off by 100 %
    told = norm - threshold * max(float(norms.std()), float(surplus.std()))
    farthest = float(off.norm(dim=1).max()) / max(norm, 1e-300) ** 0.5
    assert told > most**2 * norm, (
        f"{title}: {len(f)} arrays are too noisy to tell whether they are right; the farthest is "
        f"off by {farthest:.0%}"
    )
    return error
