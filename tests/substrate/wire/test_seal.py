"""The ways by which weights or noise are reached in one process are tried over the wire, and fail.

The learner's process must hold neither the weights nor what the noise follows from. So the chip is
served by another process here, and this one is searched: everything that the garbage collector
knows, the frames of tracebacks, the members of what the learner gets, and a twin of the same seed.
"""

from __future__ import annotations

import gc
import inspect
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from devices.interface import Chip, LayerUpdate, Outer
from substrate.assemble.host import ChipHost, SimulatedHost
from substrate.wire.errors import WireError
from substrate.wire.host import RemoteHost
from substrate.wire.states import States
from tests.wires import CPU, DANP, NATIVE, a_host, a_scenario, few_digits

X = torch.linspace(-1, 1, 4 * 64).view(4, 64)
SCENARIO = a_scenario(NATIVE, DANP)


class Served:
    """`substrate serve` in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        file = folder / "served.yaml"
        file.write_text(yaml.safe_dump(SCENARIO.model_dump(mode="json", exclude_none=True)))
        self.states = folder / "states"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "substrate", "serve", str(file), "--arm", "arm"),
                *("--listen", "localhost:0", "--states", str(self.states), *options),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        line = self._process.stdout.readline()
        found = re.fullmatch(
            r"Serving arm \(native rasch_2019\) at (\S+)\. Ctrl-C ends it\.\n", line
        )
        assert found, line
        self.address = found[1]

    def end(self) -> int:
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(60)


def train(host: ChipHost) -> None:
    """Move the weights from where they are initially, which the seed says and nobody hides."""
    generator = torch.Generator().manual_seed(5)
    for layer, shape in enumerate(host.chip.shapes):
        for _ in range(20):
            x, d = (torch.randn(10, n, generator=generator) for n in (shape.n_in, shape.n_out))
            host.chip.apply([LayerUpdate(layer, weight=Outer(x, d, 0.02))])


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    server = Served(tmp_path_factory.mktemp("served"))
    yield server
    assert server.end() == 0


@pytest.fixture(scope="module")
def host(served):
    with a_host(served.address) as found:
        found.begin(0)
        train(found)
        yield found


@pytest.fixture(scope="module")
def weights(served, host):
    """What nobody may find here: read from the chip's own files, which only a test does."""
    name = bytes(host.state()["kept as"].tolist()).decode()
    state = States(served.states).read(name)
    return [v for k, v in state.items() if k.endswith("crossbar.weights")]


def found_here(weights: list[torch.Tensor], others: set[int]) -> list[torch.Tensor]:
    return [
        each
        for each in gc.get_objects()
        if issubclass(type(each), torch.Tensor)  # of a weak proxy, whose own class it does not ask
        and id(each) not in others
        and any(
            each.shape == w.shape and torch.allclose(each.float(), w, atol=1e-3) for w in weights
        )
    ]


def test_gc_finds_no_weights(host, weights):
    assert weights
    host.chip.forward(X)
    ours = {id(each) for each in weights}
    assert found_here(weights, ours) == []
    # the search does find what is here
    copy = weights[0].clone()
    assert [id(each) for each in found_here(weights, ours)] == [id(copy)]


def test_frames_of_a_traceback_lead_to_no_chip(host, weights):
    with pytest.raises(WireError) as problem:
        host.chip.forward(torch.full((2, 64), float("nan")))
    ours, trace = {id(each) for each in weights}, problem.value.__traceback__
    seen = 0
    while trace is not None:
        for value in trace.tb_frame.f_locals.values():
            seen += 1
            tensors = value if isinstance(value, list | tuple) else [value]
            for each in tensors:
                assert (
                    not isinstance(each, torch.Tensor)
                    or id(each) in ours
                    or not any(
                        each.shape == w.shape and torch.allclose(each.float(), w, atol=1e-3)
                        for w in weights
                    )
                )
        trace = trace.tb_next
    assert seen > 5


def test_inspect_finds_what_the_interface_has_and_the_connection(host):
    public = {name for name, _ in inspect.getmembers(type(host.chip)) if not name.startswith("_")}
    assert public - {"forget"} == {name for name in dir(Chip) if not name.startswith("_")}
    assert isinstance(host, RemoteHost)


def test_a_twin_of_the_same_seed_has_other_devices_and_other_noise(host, weights):
    twin = SimulatedHost(SCENARIO, SCENARIO.arms["arm"], few_digits(SCENARIO), CPU)
    twin.begin(0)
    train(twin)
    assert not torch.equal(twin.chip.forward(X).output, host.chip.forward(X).output)
    state = twin.state()
    own = [v for k, v in state.items() if k.endswith("crossbar.weights")]
    for one, other in zip(own, weights, strict=True):
        assert not torch.equal(one, other)


def test_no_noise_comes_a_second_time(host):
    """Neither a state that is gone back to nor a purpose that is asked for again repeats it."""
    kept = host.state()
    first = host.chip.forward(X).output
    host.restore(kept)
    assert not torch.equal(host.chip.forward(X).output, first)
    seen = []
    for _ in range(2):
        with host.aside("the same"):
            seen.append(host.chip.forward(X).output)
    assert not torch.equal(*seen)
    host.begin(0)
    one = host.chip.forward(X).output
    host.begin(0)
    assert not torch.equal(host.chip.forward(X).output, one)
