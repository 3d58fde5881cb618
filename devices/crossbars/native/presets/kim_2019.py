"""Metal-oxide ECRAM of Kim et al., IEDM 2019.

Figures as in aihwkit's `EcRamMOPresetDevice`, a fit of the linear-step model; the range is shifted
so that the symmetry point is at zero. The fit covers the update alone: no read noise is given.
"""

from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.response import PulseResponse

TITLE = "metal-oxide ECRAM of Kim et al. 2019: 7000 small steps"

DEVICE = NativeDevice(
    conductance=Conductance(
        w_max=1.1714,
        w_min=-0.8286,
        w_max_spread=0.05,
        w_min_spread=0.05,
        programming_error=(0.0,),
        read_noise=0.0,
    ),
    update=PulseResponse(
        dw_min=2.8214e-4,
        dw_min_spread=0.1,
        up_down_spread=0.01,
        gamma_up=0.4152,
        gamma_down=0.7342,
        gamma_spread=0.05,
        gamma_reference="mean",
        cycle_spread=2.0,
    ),
)
