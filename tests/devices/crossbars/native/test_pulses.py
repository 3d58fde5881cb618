"""Pulse trains as they are played, against the formula's own distributions.

`played_slowly` is the slow exact algorithm: a draw for every line in every slot, by numpy.
"""

import numpy as np
import pytest
import torch
from scipy import stats

from devices.crossbars.native.pulses import Pulses, pulse_outer, pulse_rows

REPEATS = 500
STEP, LONGEST = 0.01, 31
PRECISIONS = [torch.float32, torch.float64]
"""Compiled loops, and torch's matrix products as elsewhere than on a processor."""


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def lengths(x, d, rate):
    """Train lengths and probabilities by the module's formula, in double precision."""
    x, d = x.double().numpy(), d.double().numpy()
    x_max, d_max = np.abs(x).max(1, keepdims=True), np.abs(d).max(1, keepdims=True)
    slots = np.minimum(np.ceil(abs(rate) * x_max * d_max / STEP), LONGEST)
    p = np.abs(x) / x_max
    q = np.minimum(1, np.abs(d) * abs(rate) * x_max / (STEP * slots))
    return slots[:, 0].astype(int), p, q


def played_slowly(x, d, rate, repeats, seed):
    """Numbers of up and of down pulses, (repeats, n_out, n_in), slot by slot."""
    generator = np.random.default_rng(seed)
    counts = np.zeros((2, repeats, d.shape[1], x.shape[1]))
    for s, (slots, p, q) in enumerate(zip(*lengths(x, d, rate), strict=True)):
        falls = np.sign(rate) * np.outer(d[s], x[s]) > 0
        for _ in range(slots):
            row = generator.random((repeats, 1, len(p))) < p
            column = generator.random((repeats, len(q), 1)) < q[:, None]
            counts[0] += row & column & ~falls
            counts[1] += row & column & falls
    return counts


def played(x, d, rate, repeats, generator):
    """The same, by the code under test."""
    counts = [pulse_outer(x, d, rate, STEP, LONGEST, generator)[:2] for _ in range(repeats)]
    return np.array([[each.double().numpy() for each in pair] for pair in counts]).swapaxes(0, 1)


def bernstein(variance, largest, tests):
    """What sums of independent numbers up to `largest` are off by in one of 10⁶ runs of the tests.

    Bernstein's inequality, P(|S - E S| ≥ t) ≤ 2 exp(-t² / (2 (variance + largest t / 3))).
    """
    log = np.log(2 * tests / 1e-6)
    return largest * log / 3 + np.sqrt((largest * log / 3) ** 2 + 2 * variance * log)


def request(precision, samples=6):
    generator = stream()
    x, d = (
        torch.randn(samples, 5, generator=generator),
        torch.randn(samples, 4, generator=generator),
    )
    return x.to(precision), d.to(precision)


