import enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
)

from substrate.scenario.explain import from_validation_error
from substrate.scenario.overrides import apply_overrides
from substrate.scenario.source import ScenarioError
from substrate.scenario.yaml_reader import load_yaml


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Perturbation(Strict):
    rule: Literal["np", "danp"]
    rate: float = Field(0.1, gt=0)
    # As a tag of the union that it stands in: it must not be taken for that.
    bp: int = 0


class Backpropagation(Strict):
    rule: Literal["bp"] = "bp"
    momentum: float = 0.9


Learning = Annotated[Perturbation | Backpropagation, Field(discriminator="rule")]


class Loss(enum.Enum):
    CROSS_ENTROPY = "cross-entropy"
    MSE = "mse"


class Step(Strict):
    every: int


class Constant(Strict):
    value: float


def schedule_kind(value: Any) -> str:
    return "step" if isinstance(value, dict) and "every" in value else "constant"


class Arm(Strict):
    learning: Learning
    chip: str | None = None
    layers: list[int] | Literal["auto"] = "auto"
    extra: Perturbation | None = None
    schedule: Annotated[
        Annotated[Step, Tag("step")] | Annotated[Constant, Tag("constant")],
        Discriminator(schedule_kind),
    ] = Constant(value=1)


class Scenario(Strict):
    name: str
    arms: dict[str, Arm]
    loss: Loss = Loss.MSE
    steps: list[Learning] = []
    span: tuple[int, float] = (0, 1.0)
    mode: Literal["in", "out"] = Field("in", alias="direction")

    @field_validator("name")
    @classmethod
    def name_is_short(cls, name: str) -> str:
        if len(name) > 10:
            raise ValueError("a name has at most 10 letters")
        return name


def explained(tmp_path: Path, text: str, overrides: tuple[str, ...] = ()) -> ScenarioError:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    source = apply_overrides(load_yaml(path), overrides)
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(source.data)
    return from_validation_error(caught.value, source, Scenario)


BASE = """\
name: demo
arms:
  device:
    learning:
      rule: danp
"""


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("nmae: x\n", "6: nmae: unknown key (found 'nmae'); did you mean 'name'?"),
        (
            "dirction: in\n",
            "6: dirction: unknown key (found 'dirction'); did you mean 'direction'?",
        ),
        (
            "      rtae: 1\n",
            "6: arms.device.learning.rtae: unknown key (found 'rtae'); did you mean 'rate'?",
        ),
        (
            "      momentum: 1\n",
            "6: arms.device.learning.momentum: unknown key (found 'momentum'); "
            "known are rule, rate, bp",
        ),
        (
            "      bp: many\n",
            "6: arms.device.learning.bp: must be a valid integer, "
            "unable to parse string as an integer (found 'many')",
        ),
        (
            "      rate: 0,05\n",
            "6: arms.device.learning.rate: must be a valid number, "
            "unable to parse string as a number (found '0,05'); a decimal has a point: 0.05",
        ),
        ("      rate: -1\n", "6: arms.device.learning.rate: must be greater than 0 (found -1)"),
        (
            "    extra: {rule: np, rat: 1}\n",
            "6: arms.device.extra.rat: unknown key (found 'rat'); did you mean 'rate'?",
        ),
        (
            "    extra: {rule: nq}\n",
            "6: arms.device.extra.rule: unknown rule (found 'nq'); did you mean 'np'?",
        ),
        (
            "    schedule: {every: 1, evry: 2}\n",
            "6: arms.device.schedule.evry: unknown key (found 'evry'); did you mean 'every'?",
        ),
        (
            "    layers: most\n",
            "6: arms.device.layers: must be a valid list or must be 'auto' (found 'most')",
        ),
        (
            "    layers:\n    - 1\n    - x\n",
            "8: arms.device.layers.1: must be a valid integer, "
            "unable to parse string as an integer (found 'x')",
        ),
        ("loss: ms\n", "6: loss: unknown loss (found 'ms'); did you mean 'mse'?"),
        ("loss: 3\n", "6: loss: must be 'cross-entropy' or 'mse' (found 3)"),
        ("direction: inn\n", "6: direction: unknown direction (found 'inn'); did you mean 'in'?"),
        (
            "steps:\n- rule: bp\n- rule: bq\n",
            "8: steps.1.rule: unknown rule (found 'bq'); did you mean 'bp'?",
        ),
        (
            "steps:\n- rule: zzz\n",
            "7: steps.0.rule: unknown rule (found 'zzz'); known are np, danp, bp",
        ),
        ("steps:\n- momentum: 3\n", "7: steps.0.rule: this key is missing"),
        (
            "steps:\n- rule: bp\n  momentun: 3\n",
            "8: steps.0.momentun: unknown key (found 'momentun'); did you mean 'momentum'?",
        ),
        ("steps: 3\n", "6: steps: must be a valid list (found 3)"),
        (
            "span: [1, x]\n",
            "6: span.1: must be a valid number, unable to parse string as a number (found 'x')",
        ),
        ("  ideal:\n", "6: arms.ideal: must be a mapping of keys to values (found nothing)"),
        ("  ideal: {chip: c}\n", "6: arms.ideal.learning: this key is missing"),
    ],
)
def test_one_problem(tmp_path: Path, added: str, message: str) -> None:
    error = explained(tmp_path, BASE + added)
    assert str(error) == f"{tmp_path / 's.yaml'}:{message}"


def test_a_validators_words_are_kept(tmp_path: Path) -> None:
    error = explained(tmp_path, BASE.replace("demo", "quite-a-long-name"))
    assert str(error).endswith(
        "s.yaml:1: name: a name has at most 10 letters (found 'quite-a-long-name')"
    )


def test_a_misspelt_key_goes_before_the_key_that_it_leaves_missing(tmp_path: Path) -> None:
    error = explained(tmp_path, BASE.replace("learning", "lerning"))
    assert (error.line, error.field, error.found) == (4, "arms.device.lerning", "lerning")
    assert error.hint == "did you mean 'learning'? (and 1 more problem in this scenario)"


def test_how_many_problems_more(tmp_path: Path) -> None:
    error = explained(tmp_path, BASE + "loss: 1\nspan: [1]\nsteps: 4\n")
    assert error.field == "loss"
    assert error.hint == "and 2 more problems in this scenario"


def test_a_setting_is_named_instead_of_the_line(tmp_path: Path) -> None:
    setting = "arms.device.learning.rule=dnap"
    error = explained(tmp_path, BASE, (setting,))
    assert str(error) == (
        f"--set {setting}: arms.device.learning.rule: unknown rule (found 'dnap'); "
        "did you mean 'danp'?"
    )
    assert error.line is None


def test_the_valid_scenario_is_valid() -> None:
    assert Scenario.model_validate(yaml.safe_load(BASE)).arms["device"].learning.rule == "danp"
