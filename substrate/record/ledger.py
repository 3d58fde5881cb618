"""The ledger of an arm: what one training and one inference asked of the hardware.

What chips count is `devices.ledger`'s; here stand beside it what the learner computes between
passes, and means over seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pydantic import Field

from devices.ledger import Counts, MatrixCounts
from substrate.record.base import Part


class Ledger(Part):
    """What an arm did, mean over the seeds that were trained to their end.

    Attributes:
        steps: of learning.
        training: by the chip, initial programming included and evaluations left out.
        inference: by the chip, for one sample.
        learner_multiplications: digital ones of the learner: products of matrices, element-wise
            products, quotients, squares and roots. Sums, comparisons and the functions of layers
            are left out.
        uncounted: operations of torch that the learner made and nobody has counted the
            multiplications of; where there are any, `learner_multiplications` is a lower bound.
        learner_words: of digital memory that the learner keeps from step to step: moments of the
            optimiser, covariances, a critic and the samples that it keeps.
    """

    steps: float
    training: Counts
    inference: Counts
    learner_multiplications: float
    learner_words: float
    uncounted: list[str] = Field(default_factory=list)

    @property
    def multiplications(self) -> float:
        """Digital ones of a training, by chip and learner."""
        of_chip = total(self.training.matrices, lambda each: each.multiplications) or 0.0
        return of_chip + self.learner_multiplications

    @property
    def words(self) -> float:
        """Of digital memory that a training keeps; without observations."""
        return (total(self.training.matrices, lambda each: each.words) or 0.0) + self.learner_words

    @property
    def pulses(self) -> float | None:
        """Of a training, to all cells of all arrays; None where an array does not tell."""
        return total(_on_arrays(self.training), lambda each: each.pulses)

    @property
    def worst_cell_pulses(self) -> float | None:
        """Of the cell, of all arrays, that was given most; None where an array does not tell."""
        known = [each.worst_cell_pulses for each in _on_arrays(self.training)]
        told = [each for each in known if each is not None]
        return max(told) if told and len(told) == len(known) else None

    @property
    def programmings(self) -> float | None:
        """Of the matrix that was programmed most often; None where an array does not tell."""
        known = [each.programmings for each in _on_arrays(self.training)]
        told = [each for each in known if each is not None]
        return max(told) if told and len(told) == len(known) else None


def total(
    matrices: Iterable[MatrixCounts], figure: Callable[[MatrixCounts], float | None]
) -> float | None:
    """Add up a figure of matrices; None where one of them lacks it, or there is none."""
    values = [figure(each) for each in matrices]
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def mean_ledger(seeds: Sequence[Ledger]) -> Ledger:
    """Average ledgers of the same arm, one a seed."""
    return Ledger(
        steps=_mean([each.steps for each in seeds]),
        training=_mean_counts([each.training for each in seeds]),
        inference=_mean_counts([each.inference for each in seeds]),
        learner_multiplications=_mean([each.learner_multiplications for each in seeds]),
        learner_words=_mean([each.learner_words for each in seeds]),
        uncounted=sorted({name for each in seeds for name in each.uncounted}),
    )


def per_sample(counts: Counts, before: Counts, samples: int) -> Counts:
    """Give what every one of so many samples asked, between two states of a ledger.

    Of what is read, that is: pulses, programmings and memory are none of an inference's.
    """
    return Counts(
        passes=(counts.passes - before.passes) / samples,
        readout_conversions=(counts.readout_conversions - before.readout_conversions) / samples,
        activation_words=0.0,
        matrices=[
            after.model_copy(
                update={
                    name: (getattr(after, name) - getattr(first, name)) / samples
                    for name in _OF_READS
                }
                | dict.fromkeys(_OF_WRITES)
            )
            for after, first in zip(counts.matrices, before.matrices, strict=True)
        ],
    )


_OF_READS = ("reads", "transposed_reads", "dac_conversions", "adc_conversions", "multiplications")
_OF_WRITES = (
    *("programmings", "trains", "trains_cut_short", "slots", "pulses", "worst_cell_pulses"),
    "pulses_are",
)
_FIGURES = (*_OF_READS, *_OF_WRITES[:-1], "words")


def _on_arrays(counts: Counts) -> list[MatrixCounts]:
    return [each for each in counts.matrices if each.held == "arrays"]


def _mean_counts(seeds: Sequence[Counts]) -> Counts:
    return Counts(
        passes=_mean([each.passes for each in seeds]),
        readout_conversions=_mean([each.readout_conversions for each in seeds]),
        activation_words=_mean([each.activation_words for each in seeds]),
        matrices=[
            same[0].model_copy(
                update={
                    name: None
                    if getattr(same[0], name) is None
                    else _mean([getattr(each, name) for each in same])
                    for name in _FIGURES
                }
            )
            for same in zip(*(each.matrices for each in seeds), strict=True)
        ],
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
