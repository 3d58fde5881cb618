"""Settings that another model checks: those of a rule, of a crossbar or of a noise model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from devices.scenario_path import with_default_files
from substrate.nearest import did_you_mean, nearest
from substrate.plugins import NotRunError, PluginError, absolute_spec, names_plugin
from substrate.scenario.schema.base import scenario_folder

_Model = TypeVar("_Model", bound=BaseModel)


def existing(name: str, info: ValidationInfo, find: Callable[[str, Path], object]) -> str:
    """Give a name that `find` finds; the file of an object of the user's own is made absolute.

    Raises:
        PydanticCustomError: there is nothing of that name.
    """
    folder = scenario_folder(info)
    try:
        with suppress(NotRunError):
            find(name, folder)
        return absolute_spec(name, folder) if names_plugin(name) else name
    except PluginError as problem:
        # Not as a ValueError: pydantic would put its own words in front.
        raise PydanticCustomError("plugin", "{message}", {"message": str(problem)}) from None


def fitted(
    model: type[_Model],
    given: Mapping[str, Any],
    field: str,
    owner: str,
    info: ValidationInfo | None = None,
) -> _Model:
    """Make the settings that stand under a key of a scenario, all defaults filled in.

    Args:
        model: what they are checked against.
        given: as they stand there.
        field: the key that they stand under.
        owner: whose they are, such as `the rule anp`.
        info: of the scenario, whose folder relative paths start from.

    Raises:
        ValidationError: an unknown key, or the first value that does not fit.
    """
    if model.model_config.get("extra") != "allow":
        known = [info.alias or name for name, info in model.model_fields.items()]
        refuse_unknown(given, known, owner, field)
    try:
        return model.model_validate(with_default_files(model, given), context=info and info.context)
    except ValidationError as problem:
        each = problem.errors()[0]
        allowed = re.findall(r"'([^']+)'", each.get("ctx", {}).get("expected", ""))
        meant = nearest(str(each["input"]), allowed)
        hint = f"; did you mean {meant!r}?" if meant else ""
        raise error_at((field, *each["loc"]), each["input"], each["msg"] + hint) from None


def refuse_unknown(given: Iterable[str], known: Iterable[str], owner: str, *within: str) -> None:
    """Refuse keys that `owner` does not know; `within` leads to where they stand.

    Raises:
        ValidationError: with the nearest of the known.
    """
    known = list(known)
    for key in given:
        if key not in known:
            listed = f"its settings are {', '.join(known) or 'none'}"
            hint = did_you_mean(key, known, listed)
            raise error_at((*within, key), key, f"{owner} has no such setting; {hint}")


def error_at(loc: tuple[str | int, ...], found: Any, message: str) -> ValidationError:
    """Make an error that stands at a place within the value at hand."""
    error = PydanticCustomError("owned", "{message}", {"message": message})
    details = InitErrorDetails(type=error, loc=loc, input=found)
    return ValidationError.from_exception_data("owned", [details])
