"""Learning rules by name, for tests."""

from typing import Any

from learning.requirements import PerturbationSettings, RuleSettings
from learning.rules import RULES, Rule


def make_rule(name: str, **settings: Any) -> Rule:
    return RULES[name](**settings)


def rule_settings(name: str, own: dict[str, Any] | None = None, **passes: Any) -> RuleSettings:
    """A rule with its passes, which one that perturbs nothing has not."""
    rule = make_rule(name, **(own or {}))
    return RuleSettings(rule, PerturbationSettings(**passes) if rule.perturbs else None)
