"""Runs beside each other: their folders tell what one run of all arms would have told."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import substrate as sb
from substrate.compare.page import comparison_page, headline, said
from substrate.compare.read import read_runs
from substrate.compare.record import as_record
from substrate.compare.runs import compare_runs
from substrate.run.estimate import Estimate
from substrate.scenario.source import ScenarioError
from tests.torture.runs import write_scenario

MORE_NOISE = {"arms.native.chip.conductance.read_noise": 0.05}
LESS_NOISE = {"arms.native.chip.conductance.read_noise": 0.001}


class Runs:
    """Runs of one scenario with other settings, each made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._scenario = write_scenario(folder)

    def __call__(
        self, name: str, settings: dict[str, object] | None = None, seeds: tuple[int, ...] = (0, 1)
    ) -> Path:
        folder = self._folder / name
        if not folder.exists():
            scenario = sb.load(self._scenario, {"training.epochs": 1, **(settings or {})})
            sb.run(scenario, seeds=seeds, out=folder, jobs=1, quiet=True)
        return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBSTRATE_STORE", str(folder / "store"))
        yield Runs(folder)


def test_a_difference_has_the_interval_of_the_verdict(runs: Runs) -> None:
    one = runs("one")
    two = runs("two", LESS_NOISE)
    found = compare_runs(read_runs([one, two]), "one:backpropagation")
    (verdict,) = (each for each in sb.read(two).summary.comparisons if each.arm == "native")
    (arm,) = (each for each in found.arms if each.title == "two: native")
    assert arm.behind is not None
    # the same baseline was trained in both, so the runs say of each other what one says of itself
    assert arm.behind.centre == pytest.approx(verdict.gap)
    assert (arm.behind.low, arm.behind.high) == pytest.approx((verdict.ci_low, verdict.ci_high))


def test_the_same_units_stand_there_once(runs: Runs) -> None:
    folders = [runs("one"), runs("two", LESS_NOISE)]
    found = compare_runs(read_runs(folders))
    assert found.reference == "one: native"
    baselines = [each for each in found.arms if each.name == "backpropagation"]
    assert [(each.run, list(each.also_in)) for each in baselines] == [("one", ["two"])]
    assert [path for path, _ in found.differing] == [*LESS_NOISE]
    lost = "hot diverged in 2 of 2 seeds; none is left."
    assert found.notices == [f"one: {lost}", f"two: {lost}"]


def test_other_test_data_is_said_and_not_subtracted(runs: Runs) -> None:
    one = runs("one")
    two = runs("other", {"data.limit_test": 20, "network.layers": [5]})
    found = compare_runs(read_runs([one, two]))
    others = [each for each in found.arms if each.run == "other"]
    assert others
    for each in others:
        assert each.behind is None
        assert each.why_not == "other test data"
    said = " ".join(found.notices)
    assert "60 training and 20 test samples" in said
    assert "Different networks. one: 8-6-3" in said
    assert "Not tested on the same samples as one: other." in said


def test_fewer_training_samples_leave_the_test_data_what_they_are(runs: Runs) -> None:
    one = runs("one")
    two = runs("fewer", {"data.limit_train": 40})
    found = compare_runs(read_runs([one, two]))
    assert all(each.behind for each in found.arms[1:] if each.name != "hot")
    assert "The test data are the same, the training data are not." in found.notices


def test_only_seeds_that_both_have_are_compared(runs: Runs) -> None:
    one = runs("one")
    two = runs("later", LESS_NOISE, (1, 2))
    three = runs("seven", LESS_NOISE, (7,))
    found = compare_runs(read_runs([one, two, three]))
    seeds = {each.title: (each.seeds, each.why_not) for each in found.arms}
    assert seeds["later: native"] == (1, "")
    assert seeds["seven: native"] == (1, "no seed in common")
    (native,) = (each for each in found.arms if each.title == "later: native")
    figures = {each.name: each.figures("native") for each in found.runs}
    assert native.behind
    assert native.behind.centre == pytest.approx(figures["one"][1] - figures["later"][1])
    (told,) = (each for each in said(found) if each.startswith("later: native"))
    assert told.endswith("; one seed has no confidence interval.")
    # of figures without outcomes it is another thing that lacks
    known = replace(native, behind=native.behind._replace(over_seeds=0.01, over_samples=None))
    (told,) = said(replace(found, arms=[found.arms[0], known]))
    assert told.endswith("; what became of each test sample is unknown.")


