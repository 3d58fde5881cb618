"""One scenario with one aihwkit preset after the other: what does each device reach, by each rule?

Every device arm of the scenario is a column, every preset a row, and each pair of them a cell:

    for every rate η:  train on a part of the training data, test on the rest of it
    η* = the rate with the highest accuracy there (in a regression, the lowest loss)
    for every seed:    train at η* on all training data, test on the test data

No test sample is looked at before the rate is chosen.
"""
