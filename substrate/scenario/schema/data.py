"""Which data set."""

from typing import Literal

from pydantic import Field

from substrate.scenario.schema.base import Settings

DatasetName = Literal["digits"]


class Data(Settings):
    """The data set."""

    name: DatasetName = Field(
        "digits", description="Which data set; see `substrate list datasets`."
    )
