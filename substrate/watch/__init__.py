"""A read-only web page of a run that goes on."""
