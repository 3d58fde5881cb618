import pytest
import torch

from substrate.randomness import stream, stream_seed


def test_a_stream_repeats_and_purposes_differ():
    draws = {
        purpose: torch.randn(4, generator=stream(0, *purpose))
        for purpose in (("data order",), ("initial weights",), ("noise", "1"), ("noise", "2"))
    }
    again = torch.randn(4, generator=stream(0, "data order"))
    assert torch.equal(draws[("data order",)], again)
    assert len({tuple(draw.tolist()) for draw in draws.values()}) == len(draws)


def test_the_words_of_a_purpose_do_not_run_together():
    assert stream_seed(1, "a", "b") != stream_seed(1, "ab")
    assert stream_seed(1, "1") != stream_seed(11)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_stream_lives_on_the_device_asked_for():
    assert stream(0, "noise", device="cuda").device.type == "cuda"
