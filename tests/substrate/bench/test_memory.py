import pytest

from substrate.bench.memory import peak

# the paper's net and batch
SIZES = (3072, 1024, 1024, 1024, 10)
BATCH = 1000


RULES = [(rule, "bp") for rule in ("np", "anp", "inp")]
RULES += [(f"d{rule}", "dbp") for rule, _ in RULES]


@pytest.mark.parametrize(("rule", "yardstick"), RULES)
def test_training_takes_less_than_bp_through_autograd(rule, yardstick):
    assert peak(rule, SIZES, BATCH) < peak(f"autograd {yardstick}", SIZES, BATCH)


def test_a_larger_batch_takes_more():
    small, large = (peak("anp", (256, 256, 10), batch) for batch in (10_000, 30_000))
    # 20,000 samples of 256 floats twice, for the activations of the two passes alone
    assert large - small > 20_000 * 256 * 4 * 2


def test_it_is_what_is_held_that_counts():
    # weights, Adam's two moments, a request and its gradient of the larger layer, and the samples
    held = 4 * (3 * (64 * 32 + 32 * 10) + 2 * 64 * 32 + 100 * 64)
    assert held < peak("bp", (64, 32, 10), 100) < 2 * held
