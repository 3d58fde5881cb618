"""Loading a scenario's data, and refusing a network or a loss that does not fit it."""

from __future__ import annotations

from substrate.assemble.layouts import LayoutError, layouts
from substrate.data import load_dataset
from substrate.data.dataset import Dataset
from substrate.data.error import DataError
from substrate.scenario.schema import Scenario
from substrate.scenario.source import Source


def checked_dataset(scenario: Scenario, source: Source) -> Dataset:
    """Load the data set that a scenario names, and check the rest of the scenario against it.

    Raises:
        ScenarioError: the data is missing or wrong, a layer does not fit it, the loss is none for
            its targets, or a batch is larger than all of it.
    """
    try:
        dataset = load_dataset(scenario.data)
    except DataError as problem:
        raise source.error(("data",), str(problem)) from None
    try:
        layouts(scenario.network, dataset.input_shape, dataset.n_out)
    except LayoutError as problem:
        loc = ("network", "layers", problem.index)
        raise source.error(loc, f"layer {problem.index + 1}: {problem}") from None
    if scenario.training.loss == "cross_entropy" and dataset.regression:
        raise source.error(
            ("training", "loss"),
            f"{dataset.name} is a regression, and cross-entropy needs classes",
            found=scenario.training.loss,
            hint="use mean_squared_error",
        )
    if scenario.training.batch_size > len(dataset.x_train):
        raise source.error(
            ("training", "batch_size"),
            f"{dataset.name} has only {len(dataset.x_train)} training samples",
            found=scenario.training.batch_size,
        )
    return dataset
