"""Counts of pulses against pulse trains that are played slot by slot."""

import pytest
import torch

from devices.crossbars.native.pulses import (
    Moments,
    _invert,
    coincidences,
    coincidences_by_row,
    draw_counts,
    slots_needed,
)


def play_trains(x, d, rate, step, longest, repeats, generator):
    """Numbers of up and of down pulses, (repeats, n_out, n_in), slot by slot."""
    up = torch.zeros(repeats, d.shape[1], x.shape[1])
    down = torch.zeros_like(up)
    for x_s, d_s in zip(x, d, strict=True):
        x_max, d_max = x_s.abs().max(), d_s.abs().max()
        slots = int(min(longest, torch.ceil(rate * x_max * d_max / step)))
        p = x_s.abs() / x_max
        q = (d_s.abs() * rate * x_max / (step * slots)).clamp(max=1)
        rises = d_s.sign()[:, None] * x_s.sign() < 0
        for _ in range(slots):
            row = torch.rand(repeats, 1, len(p), generator=generator) < p
            column = torch.rand(repeats, len(q), 1, generator=generator) < q[:, None]
            both = row & column
            up += both & rises
            down += both & ~rises
    return up, down


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_counts_have_the_moments_of_trains_played_slot_by_slot(rate):
    generator = torch.Generator().manual_seed(0)
    x, d = torch.randn(12, 5, generator=generator), torch.randn(12, 4, generator=generator)
    repeats = 4000
    played = play_trains(x, d, rate, 0.01, 31, repeats, generator)
    for trains, moments in zip(played, coincidences(x, d, rate, 0.01, 31), strict=True):
        drawn = draw_counts(
            Moments(*(each.repeat(repeats, 1) for each in moments)), generator
        ).view(repeats, 4, 5)
        assert torch.equal(drawn, drawn.round())
        assert drawn.min() >= 0
        variance = moments.mean - moments.squares
        for counts in (trains, drawn):
            # six standard errors: false alarm below 1e-6
            assert (
                (counts.mean(0) - moments.mean).abs() < 6 * (variance / repeats).sqrt() + 1e-4
            ).all()
            fourth = (counts - counts.mean(0)).pow(4).mean(0)
            error = ((fourth - counts.var(0).square()) / repeats).clamp(min=0).sqrt()
            stated = (moments.squares / moments.mean.clamp(min=1e-9)).square() / 4
            assert ((counts.var(0) - variance).abs() < 6 * error + stated + 1e-3).all()


@pytest.mark.parametrize(
    ("mean", "probability"),
    [(0.01, 0.001), (0.3, 0.1), (0.9, 0.9), (2.5, 0.5), (8.9, 0.05), (12.0, 0.1), (300.0, 0.3)],
)
def test_counts_are_binomial(mean, probability):
    trials = round(mean / probability)
    mean = trials * probability
    cells = torch.full((400, 500), mean)
    generator = torch.Generator().manual_seed(1)
    counts = draw_counts(Moments(cells, cells * probability), generator)
    expected = torch.distributions.Binomial(trials, torch.tensor(probability, dtype=torch.float64))
    support = torch.arange(trials + 1, dtype=torch.float64)
    mass = expected.log_prob(support).exp()
    seen = torch.bincount(counts.flatten().long(), minlength=trials + 1).double() / counts.numel()
    # a distribution function from n draws is off by more than 2.7 / √n with probability 1e-6;
    # the rounded normal beyond a mean of 9 is itself off by up to 0.01 of skewness
    allowed = 2.7 / counts.numel() ** 0.5 + (0.02 if min(mean, trials - mean) >= 9 else 0.0)
    assert (seen.cumsum(0) - mass.cumsum(0)).abs().max() < allowed


def test_no_request_no_pulse():
    up, down = coincidences(torch.zeros(3, 4), torch.zeros(3, 2), 0.1, 0.001, 31)
    generator = torch.Generator().manual_seed(0)
    assert draw_counts(up, generator).sum() == 0
    assert draw_counts(down, generator).sum() == 0


def test_a_saturated_train_pulses_in_every_slot():
    up, _ = coincidences(torch.ones(1, 4), -torch.ones(1, 2), 100.0, 0.001, 31)
    counts = draw_counts(up, torch.Generator().manual_seed(0))
    assert torch.equal(counts, torch.full((2, 4), 31.0))


def test_rows_written_one_by_one_are_one_hot_samples():
    delta = torch.randn(4, 5) * 0.05
    by_row = coincidences_by_row(delta, 0.001, 31)
    by_sample = coincidences(torch.eye(5), -delta.T.contiguous(), 1.0, 0.001, 31)
    for ours, theirs in zip(by_row, by_sample, strict=True):
        torch.testing.assert_close(ours.mean, theirs.mean)
        torch.testing.assert_close(ours.squares, theirs.squares)


@pytest.mark.parametrize("trials", [1, 3, 17])
def test_never_more_counts_than_trials(trials: int) -> None:
    # the largest u in float32; the masses of three trials at 0.3 add up to less
    u = torch.full((200,), 1 - 2**-24)
    probability = torch.linspace(0.01, 0.5, 200)
    counts = _invert(torch.full_like(u, trials), probability, u)
    assert counts.max() == trials


def test_a_train_is_too_short_where_a_cell_loses_some_of_its_request():
    x = torch.tensor([[1.0, -2.0], [0.5, 0.1], [0.0, 0.0]])
    d = torch.tensor([[1.0, 0.2], [-2.0, 0.5], [1.0, 1.0]])
    step, longest = 0.01, 10
    for rate in (0.04, 0.06, 0.2):
        lost = [
            float((up.mean - down.mean + rate / step * d[s, :, None] * x[s]).abs().max()) > 1e-4
            for s in range(3)
            for up, down in [coincidences(x[s : s + 1], d[s : s + 1], rate, step, longest)]
        ]
        assert (slots_needed(x, d, rate, step) > longest).tolist() == lost
