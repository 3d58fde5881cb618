"""What learners multiply, against counts by hand."""

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

from learning.critic import criticise, fit_critic
from learning.learner import Learner, LearningSettings
from learning.losses import LOSSES, Loss, mean_squared_error
from learning.optimisers import OptimiserSettings
from learning.requirements import PerturbationSettings, RuleSettings
from learning.rules import RULES
from substrate.run.multiplications import Multiplications
from tests.chips import make_chip
from tests.rules import make_rule

SIZES = (6, 5, 3)
BATCH = 4


def learner(
    name: str, optimiser: str, write: str, loss: Loss = mean_squared_error, **passes
) -> Learner:
    rule = make_rule(name)
    perturbation = PerturbationSettings(**passes) if rule.perturbs else None
    settings = LearningSettings(
        RuleSettings(rule, perturbation), OptimiserSettings(optimiser, 0.1, 0.9, write)
    )
    return Learner(make_chip(SIZES), settings, loss, torch.Generator())


@pytest.mark.parametrize(("optimiser", "each"), [("sgd", 1), ("momentum", 2), ("adam", 8)])
def test_backpropagation_multiplies_outer_products_and_the_step(optimiser, each):
    count = Multiplications()
    step = learner("bp", optimiser, "dense").step
    count.count("first", lambda: step(torch.randn(BATCH, 6), torch.randn(BATCH, 3)))
    weights, biases = 6 * 5 + 5 * 3, 5 + 3
    outer_products = BATCH * weights
    # the mean over the batch of biases' errors; the loss and its derivative of BATCH × 3 values
    small = biases + 12 * BATCH * 3
    exact = outer_products + each * (weights + biases)
    assert exact <= count.total <= exact + small


def test_pulses_spare_the_periphery_the_outer_product():
    count = Multiplications()
    step = learner("anp", "sgd", "pulses").step
    count.count("first", lambda: step(torch.randn(BATCH, 6), torch.randn(BATCH, 3)))
    nodes = BATCH * (5 + 3)
    # of δa its square, of d its factor and its mean, a handful a sample, the losses, the biases
    assert 3 * nodes <= count.total <= 3 * nodes + BATCH * (3 * 4 + 6) + 2 * (5 + 3) + 10


def test_later_steps_of_a_kind_count_the_same_and_are_not_looked_at():
    count = Multiplications()
    a = torch.randn(3, 4)

    def product() -> torch.Tensor:
        return _in_learning(a)

    count.count("kind", product)
    first = count.total
    assert first == 3 * 4 * 3
    count.count("kind", product)
    assert count.total == 2 * first


def _in_learning(a: torch.Tensor) -> torch.Tensor:
    """A product of a 3 × 4 with a 4 × 3 matrix, made by the learning package."""
    from learning.optimisers import mean_outer_product

    return mean_outer_product(a.T, a.T)


def test_a_regression_multiplies_its_covariance_factor_inverse_and_products():
    count = Multiplications()
    step = learner("weight_mirror", "sgd", "pulses", baseline="noisy").step
    totals = []
    for number in range(2):
        count.count(number, lambda: step(torch.randn(BATCH, 6), torch.randn(BATCH, 3)))
        totals.append(count.total - sum(totals))
    n = 5
    # of the first step alone: what is scaled at the start, C + λ c̄ I's factor and its inverse
    assert n**3 // 6 + n**3 // 3 <= totals[0] - totals[1] <= n**3 // 2 + n**2 + 2 * n
    assert totals[1] >= 2 * BATCH * n**2


