import hashlib

import pytest
import torch
from scipy import stats

from devices import threads
from devices.draws import normal_, plus_normal, uniform_

MANY = 5 * threads.WORTHWHILE + 7


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_numbers_of_many_threads_are_normal():
    drawn = normal_(torch.empty(MANY), 2.0, stream())
    # false alarm 1e-6
    assert stats.kstest(drawn.double().numpy(), stats.norm(scale=2).cdf).pvalue > 1e-6


def test_numbers_of_many_threads_are_uniform():
    drawn = uniform_(torch.empty(3, MANY), stream())
    assert stats.kstest(drawn.double().flatten().numpy(), "uniform").pvalue > 1e-6


def test_noise_is_added_to_a_signal_that_stays():
    signal = torch.randn(70, 501)
    kept = signal.clone()
    noisy = plus_normal(signal, 0.1, stream())
    torch.testing.assert_close(noisy, kept + normal_(torch.empty(70, 501), 0.1, stream()))
    assert torch.equal(signal, kept)


def test_noise_may_take_the_place_of_the_signal():
    signal = torch.randn(70, 501)
    expected = plus_normal(signal, 0.1, stream())
    noisy = plus_normal(signal, 0.1, stream(), overwrite=True)
    assert noisy.data_ptr() == signal.data_ptr()
    assert torch.equal(noisy, expected)


def test_calls_go_on():
    generator = stream()
    first = normal_(torch.empty(MANY), 1.0, generator)
    second = normal_(torch.empty(MANY), 1.0, generator)
    assert not (first == second).any(), "6 float32 in a thousand million agree by chance"


def test_state_of_the_stream_is_all_that_the_numbers_depend_on():
    generator = stream()
    state = generator.get_state()
    first = normal_(torch.empty(MANY), 1.0, generator)
    generator.set_state(state)
    assert torch.equal(first, normal_(torch.empty(MANY), 1.0, generator))


@pytest.mark.parametrize("shape", [(0,), (1,), (7,), (3, 683), (2048,), (2049,), (5, 1000)])
def test_every_length_begins_with_the_same_numbers(shape):
    whole = normal_(torch.empty(MANY), 1.0, stream())
    part = normal_(torch.empty(shape), 1.0, stream())
    assert torch.equal(part.flatten(), whole[: part.numel()])


def test_a_transposed_tensor_has_the_numbers_where_they_belong():
    drawn = normal_(torch.empty(30, 20).T, 1.0, stream())
    assert torch.equal(drawn, normal_(torch.empty(20, 30), 1.0, stream()))


def test_double_precision_is_left_to_torch():
    drawn = normal_(torch.empty(1000, dtype=torch.float64), 1.0, stream())
    expected = torch.empty(1000, dtype=torch.float64).normal_(generator=stream())
    assert torch.equal(drawn, expected)


def everything() -> str:
    """A digest of all kinds of draws, large enough for several threads."""
    generator = stream(3)

    signal = normal_(torch.empty(1000, 1000), 1.0, generator)
    noisy = plus_normal(signal, 0.5, generator)
    digest = hashlib.sha256()
    for each in (signal, noisy, uniform_(torch.empty(999, 999), generator)):
        digest.update(each.numpy().tobytes())
    return digest.hexdigest()


def test_numbers_do_not_depend_on_the_number_of_threads():
    digests = set()
    before = torch.get_num_threads()
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            digests.add(everything())
    finally:
        torch.set_num_threads(before)
    assert len(digests) == 1


@pytest.mark.gpu
def test_numbers_are_made_on_the_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    generator = torch.Generator("cuda").manual_seed(0)
    drawn = normal_(torch.empty(MANY, device="cuda"), 1.0, generator)
    assert drawn.std().item() == pytest.approx(1, rel=0.02)
