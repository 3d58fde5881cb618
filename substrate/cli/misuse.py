"""Options and arguments that make no command: one line, like all that a user gets wrong."""

from __future__ import annotations

import typer
from pydantic import ValidationError

from substrate.nearest import did_you_mean
from substrate.scenario.explain import allowed, in_plain_words
from substrate.scenario.source import ScenarioError, decimal_point


def told(problem: typer.TyperException) -> str:
    """Say what is wrong with a command line; empty where its help has been shown instead."""
    text = problem.format_message().removeprefix("Invalid value: ").strip().rstrip(".")
    cause, parameter = problem.__cause__, getattr(problem, "param", None)
    if isinstance(cause, ValidationError) and parameter is not None:
        error = cause.errors()[0]
        found, known = error["input"], allowed(error)
        hint = did_you_mean(str(found), known) if known else decimal_point(found)
        name = parameter.get_error_hint().strip("'")
        words = in_plain_words(error).rstrip(".")
        return str(ScenarioError(words, file=name, found=found, hint=hint))
    context = getattr(problem, "ctx", None)
    text = text[:1].lower() + text[1:]
    if not text or context is None:
        return text
    return f"{text}; `{context.command_path} --help` says more"
