"""Budgets: settings that make a scenario shorter than what its file says, chosen with `--budget`.

A scenario file is its own `full` budget. Others are mappings of key paths to values:

    budgets:
      short: {training.epochs: 5, data.limit_train: 10000, seeds: [0]}
"""

from __future__ import annotations

from substrate.nearest import did_you_mean
from substrate.scenario.overrides import lay
from substrate.scenario.source import Source

FULL = "full"


def apply_budget(source: Source, budget: str) -> Source:
    """Lay a budget's settings over a scenario.

    Raises:
        ScenarioError: the scenario has no such budget, or its settings are malformed.
    """
    if budget == FULL:
        return source
    budgets = source.data.get("budgets")
    known = [FULL, *(budgets if isinstance(budgets, dict) else ())]
    if budget not in known:
        hint = did_you_mean(budget, known)
        raise source.error(("budgets",), "no such budget", found=budget, hint=hint)
    settings = source.data["budgets"][budget]
    if not isinstance(settings, dict):
        message = "a budget is a mapping of key paths to values"
        raise source.error(("budgets", budget), message, found=settings)
    file, line = source.place(("budgets", budget))
    laid = [("budget", budget, (file, line))]
    for path, value in settings.items():
        file, line = source.place(("budgets", budget, path))
        laid.append((path, value, (f"budget {budget}, {file}", line)))
    return lay(source, laid)
