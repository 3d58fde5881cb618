"""The learning rule of an arm, and everything that goes with it."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from substrate.scenario.schema.base import Settings

OptimiserName = Literal["sgd", "momentum", "adam"]
RuleName = Literal["bp", "dbp", "np", "dnp", "inp", "dinp", "anp", "danp"]

RULE_TITLES: dict[RuleName, str] = {
    "bp": "backpropagation",
    "dbp": "backpropagation with decorrelated layer inputs",
    "np": "node perturbation (Eq. 4, 5)",
    "dnp": "node perturbation with decorrelated layer inputs",
    "inp": "iterative node perturbation, one layer at a time (Eq. 3)",
    "dinp": "iterative node perturbation with decorrelated layer inputs",
    "anp": "activity-based node perturbation (Eq. 6)",
    "danp": "activity-based node perturbation with decorrelated layer inputs",
}


class Perturbation(Settings):
    """How the passes are perturbed. Defaults depend on the chip and the rule."""

    source: Literal["intrinsic", "injected", "both"] = Field(
        description="The noise that makes two passes differ: the device's own, injected, or both."
    )
    baseline: Literal["clean", "noisy"] = Field(
        description="The first pass: noise-free, or as noisy as the others (Section 3.4)."
    )
    sigma: PositiveFloat = Field(
        1e-3, description="Standard deviation of injected noise; the paper's σ² is 1e-6."
    )
    resamples: PositiveInt = Field(
        1, description="K perturbed passes for one baseline pass (Section 3.5)."
    )


class Decorrelation(Settings):
    """The decorrelation matrices R in the digital periphery (Section 2.2)."""

    rate: PositiveFloat = Field(1e-3, description="ε of R's update.")


class Optimiser(Settings):
    """From estimated gradients to weight changes."""

    name: OptimiserName = "sgd"
    learning_rate: PositiveFloat = Field(description="η.")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="Of `momentum` alone.")
    write: Literal["pulses", "dense"] = Field(
        "dense",
        description="How the change reaches the device: pulses of the outer product in place "
        "(sgd only), or a dense ΔW.",
    )


class Learning(Settings):
    """A rule with everything that goes with it."""

    rule: RuleName = Field(description="See `substrate list rules`.")
    perturbation: Perturbation | None = Field(None, description="Not with bp and dbp.")
    decorrelation: Decorrelation | None = Field(None, description="Only with rules named d….")
    optimiser: Optimiser

    @property
    def base_rule(self) -> str:
        """The rule without its decorrelation."""
        return self.rule.removeprefix("d")
