"""Peak memory of training, next to that of backpropagation through autograd.

Each figure is that of a process of its own, which builds the network, notes its resident memory,
and makes a few steps: peak minus what was there before the first step. The weights (and R) are not
in it, but all that training adds to them is: activations, noise, gradients, the optimiser's state.

The yardstick is plain torch: `nn.Sequential`, `loss.backward()`, `torch.optim.Adam`; with
decorrelation, the same with a matrix R in front of every layer and R's update after every step.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from substrate.bench.workload import make_step, random_batch

_STEPS = 4
_GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": str(2**20)}
"""Has glibc give freed tensors back at once: what is measured is what training holds, and not how
its allocator happens to be fragmented, which varies by a fifth from run to run."""


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
    """Measure NP, ANP and DANP next to BP and decorrelated BP through autograd."""
    plain, decorrelated = (peak(f"autograd {rule}", sizes, batch) for rule in ("bp", "dbp"))
    return tuple(
        PeakMemory(rule, peak(rule, sizes, batch), decorrelated if rule == "danp" else plain)
        for rule in ("np", "anp", "danp")
    )


def peak(what: str, sizes: Sequence[int], batch: int) -> int:
    """Measure one peak in a fresh process, in bytes.

    Args:
        what: a rule of scenarios, or `autograd bp` or `autograd dbp`.
        sizes: inputs, hidden nodes and outputs of a fully connected network.
        batch: samples a step.
    """
    arguments = json.dumps([what, list(sizes), batch])
    finished = subprocess.run(
        [sys.executable, "-m", "substrate.bench.memory", arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | _GIVE_BACK,
    )
    return int(finished.stdout)


def _measure(what: str, sizes: Sequence[int], batch: int) -> int:
    _make(what, (4, 4, 3), 2)()  # what torch loads with its first step is no memory of training
    step = _make(what, sizes, batch)
    # what building took and gave back must not count as the peak of training
    before = _resident()
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for _ in range(_STEPS):
        step()
    reached = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if reached == floor:
        raise RuntimeError("building took more memory than training: nothing was measured")
    return reached - before


def _make(what: str, sizes: Sequence[int], batch: int) -> Callable[[], object]:
    x, y = random_batch(sizes, batch)
    if what.startswith("autograd"):
        return _autograd_step(sizes, x, y, decorrelated=what.endswith("dbp"))
    return make_step(sizes, x, y, what)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


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


if __name__ == "__main__":
    print(_measure(*json.loads(sys.argv[1])))
