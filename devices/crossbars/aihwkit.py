"""Crossbars simulated by IBM's aihwkit (Rasch et al., AICAS 2021).

A tile computes W x through its converters and noise sources. How a request reaches it:

    tile                                outer product               dense ΔW
    pulsed, floating-point (this file)  pulses in place, one sample   outer products for every input
                                        after the other: tile.update  line: its column of ΔW, in as
                                                                      many trains as that needs
    inference, torch                    ΔW = -rate Σ d xᵀ is formed   W + ΔW is programmed, with
      (aihwkit_inference.py)            by the digital periphery      the noise model's error

Digital scales of the mapping stand between W and what the cells hold: a request is divided by them,
and so carried out as it was asked. The input range is one of reads alone; aihwkit's own update
would divide x by it, and carry out 1 / range of the request.

Pulsed are single devices, one-sided and vector cells, Tiki-Taka and its variants (whose transfer
scales with the learning rate: the tile is given the request's) and mixed precision.

The C++ tiles draw the noise of reads and pulses from generators that they seed from the clock, so
that they repeat in their statistics alone; their pattern from device to device comes from a seed.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from aihwkit.simulator.configs.compounds import (
    BufferedTransferCompound,
    ChoppedTransferCompound,
    MixedPrecisionCompound,
    OneSidedUnitCell,
    ReferenceUnitCell,
)
from aihwkit.simulator.rpu_base import cuda as aihwkit_cuda
from aihwkit.simulator.tiles.rpucuda import RPUCudaSimulatorTileWrapper
from jaxtyping import Float, Int
from torch import Tensor

from devices.crossbars.aihwkit_trains import PulseTrains
from devices.interface import Dense, Outer
from devices.ledger import Wear
from devices.states import below, prefixed


def broken(
    weights: Float[Tensor, "n_out n_in"], fraction: float, generator: torch.Generator
) -> Float[Tensor, "n_out n_in"]:
    """Give weights of which a part is stuck at plus or minus the largest of them."""
    end = weights.abs().max()
    drawn = torch.rand(2, *weights.shape, generator=generator, device=generator.device)
    fails, high = drawn.to(weights.device)
    return torch.where(fails < fraction, torch.where(high < 0.5, end, -end), weights)


def computes_in_cpp(config: Any) -> bool:
    """Whether aihwkit computes a tile of this configuration in C++, and not in torch."""
    return issubclass(config.tile_class, RPUCudaSimulatorTileWrapper)


def runs_on(config: Any, device: torch.device) -> bool:
    """Whether a tile of this configuration can be on `device` with the installed aihwkit."""
    return device.type == "cpu" or not computes_in_cpp(config) or aihwkit_cuda.is_compiled()


def _make(n_out: int, n_in: int, config: Any, device: torch.device) -> Any:
    tile = config.tile_class(n_out, n_in, config, bias=False).to(device).eval()
    # once here, since entering `torch.no_grad` at every read costs more than the rest of it
    return tile.requires_grad_(False)


def devices_of(device: Any) -> Iterator[Any]:
    """A device and the devices that it is composed of."""
    yield device
    for part in [*getattr(device, "unit_cell_devices", []), getattr(device, "device", None)]:
        if part is not None:
            yield from devices_of(part)


def cells_per_weight(device: Any) -> int:
    """Give the cells of a device that stand for one weight; a fixed reference that is not simulated
    is none.
    """
    parts = getattr(device, "unit_cell_devices", [])
    if isinstance(device, OneSidedUnitCell):  # made twice of its first
        return 2 * cells_per_weight(parts[0])
    if isinstance(device, ReferenceUnitCell):
        return 2
    if parts:
        return sum(cells_per_weight(part) for part in parts)
    inner = getattr(device, "device", None)
    return 1 if inner is None else cells_per_weight(inner)


class AihwkitCrossbar:
    """One aihwkit tile that is updated in place."""

    def __init__(
        self,
        n_out: int,
        n_in: int,
        config: Any,
        device: torch.device,
        generator: torch.Generator | None = None,
        seconds_per_read: float = 0.0,
    ) -> None:
        """Build a tile of n_out × n_in.

        Args:
            n_out: columns.
            n_in: rows.
            config: an aihwkit configuration, such as `aihwkit_config.preset_config` makes.
            device: where the tile computes.
            generator: on the CPU; draws the seed of the device-to-device pattern, unless `config`
                has one of its own. Without it, aihwkit takes one from the clock.
            seconds_per_read: time that passes before every read of a batch, in which devices drift.
        """
        config = copy.deepcopy(config)
        if generator is not None and getattr(config.device, "construction_seed", None) == 0:
            config.device.construction_seed = int(
                torch.randint(1, 2**31 - 1, (), generator=generator)
            )
        self._tile = _make(n_out, n_in, config, device)
        self._trains = PulseTrains(self._tile)
        self._programmings = 0
        device_of = getattr(config, "device", None)
        self._cells_per_weight = cells_per_weight(device_of)
        # these add up changes digitally, and the first of them forms the outer products there too
        self._forms_products = isinstance(device_of, MixedPrecisionCompound)
        self._buffers = isinstance(
            device_of, MixedPrecisionCompound | BufferedTransferCompound | ChoppedTransferCompound
        )
        self._device = device
        self._seconds_per_read = seconds_per_read
        self._drifts = seconds_per_read > 0
        forward = getattr(config, "forward", None)
        self._perfect_reads = forward is None or forward.is_perfect
        input_range = config.pre_post.input_range
        self._reads_to_calibrate = input_range.init_from_data if input_range.enable else 0

    @property
    def noise_free(self) -> bool:
        """Whether the forward pass is perfect, and no time passes."""
        return self._perfect_reads and not self._drifts

    @property
    def draws_by_row(self) -> bool:
        """See `devices.crossbars.base.DrawsByRow`."""
        return not self._drifts

    @torch.no_grad()
    def program(self, weights: Float[Tensor, "n_out n_in"]) -> None:
        """Set the weights; the device clips them to its own window."""
        self._programmings += 1
        self._tile.set_weights(weights)

    def read(
        self, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1
    ) -> Float[Tensor, "repeats_times_batch *positions n_out"]:
        """Read through the tile's converters and noise, each sample on its own.

        Where the configuration has an input range, the first reads calibrate it.
        """
        if repeats > 1 and self._drifts:
            return torch.cat([self._read(x) for _ in range(repeats)])
        return self._read(x if repeats == 1 else x.repeat(repeats, *[1] * (x.ndim - 1)))

    @property
    def pulse_trains(self) -> Int[Tensor, "2"] | None:
        """See `devices.crossbars.base.Pulsed`; of outer products, one in ten is looked at."""
        return self._trains.count if math.isfinite(self._trains.bound) else None

    @property
    def wear(self) -> Wear:
        """See `devices.crossbars.base.Worn`; pulses are computed, of one outer product in ten.

        Not of tiles that pulse by themselves, as Tiki-Taka's do; nor are the reads that these make
        of their own known.
        """
        return (self._trains.wear or Wear(0))._replace(
            programmings=self._programmings,
            holds_target=self._buffers,
            forms_products=self._forms_products,
            cells_per_weight=self._cells_per_weight,
        )

    @property
    def timeless(self) -> str | None:
        """See `devices.crossbars.base.Aged`."""
        return "the drift of aihwkit's pulsed tiles cannot be taken back, so it was not tried"

    def advance(self, seconds: float) -> None:
        """Do nothing; see `timeless`."""

    @property
    def unbreakable(self) -> str | None:
        """See `devices.crossbars.base.Breakable`."""
        several = computes_in_cpp(self._tile.rpu_config) and any(
            name.startswith("persistent_weights_") for name in self._device_parameters()
        )
        return (
            "these tiles do not tell what their cells hold under write noise" if several else None
        )

    @torch.no_grad()
    def fail(self, fraction: float, generator: torch.Generator) -> None:
        """See `devices.crossbars.base.Breakable`: weights go to what the tile's largest is.

        Write noise is drawn anew for all cells, as by a pulse.
        """
        tile = self._tile.tile
        weights = torch.as_tensor(tile.get_weights()).clone()
        if computes_in_cpp(self._tile.rpu_config):
            devices = dict(
                zip(self._device_parameters(), tile.get_hidden_parameters(), strict=True)
            )
            weights = torch.as_tensor(devices.get("persistent_weights", weights)).clone()
        tile.set_weights(broken(weights, fraction, generator))

    def _read(self, x: Tensor) -> Tensor:
        # a view takes as long as a hundredth of a small tile's read
        rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
        if self._reads_to_calibrate:
            self._reads_to_calibrate -= 1
            self._tile.apply_input_range(rows, update_from_data=True)
        if self._drifts:
            self._drift()
        a: Tensor = self._tile.joint_forward(rows, is_test=True)
        return a if x.ndim == 2 else a.view(*x.shape[:-1], -1)

    def _drift(self) -> None:
        self._tile.drift_weights(self._seconds_per_read)

    @torch.no_grad()
    def read_transposed(self, y: Float[Tensor, "samples n_out"]) -> Float[Tensor, "samples n_in"]:
        """Read backwards through the tile, with the noise of its backward pass."""
        x: Tensor = self._tile.backward(y)
        return x

    @torch.no_grad()
    def update(self, request: Outer | Dense) -> None:
        """Pulse the outer product in place, or ΔW row by row."""
        if isinstance(request, Dense):
            for x, d in self._trains.of_dense(self._to_cells(request.delta.T).T):
                self._pulse(x, d, 1.0)
        else:
            in_cells = Outer(request.x, self._to_cells(request.d), request.rate)
            self._trains.watch(in_cells)
            self._pulse(in_cells.x, in_cells.d, in_cells.rate)
        self._tile.post_update_step()

    def _to_cells(self, columns: Float[Tensor, "lines n_out"]) -> Float[Tensor, "lines n_out"]:
        """Give changes of W as what they are in units of the cells' weights."""
        scales = self._tile.get_scales()
        return columns if scales is None else columns / scales

    def _pulse(self, x: Tensor, d: Tensor, rate: float) -> None:
        tile = self._tile
        tile.tile.set_learning_rate(rate)
        lines = (tile.analog_bias, tile.in_trans, tile.out_trans, tile.non_blocking)
        tile.tile.update(x.contiguous(), d.contiguous(), *lines)

    @torch.no_grad()
    def state(self) -> dict[str, Tensor]:
        """Give everything that aihwkit lets out: weights, devices, counters, digital periphery.

        A restored run repeats in its statistics alone, since some things are lost: the C++
        generators; the write noise on top of a device's persistent weight, which comes back with
        the next pulse, and what it lies beyond its bound by, in one cell of thousands; and the
        digital accumulator of mixed-precision tiles, which aihwkit shows but does not take back,
        and which starts again at zero.
        """
        tile = self._tile.tile
        state = {
            "weights": torch.as_tensor(tile.get_weights()).clone(),
            "reads_to_calibrate": torch.tensor(self._reads_to_calibrate),
            "programmings": torch.tensor(self._programmings),
            **prefixed("trains", self._trains.state()),
        }
        if computes_in_cpp(self._tile.rpu_config):
            state["devices"] = torch.as_tensor(tile.get_hidden_parameters()).clone()
            state["learning_rate"] = torch.tensor(tile.get_learning_rate(), dtype=torch.float64)
            extra = tile.dump_extra().items()
            in_tensors = {name: torch.tensor(each, dtype=torch.float64) for name, each in extra}
            state |= prefixed("cpp", in_tensors)
        periphery = {name: value.clone() for name, value in self._periphery().items()}
        return state | prefixed("periphery", periphery)

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to a state of a crossbar with the same shape and configuration."""
        self._reads_to_calibrate = int(state["reads_to_calibrate"])
        self._programmings = int(state["programmings"])
        self._trains.restore(below("trains", state))
        if computes_in_cpp(self._tile.rpu_config):
            self._restore_cpp(state)
        else:
            self._tile.tile.set_weights(state["weights"])
        periphery = below("periphery", state)
        for name, value in self._periphery().items():
            value.copy_(periphery[name])

    @contextmanager
    def without_trace(self) -> Iterator[None]:
        """See `devices.without_trace`.

        Time stands still inside, since the drift of a C++ tile cannot be taken back; nor can the
        numbers that its generators draw, which have no seed.
        """
        drifts, self._drifts = self._drifts, False
        left = self._reads_to_calibrate
        periphery = {name: value.clone() for name, value in self._periphery().items()}
        try:
            yield
        finally:
            self._drifts, self._reads_to_calibrate = drifts, left
            for name, value in self._periphery().items():
                value.copy_(periphery[name])

    def _restore_cpp(self, state: dict[str, Tensor]) -> None:
        devices = dict(zip(self._device_parameters(), state["devices"].cpu(), strict=True))
        if any(name.startswith("persistent_weights") for name in devices):
            self._stop_write_noise_on_set()
        tile = self._tile.tile
        weights = state["weights"].cpu()
        # aihwkit takes what is set for the persistent weight
        weights = devices.get("persistent_weights", weights)
        for name in [name for name in devices if name.startswith("persistent_weights_")]:
            devices[name.replace("persistent", "hidden")] = devices[name]
        if devices:
            tile.set_hidden_parameters(torch.stack(list(devices.values())))
        # within the bounds that have just been set
        tile.set_weights(weights)
        if any(name.startswith("hidden_weights_") for name in devices):
            # setting the sum has spread it over the unit cell's devices
            tile.set_hidden_parameters(torch.stack(list(devices.values())))
        tile.set_learning_rate(state["learning_rate"].item())
        extra = {name: values.tolist() for name, values in below("cpp", state).items()}
        tile.load_extra(extra, False)

    def _device_parameters(self) -> list[str]:
        names: list[str] = self._tile.tile.get_hidden_parameter_names()
        return names

    def _stop_write_noise_on_set(self) -> None:
        """Replace the tile by one whose pulses alone have write noise."""
        config = copy.deepcopy(self._tile.rpu_config)
        for device in devices_of(config.device):
            if hasattr(device, "apply_write_noise_on_set"):
                device.apply_write_noise_on_set = False
        self._tile = _make(self._tile.out_size, self._tile.in_size, config, self._device)

    def _periphery(self) -> dict[str, Tensor]:
        """Scales and ranges of the tile's digital part."""
        names = ("mapping_scales", "input_range", "input_range_update_idx")
        found = {name: getattr(self._tile, name, None) for name in names}
        return {name: value.data for name, value in found.items() if value is not None}
