"""Data sets, by the names that scenarios use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from substrate.data.dataset import Dataset
    from substrate.scenario.schema import Data

DATASETS = {
    "digits": "scikit-learn's bundled digits, 8×8 pixels, 10 classes, 1,437 + 360 samples",
    "cifar10": "CIFAR-10, 3×32×32 pixels, 10 classes; downloads where `download: true`",
    "cifar100": "CIFAR-100, 3×32×32 pixels, 100 classes; downloads where `download: true`",
    "mnist": "MNIST, 28×28 pixels, 10 classes; downloads where `download: true`",
    "tiny_imagenet": "Tiny ImageNet in its folder layout, 3×64×64 pixels, 200 classes",
    "image_folder": "images of your own, `train/CLASS/*` and `test/CLASS/*`",
    "npz": "arrays of your own: an .npz with x_train, y_train, x_test, y_test",
    "sarcos": "SARCOS inverse dynamics from .mat files, 21 inputs, 7 torques (regression)",
    "gaussian": "synthetic Gaussian inputs of a chosen covariance, a random teacher's targets",
}
_SHARED_MODULES = dict.fromkeys(("cifar10", "cifar100", "mnist"), "torchvision_images")


def load_dataset(settings: Data) -> Dataset:
    """Load the data set that a scenario names.

    Raises:
        DataError: the data is missing or wrong.
    """
    module = _SHARED_MODULES.get(settings.name, settings.name)
    return cast("Dataset", import_module(f"substrate.data.{module}").load(settings))
