"""Activity-based node perturbation (ANP), Section 2.1.3.

    d_l = N δL δa_l / ‖δa‖²,   δa_l = ã_l - a_l,   ‖δa‖² = Σ_l ‖δa_l‖²            (Eq. 6)

N is the number of nodes of the whole network. Nothing but observed activities enters, so any noise
will do as the perturbation, be it injected or the device's own, and the baseline pass may be noisy
as well (Section 3.4). In a network of one layer it is INP.
"""

from __future__ import annotations

from torch import Tensor

from devices.interface import Capability
from learning.rules.base import Trial, activity_scale, per_sample


class ActivityNodePerturbation:
    """ANP: the whole network at once, by the difference of two observed activities."""

    title = "activity-based node perturbation (ANP)"
    requires = frozenset({Capability.OBSERVE})
    layer_by_layer = False
    reads_activities = True

    def errors(self, trial: Trial) -> tuple[Tensor, ...]:
        """Estimate ∂L/∂a_l by Eq. 6; samples whose activity did not change at all give zero."""
        scale = trial.loss_changes[0] * activity_scale(trial)
        return tuple(change * per_sample(scale, change) for change in trial.activity_changes)
