"""The commands that read and name, and build nothing."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from substrate.cli.options import (
    BudgetOption,
    JsonOption,
    ScenarioArgument,
    SetOption,
    TrustOption,
    code_trusted,
)

scenarios_app = typer.Typer()


@scenarios_app.command()
def check(
    scenario: ScenarioArgument,
    set_: SetOption = None,
    budget: BudgetOption = "full",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Validate a scenario; build nothing."""
    from substrate.cli.inspect import check_command

    with code_trusted(trust):
        check_command(scenario, set_ or [], budget, as_json)


@scenarios_app.command("list")
def list_(
    what: Annotated[str, typer.Argument(metavar="devices|noise|rules|datasets|scenarios")],
    as_json: JsonOption = False,
) -> None:
    """List what a scenario can name."""
    from substrate.cli.inspect import list_command

    list_command(what, as_json)


@scenarios_app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from substrate.scenario.schema import Scenario
    from substrate.terminal import tell

    tell(json.dumps(Scenario.model_json_schema(), indent=2))
