"""Hardware-in-the-loop simulator for learning on noisy analog substrates."""

from importlib.metadata import version

__version__ = version("substrate")