@pytest.mark.parametrize("shown", [7, 250, 1200])
def test_a_critic_multiplies_all_that_it_keeps_there_and_back(shown):
    """In five steps on a fifth each, whatever it is shown of a mini-batch."""
    n, hidden, kept = 10, 64, max(1000, shown)
    output, change = torch.randn(2, shown, n)
    classes, generator = torch.randint(n, (shown,)), torch.Generator()
    count = Multiplications()

    def fit(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return fit_critic(state, output, classes, change, change.sum(1), generator)

    state = count.count("first", lambda: fit({}))
    first = count.total
    count.count("later", lambda: fit(state))
    one_way = 2 * n * hidden + hidden**2 + hidden * n
    # back to every matrix, and to both hidden layers
    products = kept * (2 * one_way + hidden**2 + hidden * n)
    adam = 5 * 8 * (one_way + 2 * hidden + n)
    # of a tanh's slope two, of inputs, misfits and scales a handful
    small = kept * (2 * 2 * hidden + 11 * n) + 100
    assert products + adam <= count.total - first <= products + adam + small
    before = count.total
    count.count("criticised", lambda: criticise(state, output, classes))
    assert shown * one_way <= count.total - before <= shown * (one_way + 3 * n) + 10


def test_a_chips_own_products_are_not_the_learners():
    count = Multiplications()
    chip = make_chip(SIZES)
    count.count("pass", lambda: chip.forward(torch.randn(BATCH, 6)))
    assert count.total == 0


def test_looking_does_not_import_torchs_compiler():
    """It would take every worker more than a second."""
    script = """
import sys, torch
from substrate.run.multiplications import Multiplications
Multiplications().count("step", lambda: torch.ones(3) * 2)
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


A = torch.randn(5, 5) + 5 * torch.eye(5)
S, B, V = A @ A.T, torch.randn(5, 3), torch.randn(5)
COUNTED: dict[str, tuple[Callable[[], object], int]] = {
    "mv": (lambda: A @ V, 25),
    "addmv": (lambda: torch.addmv(V, A, V), 25),
    "dot": (lambda: V @ V, 5),
    "outer": (lambda: torch.outer(V, B[:, 0]), 25),
    "addr": (lambda: torch.addr(A, V, V), 25),
    "inner": (lambda: torch.inner(A, V), 25),
    "einsum": (lambda: torch.einsum("ij,jk->ik", A, B), 75),
    "batches": (lambda: torch.randn(2, 4, 5) @ B, 2 * 4 * 5 * 3),
    "baddbmm": (lambda: torch.baddbmm(B[None], A[None], B[None]), 75),
    "solve": (lambda: torch.linalg.solve(A, B), 125 // 3 + 75),
    "solve a vector": (lambda: torch.linalg.solve(A, V), 125 // 3 + 25),
    "solve two": (lambda: torch.linalg.solve(torch.stack([A, A]), torch.stack([B, B])), 83 + 150),
    "solve two of one side": (lambda: torch.linalg.solve(torch.stack([A, A]), B), 83 + 150),
    "solve of two sides": (lambda: torch.linalg.solve(A, torch.stack([B, B])), 125 // 3 + 150),
    "inv": (lambda: torch.linalg.inv(A), 125),
    "det": (lambda: torch.linalg.det(A), 125 // 3),
    "cholesky": (lambda: torch.linalg.cholesky(S), 125 // 6),
    "cholesky_solve": (lambda: torch.cholesky_solve(B, S), 75),
    "cholesky_solve of two": (lambda: torch.cholesky_solve(B, torch.stack([S, S])), 150),
    "triangular": (lambda: torch.linalg.solve_triangular(S, B, upper=True), 75 // 2),
    "conv2d": (
        lambda: functional.conv2d(torch.randn(2, 3, 6, 6), torch.randn(4, 3, 3, 3)),
        2 * 4 * 4 * 4 * 3 * 9,
    ),
    "norm": (lambda: B.norm(), 15),
    "norm of lines": (lambda: torch.linalg.vector_norm(B, dim=0), 15),
    "foreach": (lambda: torch._foreach_mul([A, B], 2.0), 40),
    "foreach, in place": (lambda: torch._foreach_mul_([A.clone(), B.clone()], [A, B]), 40),
    "foreach_addcmul": (lambda: torch._foreach_addcmul_([B.clone()], [B], [B]), 30),
    "foreach, powers of a number": (lambda: torch._foreach_pow(2.0, [A, B]), 40),
    "var": (lambda: B.var(0), 15),
    "mse": (lambda: functional.mse_loss(B, B), 15),
    "square": (lambda: B.square(), 15),
    "nothing": (lambda: (A + A.T).exp().clamp(min=1).flip(0).sum(0).view(-1)[:2].clone(), 0),
    "axes in place": (lambda: V.clone().unsqueeze_(0).transpose_(0, 1).squeeze_(), 0),
}


@pytest.mark.parametrize("name", COUNTED)
def test_every_product_counts(name, as_learner):
    operation, wanted = COUNTED[name]
    count = Multiplications()
    count.count("kind", lambda: as_learner(operation))
    assert (count.total, count.uncounted) == (wanted, set())


def test_what_nobody_has_a_formula_of_is_named(as_learner):
    count = Multiplications()
    count.count("kind", lambda: as_learner(lambda: torch.linalg.eigh(S)[1] @ V))
    assert (count.total, count.uncounted) == (25, {"_linalg_eigh"})


@pytest.fixture
def as_learner():
    """Calls a function from a module of the learning package, as rules of users' own are called."""
    inside: dict[str, Any] = {"__name__": "learning.rules.somebodys"}
    exec("def call(operation): return operation()", inside)
    return inside["call"]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", RULES)
def test_shipped_rules_and_losses_have_nothing_uncounted(name, loss):
    classes = torch.randint(3, (BATCH,))
    for optimiser in ("sgd", "adam", "adamw"):
        count = Multiplications()
        step = learner(name, optimiser, "dense", LOSSES[loss]).step
        count.count("first", lambda step=step: step(torch.randn(BATCH, 6), classes))
        assert count.uncounted == set()


class _NestedWayBack(torch.autograd.Function):
    """Its gradient is that of 3 x; 100 deep, autograd goes on in another thread.

    On a GPU it does so at once.
    """

    @staticmethod
    def forward(ctx, x, depth, threads):
        ctx.depth, ctx.threads = depth, threads
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        if ctx.depth == 0:
            ctx.threads.append(threading.get_ident())
            return 3 * gradient, None, None
        with torch.enable_grad():
            x = gradient.detach().requires_grad_()
            nested = _NestedWayBack.apply(x, ctx.depth - 1, ctx.threads)
        return *torch.autograd.grad(nested, x, gradient), None, None


def test_products_on_the_way_back_count_in_whatever_thread(as_learner):
    def backward(depth: int) -> None:
        x = torch.ones(4, requires_grad=True)
        _NestedWayBack.apply(x, depth, threads).sum().backward()

    counts, threads = [], []
    for depth in (0, 100):
        count = Multiplications()
        count.count("kind", lambda depth=depth: as_learner(lambda: backward(depth)))
        counts.append(count.total)
    assert threads[0] == threading.get_ident() != threads[1]
    assert counts == [4, 4]
