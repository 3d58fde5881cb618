"""What the server of local workers imports once, so that a worker starts in no time."""

import gc

import aihwkit.simulator.tiles.analog  # noqa: F401
import numba
import scipy.stats  # noqa: F401

import substrate.run.unit  # noqa: F401
from substrate.run.code import registered_code
from substrate.run.origin import computing_versions

# of the code that was imported here, whatever is edited meanwhile
computing_versions()
registered_code()

# numba reads what it can compile with the first function, which takes as long as importing it
numba.njit("void()")(lambda: None)

# all that is here stays: a worker that looked through it for garbage would copy its pages
gc.collect()
gc.freeze()
