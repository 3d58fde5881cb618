"""The device specification of Gokmen and Vlasov, Front. Neurosci. 10:333, 2016.

1200 constant steps over the range, 30 % spread of steps and bounds. Figures as in aihwkit's
`GokmenVlasovPresetDevice`, which rescales the range to ±1. The paper specifies no read noise of
the cells; it specifies noise at the columns, which is aihwkit's output noise of 0.06 in units of
the weight at a full-scale input, and is the scenario's to add (`noise:`).
"""

from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.response import PulseResponse

TITLE = "device specification of Gokmen and Vlasov 2016: 1200 constant steps"

DEVICE = NativeDevice(
    conductance=Conductance(
        w_max_spread=0.3, w_min_spread=0.3, programming_error=(0.0,), read_noise=0.0
    ),
    update=PulseResponse(dw_min=0.0016, dw_min_spread=0.3, up_down_spread=0.01, cycle_spread=0.3),
)
