"""What gives way where another device is laid over a native chip whose figures are written out.

A resolved scenario has all figures of a device beside its `preset`, so that a later version, which
may have others, trains the same. There they would outlive the preset: the old device would be
trained under the name of the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.presets import PRESETS
from substrate.scenario.schema.noise import NoisyChip

_DEVICE = ("preset", "device", "model")


def what_gives_way(
    key: str, chip: Mapping[str, Any], laid: Any, folder: Path, stands: Callable[..., bool]
) -> dict[str, Any]:
    """Give a chip without the figures that the former device alone has put there.

    Of a chip that does not have all figures beside its device each was meant, and stays.

    Args:
        key: of the chip, which is laid over.
        chip: as it was before.
        laid: the value of the key.
        folder: which relative paths start from.
        stands: whether what is at some keys within the chip is from the file itself.
    """
    if key not in _DEVICE or not NativeDevice.model_fields.keys() <= chip.keys():
        return dict(chip)
    if key == "model":
        former = _model(folder / str(chip.get("model")))
    elif "bench" in chip:  # all its figures are of the model, the preset has no part in them
        return dict(chip)
    else:
        preset = PRESETS.get(str(chip.get("preset", "generic")), NativeDevice())
        former = preset.model_dump(mode="json")
    kept = _without(chip, former, stands, ())
    # what is laid now knows better than a file what its figures are
    return _without(kept, laid, stands, (), any_value=True) if key == "device" else kept


def _without(
    given: Mapping[str, Any],
    former: Any,
    stands: Callable[..., bool],
    within: tuple[str, ...],
    *,
    any_value: bool = False,
) -> dict[str, Any]:
    kept = {}
    for key, value in given.items():
        here = (*within, key)
        if not isinstance(former, Mapping) or key not in former:
            kept[key] = value
        elif isinstance(value, Mapping):
            if left := _without(value, former[key], stands, here, any_value=any_value):
                kept[key] = left
        elif not stands(here) or not (any_value or value == former[key]):
            kept[key] = value
    return kept


def _model(path: Path) -> dict[str, Any]:
    """The figures of a bench's model; none where it cannot be read, which whoever needs it says."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        device = NativeDevice.model_validate(found["device"]).model_dump(mode="json")
        noise = NoisyChip.model_validate({"noise": found.get("noise") or []})
        return {**device, **noise.model_dump(mode="json")}
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return {}
