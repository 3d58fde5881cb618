"""Where sets of settings differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

NOT_THERE = "none"


def changes(
    then: Mapping[str, object], now: Mapping[str, object]
) -> list[tuple[str, object, object]]:
    """Give every setting that differs, as dotted path, former value and present value.

    A setting that only one of them has is `none` in the other.
    """
    return [(key, was, is_now) for key, (was, is_now) in differing([then, now])]


def differing(several: Sequence[Mapping[str, object]]) -> list[tuple[str, list[object]]]:
    """Give every setting that is not the same in all, as dotted path and the value of each."""
    flat = [_flat(each) for each in several]
    values = {
        key: [each.get(key, NOT_THERE) for each in flat]
        for key in dict.fromkeys(key for each in flat for key in each)
    }
    return [(key, each) for key, each in values.items() if any(value != each[0] for value in each)]


def _flat(value: object, key: str = "") -> dict[str, object]:
    if not isinstance(value, Mapping):
        return {key: value}
    parts = [_flat(each, f"{key}.{name}" if key else str(name)) for name, each in value.items()]
    return {name: each for part in parts for name, each in part.items()}
