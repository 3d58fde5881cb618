"""The idealised device of Rasch, Gokmen and Haensch, IEEE Design & Test 2019 (arXiv 1906.02698).

Symmetric on average, 10,000 constant steps. Figures as in aihwkit's `IdealizedPresetDevice`. No
read noise of the cells is specified; noise at the columns is the scenario's to add (`noise:`).
"""

from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.response import PulseResponse

TITLE = "idealised symmetric device of Rasch et al. 2019: 10,000 constant steps"

DEVICE = NativeDevice(
    conductance=Conductance(
        w_max_spread=0.3, w_min_spread=0.3, programming_error=(0.0,), read_noise=0.0
    ),
    update=PulseResponse(dw_min=0.0002, dw_min_spread=0.3, up_down_spread=0.0, cycle_spread=0.3),
)
