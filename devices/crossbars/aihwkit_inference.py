"""aihwkit's inference and torch tiles: programmed, not pulsed.

    update:  W ← W + ΔW                        the target, kept by the digital periphery
             program W                         with the programming error of the noise model
    read:    α · drift(programmed W, t) x      α from aihwkit's drift compensation, the same for
                                               reads from the columns
             t = seconds_after_programming + seconds_per_read · reads since then, of a batch each

The noise models (`PCMLikeNoiseModel`, `HermesNoiseModel`, `ReRamWan2022NoiseModel`,
`ReRamCMONoiseModel`, ...) are aihwkit's; each names its measurement in its docstring. Noise models
and torch tiles draw from torch's global generator: here it stands in for the crossbar's own while
they do, so that torch tiles repeat bitwise under a seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import torch
from aihwkit.simulator.parameters.enums import WeightClipType, WeightRemapType
from aihwkit.simulator.tiles.inference import InferenceTileWithPeriphery
from jaxtyping import Float
from torch import Tensor

from devices.crossbars.aihwkit import AihwkitCrossbar, broken, computes_in_cpp
from devices.interface import Dense, Outer
from devices.ledger import Wear


def is_programmed(config: Any) -> bool:
    """Whether a tile of this configuration is programmed as a whole, rather than pulsed."""
    return issubclass(config.tile_class, InferenceTileWithPeriphery)


class _Draws:
    """While it is entered, torch's global generator goes on from where a generator stands.

    aihwkit gives no generator to torch, so that the states of the two are exchanged. A class, since
    a context manager from a generator function takes longer to enter than the exchange itself.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self._own = generator
        device = generator.device
        self._global: torch.Generator = (
            torch.default_generator
            if device.type == "cpu"
            else torch.cuda.default_generators[device.index]
        )

    def __enter__(self) -> None:
        self._outside = self._global.get_state()
        self._global.set_state(self._own.get_state())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._own.set_state(self._global.get_state())
        self._global.set_state(self._outside)


