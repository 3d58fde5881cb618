"""Activity-based node perturbation (ANP), Section 2.1.3.

    d_l = N δL δa_l / ‖δa‖²,   δa_l = ã_l - a_l,   ‖δa‖² = Σ_l ‖δa_l‖²            (Eq. 6)

N is the number of nodes of the whole network. Nothing but observed activities enters, so any noise
will do as the perturbation, be it injected or the device's own, and the baseline pass may be noisy
as well (Section 3.4). In a network of one layer it is INP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from learning.rules.base import Rule, Trial, activity_scale, per_sample

if TYPE_CHECKING:
    from torch import Tensor


class ActivityNodePerturbation(Rule):
    """ANP: the whole network at once, by the difference of two observed activities."""

    name: ClassVar[str] = "anp"
    title: ClassVar[str] = "activity-based node perturbation (Eq. 6)"
    citation: ClassVar[str] = "Dalm, van Gerven and Ahmad, arXiv 2310.00965, Section 2.1.3"
    decorrelated_name: ClassVar[str | None] = "danp"
    reads_activities: ClassVar[bool] = True

    @property
    def unbiased_in(self) -> Literal["any network", "one layer"] | None:
        """Behind other layers δa_l carries their noise as well (Appendix B)."""
        return "one layer"

    def errors(self, trial: Trial) -> tuple[Tensor, ...]:
        """Estimate ∂L/∂a_l by Eq. 6; samples whose activity did not change at all give zero."""
        scale = trial.loss_changes[0] * activity_scale(trial)
        return tuple(change * per_sample(scale, change) for change in trial.activity_changes)
