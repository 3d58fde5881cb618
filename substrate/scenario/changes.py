"""Where two sets of settings differ."""

from __future__ import annotations

from collections.abc import Mapping

NOT_THERE = "none"


def changes(
    then: Mapping[str, object], now: Mapping[str, object]
) -> list[tuple[str, object, object]]:
    """Give every setting that differs, as dotted path, former value and present value.

    A setting that only one of them has is `none` in the other.
    """
    was, is_now = _flat(then), _flat(now)
    return [
        (key, was.get(key, NOT_THERE), is_now.get(key, NOT_THERE))
        for key in dict.fromkeys([*was, *is_now])
        if was.get(key, NOT_THERE) != is_now.get(key, NOT_THERE)
    ]


def _flat(value: object, key: str = "") -> dict[str, object]:
    if not isinstance(value, Mapping):
        return {key: value}
    parts = [_flat(each, f"{key}.{name}" if key else str(name)) for name, each in value.items()]
    return {name: each for part in parts for name, each in part.items()}
