"""Arms and seeds of several runs as one run."""

import numpy as np
import pytest
import yaml

from substrate.record.summary import DivergedSeed
from substrate.replicate.measured import read_run
from substrate.replicate.merge import merged
from substrate.run.outcomes import save_outcomes


def rows(arms, seeds, peak, stopped):
    return [
        (arm, seed, epoch, 0.2, accuracy)
        for seed in seeds
        for arm in arms
        for epoch, accuracy in enumerate((0.1, 0.3, 0.3, peak))
        if epoch <= stopped.get((arm, seed), 3)
    ]


@pytest.fixture
def trained(leave, summary):
    """A run of some arms and seeds that peaked at an accuracy; settings may be changed.

    It may have been stopped after an epoch of some arms and seeds.
    """

    def run(name, arms, seeds, peak, change=lambda scenario: None, diverged=None, stopped=None):
        stopped = stopped or {}
        folder = leave(name, rows(arms, seeds, peak, stopped), seeds=seeds)
        scenario = yaml.safe_load((folder / "scenario.yaml").read_text())
        change(scenario)
        for role in ("arms", "baselines"):
            scenario[role] = {arm: each for arm, each in scenario[role].items() if arm in arms}
        (folder / "scenario.yaml").write_text(yaml.safe_dump(scenario, sort_keys=False))
        told = {arm: summary.arms[arm].model_copy() for arm in arms}
        if diverged:
            lost = [DivergedSeed(seed=seed, epoch=2, what="loss") for seed in diverged]
            told[arms[0]] = told[arms[0]].model_copy(update={"diverged": lost})
        status = "interrupted" if stopped else "complete"
        whole = summary.model_copy(update={"arms": told, "seeds": list(seeds), "status": status})
        (folder / "summary.json").write_text(whole.as_json())
        kept = {
            arm: {s: np.array([peak > 0.5]) for s in seeds if (arm, s) not in stopped}
            for arm in arms
        }
        save_outcomes(folder, kept)
        return read_run(folder, "full")

    return run


def test_seeds_are_added(trained):
    both = merged([trained("a", ["np", "bp"], [1], 0.6), trained("b", ["np", "bp"], [0], 0.4)])
    assert both.seeds == [0, 1]
    assert both.arms == ["np", "bp"]
    assert both.trained("np") == [0, 1]
    assert both.best("np", "test_accuracy").mean == pytest.approx(50)
    assert both.compared(["np", "bp"])["bp"].seeds == 2
    assert {seed: bool(each[0]) for seed, each in both.outcomes["bp"].items()} == {
        0: False,
        1: True,
    }


def test_arms_are_added(trained):
    both = merged([trained("a", ["bp"], [0], 0.6), trained("b", ["np"], [0], 0.4)])
    assert both.arms == ["np", "bp"]
    assert set(both.summary.arms) == {"np", "bp"}
    assert both.compared(["np", "bp"])["np"].mean == pytest.approx(40)


def test_what_is_there_already_stays(trained):
    both = merged([trained("a", ["np"], [0], 0.6), trained("b", ["np"], [0, 1], 0.4)])
    assert both.best("np", "test_accuracy", [0]).mean == pytest.approx(60)
    assert both.best("np", "test_accuracy", [1]).mean == pytest.approx(40)


def test_a_seed_that_was_stopped_does_not_hide_one_that_came_to_its_end(trained):
    later = trained("a", ["np", "bp"], [0, 1], 0.6, stopped={("np", 0): 2, ("bp", 1): 1})
    both = merged([later, trained("b", ["np", "bp"], [0], 0.4)])
    assert both.trained("np") == [0, 1]
    assert both.best("np", "test_accuracy", [0]).mean == pytest.approx(40)
    assert both.best("np", "test_accuracy", [1]).mean == pytest.approx(60)
    assert both.best("bp", "test_accuracy", [0]).mean == pytest.approx(60)
    assert {seed: bool(each[0]) for seed, each in both.outcomes["np"].items()} == {
        0: False,
        1: True,
    }
    assert not both.complete
    assert merged([both, trained("c", ["bp"], [1], 0.4)]).complete


def test_of_two_that_were_stopped_the_later_stays(trained):
    later = trained("a", ["np"], [0], 0.6, stopped={("np", 0): 1})
    assert merged([later, trained("b", ["np"], [0], 0.4, stopped={("np", 0): 2})]) == later


def test_a_seed_that_diverged_stays_where_an_earlier_one_was_stopped(trained):
    later = trained("a", ["np"], [0], 0.6, diverged=[0])
    earlier = trained("b", ["np"], [0], 0.4, stopped={("np", 0): 2})
    assert merged([later, earlier]) == later
    swapped = merged([earlier, later])
    assert [each.seed for each in swapped.diverged["np"]] == [0]
    assert swapped.complete


def test_a_seed_that_diverged_is_no_seed_to_be_had_elsewhere(trained):
    lost = trained("a", ["np"], [0, 1], 0.6, diverged=[1])
    both = merged([lost, trained("b", ["np"], [1, 2], 0.4)])
    assert [each.seed for each in both.diverged["np"]] == [1]
    assert both.trained("np") == [0, 2]
    other = merged(
        [trained("c", ["np"], [0], 0.6), trained("d", ["np"], [1, 2], 0.4, diverged=[2])]
    )
    assert [each.seed for each in other.diverged["np"]] == [2]


@pytest.mark.parametrize(
    ("key", "value"),
    [("training", {"epochs": 4}), ("network", {"layers": [9]}), ("data", {"name": "fashion"})],
)
def test_another_setting_does_not_join(trained, key, value):
    first = trained("a", ["bp"], [0], 0.6)
    other = trained("b", ["np"], [1], 0.4, lambda scenario: scenario.update({key: value}))
    assert merged([first, other]) == first


def test_an_arm_at_another_rate_does_not_join(trained):
    def faster(scenario):
        scenario["arms"]["np"]["learning"]["optimiser"]["learning_rate"] = 0.1

    first = trained("a", ["np"], [0], 0.6)
    both = merged([first, trained("b", ["np", "bp"], [1], 0.4, faster)])
    assert both.trained("np") == [0]
    assert both.trained("bp") == [1]


def test_arms_that_a_stopped_run_never_began_leave_nothing_unfinished(trained):
    never = {("bp", 1): 0, ("bp", 2): 0}
    more_seeds = trained("a", ["np", "bp"], [1, 2], 0.6, stopped=never)
    both = merged([more_seeds, trained("b", ["np", "bp"], [0], 0.4)])
    assert both.complete
    assert both.trained("np") == [0, 1, 2]
    assert both.trained("bp") == [0]
