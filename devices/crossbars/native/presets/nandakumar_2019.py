"""Phase-change memory (doped Ge₂Sb₂Te₅) of Nandakumar et al., ICECS 2019.

Programming error, 1/f read noise and drift as in aihwkit's `PCMLikeNoiseModel`, which follows this
paper, with conductances up to 25 µS:

    programming error  0.26348 + 1.9650 g - 1.1731 g²  µS
    drift exponent     0.049 ± 0.008 near g_max; its rise towards 0.1 at low g is left out
    read noise         0.0088 g^-0.65 √ln((t + t_read) / (2 t_read)) of G: 0.037 g^-0.65 at
                       t = t_0 = 20 s and t_read = 250 ns; its cap of 0.2, which acts at low g
                       alone, is left out

The paper is about programmed weights, not about pulses in place; a dense ΔW is programmed whole.
"""

from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.drift import Drift
from devices.crossbars.native.response import PulseResponse

TITLE = "phase-change memory of Nandakumar et al. 2019: programming error, read noise, drift"

_G_MAX = 25e-6

DEVICE = NativeDevice(
    conductance=Conductance(
        g_min=0.0,
        g_max=_G_MAX,
        w_max_spread=0.0,
        w_min_spread=0.0,
        programming_error=(0.26348 / 25, 1.9650 / 25, -1.1731 / 25),
        read_noise=0.037,
        read_noise_exponent=0.35,
    ),
    update=PulseResponse(dense="program"),
    drift=Drift(nu=0.049, nu_spread=0.008 / 0.049, t_0=20.0, start=20.0),
)
