"""A crossbar in plain torch, from DAC to ADC.

    rows      x' = noise_in(DAC(x))
    array     W' = noise_w(weights of lines(faults(drift(G⁺, G⁻))))
    columns   a  = ADC(noise_out(W' x' + √(Σ_j σ_W² x'_j²) ξ))

The last term is the read noise of the cells (`conductance.py`). noise_in, noise_w and noise_out
are the scenario's noise models; they act between the converters, where the signal is analog, so
that an ADC's step hides what is smaller. Driven from its columns, an array has converters of the
same kinds with W'ᵀ between them; noise_w is that of the same cells, and noise_in and noise_out are
those of other circuits, from sources of their own. What the devices hold is the weight at t_0;
drift, faults and lines stand between it and what is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from devices.converters import Conversion
from devices.crossbars.native.cells import Devices
from devices.crossbars.native.conductance import program_pair, read_variance, to_pair, to_weights
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.drift import decayed, draw_exponents
from devices.crossbars.native.faults import draw_broken, draw_faults, with_faults
from devices.crossbars.native.in_place import InPlace
from devices.crossbars.native.line_resistance import effective_conductance
from devices.crossbars.native.plain_read import PlainRead
from devices.crossbars.native.pulse_count import PulseCount
from devices.crossbars.native.pulses import Pulses, pulse_outer, pulse_rows
from devices.crossbars.native.response import draw_devices, pulse_
from devices.draws import normal_, plus_normal
from devices.interface import Dense, Outer
from devices.ledger import Wear
from devices.noise.base import NoiseSource, StackedSources
from devices.states import below, prefixed
from devices.without_trace import without_trace

Noise = NoiseSource | StackedSources
"""The scenario's noise at one place."""


