"""What pulses do to a device.

One pulse, with the device's own steps u (up) and v (down) and slopes s = γ / |bound|:

    up:    w ← w + u (1 - s_u w) (1 + σ ξ)      down:  w ← w - v (1 + s_v w) (1 + σ ξ)
    then   w ← clip(w, min(w_min, w_0), max(w_max, w_0))    w_0 before the pulse

Bounds are where pulses stop. Programming may have left a device beyond one (`conductance.py`):
pulses take it no further, and those of the other direction back.

γ = 0 is a constant step, γ = 1 soft bounds (the step vanishes at the bound), anything between a
linear step; these are aihwkit's ConstantStep, LinearStep and SoftBounds devices. With additive
cycle spread ξ multiplies u and v alone. m up and n down pulses, mixed evenly, are applied at once:

    κ = -m ln(1 - u s_u) - n ln(1 - v s_v)
    D = m u φ(u s_u) - n v φ(v s_v),   φ(z) = -ln(1 - z) / z
    w ← w e^(-κ) + D (1 - e^(-κ)) / κ

which is exact for pulses of one direction, and for mixed ones, away from bounds, the mean over all
orders but for terms of the order of one step. The cycle spread adds a normal deviate of variance

    σ² (m u² f_u² + n v² f_v²) (1 - e^(-2κ)) / (2κ)

f the relative step, at the middle of the way, or 1 if the spread is additive.

Bounds are met once, at the end of a block, where single pulses lose every step that would lead
beyond. By m up and m down pulses of a constant step, mixed, a device at its bound is left where it
is (with 30 % cycle spread moved by 0.7 steps for m = 15); one after another they take it
√(π m / 4) - 1/2 steps inwards on average, 2.9 for m = 15 and 4.4 for m = 30
(`pytest tests/devices/crossbars/native/test_response.py -k met_once`). With soft bounds, whose
steps vanish there, the two agree within a hundredth of a step. `blocks` takes a batch apart.

Up and down steps of a device (as in aihwkit, `PulsedDevice`):

    u = dw_min (1 + dw_min_spread ξ_1 + min(up_down, 0) + up_down_spread ξ_2)
    v = dw_min (1 + dw_min_spread ξ_1 - max(up_down, 0) - up_down_spread ξ_2)

Where a table of measured steps is named, it stands for 1 - s_u w and 1 + s_v w (`steps.py`).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from jaxtyping import Float
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeFloat,
    PositiveFloat,
    model_validator,
)

from devices.crossbars.native.cells import Devices, clipped, for_each_tile
from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.steps import SpreadIs, StepTable, follow_, read_steps
from devices.deferred import torch
from devices.draws import draw_key, normal_
from devices.scenario_path import ScenarioPath
from devices.threads import has_kernel

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_DECREASE = 0.99
"""One pulse takes a device at most this part of the way to where its steps vanish."""


class PulseResponse(BaseModel):
    """How devices answer pulses, and how pulses are sent.

    The defaults are the device specification of Gokmen and Vlasov (Front. Neurosci. 10:333, 2016)
    as aihwkit's `PulsedDevice` has it: 0.001 a pulse, 30 % spread from device to device and from
    pulse to pulse.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    dw_min: PositiveFloat = Field(
        0.001, description="Mean step of one pulse at weight 0, in units of the weight."
    )
    dw_min_spread: NonNegativeFloat = Field(
        0.3, description="Device-to-device standard deviation of the step, a fraction of dw_min."
    )
    up_down: FiniteFloat = Field(
        0.0,
        description="Asymmetry: down steps are smaller by this fraction of dw_min, or up steps if "
        "it is negative.",
    )
    up_down_spread: NonNegativeFloat = Field(
        0.01, description="Device-to-device standard deviation of up_down."
    )
    gamma_up: NonNegativeFloat = Field(
        0.0,
        description="How much the up step shrinks from weight 0 to w_max, a fraction: 0 constant "
        "step, 1 soft bounds.",
    )
    gamma_down: NonNegativeFloat = Field(
        0.0, description="How much the down step shrinks from weight 0 to w_min, a fraction."
    )
    gamma_spread: NonNegativeFloat = Field(
        0.0, description="Device-to-device standard deviation of gamma_up and gamma_down."
    )
    gamma_reference: Literal["own", "mean"] = Field(
        "own", description="The bound that gamma refers to: each device's own, or the mean one."
    )
    cycle_spread: NonNegativeFloat = Field(
        0.3, description="Standard deviation of one step from pulse to pulse, a fraction of it."
    )
    cycle_spread_is: SpreadIs = Field(
        "multiplicative",
        description="A fraction of the step at the present weight, or of the step at weight 0; or "
        "measured: so many times what the table of steps has.",
    )
    steps: ScenarioPath | None = Field(
        None,
        description="A table of measured steps against weight, in units of dw_min, where no closed "
        "form fits; `substrate fit-device` writes it.",
    )
    write_noise: NonNegativeFloat = Field(
        0.0,
        description="Standard deviation with which a pulsed weight differs from the one that "
        "further pulses start from, drawn afresh by every update, a fraction of dw_min.",
    )
    pulses: int = Field(31, ge=1, description="Slots of the longest pulse train of one sample.")
    blocks: int = Field(
        1,
        ge=1,
        description="A batch is pulsed in this many blocks, one after another; inside a block all "
        "pulses of a device are mixed evenly. More than 1 where one batch moves weights by more "
        "than about a tenth of their range, or sends devices at the bounds of a constant step many "
        "pulses of both directions: in one block they stay there, of m up and m down in turn they "
        "leave by √(π m / 4) steps. As many as samples is the true order.",
    )
    dense: Literal["program", "rows"] = Field(
        "rows",
        description="How a dense ΔW is written: programmed whole, or pulsed row by row.",
    )

    @model_validator(mode="after")
    def _table_can_be_read(self) -> "PulseResponse":
        if self.steps is None:
            if self.cycle_spread_is == "measured":
                raise ValueError(
                    "cycle_spread_is: measured needs a table of steps (steps: FILE); without one "
                    "it is multiplicative or additive"
                )
        elif self.gamma_up or self.gamma_down or self.gamma_spread:
            raise ValueError(
                f"{self.steps.name} says how steps change with the weight: leave gamma_up, "
                "gamma_down and gamma_spread at 0, or take away steps"
            )
        else:
            _ = self.table
        return self

    @cached_property
    def table(self) -> StepTable | None:
        """The measured steps, with the spread that the other settings give them."""
        if self.steps is None:
            return None
        return read_steps(self.steps).spreads(self.cycle_spread, self.cycle_spread_is)


