"""The critic, against the derivative of losses that it only sees the values of."""

import pytest
import torch

from learning.critic import criticise, fit_critic
from learning.losses import cross_entropy, loss_gradient, mean_squared_error

SAMPLES = 200


def fitted(loss, classes: bool, *, batches: int, scale: float = 1.0, samples: int = SAMPLES):
    generator = torch.Generator().manual_seed(1)
    state: dict[str, torch.Tensor] = {}

    def draw(count: int):
        output = scale * torch.randn(count, 4, generator=generator)
        if classes:
            return output, torch.randint(4, (count,), generator=generator)
        return output, scale * torch.randn(count, 4, generator=generator)

    for _ in range(batches):
        output, target = draw(samples)
        change = 1e-2 * scale * torch.randn(samples, 4, generator=generator)
        loss_change = loss(output + change, target) - loss(output, target)
        state = fit_critic(state, output, target, change, loss_change, generator)
    return state, *draw(SAMPLES)


def cosine(state, loss, output, target) -> float:
    found, truth = criticise(state, output, target), loss_gradient(loss, output, target)
    return torch.nn.functional.cosine_similarity(found, truth).mean().item()


@pytest.mark.parametrize(
    ("loss", "classes"), [(cross_entropy, True), (mean_squared_error, False)], ids=["ce", "mse"]
)
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_it_finds_the_gradient_from_loss_changes_alone(loss, classes, scale):
    # cross-entropy of outputs a hundred times as large is another function
    if classes and scale > 1:
        scale = 1.0
    state, output, target = fitted(loss, classes, batches=300, scale=scale)
    assert cosine(state, loss, output, target) > 0.9
    found, truth = criticise(state, output, target), loss_gradient(loss, output, target)
    assert found.norm() / truth.norm() == pytest.approx(1, abs=0.2)


def test_it_starts_at_zero_and_leaves_the_state_before_alone():
    state, output, target = fitted(cross_entropy, True, batches=1)
    before = {name: value.clone() for name, value in state.items()}
    change = torch.ones(SAMPLES, 4)
    fit_critic(state, output, target, change, change.sum(1), torch.Generator())
    assert all(torch.equal(before[name], value) for name, value in state.items())
    assert state["weight.2"].abs().max() < 0.1  # five steps of Adam from zero


def test_passes_that_changed_nothing_leave_it_finite():
    generator = torch.Generator().manual_seed(2)
    output, target = torch.randn(5, 4), torch.zeros(5, dtype=torch.int64)
    zeros = torch.zeros(5, 4)
    state = fit_critic({}, output, target, zeros, zeros[:, 0], generator)
    assert criticise(state, output, target).isfinite().all()


def test_it_keeps_the_last_thousand_samples_newest_first():
    generator = torch.Generator().manual_seed(3)
    state: dict[str, torch.Tensor] = {}
    shown = []
    for _ in range(6):
        output, change = torch.randn(2, SAMPLES, 4, generator=generator)
        target = torch.randint(4, (SAMPLES,), generator=generator)
        state = fit_critic(state, output, target, change, change.sum(1), generator)
        shown.insert(0, output)
    assert torch.equal(state["kept.a"], torch.cat(shown)[:1000])
    assert {len(value) for name, value in state.items() if name.startswith("kept.")} == {1000}


def test_a_mini_batch_above_a_thousand_samples_is_taken_whole():
    generator = torch.Generator().manual_seed(4)
    output, change = torch.randn(2, 1200, 4, generator=generator)
    target = torch.randint(4, (1200,), generator=generator)
    state = fit_critic({}, output, target, change, change.sum(1), generator)
    state = fit_critic(state, output[:7], target[:7], change[:7], change[:7].sum(1), generator)
    assert torch.equal(state["kept.a"], torch.cat([output[:7], output])[:1000])


def test_places_not_yet_taken_teach_it_nothing(monkeypatch):
    """They make the mean misfit smaller, and Adam divides a gradient by its size, plus 1e-8."""
    few, *_ = fitted(cross_entropy, True, batches=1)
    monkeypatch.setattr("learning.critic._KEPT", SAMPLES)
    none_free, output, target = fitted(cross_entropy, True, batches=1)
    assert len(none_free["kept.a"]) < len(few["kept.a"])
    found, wanted = (criticise(state, output, target) for state in (few, none_free))
    assert (found - wanted).norm() < 1e-3 * wanted.norm()


def test_few_samples_a_batch_teach_it_too():
    """Without those of earlier batches, the mean cosine ends at 0.973."""
    state, output, target = fitted(cross_entropy, True, batches=300, samples=12)
    assert cosine(state, cross_entropy, output, target) > 0.99


def test_outputs_of_double_precision_are_learned_in_it():
    output, generator = torch.randn(5, 4, dtype=torch.float64), torch.Generator().manual_seed(3)
    target, change = torch.zeros(5, dtype=torch.int64), torch.ones_like(output)
    state = fit_critic({}, output, target, change, change.sum(1), generator)
    found = criticise(state, output, target)
    assert found.dtype == torch.float64
    assert found.isfinite().all()
