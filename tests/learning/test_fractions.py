from fractions import Fraction
from math import ceil

import pytest

from learning.fractions import samples_in


@pytest.mark.parametrize("batch", [1, 7, 50, 100, 1000])
def test_a_part_of_a_batch_is_counted_as_exact_arithmetic_counts_it(batch):
    for hundredths in range(1, 101):
        exact = ceil(Fraction(hundredths, 100) * batch)
        assert samples_in(hundredths / 100, batch) == exact


def test_no_part_is_empty():
    assert samples_in(1e-12, 10) == 1
