"""Studies: a scenario at many points of its settings, and what each setting costs."""
