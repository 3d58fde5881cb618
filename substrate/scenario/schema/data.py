"""The data sets that a scenario can name, told apart by `name`."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from substrate.scenario.schema.base import FilePath, Settings


class _Limited(Settings):
    limit_train: PositiveInt | None = Field(
        None, description="Train on a random subset of so many samples, the same for every seed."
    )
    limit_test: PositiveInt | None = Field(None, description="Likewise for the test samples.")


class _Images(_Limited):
    standardise: bool = Field(
        True, description="Mean 0 and variance 1 in every channel, by the training images."
    )


class Digits(_Limited):
    """scikit-learn's bundled digits, 8×8 pixels, 10 classes."""

    name: Literal["digits"] = "digits"


class Torchvision(_Images):
    """CIFAR-10, CIFAR-100 or MNIST as torchvision downloads and lays them out."""

    name: Literal["cifar10", "cifar100", "mnist"]
    path: FilePath = Field("$SUBSTRATE_DATA", description="Folder that torchvision was given.")
    download: bool = Field(False, description="Download what is not in `path` yet.")


class ImageFolder(_Images):
    """Any images of one size, a folder a class: `train/CLASS/*` and `test/CLASS/*`.

    Transparent ones are drawn over white; greyscale may have 16 bits.
    """

    name: Literal["image_folder"]
    path: FilePath = Field(description="Folder with `train` and `test`.")


class TinyImageNet(_Images):
    """Tiny ImageNet, 64×64 pixels, 200 classes, in its original folder layout."""

    name: Literal["tiny_imagenet"]
    path: FilePath = Field(
        "$SUBSTRATE_DATA/tiny-imagenet-200", description="Folder with `wnids.txt`."
    )
    limit_classes: Annotated[int, Field(ge=2)] | None = Field(
        None, description="Only a random subset of so many classes, the same for every seed."
    )


class Sarcos(_Limited):
    """SARCOS inverse dynamics, a regression of 7 torques on 21 inputs, all standardised."""

    name: Literal["sarcos"]
    train_file: FilePath = Field(
        "$SUBSTRATE_DATA/sarcos_inv_test.mat", description="A .mat file of 28 columns."
    )
    test_file: FilePath | None = Field(
        None,
        description="Another .mat file to test on; without it, rows of `train_file` are. The usual "
        "one repeats rows of the usual training file; a run says how many.",
    )
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.2, description="Of the rows of `train_file`, held out where there is no `test_file`."
    )


class Npz(_Limited):
    """An .npz file with x_train, y_train, x_test and y_test.

    Integers in y are classes, from 0 or from 1 on; numbers with a fraction make a regression.
    Images have their channels first or last; pixels of 8 or 16 bits are scaled to 0…1.
    """

    name: Literal["npz"]
    path: FilePath = Field(description="The .npz file.")
    standardise: bool = Field(False, description="Mean 0 and variance 1 in every channel or input.")
    task: Literal["classification", "regression"] | None = Field(
        None, description="What y is; needed where whole numbers are stored as floating ones."
    )
    channels: Literal["first", "last"] | None = Field(
        None,
        description="Which axis of images has the channels; needed where their shape leaves it "
        "open.",
    )


class Gaussian(_Limited):
    """Synthetic inputs x ~ N(0, Σ) with the targets of a random linear teacher."""

    name: Literal["gaussian"]
    inputs: PositiveInt = 100
    outputs: PositiveInt = Field(10, description="Classes, or values of a regression.")
    train: PositiveInt = Field(1000, description="Training samples.")
    test: PositiveInt = Field(200, description="Test samples.")
    covariance: Annotated[float, Field(gt=-1, lt=1)] | FilePath = Field(
        0.0, description="ρ of Σ_ij = ρ^|i-j|, or an .npy file with the whole matrix Σ."
    )
    targets: Literal["classes", "values"] = Field(
        "classes", description="The teacher's largest output, or all its outputs."
    )
    seed: Annotated[int, Field(ge=0)] = Field(0, description="Of the data, apart from `seeds`.")


Data = Annotated[
    Digits | Torchvision | ImageFolder | TinyImageNet | Sarcos | Npz | Gaussian,
    Field(discriminator="name"),
]
