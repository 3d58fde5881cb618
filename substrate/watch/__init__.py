"""A read-only web page of a run that goes on, or of a chip that is served."""
