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


class TooVague(AssertionError):
    """Too little was drawn to tell right from wrong."""


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
        TooVague: the replicas are too few to tell.
        AssertionError: the largest deviation is beyond chance.
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
        if error[vague] > TELLING * scale[vague]:
            raise TooVague(
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
        size   = ⟨(f_i - w_i)·w_o⟩ / ⟨w_i·w_j⟩,           w_o the mean over arrays of the other half

    Products of different arrays are free of the bias that noise gives to squares, so that an array
    may be as noisy as it likes, and only what all have in common counts. Errors of size are one
    number an array, and so are told from noise where errors of direction drown in it.

    Args:
        found: of independent arrays, an even number.
        wanted: what each should be; other independent arrays, or the same every time.
        title: what is compared, in the plural.
        most: the error that is allowed, of the whole and of its size.
        false_alarm: chance that arrays within it fail.

    Returns:
        The error; 0 where noise leaves less than that.

    Raises:
        TooVague: the arrays are too noisy to tell.
        AssertionError: the error is larger, beyond chance.
    """
    from scipy import stats

    f, w = found.double().flatten(1), wanted.double().flatten(1)
    off = f - w
    pairs = len(f) // 2
    squares, norm = (off[::2] * off[1::2]).sum(1), float((w[::2] * w[1::2]).sum(1).mean())
    norm = max(norm, 1e-300)
    others = _mean_of_others(w)
    sizes = (off.view(pairs, 2, -1) * others).sum(2).flatten() / norm
    size, error = float(sizes.mean()), float(squares.mean()) / norm
    # of two sides, and half of the false alarms each
    chance = float(stats.t.isf(false_alarm / 4, 2 * pairs - 1) * sizes.std()) / (2 * pairs) ** 0.5
    spread = float(stats.t.isf(false_alarm / 2, pairs - 1) * squares.std()) / pairs**0.5 / norm
    # a size that is wrong by three times the bound is found, and so is what has nothing in common
    if chance > most or spread > 1 - most**2:
        farthest = float(off.norm(dim=1).max()) / norm**0.5
        raise TooVague(
            f"{title}: {len(f)} arrays are too noisy to tell whether they are right; the farthest "
            f"is off by {farthest:.0%}"
        )
    assert abs(size) <= most + chance, (
        f"{title} have {1 + size:.2f} ± {chance:.2f} of the size wanted, and {most:.0%} more or "
        f"less is allowed (false alarms: {false_alarm:g})"
    )
    assert error <= most**2 + spread, (
        f"{title} are off by {error**0.5:.0%} on average, and {most:.0%} is allowed "
        f"(false alarms: {false_alarm:g})"
    )
    return float(max(error, 0.0) ** 0.5)


def _mean_of_others(arrays: Tensor) -> Tensor:
    """Give for the arrays of either half, even and odd, the mean over those of the other one."""
    return torch.stack([arrays[1::2].mean(0), arrays[::2].mean(0)])


def assert_lines_near(
    found: Float[Tensor, "arrays n_out n_in"],
    wanted: Float[Tensor, "arrays n_out n_in"],
    title: str,
    *,
    most: float,
    false_alarm: float,
) -> None:
    """Show that every row and column of independent arrays has about the size of what is wanted.

    The size along a line is f·w / |w|², with |w|² and w from the arrays of the other half. Arrays
    of which the whole is known may be too noisy to tell every line; such a line passes.

    Args:
        found: of independent arrays, an even number.
        wanted: what each should be; other independent arrays.
        title: what is compared, in the plural.
        most: the factor by which a line may be larger or smaller.
        false_alarm: chance that arrays within it fail in any line.

    Raises:
        AssertionError: a line is larger or smaller, beyond chance.
    """
    from scipy import stats

    f, w, arrays = found.double(), wanted.double(), len(found)
    others = _mean_of_others(w).repeat(arrays // 2, 1, 1)
    quantile = float(stats.t.isf(false_alarm / sum(f.shape[1:]), arrays - 1))
    for axis, name in ((2, "column"), (1, "row")):
        # off from either bound, each less what chance adds to it; no quotient of two noisy numbers
        along, norm = (f * others).sum(axis), (w * others).sum(axis)
        length = norm.mean(0).clamp(min=1e-300)
        for low, high, lesser in ((along, norm / most, True), (most * norm, along, False)):
            short = low - high
            spread = quantile * short.std(0) / arrays**0.5
            bad = short.mean(0) + spread < 0
            if bad.any():
                line = int(bad.int().argmax())
                size = float(along.mean(0)[line] / length[line])
                bound = f"at least {1 / most:g}" if lesser else f"at most {most:g}"
                raise AssertionError(
                    f"{title} in {name} {line + 1} of {len(bad)} have {size:.2f} of the size "
                    f"wanted, which must be {bound} (false alarms: {false_alarm:g})"
                )
