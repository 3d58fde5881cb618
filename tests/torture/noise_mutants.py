"""Every shipped noise model with every fault that it may have; each must fail the kit somewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from devices.noise import MODELS
from devices.noise.base import Memory, NoiseModel
from substrate.verify import NoiseConformance

Fault = Callable[[NoiseModel], dict[str, Any] | None]
"""Members of a subclass that has the fault; None where the model cannot have it."""


def _sampled(change: Callable[..., Any]) -> Fault:
    """A fault of `sample`: `change(draw, signal, memory)` gives its noise."""

    def members(model: NoiseModel) -> dict[str, Any]:
        right = type(model).sample

        def sample(self: Any, signal: Any, memory: Memory) -> Any:
            return change(lambda s, m: right(self, s, m), signal, memory)

        return {"sample": sample, **_as_sampled()}

    return members


def _as_sampled() -> dict[str, Any]:
    """Ways of adding that are true to a mutated `sample`, so that it is found by itself."""
    names = ("add_to", "add_and_convert")
    return {name: getattr(NoiseModel, name) for name in names}


def _remembers(model: NoiseModel) -> bool:
    covariance = model.autocovariance(torch.arange(3), 0.7)
    return covariance is not None and bool((covariance[1:] != 0).any())


def _follows_signal(model: NoiseModel) -> bool:
    variance = model.variance(torch.tensor([0.1, 2.0], dtype=torch.float64))
    return variance is not None and bool(variance[0] != variance[1])


def _std(model: NoiseModel, signal: float = 0.7) -> float:
    variance = model.variance(torch.tensor(signal, dtype=torch.float64))
    return 0.0 if variance is None else float(variance) ** 0.5


def _offset(model: NoiseModel) -> dict[str, Any] | None:
    most = _std(model)
    return _sampled(lambda draw, s, m: draw(s, m) + 0.5 * most)(model)


def _shuffled(model: NoiseModel) -> dict[str, Any] | None:
    def change(draw: Any, signal: Any, memory: Memory) -> Any:
        noise = draw(signal, memory)
        order = torch.randperm(len(noise), generator=torch.Generator().manual_seed(len(noise)))
        return noise[order.to(noise.device)]

    return _sampled(change)(model) if _remembers(model) else None


def _smeared(model: NoiseModel) -> dict[str, Any] | None:
    def change(draw: Any, signal: Any, memory: Memory) -> Any:
        noise = draw(signal, memory) - model.mean()
        return (noise + noise.roll(1, 0)) / 2**0.5 + model.mean()

    return None if _remembers(model) else _sampled(change)(model)


def _forgets(model: NoiseModel) -> dict[str, Any] | None:
    def change(draw: Any, signal: Any, memory: Memory) -> Any:
        return draw(signal, Memory(memory.generator))

    return _sampled(change)(model) if _remembers(model) else None


def _deaf(model: NoiseModel) -> dict[str, Any] | None:
    if not _follows_signal(model):
        return None
    return _sampled(lambda draw, s, m: draw(torch.full_like(s, 0.7), m))(model)


def _loud_where_signal_is(model: NoiseModel) -> dict[str, Any] | None:
    return _sampled(lambda draw, s, m: draw(s, m) * (0.3 + s.abs()))(model)


def _ramp(draw: Any, signal: Any, memory: Memory) -> Any:
    ramp = torch.linspace(1, 1.5, len(signal), device=signal.device, dtype=signal.dtype)
    return draw(signal, memory) * ramp.view(-1, *[1] * (signal.ndim - 1))


def _stale(draw: Any, signal: Any, memory: Memory) -> Any:
    return draw(signal, Memory(torch.Generator(signal.device.type).manual_seed(1)))


def _unseeded(draw: Any, signal: Any, memory: Memory) -> Any:
    seed = int(torch.randint(2**31, ()))
    own = Memory(memory.generator.clone_state())
    own.generator.manual_seed(seed)
    return draw(signal, own)


def _own_generator(model: NoiseModel) -> dict[str, Any] | None:
    """Its generator is left out of what is saved."""
    held: dict[int, tuple[Memory, Memory]] = {}

    def change(draw: Any, signal: Any, memory: Memory) -> Any:
        if id(memory) not in held:
            held[id(memory)] = memory, Memory(memory.generator.clone_state())
        return draw(signal, held[id(memory)][1])

    return _sampled(change)(model)


def _keeps_past(model: NoiseModel) -> dict[str, Any] | None:
    """Its past is left out of what is saved."""
    held: dict[int, tuple[Memory, Memory]] = {}

    def change(draw: Any, signal: Any, memory: Memory) -> Any:
        if id(memory) not in held:
            held[id(memory)] = memory, Memory(memory.generator)
        return draw(signal, held[id(memory)][1])

    return _sampled(change)(model) if _remembers(model) else None


def _in_place(draw: Any, signal: Any, memory: Memory) -> Any:
    return signal.copy_(draw(signal, memory))


def _kept(draw: Any, signal: Any, memory: Memory) -> Any:
    memory.past["kept"] = noise = draw(signal, memory)
    return noise


def _sometimes_no_number(draw: Any, signal: Any, memory: Memory) -> Any:
    noise = draw(signal, memory)
    if len(noise) > 60:
        noise[60] = float("nan")
    return noise


def _adds(change: Callable[..., Any]) -> Fault:
    def members(model: NoiseModel) -> dict[str, Any]:
        def add_to(self: Any, signal: Any, memory: Memory, *, overwrite: bool = False) -> Any:
            return change(self, signal, memory)

        return {"add_to": add_to}

    return members


def _converts(change: Callable[..., Any]) -> Fault:
    def members(model: NoiseModel) -> dict[str, Any]:
        def add_and_convert(self: Any, signal: Any, memory: Memory, convert: Any) -> Any:
            return change(self, signal, memory, convert)

        return {"add_and_convert": add_and_convert}

    return members


def _states(model: NoiseModel, **statements: Any) -> dict[str, Any]:
    """Another statement of what the right model draws, also where it draws by its statement."""
    draws = {"sample": lambda self, signal, memory: model.sample(signal, memory)}
    return {**draws, **_as_sampled(), **statements}


def _states_variance(model: NoiseModel) -> dict[str, Any]:
    right = type(model).variance
    return _states(model, variance=lambda self, signal: 1.5 * right(self, signal))


def _states_mean(model: NoiseModel) -> dict[str, Any]:
    right, off = type(model).mean, 0.3 * _std(model)
    return _states(model, mean=lambda self: right(self) + off)


def _states_memory(model: NoiseModel) -> dict[str, Any] | None:
    right = type(model).autocovariance

    def autocovariance(self: Any, lags: Any, signal: float) -> Any:
        return right(self, 3 * lags, signal)

    return _states(model, autocovariance=autocovariance) if _remembers(model) else None


FAULTS: dict[str, Fault] = {
    "mean is off": _offset,
    "variance 4 times": _sampled(lambda draw, s, m: 2 * draw(s, m)),
    "variance a quarter": _sampled(lambda draw, s, m: draw(s, m) / 2),
    "variance 1.2 times": _sampled(lambda draw, s, m: 1.2**0.5 * draw(s, m)),
    "no noise": _sampled(lambda draw, s, m: torch.zeros_like(s)),
    "correlation in time dropped": _shuffled,
    "correlation in time added": _smeared,
    "forgets between calls": _forgets,
    "signal ignored": _deaf,
    "grows with the signal": _loud_where_signal_is,
    "grows along the batch": _sampled(_ramp),
    "draws repeated": _sampled(_stale),
    "draws unseeded": _sampled(_unseeded),
    "generator not saved": _own_generator,
    "past not saved": _keeps_past,
    "follows the batch": _sampled(lambda draw, s, m: draw(s, m) * (1 + s.abs().mean())),
    "float64 whatever is given": _sampled(lambda draw, s, m: draw(s, m).double()),
    "float32 whatever is given": _sampled(lambda draw, s, m: draw(s, m).float()),
    "a line too few": _sampled(lambda draw, s, m: draw(s, m)[..., :-1]),
    "changes the signal": _sampled(_in_place),
    "keeps what it gives": _sampled(_kept),
    "waits for a value": _sampled(lambda draw, s, m: draw(s, m) * float(s.sum() == s.sum())),
    "makes it on the host": _sampled(lambda draw, s, m: draw(s, m) + torch.zeros(s.shape)),
    "not a number now and then": _sampled(_sometimes_no_number),
    "adds twice": _adds(lambda self, s, m: s + 2 * self.sample(s, m)),
    "adds in place": _adds(lambda self, s, m: s.add_(self.sample(s, m))),
    "adds nothing": _adds(lambda self, s, m: s.clone()),
    "adds other draws": _adds(
        lambda self, s, m: s + self.sample(s, Memory(m.generator.clone_state().manual_seed(5)))
    ),
    "forgets to convert": _converts(lambda self, s, m, convert: self.add_to(s, m)),
    "converts before it adds": _converts(lambda self, s, m, convert: self.add_to(convert(s), m)),
    "states another variance": _states_variance,
    "states another mean": _states_mean,
    "states another memory": _states_memory,
    "has no source": lambda model: {"citation": " "},
    "has no title": lambda model: {"title": ""},
    "has a parameter without a unit": lambda model: {
        "__annotations__": {"gain": float},
        "gain": 1.0,
    },
}


class _Kit(NoiseConformance):
    max_cost: ClassVar[float] = 1e9


def mutants() -> Iterator[tuple[str, str, NoiseConformance]]:
    """Give model, fault, and the kit on the mutant; the fault is empty for the model itself."""
    folder = Path(tempfile.mkdtemp())
    white = np.random.default_rng(0).normal(1.0, 1.0, 20_000)
    np.save(folder / "trace.npy", np.convolve(white, np.ones(4) / 4, mode="same"))
    for name, kind in MODELS.items():
        trace = {"path": folder / "trace.npy", "sampling_rate": 1e6}
        model = kind.model_validate(trace if name == "trace" else {})
        yield name, "", type("Kit", (_Kit,), {"model": model})()
        for fault, make in FAULTS.items():
            members = make(model)
            if members is None:
                continue
            mutant = type("Mutant", (kind,), {"__module__": __name__, **members})
            wrong = mutant.model_validate(model.model_dump())
            yield name, fault, type("Kit", (_Kit,), {"model": wrong})()
