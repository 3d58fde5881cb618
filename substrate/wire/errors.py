"""What can go wrong between a learner and its chip."""

from __future__ import annotations


class WireError(RuntimeError):
    """A chip behind a wire cannot be worked with; `str()` is one line for people."""


class ChipUnreachable(WireError):
    """Nobody answers, or no longer: all attempts are used up."""


class ChipRestarted(WireError):
    """The chip was started anew, and knows nothing of what it was."""


class ChipEnded(WireError):
    """The process that simulated the chip is no more; another one can go on from what it kept."""


class LeaseLost(WireError):
    """The lease lapsed, and somebody else may have the chip."""


class LeaseTaken(WireError):
    """Another learner has the chip."""


class ChipFailed(WireError):
    """The chip failed at a request."""


class ChipRefused(WireError, ValueError):
    """The chip refused a request, and did not change anything."""


class ChipNotFinite(ChipRefused):
    """The chip refused a request with a value that is NaN or infinite."""
