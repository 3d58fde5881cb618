"""What pydantic finds wrong with a scenario, put back into the words and lines of the file."""

import re
from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from substrate.nearest import did_you_mean
from substrate.scenario.source import NOT_GIVEN, Location, ScenarioError, Source, decimal_point


def from_validation_error(
    exc: ValidationError, source: Source, model: type[BaseModel]
) -> ScenarioError:
    """The first thing that pydantic found wrong with `source.data`, as the user should read it.

    Unknown keys go first, since a misspelt key is also reported as a missing one; before them only
    wrong values of keys that one member of a union knows and the others do not. `model` is the
    model that was validated: its fields give the keys that might have been meant.
    """
    located = [(*_locate(error, source.data, model), error) for error in exc.errors()]
    unknown = {loc for loc, _, error in located if error["type"] == "extra_forbidden"}
    located.sort(key=lambda item: (item[0] not in unknown, item[2]["type"] == "extra_forbidden"))
    loc, alternatives, error = located[0]
    others = {other for other, _, _ in located} - {loc[:end] for end in range(len(loc) + 1)}
    kind, found, known = error["type"], error["input"], list[str]()
    hint = None
    if kind == "extra_forbidden":
        message, found, known = "unknown key", loc[-1], _keys(alternatives)
    elif kind in ("missing", "union_tag_not_found"):
        message, found = "this key is missing", NOT_GIVEN
    else:
        known = allowed(error)
        if kind == "union_tag_invalid":
            found = error["ctx"]["tag"]
        if known and isinstance(found, str):
            message = f"unknown {loc[-1]}"
        else:
            # The members of a union each complain at the same place.
            same = [in_plain_words(each) for other, _, each in located if other == loc]
            message, known = " or ".join(dict.fromkeys(same)), []
            if kind in ("value_error", "assertion_error") and isinstance(found, dict):
                found = NOT_GIVEN
    if known:
        hint = did_you_mean(str(found), known)
    elif "number" in message:
        hint = decimal_point(found)
    if others:
        more = f"{len(others)} more problem{'s' if len(others) > 1 else ''} in this scenario"
        hint = f"{hint} (and {more})" if hint else f"and {more}"
    return source.error(loc, message, found=found, hint=hint)


def _alternatives(annotation: Any) -> Iterator[tuple[str | None, Any]]:
    """Every type but None that a value may have, each with the name that a `Tag` gives it."""
    if get_origin(annotation) is Annotated:
        tag = next((each.tag for each in annotation.__metadata__ if isinstance(each, Tag)), None)
        yield from ((inner or tag, type_) for inner, type_ in _alternatives(annotation.__origin__))
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _alternatives(member)
    elif annotation is not type(None):
        yield None, annotation


def _is_chosen_by(selector: str | int, tag: str | None, type_: Any) -> bool:
    """Whether pydantic writes `selector` into an error's loc for this member of a union."""
    if tag is not None or not _is_model(type_):
        return selector in (tag, getattr(type_, "__name__", None))
    literals = [f.annotation for f in type_.model_fields.values()]
    tags = [v for each in literals if get_origin(each) is Literal for v in get_args(each)]
    return selector == type_.__name__ or selector in tags


def _is_model(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, BaseModel)


def _step(type_: Any, part: str | int) -> Iterator[tuple[str | None, Any]]:
    """The types that may stand under the key or index `part` of a value of type `type_`."""
    arguments = get_args(type_)
    if _is_model(type_):
        for name, info in type_.model_fields.items():
            if part in (name, info.alias):
                yield from _alternatives(info.annotation)
    elif arguments and isinstance(part, int):
        fixed = get_origin(type_) is tuple and arguments[-1] is not Ellipsis
        yield from _alternatives(arguments[min(part, len(arguments) - 1) if fixed else 0])
    elif len(arguments) == 2:
        yield from _alternatives(arguments[1])


def _locate(error: ErrorDetails, data: Any, model: type[BaseModel]) -> tuple[Location, list[Any]]:
    """Where in the YAML an error is, and the types that were possible there.

    Pydantic's loc has the tags and names of union members in it, which the YAML has not: wherever
    more than one type is possible, the next part of the loc says which was tried.
    """
    parts = list(error["loc"])
    last = [parts.pop()] if error["type"] == "extra_forbidden" else []
    alternatives: list[tuple[str | None, Any]] = [(None, model)]
    loc: Location = ()
    chosen = False
    for part in parts:
        if len(alternatives) > 1 and not chosen:
            narrowed = [each for each in alternatives if _is_chosen_by(part, *each)]
            alternatives, chosen = narrowed or alternatives, True
        elif part != "[key]":
            alternatives = [each for _, type_ in alternatives for each in _step(type_, part)]
            loc, chosen = (*loc, part), False
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        last = re.findall(r"^'?(\w+)", error["ctx"]["discriminator"])
    return (*loc, *last), [type_ for _, type_ in alternatives]


def _keys(types: Sequence[Any]) -> list[str]:
    models = [type_ for type_ in types if _is_model(type_)]
    return [f.alias or name for each in models for name, f in each.model_fields.items()]


def allowed(error: ErrorDetails) -> list[str]:
    """The names that a literal, an enumeration or a tag allows; pydantic quotes them."""
    context = error.get("ctx", {})
    if error["type"] in ("literal_error", "enum", "union_tag_invalid"):
        return re.findall(r"'([^']+)'", context.get("expected") or context["expected_tags"])
    return []


def in_plain_words(error: ErrorDetails) -> str:
    """What must be, without pydantic's own words for where."""
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return "must be a mapping of keys to values"
    text = re.sub(r"^(Value error|Assertion failed), ", "", error["msg"])
    return re.sub(r"^\w+ should ", "must ", text)
