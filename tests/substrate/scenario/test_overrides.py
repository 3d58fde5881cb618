import pytest

from substrate.scenario.overrides import apply_overrides
from substrate.scenario.source import ScenarioError, Source


def refused_setting(source: Source, setting: str) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        apply_overrides(source, [setting])
    return caught.value


def test_overrides(source: Source) -> None:
    changed = apply_overrides(
        source,
        [
            "arms.device.learning.rule=np",
            "seeds.1=7",
            "arms.device.learning.sigma2=1e-3",
            "run.epochs=3",
            "title=a=b",
            "arms.ideal={rule: inp}",
            "name=",
        ],
    )
    assert changed.data == {
        "name": None,
        "arms": {
            "device": {"learning": {"rule": "np", "sigma2": 1e-3}},
            "ideal": {"rule": "inp"},
        },
        "seeds": [0, 7],
        "run": {"epochs": 3},
        "title": "a=b",
    }
    assert source.data["seeds"] == [0, 1]
    assert source.data["arms"]["ideal"] == {"rule": "bp", "rate": 0.1}


@pytest.mark.parametrize(
    ("path", "found", "hint"),
    [
        ("arms.devcie.learning.rule", "devcie", "did you mean 'device'?"),
        ("arms.xyz.learning.rule", "xyz", "known are device, ideal"),
        ("baselines.devise.learning.rule", "devise", "did you mean 'device_bp'?"),
        ("arms.device_bp.learning.rule", "device_bp", "it is a baseline: baselines.device_bp"),
        ("baselines.ideal.learning.rule", "ideal", "it is an arm: arms.ideal"),
    ],
)
def test_a_setting_of_an_arm_that_is_not_there_names_the_nearest(
    source: Source, path: str, found: str, hint: str
) -> None:
    source = apply_overrides(source, ["baselines={device_bp: {learning: {rule: bp}}}"])
    with pytest.raises(ScenarioError) as refused:
        apply_overrides(source, [f"{path}=np"])
    error = refused.value
    assert (error.file, error.field, error.found) == (f"--set {path}=np", path, found)
    group = path.split(".")[0].removesuffix("s")
    assert (error.message, error.hint) == (f"the scenario has no such {group}", hint)


def test_an_arm_is_added_whole_and_then_changed(source: Source) -> None:
    changed = apply_overrides(source, ["arms.new={learning: {}}", "arms.new.learning.rule=np"])
    assert changed.data["arms"]["new"] == {"learning": {"rule": "np"}}


def test_names_of_arms_may_hold_dots(source: Source) -> None:
    """Of names that both fit, the longer one counts; a name ends where a key does."""
    changed = apply_overrides(
        source,
        [
            "arms={rate 0.1: {rate: 1}, rate 0.10: {rate: 1}, rate: {rate: 1}, rate.x: {rate: 1}}",
            "arms.rate 0.1.rate=2",
            "arms.rate 0.10.learning.rule=np",
            "arms.rate.rate=3",
            "arms.rate.x.rate=4",
        ],
    )
    assert changed.data["arms"] == {
        "rate 0.1": {"rate": 2},
        "rate 0.10": {"rate": 1, "learning": {"rule": "np"}},
        "rate": {"rate": 3},
        "rate.x": {"rate": 4},
    }
    for setting in ("arms.rate 0.1.=1", "arms.rate 0.1..rate=1"):
        with pytest.raises(ScenarioError, match="a setting looks like"):
            apply_overrides(changed, [setting])
    error = refused_setting(changed, "arms.rat 0.2.rate=1")
    assert "the scenario has no such arm" in str(error)


def test_names_of_arms_may_hold_equals_signs(source: Source) -> None:
    """Of names that both fit, the longer one counts; values may hold them as well."""
    changed = apply_overrides(
        source,
        [
            "arms={rate=1: {rate: 1}, rate: {rate: 1}, b=0.5: {rate: 1}}",
            "baselines={c==d: {title: x}}",
            "arms.rate=1.rate=2",
            "arms.rate=1.learning.rule=np",
            "arms.rate.rate=3",
            "arms.b=0.5={rate: 4}",
            "baselines.c==d.title=e=f",
            "arms.g={rate: 5}",
        ],
    )
    assert changed.data["arms"] == {
        "rate=1": {"rate": 2, "learning": {"rule": "np"}},
        "rate": {"rate": 3},
        "b=0.5": {"rate": 4},
        "g": {"rate": 5},
    }
    assert changed.data["baselines"] == {"c==d": {"title": "e=f"}}


def test_errors_of_an_override_name_the_setting(source: Source) -> None:
    changed = apply_overrides(source, ["arms.ideal={rule: inp}", "arms.device.learning.rule=np"])
    for loc, place in [
        (("arms", "ideal", "rule"), "--set arms.ideal={rule: inp}"),
        (("arms", "ideal", "rate"), "--set arms.ideal={rule: inp}"),
        (("arms", "device", "learning", "rule"), "--set arms.device.learning.rule=np"),
        (("arms", "device", "learning", "sigma2"), f"{source.path}:7"),
    ]:
        error = changed.error(loc, "is wrong", found=1, hint="try 2")
        assert str(error) == f"{place}: {'.'.join(loc)}: is wrong (found 1); try 2"


def test_the_last_of_two_overrides_wins(source: Source) -> None:
    changed = apply_overrides(source, ["new.a=1", "new.b=2", "new=3", "seeds=[5]", "seeds.0=6"])
    assert changed.data["new"] == 3
    assert changed.data["seeds"] == [6]
    assert changed.error(("seeds", 0), "x").file == "--set seeds.0=6"
    assert changed.error(("new", "a"), "x").file == "--set new=3"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("seeds", "path.to.key=value"),
        ("=3", "path.to.key=value"),
        ("arms..rule=3", "path.to.key=value"),
        ("seeds=[1, 2", "malformed YAML"),
        ("seeds=!!python/name:os.system", "not allowed"),
        ("seeds={a: 1, a: 2}", "stands twice"),
        ("seeds.2=1", "2 entries"),
        ("seeds.first=1", "2 entries"),
        ("seeds.-1=1", "2 entries"),
        ("name.x=1", "neither a mapping nor a list"),
    ],
)
def test_bad_overrides(source: Source, setting: str, words: str) -> None:
    error = refused_setting(source, setting)
    assert str(error).startswith(f"--set {setting}: ")
    assert words in str(error)
    assert error.line is None


def test_an_index_longer_than_any_list(source: Source) -> None:
    assert "2 entries" in refused_setting(source, f"seeds.{'9' * 5000}=1").message
