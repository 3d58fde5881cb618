import torch

from devices.decorrelation import DigitalDecorrelation
from learning.decorrelation import DecorrelationSettings, decorrelation_update
from tests.chips import CPU


def correlated(samples: int, n: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    mixing = torch.randn(n, n, generator=generator) / n**0.5
    return torch.randn(samples, n, generator=generator) @ mixing.T


def test_the_request_is_the_papers_update():
    x_star, rate = correlated(50), 0.1
    decorrelation = DigitalDecorrelation(8, CPU)
    decorrelation.matrix.copy_(torch.randn(8, 8))
    before = decorrelation.matrix.clone()
    decorrelation.update(decorrelation_update(x_star, DecorrelationSettings(rate)))
    covariance = torch.einsum("si,sj->ij", x_star, x_star) / 50
    off_diagonal = covariance - torch.diag(torch.diag(covariance))
    torch.testing.assert_close(decorrelation.matrix, before - rate * off_diagonal @ before)


def test_positions_count_as_samples():
    x_star = correlated(60).view(20, 3, 8)
    together, apart = DigitalDecorrelation(8, CPU), DigitalDecorrelation(8, CPU)
    together.update(decorrelation_update(x_star, DecorrelationSettings(0.1)))
    apart.update(decorrelation_update(x_star.reshape(60, 8), DecorrelationSettings(0.1)))
    torch.testing.assert_close(together.matrix, apart.matrix)


def test_it_decorrelates():
    x = correlated(2000)
    decorrelation = DigitalDecorrelation(8, CPU)

    def off_diagonal() -> float:
        correlation = torch.corrcoef(decorrelation.read(x).T)
        return (correlation - torch.eye(8)).square().mean().sqrt().item()

    before = off_diagonal()
    for batch in x.repeat(10, 1).split(100):
        x_star = decorrelation.read(batch)
        decorrelation.update(decorrelation_update(x_star, DecorrelationSettings(0.05)))
    assert off_diagonal() < before / 5