@pytest.mark.parametrize("rate", [0.003, 0.05, -0.3])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_counts_have_the_moments_of_the_formula_and_of_trains_played_slowly(precision, rate):
    x, d = request(precision)
    slots, p, q = lengths(x, d, rate)
    probability = q[:, :, None] * p[:, None, :]
    falls = np.sign(rate) * d.numpy()[:, :, None] * x.numpy()[:, None, :] > 0
    ours = played(x, d, rate, REPEATS, stream(1))
    slowly = played_slowly(x, d, rate, REPEATS, 1)
    # false alarm 1e-6 for each of 2 · 20 cells' means and variances, against both
    limit = stats.norm.isf(1e-6 / 160 / 2)
    for direction, here in enumerate((~falls, falls)):
        length = slots[:, None, None] * here
        mean, variance = (
            (length * probability).sum(0),
            (length * probability * (1 - probability)).sum(0),
        )
        counts, other = ours[direction], slowly[direction]
        assert np.array_equal(counts, counts.round())
        assert (np.abs(counts.mean(0) - mean) <= limit * np.sqrt(variance / REPEATS) + 1e-9).all()
        spread = np.sqrt((counts.var(0) + other.var(0)) / REPEATS)
        assert (np.abs(counts.mean(0) - other.mean(0)) <= limit * spread + 1e-9).all()
        fourth = ((counts - counts.mean(0)) ** 4).mean(0)
        error = np.sqrt(np.maximum(fourth - counts.var(0) ** 2, variance) / REPEATS)
        assert (np.abs(counts.var(0) - variance) <= limit * error + 1e-9).all()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_cells_of_a_line_share_its_train(precision):
    """Cov of two cells of a row in one slot is p q₁ q₂ (1 - p), of a column q p₁ p₂ (1 - q)."""
    x, d = request(precision, samples=1)
    rate = 0.05
    (slots,), (p,), (q,) = lengths(x, d, rate)
    counts = played(x, d, rate, 5 * REPEATS, stream(2)).sum(0)
    centred = counts - counts.mean(0)
    limit = stats.norm.isf(1e-6 / 50 / 2)
    for (j, i), (k, m) in [((0, 0), (1, 0)), ((0, 0), (0, 1)), ((2, 3), (1, 3)), ((0, 0), (1, 1))]:
        columns, rows = (q[j] if j == k else q[j] * q[k]), (p[i] if i == m else p[i] * p[m])
        expected = slots * (columns * rows - q[j] * q[k] * p[i] * p[m])
        products = centred[:, j, i] * centred[:, k, m]
        error = products.std() / np.sqrt(len(products))
        assert abs(products.mean() - expected) < limit * error


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("rate", "slots"), [(0.002, 1), (0.03, 5), (0.2, 31)])
def test_counts_of_one_sample_are_binomial(precision, rate, slots):
    # every line of 1 / 1.5 and of half the largest: p q = 2 / 3 · q / 2 for all but the first line
    x, d = torch.full((1, 40), 1.0), torch.full((1, 30), 0.5)
    x[0, 0], d[0, 0] = 1.5, 1.0
    length, p, q = lengths(x, d, rate)
    assert length[0] == slots
    # one cell of every repeat: cells of one repeat are correlated
    counts = played(x.to(precision), d.to(precision), rate, 2 * REPEATS, stream(3))[1, :, 1, 1]
    expected = stats.binom(slots, p[0, 1] * q[0, 1])
    # bins of 10 at least, so that the statistic is near its limit; false alarm 1e-6
    edges = [0]
    for upper in range(1, slots + 1):
        ahead = expected.cdf(slots) - expected.cdf(upper - 1)
        held = expected.cdf(upper - 1) - expected.cdf(edges[-1] - 1)
        if min(held, ahead) * len(counts) >= 10:
            edges.append(upper)
    seen = np.histogram(counts, [*edges, slots + 1])[0]
    mass = np.diff(expected.cdf(np.array([*edges, slots + 1]) - 1)) * len(counts)
    assert len(mass) > 1
    assert ((seen - mass) ** 2 / mass).sum() < stats.chi2.isf(1e-6, len(mass) - 1)


@pytest.mark.parametrize("shape", [(70, 300, 33), (3, 2500, 10), (300, 7, 2100), (2, 1, 1)])
def test_numbers_of_every_shape_add_up_to_what_is_asked(shape):
    """Lines beyond one tile, columns that are no eights, trains beyond what is kept at once."""
    samples, n_in, n_out = shape
    x, d = torch.randn(samples, n_in), 0.05 * torch.randn(samples, n_out)
    up, down, trains, _ = pulse_outer(x, d, 0.5, STEP, LONGEST, stream(4))
    assert trains[0] == samples
    slots, p, q = lengths(x, d, 0.5)
    counts = np.einsum("s,sj,si->ji", slots, q, p)
    variance = counts - np.einsum("s,sj,si->ji", slots, q**2, p**2)
    off = np.abs((up + down).double().numpy() - counts)
    assert (off <= bernstein(variance, 1, counts.size)).all()
    # in one slot a column's line brings a whole number of pulses, of mean Σ p
    brings, apart = p.sum(1, keepdims=True), (p * (1 - p)).sum(1, keepdims=True)
    variance = slots @ (q * apart + q * (1 - q) * brings**2)
    off = np.abs((up + down).double().sum(1).numpy() - counts.sum(1))
    assert (off <= bernstein(variance, n_in, n_out)).all()
    falls = np.einsum("s,sj,si->ji", slots, q * np.sign(d.numpy()), p * np.sign(x.numpy()))
    off = np.abs((down - up).double().numpy() - falls)
    assert (off <= bernstein(counts, 1, counts.size)).all()


