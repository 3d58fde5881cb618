"""What noise must do on average, and whatever the batch: its statistics, held to what it states."""

from __future__ import annotations

from unittest import SkipTest

import torch
from torch import Tensor

from substrate.verify.noise_under_test import CHUNKS, SIGNAL, SIGNALS, NoiseUnderTest
from substrate.verify.statistics import compare

BANDS = 6
SINGLE_READS = 20
MANY_READS = 2000
"""As many as passes of a training hold, samples times positions."""
WIDE = 61
APART = 1_000_000
"""Between the seeds of replicas that are drawn in different ways."""


class StatisticsChecks(NoiseUnderTest):
    """Checks of independence, mean, variance and spectrum."""

    def test_batch_independence(self) -> None:
        """Gives a read the same noise, whatever the other reads' signals are."""
        signal = self._signal(9)
        others = 3 * signal.flip(0) + 1
        noise = self.model.sample(signal, self._memory())
        for place in (0, 4, 8):
            among = others.clone()
            among[place] = signal[place]
            again = self.model.sample(among, self._memory())
            assert torch.equal(noise[place], again[place]), (
                f"the noise of read {place + 1} of {len(signal)} depends on the signals of others"
            )

    def test_batch_sizes(self) -> None:
        """Is as strong in batches of one read, of thousands, and over many lines."""
        self._confirmed(self._hold_batch_sizes)

    def _hold_batch_sizes(self, numbers: range) -> None:
        usual = self._replicas(numbers).square().mean((1, 2))
        wide = (*self.lines[:-1], WIDE)
        found = []
        for way, (chunks, lines) in enumerate(
            (((1,) * SINGLE_READS, self.lines), ((MANY_READS,), self.lines), ((60,), wide))
        ):
            # independent of the usual ones, so that what is slower than they are is as skewed
            own = range(numbers.start + (way + 1) * APART, numbers.stop + (way + 1) * APART)
            drawn = self._draw(own, chunks, lines)
            found.append(torch.stack([each.double().square().mean() for each in drawn]) - usual)
        compare(
            torch.stack(found, dim=1),
            torch.zeros(3, dtype=torch.float64),
            [
                f"variance {of}, less that of batches of {CHUNKS[1]}"
                for of in ("of reads by themselves", f"of {MANY_READS} reads", f"over {WIDE} lines")
            ],
            self.false_alarm,
            power=False,
        )

    def test_mean(self) -> None:
        """Has the stated mean."""
        self._confirmed(self._hold_mean)

    def _hold_mean(self, numbers: range) -> None:
        means = self._replicas(numbers).mean((1, 2))[:, None] + self.model.mean()
        stated = torch.tensor([self.model.mean()], dtype=torch.float64)
        compare(means, stated, ["mean"], self.false_alarm, power=False)

    def test_variance(self) -> None:
        """Has the stated variance, whatever the signal."""
        signals = torch.tensor(SIGNALS, dtype=torch.float64)
        stated = self.model.variance(signals.clone())
        if stated is None:
            raise SkipTest("the model states no variance")
        self._confirmed(lambda numbers: self._hold_variance(numbers, stated))

    def _hold_variance(self, numbers: range, stated: Tensor) -> None:
        squares, told = [], []
        drawn = self._replicas(numbers, SIGNALS).square().mean(1)
        for line, (signal, variance) in enumerate(zip(SIGNALS, stated.tolist(), strict=True)):
            label = f"variance at a signal of {signal:g}"
            assert variance >= 0, f"states the negative {label}, {variance:.4g}"
            if line >= drawn.shape[1]:
                break
            square = drawn[:, line :: len(SIGNALS)].mean(1)
            if variance == 0:
                assert not square.any(), f"states no {label}, and has {square.mean():.4g}"
                continue
            squares.append(square)
            told.append((variance, label))
        if told:
            compare(
                torch.stack(squares, dim=1),
                torch.tensor([variance for variance, _ in told], dtype=torch.float64),
                [label for _, label in told],
                self.false_alarm,
                power=True,
            )

    def test_spectrum(self) -> None:
        """Has the spectrum that follows from the stated autocovariance."""
        stated = self.model.autocovariance(torch.arange(sum(CHUNKS)), SIGNAL)
        if stated is None:
            raise SkipTest("the model states no autocovariance")
        if not stated.any():
            raise SkipTest("with these parameters there is no noise")
        self._confirmed(lambda numbers: self._hold_spectrum(numbers, stated))

    def _hold_spectrum(self, numbers: range, stated: Tensor) -> None:
        reads, lags = len(stated), torch.arange(len(stated))
        seen = torch.fft.rfft(self._replicas(numbers), dim=1).abs().square().mean(2) / reads
        # What a periodogram of so many reads shows on average: covariances, tapered by its length.
        tapered = stated.double() * (1 - lags / reads)
        expected = 2 * torch.fft.rfft(tapered).real - tapered[0]
        edges = torch.logspace(0, 1, BANDS + 1, base=reads / 2).round().long().unique()
        edges[-1] = len(expected)
        bands = [(0, 1), *zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)]
        compare(
            torch.stack([seen[:, low:high].mean(1) for low, high in bands], dim=1),
            torch.stack([expected[low:high].mean() for low, high in bands]),
            [
                f"power at {low / reads:.3f} to {high / reads:.3f} cycles a read"
                for low, high in bands
            ],
            self.false_alarm,
            power=True,
        )