class NativeCrossbar:
    """One array of n_out × n_in differential pairs."""

    def __init__(
        self,
        n_out: int,
        n_in: int,
        device: NativeDevice,
        generators: Callable[[str], torch.Generator],
        where: torch.device,
        input_noise: Noise | None = None,
        weight_noise: Noise | None = None,
        output_noise: Noise | None = None,
        transposed_input_noise: Noise | None = None,
        transposed_output_noise: Noise | None = None,
    ) -> None:
        """Draw an array's devices; it holds zeros until it is programmed.

        Args:
            n_out: columns.
            n_in: rows.
            device: what the array is made of.
            generators: gives the random stream for a purpose; called once for each.
            where: the torch device of all tensors.
            input_noise: acts on the drives, (reads, n_in).
            weight_noise: acts on the weights, (n_out, n_in), once a pass in either direction.
            output_noise: acts on the columns, (reads, n_out), before the ADCs.
            transposed_input_noise: acts on the drives of a transposed read, (reads, n_out).
            transposed_output_noise: acts on what it gives, (reads, n_in), before the ADCs.
        """
        self._device = device
        self._noise = {
            "input": input_noise,
            "weight": weight_noise,
            "output": output_noise,
            "transposed input": transposed_input_noise,
            "transposed output": transposed_output_noise,
        }
        self._plain_read = PlainRead(device, self._noise)
        self._streams = {
            purpose: generators(purpose)
            for purpose in ("programming", "read noise", "cycle spread")
        }
        self._weights = torch.zeros(n_out, n_in, device=where)
        self._seen = self._weights
        # what dense changes are added to, in a digital copy; None where pulses have left it behind
        self._target: Tensor | None = None
        self._seconds = device.drift.start
        spread = generators("device spread")
        self._devices: Devices = draw_devices(
            device.conductance, device.update, (n_out, n_in), spread, where
        )
        pair_shape = (2, n_out, n_in)
        self._stuck = (
            draw_faults(device.faults, device.conductance, pair_shape, generators("faults"), where)
            if device.faults.total > 0
            else None
        )
        self._nu = (
            draw_exponents(device.drift, torch.empty(pair_shape, device=where), spread)
            if device.drift.nu > 0
            else None
        )
        self._array: tuple[Tensor, Tensor | None] | None = None
        self._count = PulseCount(n_out, n_in, where)
        self._in_place = InPlace(self._devices, device.update, self._count)
        self._programmings = 0

    @property
    def noise_free(self) -> bool:
        """Whether two reads of the same input are always the same, bit for bit."""
        still = self._nu is None or self._device.drift.seconds_per_read == 0
        quiet = self._device.conductance.read_noise == 0
        return still and quiet and not any(self._noise.values())

    @property
    def draws_by_row(self) -> bool:
        """See `devices.crossbars.base.DrawsByRow`."""
        still = self._nu is None or self._device.drift.seconds_per_read == 0
        return still and self._noise["weight"] is None

    @property
    def timeless(self) -> str | None:
        """See `devices.crossbars.base.Aged`."""
        return "no drift in this model (drift.nu is 0)" if self._nu is None else None

    def advance(self, seconds: float) -> None:
        """Let time go by."""
        self._seconds += seconds
        if self._nu is not None:
            self._array = None

    unbreakable: ClassVar[str | None] = None

    def fail(self, fraction: float, generator: torch.Generator) -> None:
        """See `devices.crossbars.base.Breakable`; each of a pair's cells fails on its own."""
        pair = torch.empty(2, *self._weights.shape, device=self._weights.device)
        broken = draw_broken(fraction, self._device.conductance, pair, generator)
        self._stuck = broken if self._stuck is None else with_faults(self._stuck, broken)
        self._array = None

    @torch.no_grad()
    def program(self, weights: Float[Tensor, "n_out n_in"]) -> None:
        """Write all pairs, with programming error; drift starts anew."""
        self._programmings += 1
        window = self._device.conductance
        # cells are as precise as the array was made, whatever they are given
        target = self._within_bounds(weights.to(self._weights.dtype))
        bounds = torch.stack(torch.broadcast_tensors(self._devices.w_max, -self._devices.w_min))
        reach = bounds / window.weight_per_siemens + window.g_min
        pair = program_pair(window, to_pair(window, target), self._streams["programming"], reach)
        if self._device.update.dense == "program":
            self._target = target
        self._weights = self._seen = to_weights(window, pair)
        self._seconds = self._device.drift.start
        self._array = None

    def read(
        self, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1
    ) -> Float[Tensor, "repeats_times_batch *positions n_out"]:
        """Give W x through converters and noise."""
        if repeats == 1 and self._plain_read.takes(x):
            return self._plain_read.read(x, self._read_array(x.shape[0])[0])
        with torch.no_grad():
            weights, variance = self._read_array(x.numel() // x.shape[-1] * repeats)
            return self._pass(x, weights, variance, repeats)

    @torch.no_grad()
    def read_transposed(self, y: Float[Tensor, "samples n_out"]) -> Float[Tensor, "samples n_in"]:
        """Give Wᵀ y through converters and noise."""
        weights, variance = self._read_array(len(y))
        return self._pass(y, weights, variance, 1, transposed=True)

    def update(self, request: Outer | Dense) -> None:
        """Pulse an outer product in place; write a dense ΔW as the device's `dense` says."""
        if isinstance(request, Outer):
            self._target = None
            if self._in_place.takes(request):
                self._in_place.pulse_(self._weights, request, self._streams["cycle spread"])
                self._array = None
                return
        self._update_in_steps(request)

    @torch.no_grad()
    def _update_in_steps(self, request: Outer | Dense) -> None:
        response = self._device.update
        step, longest = response.dw_min, response.pulses
        stream = self._streams["cycle spread"]
        if isinstance(request, Outer):
            blocks = response.blocks
            parts: Iterable[tuple[Tensor, Tensor]] = [(request.x, request.d)]
            if blocks > 1:
                parts = zip(request.x.chunk(blocks), request.d.chunk(blocks), strict=True)
            for x, d in parts:
                self._pulse(pulse_outer(x, d, request.rate, step, longest, stream))
        elif response.dense == "rows":
            self._pulse(pulse_rows(request.delta, step, longest, stream))
        else:
            self.program((self._weights if self._target is None else self._target) + request.delta)

    def state(self) -> dict[str, Tensor]:
        """See `devices.crossbars.base.Crossbar.state`."""
        devices = {name: value.clone() for name, value in self._devices._asdict().items()}
        streams = {name: each.get_state() for name, each in self._streams.items()}
        state = {
            "weights": self._weights.clone(),
            "seen": self._seen.clone(),
            **self._count.state(),
            "programmings": torch.tensor(self._programmings),
            "seconds": torch.tensor(self._seconds, dtype=torch.float64),
            **prefixed("devices", devices),
            **prefixed("stream", streams),
        }
        if self._target is not None:
            state["target"] = self._target.clone()
        if self._stuck is not None:
            state["stuck"] = self._stuck.clone()
        if self._nu is not None:
            state["nu"] = self._nu.clone()
        for place, source in self._noise.items():
            if source is not None:
                state |= prefixed(f"noise.{place}", source.state())
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """See `devices.crossbars.base.Crossbar.restore`."""
        self._weights = state["weights"].clone()
        quiet = self._device.update.write_noise == 0
        self._seen = self._weights if quiet else state["seen"].clone()
        self._seconds = float(state["seconds"])
        self._count.restore(state)
        self._programmings = int(state["programmings"])
        devices, streams = below("devices", state), below("stream", state)
        self._devices = Devices(**{name: value.clone() for name, value in devices.items()})
        self._in_place = InPlace(self._devices, self._device.update, self._count)
        for name, generator in self._streams.items():
            generator.set_state(streams[name])
        self._target = state["target"].clone() if "target" in state else None
        self._stuck = state["stuck"].clone() if "stuck" in state else None
        self._nu = state["nu"].clone() if "nu" in state else None
        for place, source in self._noise.items():
            if source is not None:
                source.restore(below(f"noise.{place}", state))
        self._array = None

    @property
    def pulse_trains(self) -> Int[Tensor, "2"] | None:
        """See `devices.crossbars.base.Pulsed`; all are looked at."""
        return self._count.trains[:2]

    @property
    def wear(self) -> Wear:
        """See `devices.crossbars.base.Worn`; every pulse is counted."""
        trains, cut_short, slots = map(float, self._count.trains.tolist())
        pulses = self._count.pulses
        return Wear(
            self._programmings,
            trains=trains,
            trains_cut_short=cut_short,
            slots=slots,
            pulses=float(pulses.sum()),
            worst_cell_pulses=float(pulses.max()),
            holds_target=self._target is not None and self._programmings > 1,
            cells_per_weight=2,
        )

    @contextmanager
    def without_trace(self) -> Iterator[None]:
        """See `devices.without_trace`; time passes inside, and is set back."""
        seconds, array, stuck = self._seconds, self._array, self._stuck
        stood = {name: generator.get_state() for name, generator in self._streams.items()}
        with ExitStack() as inside:
            for source in self._noise.values():
                inside.enter_context(without_trace(source))
            try:
                yield
            finally:
                self._seconds, self._array = seconds, array if self._stuck is stuck else None
                for name, generator in self._streams.items():
                    generator.set_state(stood[name])

    def _pass(
        self,
        x: Tensor,
        weights: Tensor,
        variance: Tensor | None,
        repeats: int,
        *,
        transposed: bool = False,
    ) -> Tensor:
        """Drive `x` through the weights; share the work that all repeats have in common."""
        side = "transposed " if transposed else ""
        input_noise, output_noise = self._noise[f"{side}input"], self._noise[f"{side}output"]
        weight_noise = self._noise["weight"]
        product = _transposed_product if transposed else functional.linear
        dac, adc = self._device.input_converter, self._device.output_converter
        if dac.exact:
            rows, scale = x, dac.full_scale(x)
        else:
            rows, scale = dac.convert_in_own_range(x)
        if input_noise is not None:
            rows = input_noise(_repeat(rows, repeats))
        if weight_noise is not None:
            blocks = _repeat(rows, repeats // (len(rows) // len(x))).chunk(repeats)
            a = torch.cat([product(each, weight_noise(weights)) for each in blocks])
        else:
            a = product(rows, weights)
        a = _repeat(a, repeats * len(x) // len(a))
        if variance is not None:
            spread = product(rows.square(), variance).sqrt_()
            noise = normal_(torch.empty_like(a), 1.0, self._streams["read noise"])
            a.addcmul_(noise, _repeat(spread, len(a) // len(spread)))
        if adc.range == "follow":
            if output_noise is not None:
                a = output_noise(a, overwrite=True)
            return a if adc.exact else adc.convert_in_own_range(a, out=a)[0]
        full_scale = scale * adc.range
        if isinstance(full_scale, Tensor):
            full_scale = _repeat(full_scale, repeats)
        conversion = Conversion(adc, full_scale)
        return conversion(a) if output_noise is None else output_noise.convert(a, conversion)

    def _pulse(self, pulses: Pulses) -> None:
        """Let pulses act."""
        response, stream = self._device.update, self._streams["cycle spread"]
        up, down = pulses.up, pulses.down
        pulse_(self._weights, up, down, self._devices, response, stream)
        if response.write_noise > 0:
            apparent = plus_normal(self._weights, response.write_noise * response.dw_min, stream)
            self._seen = torch.where(up + down > 0, apparent, self._seen)
        self._count.add(pulses)
        self._array = None

    def _within_bounds(self, weights: Tensor) -> Tensor:
        return torch.maximum(torch.minimum(weights, self._devices.w_max), self._devices.w_min)

    def _read_array(self, reads: int) -> tuple[Tensor, Tensor | None]:
        """Give the weights as the next read finds them, and their variance from read to read."""
        if self._array is None:
            self._array = self._present_array()
        array = self._array
        if self._device.drift.seconds_per_read > 0:
            self.advance(reads * self._device.drift.seconds_per_read)
        return array

    def _present_array(self) -> tuple[Tensor, Tensor | None]:
        window, lines = self._device.conductance, self._device.line_resistance
        noisy = window.read_noise > 0
        if not noisy and self._nu is None and self._stuck is None and lines.negligible:
            return self._seen, None
        pair = to_pair(window, self._seen)
        if self._nu is not None:
            pair = decayed(self._device.drift, pair, self._nu, self._seconds)
        conducts = None
        if self._stuck is not None:
            pair, conducts = with_faults(pair, self._stuck), self._stuck != 0
        variance = read_variance(window, pair, conducts) if noisy else None
        if not lines.negligible:
            pair = effective_conductance(lines, pair)
        return to_weights(window, pair), variance


def _transposed_product(y: Tensor, weights: Tensor) -> Tensor:
    return functional.linear(y, weights.T)


def _repeat(signal: Tensor, repeats: int) -> Tensor:
    return signal if repeats == 1 else signal.repeat(repeats, *[1] * (signal.ndim - 1))
