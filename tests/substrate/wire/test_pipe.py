"""Chips at the other end of a pipe."""

from __future__ import annotations

import multiprocessing
import threading
import warnings
from multiprocessing.connection import Connection
from typing import NamedTuple

import pytest
import torch

from devices.interface import LayerUpdate
from substrate.assemble.host import SimulatedHost
from substrate.wire.arm import serve_arm
from substrate.wire.errors import ChipEnded, ChipRefused
from substrate.wire.host import RemoteHost
from substrate.wire.link import Link
from substrate.wire.pipe import Pipe, serve_pipe
from substrate.wire.shared import Shared
from substrate.wire.states import States
from tests.wires import CPU, DANP, NATIVE, a_scenario, few_digits, trained

SCENARIO = a_scenario(NATIVE, DANP)


class Ends(NamedTuple):
    """The learner's end, that of a chip which is served until the test ends, and their memory."""

    ours: Connection
    theirs: Connection
    shared: Shared | None


@pytest.fixture
def ends(tmp_path, request):
    size = getattr(request, "param", 0)
    memory = Shared(memoryview(bytearray(size)), memoryview(bytearray(size))) if size else None
    ours, theirs = multiprocessing.Pipe()
    data = few_digits(SCENARIO)
    served = serve_arm(SCENARIO, "arm", data.input_shape, data.n_out, CPU, tmp_path, secret=False)
    thread = threading.Thread(target=serve_pipe, args=(served, theirs, memory))
    thread.start()
    yield Ends(ours, theirs, memory)
    ours.close()
    thread.join(60)
    assert not thread.is_alive()


# none; enough for all; enough for some tensors of a message, the rest of which finds no room
@pytest.mark.parametrize("ends", [0, 2**20, 7_000], indirect=True)
def test_a_training_ends_as_one_without_a_pipe(ends, tmp_path):
    here, figures = trained(SCENARIO)
    link = Link(Pipe(ends.ours, "chip", ends.shared))
    link.lease()
    there, told = trained(SCENARIO, RemoteHost(link, ""))
    assert told == figures
    assert there.ledger() == here.ledger()
    name = bytes(there.state()["chip.kept as"].tolist()).decode()
    expected = here.state()
    for each, value in States(tmp_path).read(name).items():
        assert torch.equal(value, expected[f"chip.{each}"]), each
    assert link.line.meter.requests > 0
    assert link.line.meter.received > 0
    assert not link.line.kept


@pytest.mark.parametrize("ends", [0, 2**20], indirect=True)
def test_tensors_lie_in_the_memory_that_is_shared(ends, monkeypatch):
    through, receive = [], Pipe.receive

    def received(pipe):
        through.append(receive(pipe))
        return through[-1]

    monkeypatch.setattr(Pipe, "receive", received)
    link = Link(Pipe(ends.ours, "chip", ends.shared))
    host = RemoteHost(link, "")
    host.begin(0)
    seen = host.chip.forward(few_digits(SCENARIO).x_test)
    tensors = (*seen.inputs, *seen.pre_activations)
    told = sum(each.nbytes for each in tensors)
    assert link.line.meter.received > told
    assert (max(map(len, through)) > told) == (ends.shared is None)
    if ends.shared is not None:
        # what was read is the learner's own, whatever is written there later
        before = [each.clone() for each in tensors]
        ends.shared.replies[:] = bytes(len(ends.shared.replies))
        assert all(map(torch.equal, tensors, before))


@pytest.mark.parametrize("ends", [2**20], indirect=True)
def test_shared_memory_holds_nothing_of_the_chip_but_what_it_told(ends, tmp_path):
    host = RemoteHost(Link(Pipe(ends.ours, "chip", ends.shared)), "")
    run, _ = trained(SCENARIO, host)
    name = bytes(run.state()["chip.kept as"].tolist()).decode()
    kept = [each for each in States(tmp_path).read(name).values() if each.is_floating_point()]
    seen = host.chip.forward(few_digits(SCENARIO).x_test).pre_activations
    memory = bytes(ends.shared.replies) + bytes(ends.shared.requests)

    def found(tensors):
        rows = (
            row for each in tensors if each.ndim > 1 for row in each.reshape(-1, each.shape[-1])
        )
        return [row.numpy().tobytes() in memory for row in rows if row.any()]

    assert all(found(seen))
    assert len(there := found(kept)) > 100
    assert not any(there)


@pytest.mark.parametrize("ends", [2**20], indirect=True)
def test_memory_that_the_chip_may_still_read_is_left_alone(ends):
    link = Link(pipe := Pipe(ends.ours, "chip", ends.shared))
    host = RemoteHost(link, "")
    host.begin(0)
    x = few_digits(SCENARIO).x_test
    host.chip.forward(x)
    assert pipe.free() is not None
    changes = [LayerUpdate(0, bias=torch.full((12,), 0.25)), LayerUpdate(1, bias=torch.ones(11))]
    host.chip.apply(changes[:1])
    link.send()
    assert pipe.free() is None
    host.chip.apply(changes[1:])
    got = host.chip.forward(x).pre_activations
    assert pipe.free() is not None

    alone = SimulatedHost(SCENARIO, SCENARIO.arms["arm"], few_digits(SCENARIO), CPU)
    alone.begin(0)
    alone.chip.forward(x)
    alone.chip.apply(changes)
    assert all(map(torch.equal, got, alone.chip.forward(x).pre_activations))


def test_what_is_refused_leaves_it_in_order(ends):
    host = RemoteHost(Link(Pipe(ends.ours, "chip")), "")
    host.begin(0)
    before = host.ledger()
    host.chip.apply([LayerUpdate(0, bias=torch.full((12,), torch.nan))])
    with pytest.raises(ChipRefused):
        host.ledger()
    assert host.ledger() == before


def test_what_the_chip_warned_of_comes_at_the_end(ends, monkeypatch):
    def warned(*_):
        for _ in range(2):
            warnings.warn("some updates are cut short", stacklevel=1)

    monkeypatch.setattr("substrate.wire.served.Served._begin", warned)
    pipe = Pipe(ends.ours, "chip")
    RemoteHost(link := Link(pipe), "").begin(0)
    link.question()[0].wait.SetInParent()
    link.ask()
    assert pipe.end() == ["some updates are cut short"]


def test_a_process_that_has_died_is_known_at_once():
    ours, theirs = multiprocessing.Pipe()
    theirs.close()
    with pytest.raises(ChipEnded, match="the process of chip has ended"):
        Pipe(ours, "chip")
