"""What a checkpoint says beside its tensors: of what run it is, and how far that run had come."""

from __future__ import annotations

from substrate.record.base import Part, Record
from substrate.record.ledger import Ledger
from substrate.record.summary import DivergedSeed, LayerNoise


class Origin(Part):
    """All that a run's figures depend on; a stopped run goes on only where all of it is the same.

    Attributes:
        scenario: resolved, as YAML.
        data: SHA-256 of the samples and targets.
        files: SHA-256 of every other file that the scenario names, by path.
        versions: of the packages that compute, and of Python.
        device: where it computes.
    """

    scenario: str
    data: str
    files: dict[str, str]
    versions: dict[str, str]
    device: str


class MeasuredNoise(Part):
    """Observed noise and ledger of an arm that was trained to its end with a seed."""

    seed: int
    layers: list[LayerNoise]
    ledger: Ledger


class EndedSeeds(Part):
    """The seeds that an arm has behind it."""

    noise: list[MeasuredNoise]
    diverged: list[DivergedSeed]


class Progress(Record):
    """How far a run has come; the tensors of the checkpoint are those of `arm` with `seed`.

    Attributes:
        metrics_bytes: length of `metrics.jsonl` when the checkpoint was written; what was written
            after it is measured again.
        metrics_sha256: of these bytes.
        outcomes_sha256: of `outcomes.safetensors` with the seeds that were ended, and no others.
    """

    origin: Origin
    command: str
    started: str
    wall_seconds: float
    arm: str
    seed: int
    metrics_bytes: int
    metrics_sha256: str
    outcomes_sha256: str
    ended: dict[str, EndedSeeds]
