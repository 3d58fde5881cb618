"""What a crossbar makes of requests: size and direction of the change, over independent arrays.

With c_i the change of array i, w the change asked for, and i, j the two arrays of a pair:

    size g_i = c_i·w / |w|²,   cosine² = (g² |w|²) / |c|²,   g² ≈ g_i g_j,   |c|² ≈ c_i·c_j

Products of two arrays are free of the bias that noise gives to squares, so noise alone neither
lowers the cosine nor raises the size. A check fails where the size lies outside of its bounds, or
the cosine below its own, by more than Student's quantile of the standard error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from devices.interface import Dense, Outer
from substrate.verify.statistics import TELLING

SAMPLES = 5


class Amount(NamedTuple):
    """How much is asked for, so that single pulses average out.

    Attributes:
        times: how often a request is made.
        repeats: how often its samples are in it.
        rate: its learning rate.
        parts: how many dense requests ask for the same as one of outer products.
    """

    times: int
    repeats: int
    rate: float
    parts: int = 1


# So small a rate that no shipped device's pulse trains are too short for the largest request.
ORDINARY = Amount(8, 1, 0.005)
SHORT_TRAINS = ORDINARY._replace(parts=2)
"""Of trains that carry less than `TWICE_THE_LARGEST`: cut short, twice a request is the same."""
TWICE_THE_LARGEST = 0.014
"""The largest element of a dense request of ORDINARY, two times."""
PULSED = Amount(40, 1, 0.005)
"""So much that it stands out from the spread of cells."""
WRITE_NOISE = Amount(40, 1, 0.02)
"""So much that it stands out from the write noise of resistive cells, as large as weights are."""
MIXED_PRECISION = Amount(200, 1, 0.005)
"""A line is transferred with every request, and only what a pulse can write of it."""
TRANSFER = Amount(8, 250, 0.1)
"""Signs are chopped and averages taken over a thousand samples and more before a weight moves."""
_MOST_DENSE = 400
_MOST_AT_ONCE = 8


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


def all_requests(
    x: Float[Tensor, "samples n_in"], d: Float[Tensor, "samples n_out"], amount: Amount
) -> tuple[Requests, ...]:
    """Ask for the same change in every way in which a learner may."""
    times, repeats, rate, parts = amount
    x, d = x.repeat(repeats, 1), d.repeat(repeats, 1)
    delta = -rate * d.T @ x
    at_once = min(times, _MOST_AT_ONCE)
    many = Outer(x.repeat(at_once, 1), d.repeat(at_once, 1), rate)
    dense = min(times * repeats, _MOST_DENSE)
    return (
        Requests("Outer", [Outer(x, d, rate)] * times, times * delta),
        Requests("Outer of many samples", [many] * (times // at_once), times * delta),
        Requests("Outer of another rate", [Outer(x, 4 * d, rate / 4)] * times, times * delta),
        Requests(
            "Dense", [Dense(delta / repeats / parts)] * (parts * dense), dense / repeats * delta
        ),
    )


def assert_carried_out(
    changes: Float[Tensor, "arrays n_out n_in"],
    wanted: Float[Tensor, "n_out n_in"],
    title: str,
    *,
    size: tuple[float, float],
    cosine: float,
    false_alarm: float,
) -> str:
    """Show that changes have the direction and the size of what was asked for.

    Args:
        changes: of independent arrays, an even number.
        wanted: the change asked for.
        title: of the requests, for the message.
        size: bounds of the change along the one asked for, as a fraction of it.
        cosine: least cosine between the two, over all arrays.
        false_alarm: chance that an array within the bounds fails any of the three comparisons.

    Returns:
        The size found, for people.

    Raises:
        AssertionError: out of bounds, or the arrays differ too much to tell.
    """
    from scipy import stats

    arrays, norm = len(changes), float(wanted.double().square().sum())
    c, w = changes.double().flatten(1), wanted.double().flatten()
    sizes = c @ w / norm
    found, error = float(sizes.mean()), float(sizes.std()) / arrays**0.5
    threshold = float(stats.t.isf(false_alarm / 3, arrays - 1))
    low, high = size
    within = found + threshold * error >= low and found - threshold * error <= high
    assert within, (
        f"{title}: the change made is {found:.3g} ± {error:.2g} of the one asked for, "
        f"which must lie between {low:g} and {high:g} (false alarms: {false_alarm:g})"
    )
    assert error <= 2 * TELLING * max(found, 1.0), (
        f"{title}: the change made is {found:.2g} ± {error:.2g} of the one asked for, "
        f"too vague to tell anything from {arrays} arrays"
    )
    square = (c[::2] * c[1::2]).sum(1) / norm
    surplus = sizes[::2] * sizes[1::2] - cosine**2 * square
    spread = float(surplus.std()) / len(surplus) ** 0.5
    lacking = -float(surplus.mean())
    limit = float(stats.t.isf(false_alarm / 3, len(surplus) - 1)) * spread
    along = float((sizes[::2] * sizes[1::2]).mean()) / max(float(square.mean()), 1e-300)
    assert lacking <= limit, (
        f"{title}: the change made has cosine {max(along, 0.0) ** 0.5:.2f} with the one asked "
        f"for, and at least {cosine:g} is wanted (false alarms: {false_alarm:g})"
    )
    return f"{title} {found:.2f}"
