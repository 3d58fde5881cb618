import subprocess
import sys

import pytest
import torch

from devices.interface import Dense, LayerShape, Outer
from learning.optimisers import Optimiser, OptimiserSettings
from tests.chips import CPU

SHAPE = LayerShape(4, 3)


def optimiser(name: str, write: str = "dense", rate: float = 0.1) -> Optimiser:
    return Optimiser(OptimiserSettings(name, rate, 0.9, write), [SHAPE], CPU)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_dense_requests_are_the_steps_that_torch_takes(name):
    ours = optimiser(name)
    weights, bias = torch.randn(4, 3), torch.randn(4)
    parameters = [weights.clone().requires_grad_(), bias.clone().requires_grad_()]
    theirs = {
        "sgd": lambda: torch.optim.SGD(parameters, lr=0.1),
        "momentum": lambda: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
        "adam": lambda: torch.optim.Adam(parameters, lr=0.1),
    }[name]()
    for _ in range(5):
        d, x = torch.randn(7, 4), torch.randn(7, 3)
        request, bias_change = ours.request(0, d, x)
        assert isinstance(request, Dense)
        weights += request.delta
        bias += bias_change
        parameters[0].grad = torch.einsum("so,si->oi", d, x) / 7
        parameters[1].grad = d.mean(0)
        theirs.step()
    torch.testing.assert_close(weights, parameters[0].detach())
    torch.testing.assert_close(bias, parameters[1].detach())


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_a_restored_optimiser_takes_the_same_steps(name):
    first, second = optimiser(name), optimiser(name)
    requests = [(torch.randn(7, 4), torch.randn(7, 3)) for _ in range(4)]
    for d, x in requests[:2]:
        first.request(0, d, x)
    second.restore(first.state())
    for d, x in requests[2:]:
        (ours, our_bias), (theirs, their_bias) = first.request(0, d, x), second.request(0, d, x)
        assert torch.equal(ours.delta, theirs.delta)
        assert torch.equal(our_bias, their_bias)


def test_no_optimiser_imports_torchs_compiler():
    script = (
        "import sys, torch\n"
        "from devices.interface import LayerShape\n"
        "from learning.optimisers import Optimiser, OptimiserSettings\n"
        "for name in ('sgd', 'momentum', 'adam'):\n"
        "    made = Optimiser(OptimiserSettings(name, 0.1, 0.9, 'dense'), [LayerShape(4, 3)],"
        " torch.device('cpu'))\n"
        "    made.request(0, torch.ones(7, 4), torch.ones(7, 3))\n"
        "sys.exit('torch._dynamo' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_pulses_are_the_factors_of_the_sgd_step():
    d, x = torch.randn(7, 4), torch.randn(7, 3)
    pulsed, pulsed_bias = optimiser("sgd", "pulses").request(0, d, x)
    dense, dense_bias = optimiser("sgd").request(0, d, x)
    assert isinstance(pulsed, Outer)
    assert isinstance(dense, Dense)
    torch.testing.assert_close(-pulsed.rate * pulsed.d.T @ pulsed.x, dense.delta)
    torch.testing.assert_close(pulsed_bias, dense_bias)


def test_positions_are_summed_and_samples_averaged():
    d, x = torch.randn(7, 5, 4), torch.randn(7, 5, 3)
    request, bias_change = optimiser("sgd", rate=1.0).request(0, d, x)
    torch.testing.assert_close(request.delta, -torch.einsum("spo,spi->oi", d, x) / 7)
    torch.testing.assert_close(bias_change, -d.sum(1).mean(0))


def test_an_optimiser_with_a_state_cannot_be_pulsed():
    with pytest.raises(ValueError, match="only sgd"):
        optimiser("adam", "pulses")
