"""Scenario files: reading, checking, and the models that they are checked against."""
