"""Noise on a chip: which model, where it acts, and in which layers.

noise:
  - {model: gaussian, at: output, std: 0.02}
  - {model: "my_lab.py:CryoReadNoise", at: readout, temperature: 4.2}
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, cast

from pydantic import (
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    PositiveInt,
    ValidationInfo,
    WithJsonSchema,
    create_model,
)

from devices.noise import MODELS
from devices.noise.base import NoiseModel
from devices.scenario_path import with_default_files
from substrate.library import noise_model
from substrate.plugins import NotRunError, PluginError, absolute_spec, names_plugin
from substrate.scenario.schema.base import Settings, scenario_folder
from substrate.scenario.schema.owned import error_at, refuse_unknown

Place = Literal["input", "weight", "output", "readout", "input_readout"]


class PlacedNoise(Settings):
    """A noise model at a place. The parameters of the model stand beside these keys."""

    model: str = Field(
        description="A noise model: `substrate list noise`, or `my_file.py:MyNoise`."
    )
    at: Place = Field(
        description="Where it acts. Noise of input, weight and output travels through the network, "
        "and acts on transposed reads as well, there on what drives the columns and what rows "
        "give; noise of the readout only blurs the pre-activations that are observed, noise of the "
        "input_readout the layer inputs that are.",
    )
    layers: list[PositiveInt] | None = Field(
        None,
        description="Numbers of the layers, counted from 1; left out, all of them.",
        min_length=1,
    )

    def acts_on(self, layer: int) -> bool:
        """Whether it acts in a layer, counted from 1."""
        return self.layers is None or layer in self.layers


class NotRunNoise(PlacedNoise):
    """A model of the user's own that is not run: its parameters are anyone's guess."""

    model_config = ConfigDict(extra="allow")


@cache
def placed(model: type[NoiseModel]) -> type[PlacedNoise]:
    """Make the settings of a model at a place: a model that also says where it acts."""

    return create_model(
        f"Placed{model.__name__}",
        __base__=(PlacedNoise, cast(type[PlacedNoise], model)),
        __doc__=model.__doc__,
    )


def _read(value: Any, info: ValidationInfo) -> PlacedNoise:
    if isinstance(value, PlacedNoise):
        return value
    if not isinstance(value, dict):
        raise ValueError("must be a mapping such as {model: gaussian, at: output, std: 0.02}")
    name = value.get("model")
    if not isinstance(name, str):
        raise error_at(("model",), name, "this key is missing: it names a noise model")
    try:
        if names_plugin(name):
            value = value | {"model": absolute_spec(name, scenario_folder(info))}
        model = noise_model(name, scenario_folder(info))
    except NotRunError:
        return NotRunNoise.model_validate(value)
    except PluginError as problem:
        raise error_at(("model",), name, str(problem)) from None
    settings = placed(model)
    refuse_unknown(value, settings.model_fields, f"the noise model {name}")
    return settings.model_validate(with_default_files(settings, value), context=info.context)


def _json_schema() -> dict[str, Any]:
    """One alternative for every shipped model, told apart by its name, and one for all others."""
    schemas: list[Mapping[str, Any]] = []
    for name, model in MODELS.items():
        schema = placed(model).model_json_schema()
        schema["properties"]["model"]["const"] = name
        schemas.append(schema)
    other = PlacedNoise.model_json_schema() | {"additionalProperties": True}
    other["properties"]["model"]["not"] = {"enum": list(MODELS)}
    return {"oneOf": [*schemas, other]}


def _written(noise: PlacedNoise) -> dict[str, Any]:
    """None may be a value of a model's own; of ours it says that a key was left out."""
    written = noise.model_dump(mode="json")
    return {
        name: value
        for name, value in written.items()
        if value is not None or name not in PlacedNoise.model_fields
    }


Noise = Annotated[
    PlacedNoise,
    PlainValidator(_read),
    PlainSerializer(_written),
    WithJsonSchema(_json_schema()),
]
"""A noise model at a place, with the parameters of that very model."""


class NoisyChip(Settings):
    """What all chips but the ideal one have in common."""

    noise: list[Noise] = Field(
        [],
        description="Noise on top of the crossbar's own; any number of models, at any place. It "
        "acts on every read of an array, transposed ones and those of R and mirrors on crossbars "
        "too; every array of a matrix that is split over several has its own.",
    )

    @property
    def adds_travelling_noise(self) -> bool:
        """Whether some of `noise` goes on to the next layer, as noise of a readout does not."""
        return any(each.at not in ("readout", "input_readout") for each in self.noise)
