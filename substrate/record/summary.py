"""`summary.json`: what a run came to."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from substrate.record.afterwards import What
from substrate.record.base import Part, Record
from substrate.record.bill import Bill
from substrate.record.device import Device
from substrate.record.ledger import Ledger
from substrate.record.sensitivity import SensitivityReport
from substrate.record.wire import WireFigures

Verdict = Literal["feasible", "not feasible", "undecided"]
Status = Literal["complete", "interrupted", "failed"]
"""failed: some units were given up; the run can be resumed."""
Rung = Literal["observe", "mirror", "transposed reads", "clean pass", "gradients"]
"""What an arm asks of its hardware, from what every chip offers up; each rung is one of the ladder.

observe: two passes are read. mirror: beside that a second copy of the weights is kept. transposed
reads: arrays are driven from their columns. clean pass: a pass without noise is to be had.
gradients: the pass is backpropagated through.
"""
RUNGS: tuple[Rung, ...] = get_args(Rung)
Unmeasured = Literal["observed noise", "ledger"]
"""Of what training leaves behind `Left.untried` says it."""
MetricName = Literal["test_accuracy", "train_accuracy", "test_loss", "train_loss"]


def _is_none(value: object) -> bool:
    return value is None


class Measure(Part):
    """A figure over seeds; `values` has one entry a seed.

    None where it diverged, was given up, or has come less far than others (`Arm.after_epoch`).
    """

    mean: float | None
    std: float | None
    values: list[float | None]


class LayerNoise(Part):
    """Observed noise of one layer, in units of its pre-activation.

    Attributes:
        layer: counted from 1.
        noise_std: spread over repeated passes of the same input, root mean square over nodes.
        signal_std: spread of what repeats in those passes, over inputs and nodes: the variance of
            their mean less what the noise left in it, not below 0.

    Either is None where it is not finite: of a single node, or of signals without bound.
    """

    layer: int
    noise_std: float | None
    signal_std: float | None


class DivergedSeed(Part):
    """Where the loss of a seed stopped being finite."""

    seed: int
    epoch: int
    what: str


class FailedSeed(Part):
    """A seed that was given up: what happened, and the log in the run folder."""

    seed: int
    what: str
    log: str


class UnmeasuredSeed(Part):
    """What could not be measured of a seed that was trained to its end, and why."""

    seed: int
    what: Unmeasured
    why: str


class Reported(Part):
    """A figure that the chip's driver reported, such as a temperature, over epochs and seeds.

    Attributes:
        last: after the last epoch of the last seed.
        lowest: of all epochs.
        highest: likewise.
    """

    last: float
    lowest: float
    highest: float


class PulseTrains(Part):
    """Pulse trains of all seeds: a sample's, or a line's of a dense ΔW."""

    looked_at: int
    cut_short: int


class Left(Part):
    """What a training left behind under one condition; see `substrate.record.afterwards`.

    Attributes:
        what: was done to it.
        amount: seconds since the training, or the fraction of cells that failed.
        test_accuracy: over seeds; absent in a regression.
        test_loss: over seeds.
        untried: why it was not tried; then there are no figures.
    """

    what: What
    amount: float
    test_accuracy: Measure | None = Field(None, exclude_if=_is_none)
    test_loss: Measure | None = Field(None, exclude_if=_is_none)
    untried: str | None = Field(None, exclude_if=_is_none)


class Arm(Part):
    """One trained arm; accuracies are fractions, and absent in a regression.

    `after_epoch` is when its figures were measured, where no seed has come to the end.
    Trains are absent where none were counted, ledger and bill where no seed was trained to its end,
    the verdict of a baseline always, the device of the ideal chip, the wire where the chip is in
    the learner's process, `reported` where no driver reports anything, by name with unit,
    `unmeasured` where nothing failed after training, and all of these in summaries of before.
    """

    role: Literal["device", "baseline"]
    chip: str
    rule: str
    learning: str
    rung: Rung | None = Field(None, exclude_if=_is_none)
    verdict: Verdict | None = Field(None, exclude_if=_is_none)
    reproducibility: Literal["bitwise", "statistical"]
    seconds: float
    diverged: list[DivergedSeed]
    failed: list[FailedSeed] = Field([], exclude_if=lambda value: not value)
    unmeasured: list[UnmeasuredSeed] = Field([], exclude_if=lambda value: not value)
    after_epoch: int | None = Field(None, exclude_if=_is_none)
    test_accuracy: Measure | None = Field(None, exclude_if=_is_none)
    train_accuracy: Measure | None = Field(None, exclude_if=_is_none)
    test_loss: Measure
    train_loss: Measure
    observed_noise: list[LayerNoise]
    pulse_trains: PulseTrains | None = Field(None, exclude_if=_is_none)
    ledger: Ledger | None = Field(None, exclude_if=_is_none)
    bill: Bill | None = Field(None, exclude_if=_is_none)
    device: Device | None = Field(None, exclude_if=_is_none)
    wire: WireFigures | None = Field(None, exclude_if=_is_none)
    reported: dict[str, Reported] = Field({}, exclude_if=lambda value: not value)
    afterwards: list[Left] = Field([], exclude_if=lambda value: not value)

    def measure(self, metric: MetricName) -> Measure | None:
        """One of its figures; None for an accuracy in a regression."""
        found: Measure | None = getattr(self, metric)
        return found


class Comparison(Part):
    """A device arm against a clean baseline; a positive gap means that the device is behind.

    Attributes:
        over_seeds: the half-width that new seeds alone would leave; absent with one seed.
        over_samples: likewise new test data; absent where it is unknown. The squares of the two add
            up to that of the interval's half-width.
        not_at_once: of how many comparisons (of device arms, where it is feasible) Holm's
            correction is, where the interval by itself decides and only the correction does not;
            absent elsewhere.
        baseline_doubted: whether the device is ahead by more than the tolerance, at the end of a
            complete run, so that the baseline is probably badly tuned; absent where not.
    """

    arm: str
    baseline: str
    gap: float | None
    ci_low: float | None
    ci_high: float | None
    over_seeds: float | None = Field(None, exclude_if=_is_none)
    over_samples: float | None = Field(None, exclude_if=_is_none)
    tolerance: float
    verdict: Verdict
    reason: str
    not_at_once: int | None = Field(None, exclude_if=_is_none)
    baseline_doubted: bool = Field(False, exclude_if=lambda value: not value)


class DataSet(Part):
    """Counts of samples, of the inputs of one, and of classes; None in a regression.

    `understood` is all of it in words, `test_checksum` the SHA-256 of test samples and targets;
    summaries of before have neither.
    """

    name: str
    train: int
    test: int
    inputs: int
    classes: int | None
    understood: str | None = Field(None, exclude_if=_is_none)
    test_checksum: str | None = Field(None, exclude_if=_is_none)


class Summary(Record):
    """`summary.json`.

    Attributes:
        decided_by: the device arm that the run's verdict is that of.
        confidence: of the intervals; the scenario's at the first look, and closer to 1 after.
        look: how often a verdict was asked of this run; absent at the first time.
        more_seeds: what to run where that would narrow an interval that decides nothing.
        sensitivity: what each parameter of the device arms costs, where that was asked for.
    """

    scenario: str
    title: str
    description: str
    status: Status
    verdict: Verdict
    verdict_reason: str
    decided_by: str | None = Field(None, exclude_if=_is_none)
    metric: Literal["test_accuracy", "test_loss"]
    tolerance: float
    confidence: float
    look: int = Field(1, exclude_if=lambda value: value == 1)
    more_seeds: list[int] | None = Field(None, exclude_if=_is_none)
    budget: str
    seeds: list[int]
    epochs: int
    wall_seconds: float
    started: str
    command: str
    data: DataSet
    network: str
    arms: dict[str, Arm]
    comparisons: list[Comparison]
    sensitivity: SensitivityReport | None = Field(None, exclude_if=_is_none)
    versions: dict[str, str]
