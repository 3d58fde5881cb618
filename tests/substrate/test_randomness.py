import pytest
import torch

from substrate.randomness import Streams, stream, stream_seed


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


def test_streams_that_were_elsewhere_go_on_as_if_they_had_not():
    def draw(generator):
        return torch.rand(3, generator=generator).tolist()

    with Streams() as streams:
        ours = stream(0, "noise", "1")
    before, other = draw(ours), stream(0, "noise", "1")
    assert draw(other) == before
    with streams.elsewhere("evaluation", "epoch 1"):
        inside = draw(ours)
        other_inside = draw(other)
    with streams.elsewhere("evaluation", "epoch 1"):
        assert draw(ours) == inside
    with streams.elsewhere("evaluation", "epoch 2"):
        assert draw(ours) != inside
    # the other one was not made while `streams` was entered
    assert draw(ours) == other_inside
    assert inside != other_inside


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_stream_lives_on_the_device_asked_for():
    assert stream(0, "noise", device="cuda").device.type == "cuda"
