"""Chips at the other end of a pipe."""

from __future__ import annotations

import multiprocessing
import threading
import warnings

import pytest
import torch

from devices.interface import LayerUpdate
from substrate.wire.arm import serve_arm
from substrate.wire.errors import ChipEnded, ChipRefused
from substrate.wire.host import RemoteHost
from substrate.wire.link import Link
from substrate.wire.pipe import Pipe, serve_pipe
from substrate.wire.states import States
from tests.wires import CPU, DANP, NATIVE, a_scenario, few_digits, trained

SCENARIO = a_scenario(NATIVE, DANP)


@pytest.fixture
def ends(tmp_path):
    """The learner's end, and that of a chip which is served until the test ends."""
    ours, theirs = multiprocessing.Pipe()
    data = few_digits(SCENARIO)
    served = serve_arm(SCENARIO, "arm", data.input_shape, data.n_out, CPU, tmp_path, secret=False)
    thread = threading.Thread(target=serve_pipe, args=(served, theirs))
    thread.start()
    yield ours, theirs
    ours.close()
    thread.join(60)
    assert not thread.is_alive()


def test_a_training_ends_as_one_without_a_pipe(ends, tmp_path):
    here, figures = trained(SCENARIO)
    link = Link(Pipe(ends[0], "chip"))
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


def test_what_is_refused_leaves_it_in_order(ends):
    host = RemoteHost(Link(Pipe(ends[0], "chip")), "")
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
    pipe = Pipe(ends[0], "chip")
    RemoteHost(link := Link(pipe), "").begin(0)
    link.question()[0].wait.SetInParent()
    link.ask()
    assert pipe.end() == ["some updates are cut short"]


def test_a_process_that_has_died_is_known_at_once():
    ours, theirs = multiprocessing.Pipe()
    theirs.close()
    with pytest.raises(ChipEnded, match="the process of chip has ended"):
        Pipe(ours, "chip")
