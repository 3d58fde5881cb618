"""What all chips on physical arrays have in common."""

from pydantic import Field, PositiveInt

from substrate.scenario.schema.noise import NoisyChip


class ArrayChip(NoisyChip):
    """A chip whose weight matrices lie on physical arrays."""

    inject: bool = Field(
        False, description="Whether the periphery can add known perturbations to pre-activations."
    )
    transposed_read: bool = Field(
        False,
        description="Whether arrays can be driven from their columns, through their own noise "
        "and that of `noise`, so that bp trains in place. aihwkit reads its inference tiles "
        "backwards without noise of their own.",
    )
    max_rows: PositiveInt | None = Field(
        None,
        description="Rows (inputs) of one array; larger matrices are split over several, whose "
        "partial sums are added digitally. Left out, an array is as large as the matrix.",
    )
    max_columns: PositiveInt | None = Field(
        None, description="Columns (outputs) of one array; see `max_rows`."
    )
