"""The network, and what all arms have in common when they train it."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from substrate.scenario.schema.base import PluginSpec, Settings

ActivationName = Literal["leaky_relu", "relu", "tanh", "sigmoid", "sign", "step"]
InitialName = Literal["uniform", "he_normal", "kaiming_normal"]
LossName = Literal["cross_entropy", "mean_squared_error"]


class Conv(Settings):
    """A 2-d convolution with square kernels: `{conv: 16, kernel: 3, stride: 2}`."""

    conv: PositiveInt = Field(description="Channels out.")
    kernel: PositiveInt = Field(3, description="Height and width of a kernel, in pixels.")
    stride: PositiveInt = Field(1, description="Pixels from one position to the next.")
    padding: NonNegativeInt = Field(0, description="Pixels of zeros on every side of the image.")


class LeakyRelu(Settings):
    """A leaky ReLU with a slope of one's own: `{leaky_relu: 0.2}`."""

    leaky_relu: NonNegativeFloat = Field(
        description="Slope below zero: 0.2 is TensorFlow's default, 0.01 torch's."
    )


class Staircase(Settings):
    """A staircase of k equal steps from -1 to 1: `{staircase: 4}`."""

    staircase: Annotated[int, Field(ge=2)] = Field(description="k, the number of levels.")


class ActivationFunction(Settings):
    """An activation of the user's own: an element-wise function of a tensor."""

    function: PluginSpec = Field(description="`my_file.py:my_function`.")
    differentiable: bool = Field(
        False, description="Whether autograd can differentiate it usefully."
    )


def _short_activation(activation: Any) -> Any:
    own = isinstance(activation, str) and ":" in activation
    return {"function": activation} if own else activation


Layer = PositiveInt | Conv | Literal["flatten"]


class Network(Settings):
    """The network between the data's inputs and its outputs."""

    layers: list[Layer] = Field(
        [128, 128],
        description="The hidden layers: a number of nodes for a fully connected one, "
        "`{conv: CHANNELS, kernel: 3, stride: 1, padding: 0}`, or `flatten`, which is implied "
        "before a fully connected layer. The output layer follows the data.",
    )
    activation: Annotated[
        ActivationName | LeakyRelu | Staircase | ActivationFunction,
        BeforeValidator(_short_activation),
    ] = Field(
        "leaky_relu",
        description="f of every hidden layer; `{leaky_relu: 0.2}` has a slope of one's own, "
        "`leaky_relu` torch's of 0.01; one of your own is `my_file.py:my_function`, or "
        "`{function: my_file.py:my_function, differentiable: true}`.",
    )
    initial: InitialName = Field(
        "uniform",
        description="Initial weights: `uniform` from -r/√n_in to r/√n_in, r being `initial_range`; "
        "or normal with the standard deviation √(2/n_in) (He et al., 2015), `he_normal` as Keras "
        "draws it, truncated at two standard deviations, `kaiming_normal` as torch does, whole.",
    )
    initial_range: PositiveFloat = Field(
        1.0,
        description="r of `uniform` alone; 1 is torch's default for a layer, and √6 = 2.45 keeps "
        "the size of a signal through layers of ReLUs (He et al., 2015).",
    )

    @model_validator(mode="after")
    def _range_is_of_uniform(self) -> Self:
        if self.initial != "uniform" and self.initial_range != 1:
            raise ValueError(
                f"`initial_range` is of `initial: uniform` alone, and {self.initial} has the"
                " standard deviation √(2/n_in)"
            )
        return self

    @property
    def activation_title(self) -> str:
        """The activation as people read it."""
        if isinstance(self.activation, Staircase):
            return f"staircase of {self.activation.staircase} levels"
        if isinstance(self.activation, LeakyRelu):
            return f"leaky relu of slope {self.activation.leaky_relu:g}"
        if isinstance(self.activation, ActivationFunction):
            return f"activation {self.activation.function.rpartition('/')[2]}"
        return self.activation.replace("_", " ")

    @property
    def differentiable(self) -> bool:
        """Whether the activation has a useful derivative."""
        if isinstance(self.activation, ActivationFunction):
            return self.activation.differentiable
        return isinstance(self.activation, LeakyRelu) or self.activation in (
            *("leaky_relu", "relu", "tanh", "sigmoid"),
        )


class LossFunction(Settings):
    """A loss of the user's own: a function of (output, target) that gives a loss per sample."""

    function: PluginSpec = Field(description="`my_file.py:my_loss` or `my_module:my_loss`.")
    differentiable: bool = Field(
        False, description="Whether autograd can differentiate it, so that bp may use it."
    )


def _short_form(loss: Any) -> Any:
    return {"function": loss} if isinstance(loss, str) and ":" in loss else loss


class Training(Settings):
    """What all arms have in common."""

    epochs: PositiveInt = Field(25, description="Passes through the training data.")
    batch_size: PositiveInt = Field(50, description="Samples averaged for one update.")
    loss: Annotated[LossName | LossFunction, BeforeValidator(_short_form)] = Field(
        "cross_entropy",
        description="Loss of the network's output; one of your own is `my_file.py:my_loss`, or "
        "`{function: my_file.py:my_loss, differentiable: true}`.",
    )

    @property
    def loss_title(self) -> str:
        """The loss as people read it."""
        if isinstance(self.loss, LossFunction):
            return f"loss {self.loss.function.rpartition('/')[2]}"
        return self.loss.replace("_", "-")

    @property
    def differentiable(self) -> bool:
        """Whether the loss has a derivative."""
        return not isinstance(self.loss, LossFunction) or self.loss.differentiable
