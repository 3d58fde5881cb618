"""What a crossbar makes of requests: size and direction of the change, over independent arrays.

With c_i the change of array i, w the change asked for, and i, j the two arrays of a pair:

    size g_i = c_i·w / |w|²,   cosine² = (g² |w|²) / |c|²,   g² ≈ g_i g_j,   |c|² ≈ c_i·c_j

Products of two arrays are free of the bias that noise gives to squares, so noise alone neither
lowers the cosine nor raises the size. A check fails where the size lies outside of its bounds, or
the cosine below its own, by more than Student's quantile of the standard error. Arrays are drawn
until sizes are known to `KNOWN`. Every row and every column is held to bounds as well, since one of
many that is never written, or takes the change of its neighbour, hardly turns the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from devices.interface import Dense, Outer
from substrate.verify.statistics import TELLING

SAMPLES = 5
_LARGEST_PRODUCT = 1.4
"""The largest element of dᵀ x, at a rate of 1: amounts below are reckoned with it."""


class Amount(NamedTuple):
    """How much is asked for, so that single pulses average out.

    Attributes:
        times: how often a request is made.
        repeats: how often its samples are in it.
        rate: its learning rate.
        parts: how many dense requests ask for the same as one of outer products.
        dense: what dense requests ask for, as a fraction of what outer products do.
    """

    times: int
    repeats: int
    rate: float
    parts: int = 1
    dense: float = 1.0


# So small a rate that no shipped device's pulse trains are too short for the largest request.
ORDINARY = Amount(8, 1, 0.005)
SHORT_TRAINS = ORDINARY._replace(parts=2)
"""Of trains that carry less than `TWICE_THE_LARGEST`: cut short, twice a request is the same."""
TWICE_THE_LARGEST = 0.014
"""The largest element of a dense request of ORDINARY, two times."""
LARGEST = 0.056
"""The largest element of what ORDINARY asks for in all."""
BESIDE_WRITE_NOISE = Amount(24, 1, 0.005)
"""Where cells are written with more noise than `LARGEST`, and yet far from their bounds."""
PULSED = Amount(40, 1, 0.005)
"""So much that it stands out from the spread of cells."""
WRITE_NOISE = Amount(40, 1, 0.02)
"""So much that it stands out from the write noise of resistive cells, as large as weights are."""
MIXED_PRECISION = Amount(200, 1, 0.005)
"""A line is transferred with every request, and only what a pulse can write of it."""
TRANSFER = Amount(8, 250, 0.1, dense=0.001)
"""Signs are chopped and averages taken over a thousand samples and more before a weight moves. Of
dense requests each row is a sample, so that as large ones would drive every weight to its bound."""
KNOWN = 0.1
"""As a fraction of what is asked: so near is the size of a change known when it is judged, or as
near as the most arrays that are drawn will have it. A size that is wrong by a factor of two is then
outside of its bounds by several standard errors."""
LINE_KNOWN = 0.25
"""The same of a single row or column."""
OF_LINES = 2.0
"""A row or column may be off by so much more than the whole: where steps shrink towards a bound,
one whose weights happen to lie near it is changed by half as much or twice as much as others
(`gokmen_2016`: 0.50 to 1.42, of 1.04 over all)."""
LINE_COSINE = 0.5
"""Least of a row or column, for the same reason (`gokmen_2016`: 0.65 and more)."""
_DRAWS = 64
_MOST_DENSE = 400
_MOST_AT_ONCE = 8
_MANY_SAMPLES = 300
"""As many as a batch of a training, or the positions of a convolution, come to."""


@dataclass(frozen=True)
class Requests:
    """Requests that follow one another, in the same sum whatever their form.

    Attributes:
        title: what is special about them.
        sequence: the requests.
        wanted: their sum, (n_out, n_in).
    """

    title: str
    sequence: Sequence[Outer | Dense]
    wanted: Float[Tensor, "n_out n_in"]

    @property
    def shape(self) -> tuple[int, int]:
        """Size of the matrix that is changed."""
        n_out, n_in = self.wanted.shape
        return n_out, n_in


def drawn(
    n_out: int, n_in: int, generator: torch.Generator
) -> tuple[Float[Tensor, "samples n_in"], Float[Tensor, "samples n_out"]]:
    """Draw the x and d of outer products whose sum is as large in every row and every column.

    Of many draws it is the one whose rows and columns are least alike: what one gets in place of
    another is then seen.
    """
    return min((_balanced(n_out, n_in, generator) for _ in range(_DRAWS)), key=_alike)


def _balanced(n_out: int, n_in: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    x = torch.rand(SAMPLES, n_in, generator=generator) * 2 - 1
    d = torch.rand(SAMPLES, n_out, generator=generator) * 2 - 1
    for _ in range(30):
        d = d / (d.T @ x).norm(dim=1)
        x = x / (d.T @ x).norm(dim=0)
    x = x / x.abs().max()
    return x, d * (_LARGEST_PRODUCT / float((d.T @ x).abs().max()))


def _alike(outer: tuple[Tensor, Tensor]) -> float:
    """Give the largest cosine between two rows, or two columns, of either sign."""
    x, d = outer
    both = (torch.nn.functional.normalize(lines, dim=1) for lines in (d.T @ x, x.T @ d))
    return max(float((u @ u.T - torch.eye(len(u))).abs().max()) for u in both)


def all_requests(
    x: Float[Tensor, "samples n_in"], d: Float[Tensor, "samples n_out"], amount: Amount
) -> tuple[Requests, ...]:
    """Ask for the same change in every way in which a learner may."""
    times, repeats, rate, parts, fraction = amount
    x, d = x.repeat(repeats, 1), d.repeat(repeats, 1)
    delta = -rate * d.T @ x
    at_once = min(times, _MOST_AT_ONCE)
    copies = max(at_once, _MANY_SAMPLES // len(x))
    many = Outer(x.repeat(copies, 1), d.repeat(copies, 1), rate * at_once / copies)
    dense = min(times * repeats, _MOST_DENSE)
    return (
        Requests("Outer", [Outer(x, d, rate)] * times, times * delta),
        Requests("Outer of many samples", [many] * (times // at_once), times * delta),
        Requests("Outer of another rate", [Outer(x, 4 * d, rate / 4)] * times, times * delta),
        Requests(
            "Dense",
            [Dense(fraction * delta / repeats / parts)] * (parts * dense),
            fraction * dense / repeats * delta,
        ),
    )


class CarriedOut(NamedTuple):
    """What independent arrays made of a request.

    Attributes:
        title: of the request, for messages.
        arrays: how many there are.
        size: of the change along the one asked for, as a fraction of it.
        error: its standard error.
        chance: how far chance alone takes the size.
        cosine: between the change and the one asked for, over all arrays.
        surplus: size² less cosine² and the square of the change, for a cosine, with the most that
            chance takes from it.
        false_alarm: chance that arrays within the bounds fail any comparison.
    """

    title: str
    arrays: int
    size: float
    error: float
    chance: float
    cosine: float
    surplus: Callable[[float], tuple[float, float]]
    false_alarm: float

    def hold_to(self, *, size: tuple[float, float], cosine: float) -> None:
        """Show that the change has the direction and the size of what was asked for.

        Args:
            size: its bounds.
            cosine: the least.

        Raises:
            AssertionError: out of bounds, or the arrays differ too much to tell.
        """
        low, high = size
        within = self.size + self.chance >= low and self.size - self.chance <= high
        assert within, (
            f"{self.title}: the change made is {self.size:.3g} ± {self.error:.2g} of the one asked "
            f"for, which must lie between {low:g} and {high:g} (false alarms: {self.false_alarm:g})"
        )
        assert self.error <= 2 * TELLING * max(self.size, 1.0), (
            f"{self.title}: the change made is {self.size:.2g} ± {self.error:.2g} of the one asked "
            f"for, too vague to tell anything from {self.arrays} arrays"
        )
        mean, limit = self.surplus(cosine)
        assert -mean <= limit, (
            f"{self.title}: the change made has cosine {self.cosine:.2f} with the one asked "
            f"for, and at least {cosine:g} is wanted (false alarms: {self.false_alarm:g})"
        )


def carried_out(
    changes: Float[Tensor, "arrays n_out n_in"],
    wanted: Float[Tensor, "n_out n_in"],
    title: str,
    *,
    false_alarm: float,
) -> CarriedOut:
    """Find direction and size of changes.

    Args:
        changes: of independent arrays, an even number.
        wanted: the change asked for.
        title: of the requests, for the message.
        false_alarm: chance that an array within the bounds fails any of the three comparisons.
    """
    from scipy import stats

    arrays, norm = len(changes), float(wanted.double().square().sum())
    c, w = changes.double().flatten(1), wanted.double().flatten()
    sizes = c @ w / norm
    error = float(sizes.std()) / arrays**0.5
    square, both = (c[::2] * c[1::2]).sum(1) / norm, sizes[::2] * sizes[1::2]

    def surplus(cosine: float) -> tuple[float, float]:
        each = both - cosine**2 * square
        limit = float(stats.t.isf(false_alarm / 3, len(each) - 1) * each.std()) / len(each) ** 0.5
        return float(each.mean()), limit

    return CarriedOut(
        title,
        arrays,
        float(sizes.mean()),
        error,
        float(stats.t.isf(false_alarm / 3, arrays - 1)) * error,
        max(float(both.mean()) / max(float(square.mean()), 1e-300), 0.0) ** 0.5,
        surplus,
        false_alarm,
    )


def by_line(
    changes: Float[Tensor, "arrays n_out n_in"],
    wanted: Float[Tensor, "n_out n_in"],
    title: str,
    *,
    false_alarm: float,
) -> list[CarriedOut]:
    """Find direction and size of the changes of every column and of every row by itself.

    Arguments are those of `carried_out`; false alarms are of all lines together.
    """
    n_out, n_in = wanted.shape
    rate = false_alarm / (n_out + n_in)
    return [
        carried_out(
            changes.narrow(axis + 1, line, 1),
            wanted.narrow(axis, line, 1),
            f"{title}, {name} {line + 1} of {wanted.shape[axis]}",
            false_alarm=rate,
        )
        for axis, name in enumerate(("column", "row"))
        for line in range(wanted.shape[axis])
    ]
