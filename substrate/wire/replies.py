"""What a chip tells as messages: written by the chip's side, read by the learner's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from devices.interface import Capability, LayerShape, Observation
from devices.ledger import Counts, MatrixCounts
from substrate.wire import chip_pb2 as pb
from substrate.wire.errors import WireError
from substrate.wire.frames import Tensors

MAJOR, MINOR = 1, 1
"""Of the schema."""


class Described(NamedTuple):
    """What a chip tells of itself; attributes as in `chip.proto`."""

    minor: int
    boot: str
    title: str
    source: str
    parameters: list[tuple[str, str, str]]
    shapes: tuple[LayerShape, ...]
    capabilities: frozenset[Capability]
    decorrelates: bool
    mirrors: bool
    draws: bool
    saves: bool
    steps_aside: bool
    repeats: bool
    max_message_bytes: int
    lease_seconds: float


def write_description(told: Described) -> pb.Description:
    """Write what a chip tells of itself."""
    return pb.Description(
        major=MAJOR,
        parameters=[pb.Parameter(name=n, value=v, meaning=m) for n, v, m in told.parameters],
        sites=[
            pb.Site(n_out=each.n_out, n_in=each.n_in, positions=each.positions, drives=1)
            for each in told.shapes
        ],
        capabilities=sorted(told.capabilities),
        **{name: getattr(told, name) for name in _AS_THEY_ARE},
    )


def read_description(told: pb.Description, address: str) -> Described:
    """Read what a chip tells of itself.

    Raises:
        WireError: it speaks another version of the schema, or has sites driven several times.
    """
    if told.major != MAJOR:
        raise WireError(
            f"{address}: the chip speaks version {told.major}.{told.minor} of the schema, and this"
            f" substrate {MAJOR}.{MINOR}"
        )
    if any(each.drives > 1 for each in told.sites) or not told.sites:
        raise WireError(
            f"{address}: the chip has no sites, or some that are driven several times in a pass,"
            " which this substrate cannot train"
        )
    known = {each.value for each in Capability} - {Capability.GRADIENTS.value}
    return Described(
        parameters=[(each.name, each.value, each.meaning) for each in told.parameters],
        shapes=tuple(LayerShape(each.n_out, each.n_in, each.positions) for each in told.sites),
        capabilities=frozenset(Capability(name) for name in told.capabilities if name in known),
        **{name: getattr(told, name) for name in _AS_THEY_ARE},
    )


_AS_THEY_ARE = (
    *("minor", "boot", "title", "source", "decorrelates", "mirrors", "draws", "saves"),
    *("steps_aside", "repeats", "max_message_bytes", "lease_seconds"),
)


def write_observations(
    observed: Sequence[Observation],
    streams: Sequence[torch.Generator],
    told: pb.Observations,
    tensors: Tensors,
) -> None:
    """Write what was read in passes, and where the streams have moved to."""
    for each in observed:
        one = told.observations.add()
        for site in range(max(len(each.inputs), len(each.pre_activations))):
            drive = one.drives.add(site=site)
            if each.inputs:
                drive.input = tensors.add(each.inputs[site])
            if each.pre_activations:
                drive.pre_activation = tensors.add(each.pre_activations[site])
        one.output = tensors.add(each.output)
    told.streams.extend(tensors.add(each.get_state()) for each in streams)


def read_observations(told: pb.Observations, tensors: Sequence[Tensor]) -> tuple[Observation, ...]:
    """Read what was read in passes.

    Raises:
        IndexError: it names a tensor that did not come.
    """
    return tuple(
        Observation(
            tuple(tensors[each.input] for each in one.drives if each.HasField("input")),
            tuple(
                tensors[each.pre_activation]
                for each in one.drives
                if each.HasField("pre_activation")
            ),
            tensors[one.output],
        )
        for one in told.observations
    )


def write_counts(counts: Counts, trains: tuple[int, int] | None, told: pb.Counts) -> None:
    """Write a ledger, and the pulse trains of all arrays: looked at, and cut short."""
    told.passes = counts.passes
    told.readout_conversions = counts.readout_conversions
    told.activation_words = counts.activation_words
    for each in counts.matrices:
        told.matrices.add(**{k: v for k, v in each.model_dump().items() if v is not None})
    if trains is not None:
        told.trains, told.trains_cut_short = trains


def read_counts(told: pb.Counts) -> Counts:
    """Read the ledger that `write_counts` wrote."""
    return Counts(
        passes=told.passes,
        readout_conversions=told.readout_conversions,
        activation_words=told.activation_words,
        matrices=[_read_matrix(each) for each in told.matrices],
    )


def _read_matrix(told: pb.MatrixCounts) -> MatrixCounts:
    """What the server does not tell is as in `MatrixCounts`, or unknown."""
    silent = {
        field.name
        for field in told.DESCRIPTOR.fields
        if field.has_presence and not told.HasField(field.name)
    }
    return MatrixCounts.model_validate(
        {
            name: None if name in silent else getattr(told, name)
            for name, field in MatrixCounts.model_fields.items()
            if name not in silent or field.is_required()
        }
    )