def draw_devices(
    window: Conductance,
    response: PulseResponse,
    shape: tuple[int, int],
    generator: torch.Generator,
    device: torch.device,
) -> Devices:
    """Draw every device's bounds, steps and slopes."""

    def spread(mean: float, std: float) -> Tensor:
        if std == 0:
            return torch.full((1, 1), mean, device=device)
        return normal_(torch.empty(shape, device=device), std, generator).add_(mean)

    def slope(gamma: float, own_bound: Tensor, mean_bound: float) -> Tensor:
        if gamma == 0 and response.gamma_spread == 0:
            return spread(0.0, 0.0)
        bound = own_bound if response.gamma_reference == "own" else mean_bound
        return spread(gamma, response.gamma_spread).abs_() / bound

    w_max = window.w_max * spread(1.0, window.w_max_spread).abs_().clamp_(min=1e-6)
    w_min = window.w_min * spread(1.0, window.w_min_spread).abs_().clamp_(min=1e-6)
    gain = spread(1.0, response.dw_min_spread)
    asymmetry = spread(0.0, response.up_down_spread)
    return Devices(
        w_max,
        w_min,
        (gain + min(response.up_down, 0) + asymmetry).abs_().mul_(response.dw_min),
        (gain - max(response.up_down, 0) - asymmetry).abs_().mul_(response.dw_min),
        slope(response.gamma_up, w_max, window.w_max),
        slope(response.gamma_down, -w_min, -window.w_min),
    )


def pulse_(
    weights: Float[Tensor, "n_out n_in"],
    up: Float[Tensor, "n_out n_in"],
    down: Float[Tensor, "n_out n_in"],
    devices: Devices,
    response: PulseResponse,
    generator: torch.Generator,
) -> None:
    """Apply numbers of up and down pulses to the weights, in place."""
    if response.table is not None:
        follow_(weights, up, down, devices, response.table, generator)
        return
    if has_kernel(weights):
        _pulse_compiled(weights, up, down, devices, response, generator)
        return
    rate_up, log_up = _per_pulse(devices.up, devices.slope_up)
    rate_down, log_down = _per_pulse(devices.down, devices.slope_down)
    kappa = (up * log_up).addcmul_(down, log_down).clamp_(min=1e-20)
    drive = (up * rate_up).addcmul_(down, rate_down, value=-1)
    start = weights.clone()
    # w + (D / κ - w) (1 - e^-κ), which is w + D where κ vanishes
    target = drive.div_(kappa)
    weights.addcmul_(target.sub_(weights), torch.expm1(-kappa), value=-1)
    if response.cycle_spread > 0:
        variance = _step_squares(up, down, (start + weights).mul_(0.5), devices, response)
        variance.mul_(torch.expm1(-2 * kappa).div_(-2 * kappa))
        cycle = normal_(torch.empty_like(weights), response.cycle_spread, generator)
        weights.addcmul_(variance.sqrt_(), cycle)
    weights.copy_(clipped(weights, devices, start))


def _pulse_compiled(
    weights: Tensor,
    up: Tensor,
    down: Tensor,
    devices: Devices,
    response: PulseResponse,
    generator: torch.Generator,
) -> None:
    # numba takes long to import
    from devices.crossbars.native.response_kernel import pulse

    arrays = [each.numpy() for each in (weights, up, down, *devices)]
    multiplicative = response.cycle_spread_is == "multiplicative"
    key = draw_key(generator)

    def pulse_tiles(first: int, end: int) -> None:
        pulse(*arrays, LARGEST_DECREASE, response.cycle_spread, multiplicative, first, end, key)

    for_each_tile(weights, pulse_tiles)


def _per_pulse(step: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """Give u φ(u s) and -ln(1 - u s) of every device."""
    step = torch.minimum(step, LARGEST_DECREASE / slope.clamp(min=1e-30))
    decrease = step * slope
    log = -torch.log1p(-decrease)
    return step * torch.where(decrease > 0, log / decrease.clamp(min=1e-30), 1.0), log


def _step_squares(
    up: Tensor, down: Tensor, middle: Tensor, devices: Devices, response: PulseResponse
) -> Tensor:
    """Give m u² f_u² + n v² f_v²."""
    step_up, step_down = devices.up, devices.down
    if response.cycle_spread_is == "multiplicative":
        step_up = step_up * (1 - devices.slope_up * middle)
        step_down = step_down * (1 + devices.slope_down * middle)
    return (up * step_up.square()).addcmul_(down, step_down.square())
