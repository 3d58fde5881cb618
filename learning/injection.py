"""Perturbations that a periphery injects, ε_l ~ N(0, σ²I), independent for every sample.

The chip draws them as its passes go on (`devices.interface.Drawn`). A rule that must know them has
the same numbers drawn again afterwards, so that no pass has to hold them for all layers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from devices.interface import Drawn, LayerShape, Perturbation


def drawn_again(
    shapes: Sequence[LayerShape],
    drawn: Sequence[Drawn | None],
    samples: Sequence[int],
    before: torch.Generator,
) -> list[Perturbation | None]:
    """Give what was injected in passes that were run together once more.

    Args:
        shapes: of the layers.
        drawn: of every pass, all from one generator.
        samples: of every pass.
        before: a copy of that generator as it was before the passes; it moves on.

    Returns:
        Of every pass; None where nothing was injected.
    """
    found: list[list[Tensor | None]] = [[] for _ in drawn]
    # in the order in which the chip draws
    for layer, shape in enumerate(shapes):
        for each, size, kept in zip(drawn, samples, found, strict=True):
            if each is None or layer not in each.layers:
                kept.append(None)
            else:
                kept.append(Drawn(each.layers, each.std, before).draw(shape, size))
    return [None if each is None else tuple(kept) for each, kept in zip(drawn, found, strict=True)]
