"""Every kind of crossbar with every fault that it may have; each must fail the kit somewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from devices.crossbars.base import Crossbar, all_pulse_trains
from devices.interface import Dense, Outer
from substrate.cli.verify import kit_of_chip
from substrate.scenario.schema import AihwkitChip, IdealChip, NativeChip
from substrate.verify import CrossbarConformance

CHIPS: dict[str, Any] = {
    "ideal": IdealChip(),
    **{
        f"native {preset}": NativeChip(crossbar="native", preset=preset)
        for preset in ("generic", "gokmen_2016", "gong_2018", "nandakumar_2019", "rasch_2019")
    },
    "native that drifts": NativeChip.model_validate(
        {"crossbar": "native", "drift": {"nu": 0.05, "seconds_per_read": 1e-4}}
    ),
    "native over lines": NativeChip.model_validate(
        {"crossbar": "native", "line_resistance": {"row": 1.0, "column": 1.0}}
    ),
    "native of several arrays": NativeChip.model_validate(
        {"crossbar": "native", "max_rows": 5, "max_columns": 4}
    ),
    **{
        f"aihwkit {preset}": AihwkitChip(crossbar="aihwkit", preset=preset)
        for preset in (
            "IdealizedPreset",
            "EcRam2Preset",
            "PCMPreset",
            "ReRamESPreset",
            "MixedPrecisionEcRamPreset",
            "TikiTakaEcRamPreset",
            "TTv2EcRamPreset",
            "StandardHWATrainingPreset",
            "TorchInferenceRPUConfig",
        )
    },
}


class Mutant:
    """A sound crossbar behind a fault, and nothing else."""

    def __init__(self, sound: Crossbar) -> None:
        self.sound: Any = sound

    @property
    def noise_free(self) -> bool:
        return self.sound.noise_free

    @property
    def pulse_trains(self) -> Any:
        return all_pulse_trains([self.sound])

    def program(self, weights: Tensor) -> None:
        self.sound.program(weights)

    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        return self.sound.read(x, repeats)

    def read_transposed(self, y: Tensor) -> Tensor:
        return self.sound.read_transposed(y)

    def update(self, request: Outer | Dense) -> None:
        self.sound.update(request)

    def state(self) -> dict[str, Tensor]:
        return self.sound.state()

    def restore(self, state: dict[str, Tensor]) -> None:
        self.sound.restore(state)


def _outer(change: Callable[[Outer], Outer]) -> dict[str, Any]:
    def update(self: Any, request: Outer | Dense) -> None:
        self.sound.update(change(request) if isinstance(request, Outer) else request)

    return {"update": update}


def _dense(change: Callable[[Tensor], Tensor]) -> dict[str, Any]:
    def update(self: Any, request: Outer | Dense) -> None:
        whole = isinstance(request, Dense)
        self.sound.update(Dense(change(request.delta)) if whole else request)

    return {"update": update}


def _after_update(change: Callable[[Outer | Dense], object]) -> dict[str, Any]:
    def update(self: Any, request: Outer | Dense) -> None:
        self.sound.update(request)
        change(request)

    return {"update": update}


def _read(change: Callable[[Any, Tensor, int], Tensor]) -> dict[str, Any]:
    return {"read": lambda self, x, repeats=1: change(self, x, repeats)}


def _backwards(change: Callable[[Any, Tensor], Tensor]) -> dict[str, Any]:
    return {"read_transposed": change}


def _ramped(self: Any, x: Tensor, repeats: int) -> Tensor:
    a = self.sound.read(x, repeats)
    one = self.sound.read(x, repeats)
    grows = torch.linspace(0, 1, len(x), device=x.device).repeat(repeats)
    return a + (one - a) * grows.view(-1, *[1] * (a.ndim - 1))


def _shown(self: Any, x: Tensor, repeats: int) -> Tensor:
    self.last = self.sound.read(x, repeats)
    return self.last


def _followed() -> dict[str, Any]:
    def program(self: Any, weights: Tensor) -> None:
        self.given = weights
        self.sound.program(weights)

    def read(self: Any, x: Tensor, repeats: int = 1) -> Tensor:
        self.sound.program(self.given)
        return self.sound.read(x, repeats)

    return {"program": program, "read": read}


def _alive() -> dict[str, Any]:
    """What was saved changes as it goes on."""

    def state(self: Any) -> dict[str, Tensor]:
        self.given = self.sound.state()
        return self.given

    def update(self: Any, request: Outer | Dense) -> None:
        self.sound.update(request)
        for name, value in self.sound.state().items():
            if name in getattr(self, "given", {}):
                self.given[name].copy_(value)

    return {"state": state, "update": update}


def _without(key: str) -> dict[str, Any]:
    """One entry of the state is left as it was when it is restored."""

    def restore(self: Any, state: dict[str, Tensor]) -> None:
        self.sound.restore({**state, key: self.sound.state().get(key, state[key])})

    return {"restore": restore}


FAULTS: dict[str, dict[str, Any]] = {
    "learning rate ignored": _outer(lambda r: Outer(r.x, r.d, 0.01)),
    "update divided by the batch": _outer(lambda r: Outer(r.x, r.d, r.rate / len(r.x))),
    "first sample alone": _outer(lambda r: Outer(r.x[:1], r.d[:1], r.rate)),
    "outer products of the other sign": _outer(lambda r: Outer(r.x, -r.d, r.rate)),
    "outer products twice": _outer(lambda r: Outer(r.x, 2 * r.d, r.rate)),
    "outer products by the sign": _outer(lambda r: Outer(r.x.sign(), r.d, r.rate)),
    "dense written at 1 %": _dense(lambda delta: delta / 100),
    "dense of the other sign": _dense(lambda delta: -delta),
    "dense transposed": _dense(lambda delta: delta.T.reshape(delta.shape)),
    "dense twice": _dense(lambda delta: 2 * delta),
    "no update": {"update": lambda self, request: None},
    "changes the request's delta": _after_update(
        lambda r: r.delta.mul_(0.5) if isinstance(r, Dense) else None
    ),
    "changes the request's d": _after_update(
        lambda r: r.d.mul_(0.5) if isinstance(r, Outer) else None
    ),
    "changes its x": _read(lambda self, x, n: self.sound.read(x.clamp_(-0.9, 0.9), n)),
    "reads 1.5 times": _read(lambda self, x, n: 1.5 * self.sound.read(x, n)),
    "reads the modulus": _read(lambda self, x, n: self.sound.read(x.abs(), n)),
    "reads with an offset": _read(lambda self, x, n: self.sound.read(x, n) + 0.2),
    "reads unseeded": _read(lambda self, x, n: self.sound.read(x, n) + 0.3 * torch.rand(())),
    "noise grows along the batch": _read(_ramped),
    "scales by the batch": _read(lambda self, x, n: self.sound.read(x, n) * (1 + x.abs().mean())),
    "ignores repeats": _read(lambda self, x, n: self.sound.read(x)),
    "repeats one draw": _read(lambda self, x, n: self.sound.read(x).repeat(n, *[1] * (x.ndim - 1))),
    "repeats sample by sample": _read(
        lambda self, x, n: self.sound.read(x.repeat_interleave(n, 0))
    ),
    "mixes up positions": _read(
        lambda self, x, n: self.sound.read(x if x.ndim == 2 else x.flip(1), n)
    ),
    "float64": _read(lambda self, x, n: self.sound.read(x, n).double()),
    "shows what it keeps": _read(_shown),
    "reads on the host": _read(
        lambda self, x, n: self.sound.read(x, n) + torch.zeros(self.sound.read(x, n).shape)
    ),
    "backwards of the other sign": _backwards(lambda self, y: -self.sound.read_transposed(y)),
    "backwards twice": _backwards(lambda self, y: 2 * self.sound.read_transposed(y)),
    "changes its y": _backwards(lambda self, y: self.sound.read_transposed(y.mul_(0.5)) * 2),
    "says that it is noisy, or not": {
        "noise_free": property(lambda self: not self.sound.noise_free)
    },
    "holds half": {"program": lambda self, weights: self.sound.program(weights / 2)},
    "adds what it is to hold": {
        "program": lambda self, weights: self.sound.update(Dense(weights.clone()))
    },
    "follows what it was given": _followed(),
    "restores nothing": {"restore": lambda self, state: None},
    "what is saved changes": _alive(),
}
_NOISY = {"repeats one draw", "noise grows along the batch"}
"""Faults of noise, which exact crossbars cannot have."""
_UNSCALED = {
    "aihwkit TikiTakaEcRamPreset": {"outer products twice"},
    "aihwkit TTv2EcRamPreset": {"outer products twice", "dense twice", "dense written at 1 %"},
}
"""No faults: these devices divide d by its own size, so that ten times or a tenth of it makes the
same change, in aihwkit as here (0.27 and 0.26 ± 0.01; 5.15 and 5.16 ± 0.05)."""


def mutants() -> Iterator[tuple[str, str, CrossbarConformance]]:
    """Give kind, fault, and the kit on the mutant; the fault is empty for the kind itself."""
    for name, chip in CHIPS.items():
        kit = kit_of_chip(chip, 0)
        sound = kit().make(6, 9)
        yield name, "", _mutated(kit, {})
        for fault, members in FAULTS.items():
            if fault in _NOISY and sound.noise_free:
                continue
            if fault in _UNSCALED.get(name, ()):
                continue
            if fault == "reads on the host" and not kit.runs_on_meta:
                continue
            yield name, fault, _mutated(kit, members)
        for key in sound.state():
            if _follows_from_the_rest(kit, key):
                continue
            yield name, f"state without {key}", _mutated(kit, _without(key))
        if not sound.noise_free and kit.bitwise:
            yield name, "all arrays draw the same", _mutated(kit, {}, fixed=3)


def _follows_from_the_rest(kit: type[CrossbarConformance], key: str) -> bool:
    """Whether a crossbar is restored as well without an entry, so that its lack is no fault.

    What an honest restore draws anew need not come back, and may be no farther off without it.
    """
    one = kit().make(6, 9, seed=0)
    one.program(torch.linspace(-0.3, 0.3, 54).view(6, 9))
    one.update(Outer(torch.ones(5, 9), torch.ones(5, 6), 0.005))
    one.read(torch.ones(5, 9))
    state = one.state()

    def restored(without: bool) -> dict[str, Tensor]:
        other = kit().make(6, 9, seed=1 if kit.bitwise else 0)
        kept = {key: other.state().get(key, state[key])} if without else {}
        other.restore({**state, **kept})
        return other.state()

    honest, lacking = restored(without=False), restored(without=True)
    for name, value in state.items():
        told = honest[name] == value
        if not torch.equal(lacking[name][told], value[told]):
            return False
        off, lost = ((each[name] - value)[~told].abs().sum() for each in (honest, lacking))
        if lost > 2 * off:
            return False
    return True


def _mutated(
    kit: type[CrossbarConformance], members: dict[str, Any], fixed: int | None = None
) -> CrossbarConformance:
    kind: Any = type("Fault", (Mutant,), members)

    def make(self: Any, n_out: int, n_in: int, device: str = "cpu", seed: int | None = None) -> Any:
        return kind(kit.make(self, n_out, n_in, device, seed if fixed is None else fixed))

    return type("Kit", (kit,), {"make": make, "max_cost": 1e9})()
