"""Settings laid over a scenario: `--set path.to.key=value`, and those of a budget."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from substrate.nearest import did_you_mean
from substrate.scenario.source import Location, Place, ScenarioError, Source, dotted
from substrate.scenario.written_out import what_gives_way
from substrate.scenario.yaml_reader import YamlReader


def apply_overrides(source: Source, overrides: Iterable[str], *, origin: str = "--set") -> Source:
    """Lay `path.to.key=value` settings over a scenario; `origin` names them in errors.

    Values are YAML; a whole number in the path counts the entries of a list from 0. Each setting
    finds the arms that those before it have added.

    Raises:
        ScenarioError: a setting without `=`, with malformed YAML, or whose path runs through
            something that is neither a mapping nor a list.
    """
    for setting in overrides:
        place = f"{origin} {setting}"
        path, equals, text = split_setting(setting, source.data)
        if not equals:
            raise ScenarioError("a setting looks like path.to.key=value", file=place)
        value = YamlReader(place, numbered=False).read(text)
        source = lay(source, [(path.strip(), value, (place, None))])
    return source


def lay(source: Source, settings: Iterable[tuple[str, Any, Place]]) -> Source:
    """Lay settings over a scenario: a dotted path, the value, and where that setting stands.

    Raises:
        ScenarioError: a path has an empty part, or runs through something that is neither a
            mapping nor a list, or through an arm that is not there.
    """
    data = copy.deepcopy(source.data)
    places = dict(source.places)
    for path, value, (file, line) in settings:
        parts = keys_of(path, data)
        if not all(parts):
            raise ScenarioError("a setting looks like path.to.key=value", file=file, line=line)
        if len(parts) > 2:  # a whole arm may be new
            check_arm(path, data, (file, line))
        _make_way(source, data, places, parts, value)
        container: Any = data
        loc: Location = ()
        for depth, part in enumerate(parts, start=1):
            key = _key_of(container, part, loc, file, line)
            loc = (*loc, key)
            old = container.get(key) if isinstance(container, dict) else container[key]
            if depth == len(parts):
                container[key] = copy.deepcopy(value)
                places = _without(places, loc) if isinstance(old, dict | list) else places
            elif isinstance(container, dict) and old is None:
                container[key] = {}
            else:
                container = old
                continue
            places[loc] = (file, line)
            container = container[key]
    return Source(source.path, data, places)


def _make_way(
    source: Source,
    data: dict[str, Any],
    places: Mapping[Location, Place],
    parts: list[str],
    value: Any,
) -> None:
    """Take away what is written out of an arm's former device where another is laid over it."""
    if len(parts) < 4 or parts[0] not in ("arms", "baselines") or parts[2] != "chip":
        return
    group, name, _, key, *within = parts
    arm = data[group][name] if isinstance(data.get(group), dict) else None
    if not isinstance(arm, dict) or not isinstance(arm.get("chip"), dict):
        return
    for part in reversed(within):
        value = {part: value}
    laid = Source(source.path, data, places)

    def stands(keys: Location) -> bool:
        return laid.place((group, name, "chip", *keys))[0] == places[()][0]

    arm["chip"] = what_gives_way(key, arm["chip"], value, source.path.parent, stands)


def keys_of(path: str, data: Mapping[str, Any]) -> list[str]:
    """Give the keys along a dotted path; names of arms may hold dots, and the longest one counts.

    Args:
        path: of a setting.
        data: of the scenario, whose arms and baselines are known.
    """
    arm = _arm_in(f"{path}.", data, ".")
    if not arm:
        return path.split(".")
    group, _, name = arm.partition(".")
    return [group, name, *path[len(arm) :].split(".")[1:]]


def split_setting(setting: str, data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Split `path.to.key=value`; names of arms may hold `=`, and the longest one counts.

    Args:
        setting: to be split.
        data: as of `keys_of`.

    Returns:
        The path, `=` or nothing where there is none, and the value.
    """
    arm = _arm_in(setting, data, ".=")
    path, equals, value = setting[len(arm) :].partition("=")
    return arm + path, equals, value


def _arm_in(words: str, data: Mapping[str, Any], ends: str) -> str:
    """Give the longest `arms.NAME` or `baselines.NAME` that begins the words, up to an end."""
    arms = [
        f"{group}.{name}"
        for group in ("arms", "baselines")
        for name in (data[group] if isinstance(data.get(group), Mapping) else ())
        if isinstance(name, str)
    ]
    found = [each for each in arms if words.startswith(tuple(each + end for end in ends))]
    return max(found, key=len, default="")


def check_arm(path: str, data: Mapping[str, Any], place: Place) -> str | None:
    """Give the arm or baseline that a dotted path runs through, None where it runs through none.

    Args:
        path: of a setting.
        data: of the scenario.
        place: where the setting stands.

    Raises:
        ScenarioError: the scenario has no such arm; setting the path would make a part of one.
    """
    group, *rest = keys_of(path, data)
    name = rest[0] if rest else ""
    if group not in ("arms", "baselines"):
        return None
    arms = data.get(group)
    if isinstance(arms, dict) and name not in arms:
        file, line = place
        message = f"the scenario has no such {group.removesuffix('s')}"
        hint = did_you_mean(name, map(str, arms))
        other = data.get("baselines" if group == "arms" else "arms")
        if isinstance(other, dict) and name in other:
            hint = f"it is {'a baseline: baselines' if group == 'arms' else 'an arm: arms'}.{name}"
        raise ScenarioError(message, file=file, line=line, field=path, found=name, hint=hint)
    return name


def _without(places: Mapping[Location, Place], loc: Location) -> dict[Location, Place]:
    return {key: place for key, place in places.items() if key[: len(loc)] != loc}


def _key_of(container: Any, part: str, loc: Location, file: str, line: int | None) -> str | int:
    if isinstance(container, dict):
        return part
    if not isinstance(container, list):
        message = f"neither a mapping nor a list, so {part!r} cannot be set in it"
        raise ScenarioError(message, file=file, line=line, field=dotted(loc), found=container)
    if not (part.isdecimal() and len(part) < 10 and int(part) < len(container)):
        message = f"the list has {len(container)} entries, counted from 0"
        raise ScenarioError(message, file=file, line=line, field=dotted(loc), found=part)
    return int(part)
