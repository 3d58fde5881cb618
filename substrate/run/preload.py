"""What the server of local workers imports once, so that a worker starts in no time."""

import aihwkit.simulator.tiles.analog  # noqa: F401
import numba  # noqa: F401
import scipy.stats  # noqa: F401

import substrate.run.unit  # noqa: F401
from substrate.run.code import registered_code
from substrate.run.origin import computing_versions

# of the code that was imported here, whatever is edited meanwhile
computing_versions()
registered_code()
