"""Peak memory of training, next to that of backpropagation through autograd.

What torch's allocator holds at its peak over building the network and a few steps: weights and R,
the mini-batch, activations, noise, gradients, the optimiser's state. torch's profiler counts every
allocation, so the figures are the same in every run; the resident memory of a process varies by a
fifth with how its allocator happens to be fragmented.

The yardstick is plain torch: `nn.Sequential`, `loss.backward()`, `torch.optim.Adam`; with
decorrelation, the same with a matrix R in front of every layer and R's update after every step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from substrate.bench.workload import make_step, random_batch
from substrate.library import find_rule

_STEPS = 4


class PeakMemory(NamedTuple):
    """Peaks of a rule and of its yardstick, in bytes.

    Attributes:
        rule: as scenarios name it.
        peak: of the rule.
        autograd_peak: of BP through autograd, with decorrelation where the rule has it.
    """

    rule: str
    peak: int
    autograd_peak: int


def measure_peaks(sizes: Sequence[int], batch: int) -> tuple[PeakMemory, ...]:
    """Measure the rules next to BP, and decorrelated rules next to decorrelated BP."""
    plain, decorrelated = (peak(f"autograd {rule}", sizes, batch) for rule in ("bp", "dbp"))
    return tuple(
        PeakMemory(
            rule,
            peak(rule, sizes, batch),
            decorrelated if find_rule(rule, Path()).decorrelates else plain,
        )
        for rule in ("np", "anp", "inp", "dnp", "danp", "dinp")
    )


def peak(what: str, sizes: Sequence[int], batch: int) -> int:
    """Measure one peak, in bytes.

    Args:
        what: a rule of scenarios, or `autograd bp` or `autograd dbp`.
        sizes: inputs, hidden nodes and outputs of a fully connected network.
        batch: samples a step.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as seen:
        step = _make(what, sizes, batch)
        for _ in range(_STEPS):
            step()
    events = [e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"]
    events.sort(key=lambda event: event.start_ns())
    return max(accumulate(int(event.nbytes()) for event in events))


def _make(what: str, sizes: Sequence[int], batch: int) -> Callable[[], object]:
    x, y = random_batch(sizes, batch)
    if what.startswith("autograd"):
        return _autograd_step(sizes, x, y, decorrelated=what.endswith("dbp"))
    return make_step(sizes, x, y, {"rule": what})


def _autograd_step(
    sizes: Sequence[int], x: Tensor, y: Tensor, *, decorrelated: bool
) -> Callable[[], object]:
    linears = [nn.Linear(n, m) for n, m in pairwise(sizes)]
    matrices = [torch.eye(n) for n in sizes[:-1]] if decorrelated else []
    optimiser = torch.optim.Adam([p for layer in linears for p in layer.parameters()], lr=1e-3)

    def step() -> None:
        optimiser.zero_grad()
        signal, inputs = x, []
        for index, linear in enumerate(linears):
            if decorrelated:
                signal = nn.functional.linear(signal, matrices[index])
                inputs.append(signal.detach())
            signal = linear(signal)
            if index < len(linears) - 1:
                signal = nn.functional.leaky_relu(signal)
        nn.functional.cross_entropy(signal, y).backward()
        optimiser.step()
        for matrix, x_star in zip(matrices, inputs, strict=True):
            gain = 1 + 1e-3 * x_star.square().mean(0)
            outer = x_star @ matrix
            matrix.mul_(gain[:, None]).addmm_(x_star.T, outer, alpha=-1e-3 / len(x))

    return step
