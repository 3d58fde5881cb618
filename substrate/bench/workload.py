"""The learners that are measured, built from scenarios as `substrate run` builds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from substrate.assemble.chip import build_chip
from substrate.assemble.learner import build_learner
from substrate.data.dataset import Dataset
from substrate.scenario.schema import Scenario

PAPER_SIZES = (3072, 1024, 1024, 1024, 10)
"""CIFAR-10 on three hidden layers (Section 3)."""
PAPER_BATCH = 1000


def random_batch(sizes: Sequence[int], batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw standard normal inputs and class numbers; values do not matter to speed."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, sizes[0], generator=generator)
    return x, torch.randint(sizes[-1], (batch,), generator=generator)


def make_step(
    sizes: Sequence[int],
    x: torch.Tensor,
    y: torch.Tensor,
    learning: Mapping[str, Any],
    chip: Mapping[str, Any] | None = None,
) -> Callable[[], object]:
    """Build a learner, with Adam unless told; give the function that makes one step.

    Args:
        sizes: of the layers, input and output included.
        x: inputs.
        y: class numbers.
        learning: settings of a scenario.
        chip: likewise; left out, the ideal one.
    """
    learning = {"optimiser": {"name": "adam", "learning_rate": 1e-3}, **learning}
    clean = {"learning": {"rule": "bp", "optimiser": {"learning_rate": 1e-3}}}
    scenario = Scenario.model_validate(
        {
            "name": "bench",
            "network": {"layers": list(sizes[1:-1])},
            "training": {"batch_size": len(x)},
            "arms": {"measured": {"learning": learning, "chip": chip or {"crossbar": "ideal"}}},
            "baselines": {"clean": clean},
        }
    )
    dataset = Dataset("bench", x, y, x, y, sizes[-1])
    arm, cpu = scenario.arms["measured"], torch.device("cpu")
    built = build_chip(scenario, arm, dataset, 0, cpu)
    learner = build_learner(scenario, arm, built, 0, cpu)
    return lambda: learner.step(x, y)