class AihwkitInferenceCrossbar(AihwkitCrossbar):
    """One aihwkit tile that is programmed."""

    def __init__(
        self,
        n_out: int,
        n_in: int,
        config: Any,
        device: torch.device,
        generator: torch.Generator,
        seconds_per_read: float = 0.0,
        seconds_after_programming: float | None = None,
    ) -> None:
        """Build a tile of n_out × n_in.

        Args:
            n_out: columns.
            n_in: rows.
            config: an aihwkit configuration; without programming error if its noise model is None.
            device: where the tile computes.
            generator: draws programming error and drift, and on torch tiles the noise of reads; on
                `device` if that is a torch tile, else on the CPU.
            seconds_per_read: time that passes from one read of a batch to the next.
            seconds_after_programming: time from programming to the first read. With neither time,
                the weights stay as programmed.
        """
        self._generator = generator
        self._own_draws = _Draws(generator)
        with self._own_draws:
            super().__init__(n_out, n_in, config, device, seconds_per_read=seconds_per_read)
        config = self._tile.rpu_config
        self._drifts |= seconds_after_programming is not None
        self._drifts &= config.noise_model is not None
        if not self._drifts:  # there is nothing to compensate, and the reference costs reads
            config.drift_compensation = None
        self._reads_draw = self._drifts or not computes_in_cpp(config)
        self._first_read = seconds_after_programming or 0.0
        self._reads = self._compensating_reads = 0
        self._target: Float[Tensor, "n_out n_in"] = torch.zeros(n_out, n_in, device=device)

    @torch.no_grad()
    def program(self, weights: Float[Tensor, "n_out n_in"]) -> None:
        """Program the weights, clipped where the configuration asks for it, with its error."""
        self._programmings += 1
        tile, config = self._tile, self._tile.rpu_config
        with self._own_draws:
            self._store(tile.apply_weight_scaling(weights.clone()))
            if config.clip.type != WeightClipType.NONE or config.remap.type != WeightRemapType.NONE:
                tile.post_update_step()
            self._target = self._weights()
            if config.noise_model is not None:
                tile.reference_combined_weights = self._stored()
                tile.program_weights()
                # that of the drift before would be a gain from the columns, where no read has found
                # a new one yet
                tile.alpha.fill_(1.0)
                self._compensate()
        self._reads = 0

    @property
    def wear(self) -> Wear:
        """See `devices.crossbars.base.Worn`; nothing is pulsed."""
        noise = self._tile.rpu_config.noise_model
        cells = 1
        if noise is not None:  # its converter says what conductances a weight becomes
            cells = len(noise.g_converter.convert_to_conductances(torch.ones(1, 1))[0])
        return Wear(
            self._programmings,
            *(0.0, 0.0, 0.0, 0.0, 0.0),
            holds_target=True,
            forms_products=True,
            reads=self._compensating_reads,
            cells_per_weight=cells,
        )

    def read(
        self, x: Float[Tensor, "batch *positions n_in"], repeats: int = 1
    ) -> Float[Tensor, "repeats_times_batch *positions n_out"]:
        """Read through the tile's converters and noise, at the time that has come."""
        if not self._reads_draw:
            return super().read(x, repeats)
        with self._own_draws:
            return super().read(x, repeats)

    @torch.no_grad()
    def read_transposed(self, y: Float[Tensor, "samples n_out"]) -> Float[Tensor, "samples n_in"]:
        """Give Wᵀ y without noise of its own: aihwkit has a perfect backward pass here.

        W is as it was last read, and compensated for drift as it was then.
        """
        return (y @ self._weights()).mul_(self._tile.alpha)

    @torch.no_grad()
    def update(self, request: Outer | Dense) -> None:
        """Add ΔW to the target, and program it."""
        if isinstance(request, Dense):
            self.program(self._target + request.delta)
        else:
            self.program(torch.addmm(self._target, request.d.T, request.x, alpha=-request.rate))

    @property
    def timeless(self) -> str | None:
        """See `devices.crossbars.base.Aged`."""
        if hasattr(self._tile.rpu_config.noise_model, "coeff_dic"):
            return "its noise model is defined at a few times only"
        if not self._drifts:
            return "weights stay as programmed (seconds_after_programming is not set)"
        return None

    def advance(self, seconds: float) -> None:
        """Let time go by."""
        self._first_read += seconds

    @torch.no_grad()
    def fail(self, fraction: float, generator: torch.Generator) -> None:
        """See `devices.crossbars.base.Breakable`; a stuck weight drifts as all others do."""
        programmed = self._tile.programmed_weights
        damaged = broken(self._stored() if programmed is None else programmed, fraction, generator)
        self._store(damaged)
        if programmed is not None:
            self._tile.programmed_weights = damaged

    @torch.no_grad()
    def state(self) -> dict[str, Tensor]:
        """Give the target, the programmed devices and the time, next to what every tile has."""
        tile = self._tile
        state = super().state() | {
            "target": self._target.clone(),
            "reads": torch.tensor([self._reads, self._compensating_reads]),
            "generator": self._generator.get_state(),
            "compensation": tile.alpha.clone(),
        }
        if tile.programmed_weights is not None:
            state["programmed"] = tile.programmed_weights.clone()
            for index, drift in enumerate(tile.drift_noise_parameters):
                if drift is not None:
                    state[f"drift.{index}"] = drift.clone()
        if tile.drift_baseline is not None:
            state["drift_baseline"] = tile.drift_baseline.clone()
        return state

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to a state of a crossbar with the same shape and configuration."""
        tile = self._tile
        self.program(state["target"])  # makes everything that is filled in below
        super().restore(state)
        self._target = state["target"].to(self._target)
        self._reads, self._compensating_reads = state["reads"].tolist()
        self._generator.set_state(state["generator"].cpu())
        tile.alpha = state["compensation"].to(self._device)
        if "programmed" in state:
            tile.programmed_weights = state["programmed"].to(tile.programmed_weights)
            tile.drift_noise_parameters = [
                state[f"drift.{index}"].to(drift) if drift is not None else None
                for index, drift in enumerate(tile.drift_noise_parameters)
            ]
        if "drift_baseline" in state:
            tile.drift_baseline = state["drift_baseline"].to(self._device)

    @contextmanager
    def without_trace(self) -> Iterator[None]:
        """See `devices.without_trace`; time passes inside, and is set back."""
        drifts, reads, compensation = self._drifts, self._reads, self._tile.alpha.clone()
        compensating = self._compensating_reads
        generator, first_read = self._generator.get_state(), self._first_read
        stored = self._stored() if drifts else None
        with super().without_trace():
            self._drifts = drifts
            try:
                yield
            finally:
                self._reads, self._tile.alpha = reads, compensation
                self._compensating_reads = compensating
                self._first_read = first_read
                self._generator.set_state(generator)
                if stored is not None:
                    self._store(stored)

    def _drift(self) -> None:
        self._tile.drift_weights(self._first_read + self._reads * self._seconds_per_read)
        self._compensate()
        self._reads += 1

    def _compensate(self) -> None:
        """Count what aihwkit drives the array with to see how far it has drifted: row by row."""
        if self._tile.rpu_config.drift_compensation is not None:
            self._compensating_reads += self._tile.in_size

    def _store(self, scaled: Tensor) -> None:
        """Put weights, in the tile's own scale, on the array as they are."""
        # aihwkit's C++ takes them from the host alone; a torch tile must not send them there
        cpp = computes_in_cpp(self._tile.rpu_config)
        self._tile.tile.set_weights(scaled.cpu() if cpp else scaled)

    def _stored(self) -> Tensor:
        """The array's weights in the tile's own scale, on the host for a C++ tile."""
        if computes_in_cpp(self._tile.rpu_config):
            return torch.as_tensor(self._tile.tile.get_weights()).clone()
        stored: Tensor = self._tile.tile.weight.detach().clone()
        return stored

    def _weights(self) -> Float[Tensor, "n_out n_in"]:
        """The array's weights with the digital scales."""
        weights, scales = self._stored().to(self._device), self._tile.get_scales()
        return weights if scales is None else weights * scales.view(-1, 1)
