"""The learning rule of an arm, and everything that goes with it."""

from typing import Annotated, Literal, get_args

from pydantic import Field, PositiveFloat, PositiveInt

from substrate.scenario.schema.base import Settings

OptimiserName = Literal["sgd", "momentum", "adam"]
RuleName = Literal[
    "bp",
    "dbp",
    "np",
    "dnp",
    "np_observed",
    "dnp_observed",
    "inp",
    "dinp",
    "anp",
    "danp",
    "anp_corrected",
    "danp_corrected",
]

_TITLES = {
    "bp": "backpropagation",
    "np": "node perturbation by an injected, known perturbation (Eq. 4, 5)",
    "np_observed": "node perturbation by observed activity differences and a calibrated σ²",
    "inp": "iterative node perturbation, one layer at a time (Eq. 3)",
    "anp": "activity-based node perturbation (Eq. 6)",
    "anp_corrected": "activity-based node perturbation, corrected by the covariance of δa",
}


def is_decorrelated(rule: str) -> bool:
    """Whether a rule's name says that it decorrelates: a d in front of a rule's name."""
    return rule.startswith("d")


def base_rule(rule: str) -> str:
    """Give a rule's name without its decorrelation."""
    return rule.removeprefix("d")


def _title(rule: str) -> str:
    decorrelated = " with decorrelated layer inputs" if is_decorrelated(rule) else ""
    return _TITLES[base_rule(rule)] + decorrelated


RULE_TITLES: dict[RuleName, str] = {rule: _title(rule) for rule in get_args(RuleName)}


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
    """The decorrelation matrices R in front of the crossbars (Section 2.2)."""

    rate: PositiveFloat = Field(1e-3, description="ε of R's update.")
    sample_fraction: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="Part of the mini-batch that R's update is taken from."
    )
    every: PositiveInt = Field(1, description="Steps from one update of R to the next.")
    on: Literal["digital", "crossbar"] = Field(
        "digital",
        description="Where R is: exact in the digital periphery, or on a crossbar of the same kind "
        "as the weights, read through its own noise.",
    )


class Covariance(Settings):
    """The running estimate of the covariance of δa, of `anp_corrected` alone."""

    decay: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.95, description="β of the exponential average over mini-batches."
    )
    ridge: PositiveFloat = Field(
        1.0, description="λ on the diagonal, in units of the variance of white noise."
    )


class Calibration(Settings):
    """How σ² of every layer is found before training, for `np_observed` alone."""

    passes: Annotated[int, Field(ge=2, multiple_of=2)] = Field(
        20, description="Repeated passes of the first mini-batch, compared two by two."
    )


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
    covariance: Covariance | None = Field(None, description="Only with anp_corrected.")
    calibration: Calibration | None = Field(None, description="Only with np_observed.")
    optimiser: Optimiser

    @property
    def base_rule(self) -> str:
        """The rule without its decorrelation."""
        return base_rule(self.rule)
