"""The network, and what all arms have in common when they train it."""

from typing import Literal

from pydantic import Field, PositiveInt

from substrate.scenario.schema.base import Settings

ActivationName = Literal["leaky_relu", "relu", "tanh", "sigmoid"]
LossName = Literal["cross_entropy"]


class Network(Settings):
    """The network between the data's inputs and its classes."""

    layers: list[PositiveInt] = Field(
        [128, 128], description="Nodes of every hidden layer; the output layer follows the data."
    )
    activation: ActivationName = Field("leaky_relu", description="f of every hidden layer.")


class Training(Settings):
    """What all arms have in common."""

    epochs: PositiveInt = Field(25, description="Passes through the training data.")
    batch_size: PositiveInt = Field(50, description="Samples averaged for one update.")
    loss: LossName = Field("cross_entropy", description="Loss of the network's output.")
