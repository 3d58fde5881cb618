"""What holds for a class of any kind that plugs in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel


def assert_named(kind: type, *attributes: str) -> None:
    """See that attributes are text, and not empty."""
    for attribute in attributes:
        text = getattr(kind, attribute, "")
        assert isinstance(text, str), f"`{attribute}` is no text"
        assert text.strip(), f"`{attribute}` is empty"


def assert_described(settings: type[BaseModel]) -> None:
    """See that all that can be set is described."""
    for name, field in settings.model_fields.items():
        assert field.description, f"`{name}` has no description with its unit"


@contextmanager
def on_meta_device() -> Iterator[None]:
    """Say of what is computed on torch's meta device what its errors mean."""
    try:
        yield
    except (RuntimeError, NotImplementedError) as problem:
        reason = str(problem).splitlines()[0]
        raise AssertionError(
            f"makes a tensor elsewhere, or waits for a value: {reason}"
        ) from problem
