"""ReRAM (HfO₂) of Gong et al., Nat. Commun. 9:2102, 2018.

Figures as in aihwkit's `ReRamSBPresetDevice`, a loose fit of the soft-bounds model, for devices
whose symmetry point has been moved to zero. Steps vary from pulse to pulse by almost four times
their mean, and every write leaves the weight 56 mean steps off what the next pulses start from.
(The closer fit, `ReRamESPresetDevice`, follows an exponential step, which this crossbar has not:
use it through `crossbar: aihwkit`.) The fit covers the update alone: no read noise is given.
"""

from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.response import PulseResponse

TITLE = "ReRAM of Gong et al. 2018: soft bounds, steps that vary fourfold, write noise"

DEVICE = NativeDevice(
    conductance=Conductance(
        w_max=1.25,
        w_min=-0.75,
        w_max_spread=0.3 / 1.25,
        w_min_spread=0.3 / 0.75,
        programming_error=(0.0,),
        read_noise=0.0,
    ),
    update=PulseResponse(
        dw_min=0.002,
        dw_min_spread=0.3,
        up_down_spread=0.01,
        gamma_up=1.0,
        gamma_down=1.0,
        cycle_spread=3.75,
        cycle_spread_is="additive",
        write_noise=56.0,
    ),
)
