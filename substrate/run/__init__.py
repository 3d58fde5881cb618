"""Running a scenario: training its arms, recording what they do, and the verdict."""
