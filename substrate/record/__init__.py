"""The record of a run: what its files hold, as models that writers and readers share.

Every file says in which format it was written. What is read is checked against these models, so
that a file that was altered or cut is refused where it is read, and not believed.
"""


class RecordError(ValueError):
    """A file of a run folder is not what it should be; `str()` names file, line and field."""
