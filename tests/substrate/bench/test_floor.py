"""The count of operations, against torch's own counter on the products of a real step."""

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from substrate.bench.floor import published_operations, step_operations
from substrate.bench.workload import make_step, random_batch
from substrate.library import find_rule

SIZES = (12, 8, 8, 5)
BATCH = 10


def added_product(total, a, b, **_) -> int:
    return 2 * a[0] * a[1] * b[1]


def counted(rule: str, sizes: tuple[int, ...] = SIZES, **learning) -> int:
    x, y = random_batch(sizes, BATCH)
    step = make_step(sizes, x, y, {"rule": rule, **learning})
    step()
    # torch does not count the product that is added in place
    in_place = {torch.ops.aten.addmm_: added_product}
    with FlopCounterMode(display=False, custom_mapping=in_place) as counter:
        step()
    return counter.get_total_flops()


def whole_blocks(sizes: tuple[int, ...], batch: int, sample_fraction: float = 1.0) -> int:
    """What R's update takes more than it must: blocks on the diagonal are computed whole."""
    more, samples = 0, round(sample_fraction * batch)
    for n in sizes[:-1]:
        if 2 * n < 3 * samples:
            blocks = [min(128, n - start) for start in range(0, n, 128)]
            more += samples * sum(block**2 for block in blocks)
    return more


@pytest.mark.parametrize("sizes", [SIZES, (30, 8, 8, 5)])
@pytest.mark.parametrize("rule", ["bp", "dbp", "np", "dnp", "anp", "danp", "inp", "dinp"])
def test_a_step_makes_the_products_that_it_cannot_do_without_and_no_others(rule, sizes):
    found, decorrelated = find_rule(rule, Path())
    floor = step_operations(sizes, BATCH, found.name, decorrelated=decorrelated)
    more = whole_blocks(sizes, BATCH) if decorrelated else 0
    assert counted(rule, sizes) == floor + more


def test_part_of_the_batch_costs_its_part():
    floor = step_operations(SIZES, BATCH, "anp", decorrelated=True, sample_fraction=0.1)
    assert counted("danp", decorrelation={"sample_fraction": 0.1}) == floor


@pytest.mark.parametrize("resamples", [3, 8])
def test_resampling_takes_what_it_must_while_all_passes_are_run_at_once(resamples):
    floor = step_operations(SIZES, BATCH, "anp", decorrelated=True, resamples=resamples)
    passes = {"source": "injected", "resamples": resamples}
    assert counted("danp", perturbation=passes) == floor + whole_blocks(SIZES, BATCH)


PAPER = (3072, 1024, 1024, 1024, 10)


def test_the_paper_net_by_hand():
    # R x of the baseline; of the other pass as often as it is less than forming W R; W, or W R;
    # ΔW; R's update, which in the first layer is cheaper by outer products
    products = (
        1000 * (3072**2 + 3 * 1024**2)
        + 1000 * 2 * 1024**2
        + 10 * 1024**2
        + 1000 * (3072 * 1024 + 4 * 1024**2 + 2 * 10240)
        + 1000 * (3072 * 1024 + 2 * 1024**2 + 10240)
        + 2000 * 3072**2
        + (500 + 1024) * 3 * 1024**2
    )
    assert step_operations(PAPER, 1000, "anp", decorrelated=True) == 2 * products


def test_the_published_code_takes_85_billion_products():
    assert published_operations(PAPER, 1000) / 2e9 == pytest.approx(85.7, abs=0.05)


def test_many_passes_take_less_than_half_of_what_they_would_apart():
    # K (R x and W x*) in three layers, where W R is formed once
    apart = 100 * 1000 * (5 * 1024**2 + 10240)
    once, many = (
        step_operations(PAPER, 1000, "anp", decorrelated=True, resamples=k) / 2 for k in (1, 100)
    )
    assert (many - once) < 0.45 * apart


def test_resamples_repeat_the_perturbed_pass_alone():
    once, thrice = (
        step_operations(SIZES, BATCH, "np", decorrelated=False, resamples=k) for k in (1, 3)
    )
    assert thrice - once == 2 * 2 * BATCH * (8 * 8 + 8 * 5)


def test_the_counter_of_torch_sees_products():
    with FlopCounterMode(display=False) as counter:
        torch.mm(torch.ones(2, 3), torch.ones(3, 4))
    assert counter.get_total_flops() == 2 * 2 * 3 * 4
