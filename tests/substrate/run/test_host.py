"""An epoch brings its figures to the host once, and waits for nothing between its steps."""

import pytest
import torch

from substrate.assemble import host
from substrate.assemble.dataset import checked_dataset
from substrate.assemble.host import SimulatedHost
from substrate.data.dataset import Dataset
from substrate.run.training import ArmRun
from substrate.scenario.load import load_scenario
from substrate.scenario.schema import Scenario
from tests.host import waits_of


@pytest.fixture
def loaded(tiny) -> tuple[Scenario, Dataset]:
    scenario, source = load_scenario(tiny)
    return scenario, checked_dataset(scenario, source)


@pytest.mark.parametrize("arm", ["clean_danp", "backpropagation"])
def test_an_epoch_waits_for_nothing_until_its_figures_are_wanted(loaded, arm, monkeypatch):
    scenario, dataset = loaded
    run = ArmRun(scenario, arm, 0, dataset, torch.device("cpu"))
    wanted = []
    figures = run._figures
    monkeypatch.setattr(
        run, "_figures", lambda *given: wanted.append(len(wanted)) or figures(*given)
    )
    assert waits_of(run._train) == []
    assert waits_of(run._test) == []
    assert len(wanted) == 2


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("arm", ["clean_danp", "backpropagation"])
def test_a_step_on_the_gpu_waits_for_nothing(loaded, arm):
    scenario, dataset = loaded
    gpu = torch.device("cuda", 0)
    run = ArmRun(scenario, arm, 0, dataset.to(gpu), gpu)
    x, y = run._dataset.x_train[:50], run._dataset.y_train[:50]
    run._learner.step(x, y)
    torch.cuda.set_sync_debug_mode("error")
    try:
        step = run._learner.step(x, y)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert step.losses.isfinite().all()


def test_what_a_checkpoint_holds_goes_where_it_is_computed(loaded, monkeypatch):
    scenario, dataset = loaded
    run = ArmRun(scenario, "clean_danp", 0, dataset, torch.device("cpu"))
    epochs = run.epochs()
    next(epochs)
    last, state, given = next(epochs), run.state(), []
    elsewhere = torch.device("meta")
    simulated = SimulatedHost(scenario, scenario.all_arms["clean_danp"], dataset, elsewhere)
    monkeypatch.setattr(SimulatedHost, "chip", None)
    monkeypatch.setattr(host, "restore_chip", lambda _, part: given.append(part))
    simulated.restore({"weights": torch.ones(2)})
    assert given[0]["weights"].device == elsewhere
    learner = run._learner
    monkeypatch.setattr(run, "_device", elsewhere)
    monkeypatch.setattr(run, "_host", simulated)
    monkeypatch.setattr(learner, "restore", given.append)
    run.restore(state, last)
    assert given[-1]["steps"].device == elsewhere


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("arm", ["clean_danp", "backpropagation"])
def test_a_run_on_the_gpu_goes_on_from_a_checkpoint_as_if_never_stopped(loaded, arm):
    scenario, dataset = loaded
    gpu = torch.device("cuda", 0)
    there = dataset.to(gpu)
    whole, stopped, resumed = (ArmRun(scenario, arm, 0, there, gpu) for _ in range(3))
    *_, wanted = whole.epochs()
    epochs = stopped.epochs()
    next(epochs)
    last = next(epochs)
    resumed.restore({name: value.cpu() for name, value in stopped.state().items()}, last)
    *_, end = resumed.epochs()
    assert (end.train_loss, end.test_accuracy) == (wanted.train_loss, wanted.test_accuracy)
