from substrate.bench.memory import peak

# the paper's net: large enough that tensors, and not the allocator, are what is measured
SIZES = (3072, 1024, 1024, 1024, 10)
BATCH = 1000


def test_training_takes_little_more_than_bp_through_autograd():
    # measured: 1.04 times; BP holds one pass of activations and all gradients, ANP two passes
    # and one layer's gradient
    assert peak("anp", SIZES, BATCH) < 1.15 * peak("autograd bp", SIZES, BATCH)


def test_a_larger_batch_takes_more():
    small, large = (peak("anp", (256, 256, 10), batch) for batch in (10_000, 30_000))
    # 20,000 samples of 256 floats twice, for the activations of the two passes alone
    assert large - small > 20_000 * 256 * 4 * 2
