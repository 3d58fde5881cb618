"""Replay of a measured trace: the device's own noise, as it was recorded.

n_{t,i} = scale · m[(start_i + round(t Δ f_s)) mod L] - offset,  L samples taken at rate f_s

The offset is the trace's mean, so that the replayed noise has none, unless `centre` is off.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field, PositiveFloat, model_validator

from devices.deferred import torch
from devices.noise.base import Memory, NoiseModel
from devices.noise.trace_file import Missing, Samples, Trace, Uneven, read_trace
from devices.scenario_path import ScenarioPath
from devices.text_layout import Decimal

if TYPE_CHECKING:
    from torch import Tensor


class TraceNoise(NoiseModel):
    """A measured trace, replayed on every line from a place of its own."""

    name: ClassVar[str] = "trace"
    title: ClassVar[str] = "replay of a measured trace from a file"
    citation: ClassVar[str] = "your own measurement"

    path: ScenarioPath = Field(description="text (.csv, .txt), NumPy, MATLAB or Parquet file")
    column: Annotated[int, Field(ge=1)] | str | None = Field(
        None, description="name of the column, or its number from 1; not needed if there is one"
    )
    sampling_rate: PositiveFloat | None = Field(
        None, description="f_s of the recording, Hz; left out, from the file's column of times"
    )
    time: Annotated[int, Field(ge=1)] | str | None = Field(
        None, description="the column of times; left out, the one that its name or unit says is"
    )
    missing: Missing = Field("refuse", description="samples without a number: refuse, or drop")
    uneven: Uneven = Field(
        "refuse", description="uneven times: refuse, or cut to the longest stretch without a gap"
    )
    decimal: Decimal | None = Field(
        None, description="decimal mark of a text file; left out, found"
    )
    read_interval: PositiveFloat | None = Field(
        None, description="Δ from one read to the next, s; left out, one sample a read"
    )
    scale: float = Field(
        1.0, description="units of the signal for one unit of the file, such as 50 for 50/V"
    )
    centre: bool = Field(True, description="whether the mean of the trace is taken off")
    start: Literal["random", "sequential"] = Field(
        "random",
        description="where lines begin: each at random, or spread evenly around the trace, from a "
        "sample of its own for every array",
    )
    end: Literal["wrap", "stop"] = Field(
        "wrap", description="at the end of the trace: go on at its beginning, or stop with an error"
    )

    @model_validator(mode="after")
    def _trace_can_be_read(self) -> TraceNoise:
        if self.end == "stop" and self.start == "random":
            raise ValueError("a trace that stops needs start: sequential, so that lines end alike")
        length, rate = len(self.samples), self.recording.sampling_rate
        if self.read_interval is not None and rate is None:
            raise ValueError(
                f"{self.path.name} has no column of times: say its sampling_rate in Hz, or leave "
                "out read_interval for one sample a read"
            )
        if not 1 <= self.step < length:
            raise ValueError(
                f"a read every {self.read_interval:g} s is {self.step:.3g} samples of a trace that "
                f"has {length} at {rate:g} Hz; it must be between 1 and {length - 1}"
            )
        return self

    @property
    def step(self) -> float:
        """Samples from one read to the next."""
        rate = self.recording.sampling_rate
        return 1.0 if self.read_interval is None or rate is None else self.read_interval * rate

    @cached_property
    def recording(self) -> Trace:
        """The trace as the file has it."""
        return read_trace(
            self.path,
            self.column,
            time=self.time,
            sampling_rate=self.sampling_rate,
            missing=self.missing,
            uneven=self.uneven,
            decimal=self.decimal,
        )

    @cached_property
    def samples(self) -> Samples:
        """The trace as replayed: scaled, and centred if so asked."""
        samples = self.recording.samples
        return self.scale * (samples - samples.mean() if self.centre else samples)

    def sample(
        self, signal: Float[Tensor, "reads *lines"], memory: Memory
    ) -> Float[Tensor, "reads *lines"]:
        """Go on in the trace.

        Raises:
            RuntimeError: a line has come to the trace's end, and `end` is stop.
        """
        length = len(self.samples)
        device = signal.device
        samples = memory.table(
            "samples", lambda: torch.tensor(self.samples, dtype=signal.dtype, device=device)
        )
        if "start" not in memory.past:
            memory.past["start"] = self._starts(signal, memory.generator)
            # Counted on the host: what has been read is known there, and nothing has to wait.
            memory.past["reads"] = torch.zeros((), dtype=torch.int64)
        begun = int(memory.past["reads"])
        memory.past["reads"] = memory.past["reads"] + len(signal)
        times = torch.arange(begun, begun + len(signal), device=device, dtype=torch.float64)
        ahead = (times * self.step).round().long()
        if self.end == "stop":
            lines = signal[0].numel()
            share = length // lines
            needed = round((begun + len(signal) - 1) * self.step) + 1
            if needed > share:
                raise RuntimeError(
                    f"{self.path.name} is at its end: {share} samples a line, {needed} needed; "
                    "record a longer trace, or let it wrap (end: wrap)"
                )
        places = ahead.view(-1, *[1] * (signal.ndim - 1)) + memory.past["start"]
        return samples[places % length]

    def _starts(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        length, lines = len(self.samples), signal[0].numel()
        drawn = lines if self.start == "random" else 1
        starts = torch.empty(drawn, dtype=torch.float64, device=signal.device)
        starts.uniform_(0, length, generator=generator)
        if self.start == "sequential":
            # all from one sample on, every array's noise would be that of the others
            apart = max(1, length // lines)
            starts = starts + torch.arange(lines, device=signal.device) * apart
        return starts.long().view(signal.shape[1:])

    def mean(self) -> float:
        """Mean over the trace."""
        return float(self.samples.mean())

    def variance(self, signal: Float[Tensor, "*signal"]) -> Float[Tensor, "*signal"]:
        """Variance over the trace."""
        return torch.full_like(signal, float(self.samples.var()))

    def autocovariance(self, lags: Int[Tensor, " n"], signal: float) -> Float[Tensor, " n"]:
        """Covariance of the trace, taken as a ring, with itself; for lags within its length."""
        centred = self.samples - self.samples.mean()
        power = np.abs(np.fft.rfft(centred)) ** 2
        ring = np.fft.irfft(power, len(centred)) / len(centred)
        # A read between two samples takes the nearer one: over time, each as often as near.
        covariance = np.interp(lags.abs().cpu().numpy() * self.step, range(len(ring)), ring)
        return torch.from_numpy(covariance).to(lags.device)
