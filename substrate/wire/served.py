"""A chip as requests reach it: each is checked, carried out, and answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

import torch
from torch import Tensor

from devices.interface import CapabilityError, Chip
from devices.requests import check_layer
from substrate.assemble.host import ChipHost
from substrate.wire import chip_pb2 as pb
from substrate.wire.figures import Tally
from substrate.wire.frames import Tensors, Unreadable
from substrate.wire.replies import Described, write_counts, write_observations
from substrate.wire.requests import (
    NotFinite,
    at,
    batch_shape,
    finite_signal,
    read_passes,
    read_updates,
)
from substrate.wire.states import NoState, States

Kind = pb.Problem.Kind


class DriverFault(Exception):
    """The chip's own code raised; what it said is for the log of whoever has the chip."""


class Served:
    """What a server drives.

    Attributes:
        about: what the chip tells of itself.
        tally: of what was asked, since this was made.
    """

    def __init__(self, host: ChipHost, about: Described, inputs: int, states: States) -> None:
        """Serve the chip that a host has in hand, whose network takes so many inputs a sample."""
        self._host, self.about, self._inputs, self._states = host, about, inputs, states
        self._aside = ExitStack()
        self._is_aside = self._begun = False
        self._earlier: dict[tuple[int, bool], list[Tensor]] = {}
        self.tally = Tally()

    def earlier(self, number: int, in_reply: bool, place: int) -> Tensor:
        """Give a tensor of the last passes.

        Raises:
            Unreadable: there is none.
        """
        tensors = self._earlier.get((number, in_reply), [])
        if place >= len(tensors):
            raise Unreadable(f"request {number} has no tensor {place} that is kept")
        return tensors[place]

    def leave(self) -> None:
        """End what a learner left half done."""
        self._step_back()
        self._earlier.clear()
        self._begun = False

    @torch.no_grad()
    def answer(
        self, request: pb.Request, tensors: list[Tensor], reply: pb.Reply, told: Tensors
    ) -> None:
        """Carry a request out, and write the reply; what is wrong stands in it."""
        try:
            for order in request.orders:
                self._do(order, order.WhichOneof("what"), tensors)
            what = request.WhichOneof("what")
            if what is not None:
                self._do(request, what, tensors, reply, told)
            elif not request.orders:
                raise ValueError("the request asks for nothing")
        except NotFinite as problem:
            _refuse(reply, Kind.NOT_FINITE, str(problem))
        except CapabilityError as problem:
            _refuse(reply, Kind.NOT_CAPABLE, str(problem))
        except NoState as problem:
            _refuse(reply, Kind.NO_STATE, str(problem))
        except ValueError as problem:
            _refuse(reply, Kind.INVALID, str(problem))

    def _do(self, asked: pb.Order | pb.Request, what: str | None, *rest: object) -> None:
        if what is None:
            raise ValueError("an order asks for nothing")
        if not self._begun and what not in ("begin", "wait"):
            raise ValueError(f"{what} is asked for before a training was begun")
        carry_out: Callable[..., None] = getattr(self, f"_{what}")
        began, refused = time.perf_counter(), True
        try:
            carry_out(getattr(asked, what), *rest)
            refused = False
        finally:
            self.tally.done(what, time.perf_counter() - began, refused=refused)

    def _begin(self, asked: pb.Begin, *_: object) -> None:
        self.leave()
        with _DRIVING:
            self._host.begin(asked.seed)
        self._states.begin()
        self._begun = True

    def _passes(
        self, asked: pb.Passes, tensors: list[Tensor], reply: pb.Reply, told: Tensors
    ) -> None:
        read = read_passes(asked, tensors, self.about.shapes, self._inputs)
        with _DRIVING:
            observed = self._chip.passes(
                read.x,
                read.perturbs,
                samples=read.samples,
                read_inputs=read.read_inputs,
                read_pre_activations=read.read_pre_activations,
            )
        reply.observations.SetInParent()
        write_observations(observed, read.streams, reply.observations, told)
        self._earlier = {(reply.number, False): tensors, (reply.number, True): told.held}

    def _apply(self, asked: pb.Apply, tensors: list[Tensor], *_: object) -> None:
        updates = read_updates(asked, tensors, self.about.shapes)
        with _DRIVING:
            self._chip.apply(updates)

    def _read(self, asked: pb.Read, tensors: list[Tensor], reply: pb.Reply, told: Tensors) -> None:
        check_layer(asked.site, self.about.shapes)
        shape, chip = self.about.shapes[asked.site], self._chip
        read, rows = {
            pb.Read.WEIGHTS_TRANSPOSED: (chip.read_transposed, shape.n_out),
            pb.Read.MIRROR: (chip.read_mirror, shape.n_in),
            pb.Read.MIRROR_TRANSPOSED: (chip.read_mirror_transposed, shape.n_out),
            pb.Read.DECORRELATION_TRANSPOSED: (chip.read_decorrelation_transposed, shape.n_in),
        }.get(asked.matrix, (None, 0))
        if read is None:
            raise ValueError(f"there is no matrix {asked.matrix} to read")
        y = finite_signal(at(tensors, asked.y), (-1, rows), "what drives the matrix")
        with _DRIVING:
            reply.tensor = told.add(read(asked.site, y))

    def _activate(
        self, asked: pb.Activate, tensors: list[Tensor], reply: pb.Reply, told: Tensors
    ) -> None:
        a = self._activities(asked.site, at(tensors, asked.a))
        with _DRIVING:
            reply.tensor = told.add(self._chip.activate(asked.site, a))

    def _pull_back(
        self, asked: pb.PullBack, tensors: list[Tensor], reply: pb.Reply, told: Tensors
    ) -> None:
        check_layer(asked.site, self.about.shapes[:-1])
        a, after = self._activities(asked.site, at(tensors, asked.a)), self.about.shapes
        wanted = batch_shape(len(a), after[asked.site + 1], after[asked.site + 1].n_in)
        gradient = finite_signal(at(tensors, asked.gradient), wanted, "the gradient")
        slope = None
        if asked.HasField("slope"):
            slope = finite_signal(at(tensors, asked.slope), tuple(a.shape), "the slope")
        with _DRIVING:
            reply.tensor = told.add(self._chip.pull_back(asked.site, a, gradient, slope))

    def _save(self, _: pb.Save, __: list[Tensor], reply: pb.Reply, ___: Tensors) -> None:
        self._need(self.about.saves, "save its state")
        with _DRIVING:
            state = self._host.state()
        reply.saved.state = self._states.keep(state)

    def _restore(self, asked: pb.Restore, *_: object) -> None:
        self._need(self.about.saves, "restore a state")
        state = self._states.read(asked.state)
        with _DRIVING:
            self._host.restore(state)

    def _step_aside(self, asked: pb.StepAside, *_: object) -> None:
        self._need(self.about.steps_aside, "step aside")
        if self._is_aside:
            raise ValueError("the chip has stepped aside already")
        self._aside.enter_context(self._host.aside(*asked.purpose))
        self._is_aside = True

    def _go_on(self, *_: object) -> None:
        if not self._is_aside:
            raise ValueError("the chip has not stepped aside")
        self._step_back()

    def _tell_ledger(self, _: pb.TellLedger, __: object, reply: pb.Reply, ___: Tensors) -> None:
        write_counts(self._host.ledger(), self._host.pulse_trains(), reply.ledger)
        reply.ledger.SetInParent()

    def _tell_reported(self, _: pb.TellReported, __: object, reply: pb.Reply, ___: Tensors) -> None:
        with _DRIVING:
            figures = dict(self._host.reported())
        self.tally.reported(figures)
        reply.reported.figures.update(figures)
        reply.reported.SetInParent()

    def _wait(self, _: pb.Wait, __: object, reply: pb.Reply, ___: Tensors) -> None:
        reply.ClearField("problem")

    @property
    def _chip(self) -> Chip:
        return self._host.chip

    def _activities(self, site: int, a: Tensor) -> Tensor:
        check_layer(site, self.about.shapes)
        shape = self.about.shapes[site]
        return finite_signal(a, batch_shape(-1, shape, shape.n_out), "a")

    def _step_back(self) -> None:
        self._is_aside = False
        self._aside.close()

    @staticmethod
    def _need(able: bool, what: str) -> None:
        if not able:
            raise CapabilityError(f"this chip cannot {what}")


class _Driving:
    """Tells what the chip's own code finds wrong from what is wrong with a request."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, ValueError):
            raise DriverFault from problem


_DRIVING = _Driving()


def _refuse(reply: pb.Reply, kind: pb.Problem.Kind, message: str) -> None:
    reply.problem.kind, reply.problem.message = kind, message.partition("\n")[0]