def test_more_slots_than_a_byte_counts_are_carried_over():
    x, d = torch.ones(600, 9), -torch.ones(600, 5)
    x[:, 3] = -1
    up, down, trains, _ = pulse_outer(x, d, 100.0, STEP, LONGEST, stream())
    expected = torch.full((5, 9), 600.0 * LONGEST)
    expected[:, 3] = 0
    assert torch.equal(up, expected)
    assert torch.equal(down, 600.0 * LONGEST - expected)
    assert trains.tolist() == [600, 600, 600 * LONGEST]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_no_request_no_pulse(precision):
    x, d = torch.randn(3, 4, dtype=precision), torch.zeros(3, 2, dtype=precision)
    for pulses in (
        pulse_outer(x, d, 0.1, 0.001, 31, stream()),
        pulse_outer(torch.zeros_like(x), torch.ones_like(d), 0.1, 0.001, 31, stream()),
        pulse_rows(torch.zeros(2, 4, dtype=precision), 0.001, 31, stream()),
    ):
        assert pulses.up.sum() == pulses.down.sum() == 0


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_request_that_is_not_finite_does_not_pass_for_nothing(precision, value):
    x, d = torch.ones(3, 4, dtype=precision), torch.ones(3, 2, dtype=precision)
    x[1, 2] = value
    delta = torch.zeros(2, 4, dtype=precision)
    delta[0, 1] = value
    for pulses in (
        pulse_outer(x, d, 0.1, 0.001, 31, stream()),
        pulse_outer(x, torch.zeros_like(d), 0.1, 0.001, 31, stream()),
        pulse_rows(delta, 0.001, 31, stream()),
    ):
        assert pulses.up.isnan().all()
        assert pulses.down.isnan().all()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_rows_written_one_by_one_are_binomial(precision):
    repeats = 20_000
    delta = torch.tensor([[0.013, -0.1, 0.0, 0.9, -0.35]], dtype=precision)
    up, down, trains, _ = pulse_rows(delta.repeat(repeats, 1), STEP, LONGEST, stream(5))
    assert trains[:2].tolist() == [5, 2]
    for line, (counts, slots, probability) in enumerate(
        [(up, 2, 0.65), (down, 10, 1.0), (up, 1, 0.0), (up, 31, 1.0), (down, 31, 1.0)]
    ):
        expected = stats.binom(slots, probability).pmf(np.arange(slots + 1)) * repeats
        seen = np.bincount(counts[:, line].long().numpy(), minlength=slots + 1)
        kept = expected > 0
        chi_square = ((seen - expected)[kept] ** 2 / expected[kept]).sum()
        # false alarm 1e-6; where only one count is possible it must be that
        assert chi_square <= (stats.chi2.isf(1e-6, kept.sum() - 1) if kept.sum() > 1 else 1e-12)
        assert seen[~kept].sum() == 0


@pytest.mark.parametrize("precision", PRECISIONS)
def test_cells_of_a_row_that_is_written_alone_are_independent(precision):
    delta = torch.full((3000, 4), 0.023, dtype=precision)
    counts = pulse_rows(delta, STEP, LONGEST, stream(6)).up.double().numpy()
    pairs = [(counts[:, i], counts[:, j]) for i in range(4) for j in range(i)]
    pairs += [(counts[:-1, i], counts[1:, i]) for i in range(4)]
    limit = stats.norm.isf(1e-6 / len(pairs) / 2)
    for one, other in pairs:
        assert abs(np.corrcoef(one, other)[0, 1]) * len(one) ** 0.5 < limit


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_train_is_too_short_where_more_is_asked_than_it_has_slots(precision):
    x = torch.tensor([[1.0, -2.0], [0.5, 0.1], [0.0, 0.0]], dtype=precision)
    d = torch.tensor([[1.0, 0.2], [-2.0, 0.5], [1.0, 1.0]], dtype=precision)
    for rate, cut in ((0.04, 0), (0.06, 1), (0.2, 2), (-0.2, 2)):
        assert pulse_outer(x, d, rate, 0.01, 10, stream()).trains[:2].tolist() == [3, cut]


def test_repeats_bitwise_under_a_seed_and_goes_on():
    x, d = request(torch.float32)
    generator = stream(7)
    state = generator.get_state()
    first, second = (pulse_outer(x, d, 0.1, STEP, LONGEST, generator) for _ in range(2))
    generator.set_state(state)
    again = pulse_outer(x, d, 0.1, STEP, LONGEST, generator)
    assert all(torch.equal(one, other) for one, other in zip(first[:3], again[:3], strict=True))
    assert not torch.equal(first.up, second.up)


def test_samples_that_are_no_neighbours_in_memory_are_taken_as_they_are():
    x, d = torch.randn(5, 12).T, torch.randn(4, 12).T
    ours = pulse_outer(x, d, 0.1, STEP, LONGEST, stream(8))
    same = pulse_outer(x.contiguous(), d.contiguous(), 0.1, STEP, LONGEST, stream(8))
    assert isinstance(ours, Pulses)
    assert all(torch.equal(one, other) for one, other in zip(ours[:3], same[:3], strict=True))
