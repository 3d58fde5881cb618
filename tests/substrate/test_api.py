"""The interface from Python: what it gives, what it costs to import, and the page that shows it."""

import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import substrate as sb
from substrate.record import RecordError
from tests.torture.runs import end, write_scenario

ROOT = Path(__file__).parents[2]
SLOW = {"torch", "aihwkit", "scipy", "sklearn", "matplotlib", "pandas", "numba", "pydantic", "rich"}


@pytest.fixture
def scenario(working_folder: Path) -> sb.Scenario:
    return sb.load(write_scenario(working_folder), {"training.epochs": 2})


@pytest.fixture
def result(scenario: sb.Scenario) -> sb.Run:
    return sb.run(scenario, out="run", jobs=1, quiet=True)


def test_importing_it_imports_nothing_slow() -> None:
    script = """
import sys
before = {*sys.modules}
import substrate
print(*sys.modules.keys() - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = {*done.stdout.split()}
    assert "substrate" in loaded
    assert not loaded & SLOW
    assert len(loaded) < 50  # pydantic alone is ten times as many


def test_every_name_is_there_and_no_other() -> None:
    names = "Limit Run Scenario ScenarioError Study compare load read resume run spec study"
    for name in names.split():
        assert callable(getattr(sb, name))
        assert name in dir(sb)
    assert re.fullmatch(r"[\d.]+", sb.__version__)
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        sb.runn  # noqa: B018


@pytest.mark.parametrize("first", ["substrate.run.store", "substrate.api.runs", "substrate"])
def test_a_package_of_the_same_name_can_be_called_whoever_imports_it_first(first: str) -> None:
    script = f"import {first}, substrate as sb; sb.run('no such scenario')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "ScenarioError: no such scenario: " in done.stderr


def test_the_command_line_and_python_come_to_the_same(
    result: sb.Run, scenario: sb.Scenario, substrate_here, tmp_path: Path
) -> None:
    few = ("--set", "training.epochs=2")
    assert substrate_here("run", "torture.yaml", "--out", "shell", *few).returncode == 0
    assert end(tmp_path / "shell") == end(tmp_path / "run")
    assert {each.name for each in (tmp_path / "shell").iterdir()} == {
        each.name for each in (tmp_path / "run").iterdir()
    }
    assert result.scenario == scenario


def test_metrics_have_a_row_for_every_arm_seed_and_epoch(result: sb.Run) -> None:
    frame = result.metrics
    native = frame[(frame.arm == "native") & (frame.seed == 1)]
    assert list(native.epoch) == [0, 1, 2]
    assert math.isnan(native.train_loss.iloc[0])
    assert frame.test_accuracy.dtype == frame.trains.dtype == float
    stated = [each.test_accuracy for each in result.content.metrics]
    assert np.array_equal(frame.test_accuracy, stated)


def test_arms_and_comparisons_are_those_of_the_summary(result: sb.Run) -> None:
    summary = result.summary
    assert list(result.arms.index) == ["native", "hot", "backpropagation"]
    last = result.metrics[result.metrics.epoch == 2].groupby("arm").test_accuracy
    for arm in ("native", "backpropagation"):
        assert result.arms.test_accuracy[arm] == pytest.approx(last.mean()[arm], rel=1e-12)
        assert result.arms.test_accuracy_std[arm] == pytest.approx(last.std()[arm], rel=1e-9)
    assert result.arms.diverged["hot"] == len(summary.arms["hot"].diverged) == 2
    assert math.isnan(result.arms.test_accuracy["hot"])
    for row, each in zip(result.comparisons.itertuples(), summary.comparisons, strict=True):
        assert (row.arm, row.baseline, row.verdict) == (each.arm, each.baseline, each.verdict)
        assert row.gap == each.gap or (math.isnan(row.gap) and each.gap is None)
    assert result.verdict in repr(result)


def test_pictures_are_figures_that_can_be_drawn_on_and_shown(result: sb.Run) -> None:
    for figure in (result.learning_curves(), result.observed_noise()):
        assert isinstance(figure, Figure)
        before = figure._repr_png_()
        assert before.startswith(b"\x89PNG")
        figure.axes[0].axhline(0.5)
        assert figure._repr_png_() != before


def test_a_scenario_built_in_python_is_checked_like_one_of_a_file(working_folder: Path) -> None:
    write_scenario(working_folder)
    bp = {"rule": "bp", "optimiser": {"learning_rate": 0.01}}
    built = {"name": "built", "data": {"name": "npz", "path": "data.npz"}}
    native = {"chip": {"crossbar": "native"}, "learning": bp}
    refused = sb.Scenario(**built, arms={"native": native}, baselines={"bp": {"learning": bp}})
    with pytest.raises(sb.ScenarioError, match=r"scenario built: arms.native.learning.rule: .*bp"):
        sb.run(refused)
    assert not Path("runs").exists()
    ideal = sb.Scenario(
        **built,
        training={"epochs": 1},
        arms={"native": {"learning": {**bp, "rule": "danp"}}},
        baselines={"bp": {"learning": bp}},
    )
    result = sb.run(ideal, seeds=np.arange(2), jobs=np.int64(1), quiet=True)
    assert result.summary.seeds == [0, 1]
    assert result.folder.parent == Path("runs")


def test_what_is_wrong_names_the_setting(working_folder: Path) -> None:
    path = write_scenario(working_folder)
    with pytest.raises(
        sb.ScenarioError, match=r"training.epochs=-1: training.epochs: .*\(found -1"
    ):
        sb.load(path, {"training.epochs": -1})
    with pytest.raises(sb.ScenarioError, match="did you mean 'native'"):
        sb.load(path, {"arms.native.chip.crossbar": "nativ"})


LEARNING = {"rule": "danp", "optimiser": {"learning_rate": 0.1}}
BUILT = {
    "name": "built",
    "training": {"epochs": 1},
    "arms": {"device": {"chip": {"crossbar": "native"}, "learning": LEARNING}},
    "baselines": {"bp": {"learning": {**LEARNING, "rule": "bp"}}},
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seds": [1]}, "built: seds: unknown key (found 'seds'); did you mean 'seeds'?"),
        ({"seeds": 1}, "built: seeds: must be a valid list (found 1)"),
        ({"seeds": []}, "built: seeds: must have at least 1 item"),
        ({"name": "my run"}, "my run: name: a name, which files are called by, begins with a "),
        ({"baselines": {"device": {"learning": LEARNING}}}, "built: 'device' names an arm and a b"),
        (
            {"arms": {"_a": {"learning": LEARNING}}},
            "built: arms._a: the name of an arm begins with a letter or digit",
        ),
        (
            {"arms": {"device": {"learning": {**LEARNING, "rule": "dnap"}}}},
            "built: arms.device.learning.rule: there is no rule 'dnap'; did you mean 'danp'?",
        ),
        (
            {"arms": {"device": {"chip": {"crossbar": "native"}, "learning": {"rle": "bp"}}}},
            "built: arms.device.learning.rle: unknown key (found 'rle'); did you mean 'rule'?",
        ),
    ],
)
def test_what_is_built_wrong_is_told_as_of_a_file(changed: dict[str, object], said: str) -> None:
    with pytest.raises(sb.ScenarioError) as refused:
        sb.Scenario(**(BUILT | changed))
    assert str(refused.value).startswith(f"scenario {said}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"seeds": 1}, "seeds: whole numbers in a list, such as [0, 1, 2] (found 1)"),
        ({"seeds": "0,1"}, "seeds: whole numbers in a list, such as [0, 1, 2] (found '0,1')"),
        ({"seeds": [0.5]}, "seeds: whole numbers in a list, such as [0, 1, 2] (found [0.5])"),
        ({"seeds": [-1]}, "scenario built: seeds.0: must be greater than or equal to 0 (found -1)"),
        ({"jobs": 0}, "jobs: must be a whole number above 0 (found 0)"),
        ({"jobs": 5.0}, "jobs: must be a whole number (found 5.0)"),
        ({"at_most": "5"}, "at_most: must be a whole number (found '5')"),
        ({"at_most": -1}, "at_most: must be a whole number above 0 (found -1)"),
        ({"out": 5}, "out: must be the path of a folder (found 5)"),
        ({"cluster": 5}, "cluster: must be a name, as text (found 5)"),
        ({"device": 5}, "device: must be a name, as text (found 5)"),
    ],
)
def test_what_is_asked_wrong_is_refused(
    working_folder: Path, asked: dict[str, object], said: str
) -> None:
    with pytest.raises(sb.ScenarioError) as refused:
        sb.run(sb.Scenario(**BUILT), **asked)
    assert str(refused.value) == said
    assert not Path("runs").exists()


FILE = "must be the path of a scenario file, or the name of a shipped one"
FIELD = "arms.native.chip.conductance.read_noise=0.01:1"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sb.load(5), f"path: {FILE} (found 5)"),
        (lambda: sb.load(None), f"path: {FILE} (found nothing)"),
        (lambda: sb.load("native_danp", budget=5), "budget: must be a name, as text (found 5)"),
        (lambda: sb.run(5), f"scenario: {FILE}, or a Scenario (found 5)"),
        (lambda: sb.resume(5), "folder: must be the path of a run folder (found 5)"),
        (lambda: sb.read(5), "folder: must be the path of a run folder (found 5)"),
        (
            lambda: sb.compare(["a", "b"]),
            "folders: each must be the path of a run folder (found ['a', 'b'])",
        ),
        (lambda: sb.compare("a", "b", against=5), "against: must be a name, as text (found 5)"),
        (lambda: sb.study(5), "study: must be the path of a study file, the name of a shipped"),
        (lambda: sb.study("noise_by_bits", out=5), "out: must be the path of a folder (found 5)"),
        (lambda: sb.spec(5, FIELD, 0.1), f"scenario: {FILE}, or a Scenario (found 5)"),
        (lambda: sb.spec("native_danp", 5, 0.1), "vary: must be the path of a field, with its ra"),
        (lambda: sb.spec("native_danp", [5], 0.1), "vary: must be the path of a field, with its "),
        (lambda: sb.spec("native_danp", FIELD, 0.1, arm=5), "arm: must be a name, as text (found "),
        (
            lambda: sb.spec("native_danp", FIELD, 0.1, runs="5"),
            "runs: must be a whole number (found '5')",
        ),
        (
            lambda: sb.spec("native_danp", FIELD, 0.1, runs=5.0),
            "runs: must be a whole number (found 5.0)",
        ),
        (
            lambda: sb.spec("native_danp", FIELD, 0.1, resolution="5"),
            "resolution: must be a fraction of the range, such as 0.0625 (found '5')",
        ),
        (
            lambda: sb.spec("native_danp", FIELD, 0.1, runs=4),
            "runs: must be 5 or more (found 4)",
        ),
        (
            lambda: sb.spec("native_danp", FIELD, 0.1, resolution=0),
            "resolution: must be a fraction of the range, from 0.001 to 1 (found 0.0)",
        ),
    ],
)
def test_a_value_of_another_type_is_refused_in_a_sentence(
    working_folder: Path, call: Callable[[], object], said: str
) -> None:
    with pytest.raises(sb.ScenarioError) as refused:
        call()
    assert str(refused.value).startswith(said)
    assert not Path("runs").exists()


def test_numbers_may_be_those_of_numpy(working_folder: Path, monkeypatch) -> None:
    from substrate.run.session import How
    from substrate.study import limit_session

    asked: list[object] = []
    monkeypatch.setattr(limit_session, "make_limit", lambda *given: asked.extend(given))
    numbers = {"runs": np.int64(5), "resolution": np.float32(0.125), "jobs": np.uint8(2)}
    sb.spec("native_danp", FIELD, np.float64(0.1), **numbers)  # type: ignore[arg-type]
    narrow, most, how = asked[3], asked[4], asked[6]
    assert (narrow, most, how) == (0.125, 5, How(jobs=2))
    assert isinstance(how, How)
    assert [type(each) for each in (narrow, most, how.jobs)] == [float, int, int]


def test_settings_and_folders_that_are_none_are_refused(result: sb.Run) -> None:
    with pytest.raises(sb.ScenarioError, match="overrides: values by dotted path"):
        sb.load("native_danp", ["training.epochs=5"])  # type: ignore[arg-type]
    with pytest.raises(sb.ScenarioError, match="seeds: whole numbers in a list"):
        sb.resume("run", seeds=1)  # type: ignore[arg-type]
    with pytest.raises(sb.ScenarioError, match="two at least"):
        sb.compare()


def test_seeds_are_added_to_a_run_that_is_there(result: sb.Run, monkeypatch) -> None:
    more = sb.resume("run", seeds=[0, 1, 2], jobs=1, quiet=True)
    assert more.summary.seeds == [0, 1, 2]
    assert len(more.metrics) > len(result.metrics)
    assert sb.read("run").metrics.equals(more.metrics)
    with pytest.raises(sb.ScenarioError, match="complete"):
        sb.resume("run")
    with pytest.raises(RecordError):
        sb.read("nowhere")


def test_ctrl_c_ends_the_caller_too_and_loses_nothing(
    scenario: sb.Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    from substrate.run import training

    whole = training.ArmRun.epochs

    def stopped(self):
        for record in whole(self):
            yield record
            if record.epoch == 1 and self._seed == 1:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training.ArmRun, "epochs", stopped)
        with pytest.raises(KeyboardInterrupt, match=r"resume\('run'\)"):
            sb.run(scenario, out="run", jobs=1, quiet=True)
    assert sb.read("run").summary.status == "interrupted"
    assert sb.resume("run", jobs=1, quiet=True).summary.status == "complete"


def test_progress_is_shown_unless_it_is_not_wanted(scenario: sb.Scenario, capsys) -> None:
    sb.run(scenario, seeds=[0, 1], out="quiet", jobs=1, quiet=True)
    assert capsys.readouterr() == ("", "")
    sb.run(scenario, seeds=[0, 2], out="loud", jobs=1)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "native  seed 2  epoch 2" in shown.err


def test_the_example_of_the_page_runs_as_a_script_of_a_user(tmp_path: Path) -> None:
    """At a small size, on two workers, without a guard around what a script does."""
    (example,) = re.findall(
        r"```python\n(import substrate.*?)```", (ROOT / "docs/python.md").read_text(), re.S
    )
    assert len(example.strip().splitlines()) <= 10
    small = '"data.limit_train": 60, "network.layers": [4], "training.epochs": 1'
    script = example.replace('"training.epochs": 5', small)
    assert script != example
    script = script.replace("seeds=[0, 1, 2]", "seeds=[0, 1], jobs=2")
    assert "jobs=2" in script
    (tmp_path / "script.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Data: digits") == 1
    assert (tmp_path / "runs/first/report.html").exists()
    assert (tmp_path / "runs/first/curves.pdf").read_bytes().startswith(b"%PDF")


def test_the_studies_of_the_page_run_too(working_folder: Path) -> None:
    (example,) = re.findall(
        r"```python\n(bits = .*?)```", (ROOT / "docs/python.md").read_text(), re.S
    )
    small = '"data.limit_train": 60, "network.layers": [4], "training.epochs": 1'
    script = example.replace('"training.epochs": 8', small)
    assert script.count(small) == 2
    script = script.replace("runs=20", "runs=5, jobs=1, quiet=True").replace(
        'out="runs/bits"', 'out="runs/bits", jobs=1, quiet=True'
    )
    assert script.count("jobs=1, quiet=True") == 2
    told: dict[str, object] = {"sb": sb}
    exec(script, told)
    study, limit = told["study"], told["limit"]
    assert isinstance(study, sb.Study)
    assert isinstance(limit, sb.Limit)
    assert len(study.points) == 3 * 2  # baselines
    assert list(study.runs["seed"].unique()) == [0, 1, 2]
    assert study.points.equals(pd.read_parquet(study.folder / "points.parquet"))
    assert list(study.effects.columns)[:3] == ["arm", "axis", "main"]
    assert str(limit.folder) in repr(limit)
    assert len(limit.runs) == 5
    assert limit.limits[["limit", "low", "high"]].notna().all(axis=None)
    assert (limit.limits["low"] <= limit.limits["high"]).all()
    for path in (study.report, limit.report, "runs/bits/curve.pdf", "runs/limit/limit.pdf"):
        assert Path(path).stat().st_size > 1000
    with pytest.raises(sb.ScenarioError, match="its axes are bits"):
        study.curve("bit")
    with pytest.raises(sb.ScenarioError, match="the axes concern native"):
        study.curve("bits", arm="nativ")
    with pytest.raises(sb.ScenarioError, match="study bits: axes"):
        sb.study({"name": "bits", "scenario": "native_danp", "axes": {}})


def test_runs_are_compared_in_a_frame(result: sb.Run, scenario: sb.Scenario) -> None:
    other = sb.load("torture.yaml", {"training.epochs": 2, "training.batch_size": 30})
    sb.run(other, out="other", jobs=1, quiet=True)
    found = sb.compare("run", "other", against="run:backpropagation")
    assert found["arm"].iloc[0] == "backpropagation"
    assert math.isnan(found["behind"].iloc[0])
    own = result.comparisons.set_index("arm").gap["native"]
    native = found[(found["run"] == "run") & (found["arm"] == "native")]
    assert native["behind"].item() == pytest.approx(own)
