"""What lies beside the figures of a unit, one arm with one seed.

`unit.json` says what the unit is, the metadata of `checkpoint.safetensors` how far it has come, and
`ended.json` that it is done and what it came to.
"""

from __future__ import annotations

import hashlib
from typing import Final

from pydantic import Field

from substrate.record.afterwards import Afterwards
from substrate.record.base import Part, Record, SealedRecord
from substrate.record.ledger import Ledger
from substrate.record.summary import DivergedSeed, LayerNoise, UnmeasuredSeed
from substrate.record.wire import WireFigures

UNIT: Final = "unit.json"
CHECKPOINT: Final = "checkpoint.safetensors"
"""Holds weights; it goes when the unit is done."""

OUTCOME: Final = "outcome.safetensors"
ENDED: Final = "ended.json"
LOG: Final = "failed.log"
ARM: Final = "arm"
"""What the one arm is called in a unit's own files, whatever runs that share it call it."""


class Origin(Part):
    """All that figures depend on, the seed apart.

    Attributes:
        scenario: resolved, as YAML; of a unit only what its arm's training depends on.
        data: SHA-256 of the samples and targets.
        files: SHA-256 of every other file that the scenario names, by path, of what lies beside it
            and is imported by it, and of registered packages.
        versions: of the packages that compute, of Python, and the SHA-256 of our own code.
        device: where it computes.
    """

    scenario: str
    data: str
    files: dict[str, str]
    versions: dict[str, str]
    device: str


class UnitRecord(Record):
    """`unit.json`: what a unit is.

    Attributes:
        held_out: whether it is tested on held-out training samples, in place of test samples.
        isolated: whether the chip is simulated in a process of its own.
        once: of a chip behind a wire, which nobody can tell beforehand, what sets this training
            apart from all others; empty where figures follow from the rest.
    """

    origin: Origin
    seed: int
    held_out: bool
    isolated: bool = Field(False, exclude_if=lambda value: not value)
    once: str = Field("", exclude_if=lambda value: not value)

    @property
    def key(self) -> str:
        """The name of the unit: a hash of all that its figures depend on."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:40]


class UnitProgress(Record):
    """How far a unit has come.

    Attributes:
        key: of the unit.
        metrics_bytes: length of `metrics.jsonl` when the checkpoint was written; what was written
            after it is measured again.
        metrics_sha256: of these bytes.
    """

    key: str
    metrics_bytes: int
    metrics_sha256: str


class UnitEnd(SealedRecord):
    """`ended.json`: what a unit came to, beside its figures.

    Attributes:
        key: of the unit.
        noise: observed after training; empty where it diverged, or is `unmeasured`.
        ledger: of the training; None likewise.
        unmeasured: what of these could not be measured, and why.
        wire: how the wire to the chip did; absent where there is none.
        afterwards: what the training left behind; empty where it diverged, or on an ideal chip.
        diverged: where its loss stopped being finite.
        metrics_sha256: of `metrics.jsonl`.
        outcome_sha256: of `outcome.safetensors`; of nothing where it diverged.
    """

    key: str
    noise: list[LayerNoise]
    ledger: Ledger | None
    unmeasured: list[UnmeasuredSeed] = Field([], exclude_if=lambda value: not value)
    wire: WireFigures | None = Field(None, exclude_if=lambda value: value is None)
    afterwards: list[Afterwards] = Field([], exclude_if=lambda value: not value)
    diverged: DivergedSeed | None
    metrics_sha256: str
    outcome_sha256: str


class EndedUnit(Part):
    """A unit of a run that was done."""

    arm: str
    seed: int
    end: UnitEnd


class PlannedUnit(Part):
    """A unit of a run, whether it is done or not; `key` is its name in the store."""

    arm: str
    seed: int
    key: str


class RunRecord(SealedRecord):
    """`units.json` of a run folder: of what run it is, and its units beside their figures.

    Attributes:
        origin: of the whole scenario.
        before: what `scenario.yaml` said before seeds or settings were added; empty in a first run.
            The folder is on its way from one to the other as long as it says so still.
        look: how often a verdict was asked of this run, with the present one; see
            `substrate.run.verdict`.
        command: the command lines.
        started: when the first of them was.
        wall_seconds: spent before.
        isolated: whether chips are simulated in processes of their own.
        once: sets what is trained on chips behind a wire apart from other runs.
        units: those that are done, in the order of the run.
        planned: all of them, so that a run can be watched; none in records of before.
        store: where they lie.
    """

    origin: Origin
    before: str = ""
    look: int = Field(1, ge=1)
    command: str
    started: str
    wall_seconds: float
    isolated: bool = Field(False, exclude_if=lambda value: not value)
    once: str = Field("", exclude_if=lambda value: not value)
    units: list[EndedUnit]
    planned: list[PlannedUnit] = Field([], exclude_if=lambda value: not value)
    store: str = Field("", exclude_if=lambda value: not value)
