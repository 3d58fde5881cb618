"""Every shipped rule passes the conformance kit, at its defaults and far from them.

A rule joins by its line in `learning.rules.RULES`.
"""

import pytest

from learning.rules import RULES, Rule
from learning.rules.weight_mirror import WeightMirror
from substrate.verify import RuleConformance

CASES: list[Rule] = [
    *(rule() for rule in RULES.values()),
    WeightMirror(sample_fraction=0.3, slope="observed", where="crossbar"),
    WeightMirror(output_error="critic", regression="lms", sample_fraction=0.5),
    WeightMirror(output_error="perturbation", slope="observed", where="crossbar", told=False),
    WeightMirror(input_readout_std=1e-4, passes_before_training=3, slope="observed", slope_bins=1),
]


@pytest.mark.parametrize("case", CASES, ids=repr)
class TestShippedRules(RuleConformance):
    # Chance that one right rule fails; about ten of three statistics each are tried.
    false_alarm = 1e-6

    @pytest.fixture(autouse=True)
    def _rule(self, case: Rule) -> None:
        type(self).rule = case