def test_of_several_arms_those_differ_that_holm_lets(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = read_runs([runs("one"), runs("two", LESS_NOISE), runs("three", MORE_NOISE)])
    # Student's t with two degrees of freedom; p = 1 - t / √(t² + 2): 0.015, 0.029, 0.20
    ratios = iter([8.0, -5.7, 1.9])

    def of_three_seeds(*about: object) -> Estimate | None:
        if len(about) == 1:
            return None  # the arm's own figure
        ratio, spread = next(ratios), math.sqrt(3)  # the error of the mean is 1
        return Estimate([ratio - spread, ratio, ratio + spread], 100, 0.0)

    monkeypatch.setattr("substrate.compare.runs._contrast", of_three_seeds)
    found = compare_runs(read, "one:native")
    assert [arm.title for arm in found.compared] == [
        *("one: backpropagation", "two: native", "three: native")
    ]
    intervals = [arm.behind for arm in found.compared if arm.behind]
    assert [each.low * each.high > 0 for each in intervals] == [True, True, False]
    # 0.015 < 0.05 / 3, but 0.029 > 0.05 / 2
    assert [arm.differs for arm in found.compared] == [True, False, False]
    assert headline(found) == "1 of 3 arms differ from one: native"
    one, two, three = (each for each in said(found) if "hot" not in each)
    assert "may be equal" not in one
    assert two.endswith("; with Holm's correction for 3 arms they may be equal.")
    assert three.endswith("; they may be equal.")
    assert [each["differs"] for each in as_record(found)["arms"] if each["behind"]] == [
        *(True, False, False)
    ]
    assert "with Holm&#39;s correction for 3 arms" in comparison_page(found, "")


def test_an_arm_that_is_not_there_is_refused_with_the_nearest(runs: Runs) -> None:
    read = read_runs([runs("one"), runs("two", LESS_NOISE)])
    with pytest.raises(ScenarioError, match="did you mean 'one:native'"):
        compare_runs(read, "one:nativ")
    with pytest.raises(ScenarioError, match="several runs have an arm of this name"):
        compare_runs(read, "native")
    with pytest.raises(ScenarioError, match="named twice"):
        read_runs([runs("one"), runs("one") / "../one"])


def test_the_command_writes_a_page_and_says_the_same(
    runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from substrate.cli.report import compare_command

    folders, page = [runs("one"), runs("two", LESS_NOISE)], tmp_path / "pages/both.html"
    compare_command(folders, None, page, False, "substrate report one two")
    shown = capsys.readouterr().out
    assert "Set against one: native" in shown
    assert "conductance.read_noise" in shown
    written = page.read_text()
    assert "Settings that differ" in written
    assert "one, two" in written  # the baseline of both
    compare_command(folders, None, page, True, "substrate report one two")
    told = json.loads(capsys.readouterr().out)
    assert told["reference"] == "one: native"
    assert [each["run"] for each in told["arms"]].count("two") == 1  # all others are those of "one"


def test_what_names_hold_does_nothing_in_a_page(runs: Runs) -> None:
    one = runs("<b>", {"title": "<b>one"})
    two = runs("two", LESS_NOISE)
    found = compare_runs(read_runs([one, two]))
    assert "<b>" not in comparison_page(found, "<i>command")
    assert "arms differ from" in headline(found)


def test_twins_of_one_run_and_what_diverged_are_in_the_record(runs: Runs) -> None:
    one = read_runs([runs("one"), runs("two", LESS_NOISE)])
    same = {**one[0].units, "native": one[0].units["backpropagation"]}
    found = compare_runs([replace(one[0], units=same), one[1]], "one:native")
    assert list(found.arms[0].also_in) == ["one:backpropagation", "two"]
    hot = [each for each in as_record(found)["arms"] if each["arm"] == "hot"]
    assert [each["diverged"] for each in hot] == [[0, 1]]
