"""The conformance kit: what noise models, crossbars, rules and benches must do to be trusted.

For a test suite of one's own, one class is enough:

    from substrate.verify import NoiseConformance

    class TestCryoReadNoise(NoiseConformance):
        model = CryoReadNoise(temperature=4.2)
"""

from substrate.verify.bench import BenchConformance
from substrate.verify.crossbar import CrossbarConformance
from substrate.verify.noise import NoiseConformance
from substrate.verify.outcome import Outcome, run_checks
from substrate.verify.rule import RuleConformance

__all__ = [
    "BenchConformance",
    "CrossbarConformance",
    "NoiseConformance",
    "Outcome",
    "RuleConformance",
    "run_checks",
]
