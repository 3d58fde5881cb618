"""What the server of local workers imports once, so that a worker starts in no time."""

import aihwkit.simulator.tiles.analog  # noqa: F401
import scipy.stats  # noqa: F401

import substrate.run.unit  # noqa: F401
