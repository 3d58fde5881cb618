"""Lithium-based ECRAM of Tang et al., IEDM 2018.

Figures as in aihwkit's `EcRamPresetDevice`, a fit of the linear-step model; the range is shifted so
that the symmetry point is at zero. The fit covers the update alone: no read noise is given.
"""

from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.response import PulseResponse

TITLE = "lithium ECRAM of Tang et al. 2018: 1000 nearly linear steps"

DEVICE = NativeDevice(
    conductance=Conductance(
        w_max=1.1724,
        w_min=-0.8276,
        w_max_spread=0.05,
        w_min_spread=0.05,
        programming_error=(0.0,),
        read_noise=0.0,
    ),
    update=PulseResponse(
        dw_min=0.002,
        dw_min_spread=0.1,
        up_down_spread=0.01,
        gamma_up=0.1153,
        gamma_down=0.5085,
        gamma_spread=0.05,
        gamma_reference="mean",
        cycle_spread=0.3,
    ),
)
