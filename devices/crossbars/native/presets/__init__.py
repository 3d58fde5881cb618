"""Published devices, one file each, named after the paper that their figures come from."""

from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.presets import (
    gokmen_2016,
    gong_2018,
    kim_2019,
    nandakumar_2019,
    rasch_2019,
    tang_2018,
)

_MODULES = (gokmen_2016, gong_2018, kim_2019, nandakumar_2019, rasch_2019, tang_2018)
_NAMES = [module.__name__.rpartition(".")[2] for module in _MODULES]

PRESETS: dict[str, NativeDevice] = {"generic": NativeDevice()} | {
    name: module.DEVICE for name, module in zip(_NAMES, _MODULES, strict=True)
}
"""Native devices by name."""

TITLES: dict[str, str] = {"generic": "a device of round figures, none in particular"} | {
    name: module.TITLE for name, module in zip(_NAMES, _MODULES, strict=True)
}
"""One line for people on each."""
