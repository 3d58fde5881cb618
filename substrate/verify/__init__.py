"""The conformance kit: what a noise model or crossbar must do to be trusted in a run.

For a test suite of one's own, one class is enough:

    from substrate.verify import NoiseConformance

    class TestCryoReadNoise(NoiseConformance):
        model = CryoReadNoise(temperature=4.2)
"""

from substrate.verify.crossbar import CrossbarConformance
from substrate.verify.noise import NoiseConformance
from substrate.verify.outcome import Outcome, run_checks

__all__ = ["CrossbarConformance", "NoiseConformance", "Outcome", "run_checks"]
