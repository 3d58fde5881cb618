"""The count of operations, against torch's own counter on the products of a real step."""

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from substrate.bench.floor import step_operations
from substrate.bench.workload import make_step, random_batch
from substrate.library import find_rule

SIZES = (12, 8, 8, 5)
BATCH = 10


def added_product(total, a, b, **_) -> int:
    return 2 * a[0] * a[1] * b[1]


def counted(rule: str, **learning) -> int:
    x, y = random_batch(SIZES, BATCH)
    step = make_step(SIZES, x, y, {"rule": rule, **learning})
    step()
    # torch does not count the product that is added in place
    in_place = {torch.ops.aten.addmm_: added_product}
    with FlopCounterMode(display=False, custom_mapping=in_place) as counter:
        step()
    return counter.get_total_flops()


@pytest.mark.parametrize("rule", ["bp", "dbp", "np", "dnp", "anp", "danp", "inp", "dinp"])
def test_a_step_makes_the_products_that_it_cannot_do_without_and_no_others(rule):
    found, decorrelated = find_rule(rule, Path())
    floor = step_operations(SIZES, BATCH, found.name, decorrelated=decorrelated)
    assert counted(rule) == floor


def test_part_of_the_batch_costs_its_part():
    floor = step_operations(SIZES, BATCH, "anp", decorrelated=True, sample_fraction=0.1)
    assert counted("danp", decorrelation={"sample_fraction": 0.1}) == floor


def test_the_paper_net_by_hand():
    # 2·1000·(3072² + 3·1024²·2 forward R, 3072·1024 + 2·2·1024² + 2·10240 forward W,
    # 3072·1024 + 2·1024² + 10240 update, 2·(3072² + 3·1024²) R's update)
    products = (
        (3072**2 + 6 * 1024**2)
        + (3072 * 1024 + 4 * 1024**2 + 2 * 10240)
        + (3072 * 1024 + 2 * 1024**2 + 10240)
        + 2 * (3072**2 + 3 * 1024**2)
    )
    sizes = (3072, 1024, 1024, 1024, 10)
    assert step_operations(sizes, 1000, "anp", decorrelated=True) == 2000 * products


def test_resamples_repeat_the_perturbed_pass_alone():
    once, thrice = (
        step_operations(SIZES, BATCH, "np", decorrelated=False, resamples=k) for k in (1, 3)
    )
    assert thrice - once == 2 * 2 * BATCH * (8 * 8 + 8 * 5)


def test_the_counter_of_torch_sees_products():
    with FlopCounterMode(display=False) as counter:
        torch.mm(torch.ones(2, 3), torch.ones(3, 4))
    assert counter.get_total_flops() == 2 * 2 * 3 * 4
