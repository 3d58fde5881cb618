import hashlib
import subprocess
import sys

import pytest
import torch
from scipy import stats

from devices.draws import CHUNK, normal_, over_rows, uniform_


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_numbers_of_many_chunks_are_normal():
    drawn = normal_(torch.empty(5 * CHUNK + 7), 2.0, stream())
    # false alarm 1e-6
    assert stats.kstest(drawn.double().numpy(), stats.norm(scale=2).cdf).pvalue > 1e-6


def test_numbers_of_many_chunks_are_uniform():
    drawn = uniform_(torch.empty(3, CHUNK), stream())
    assert stats.kstest(drawn.double().flatten().numpy(), "uniform").pvalue > 1e-6


def test_chunks_differ_and_calls_go_on():
    generator = stream()
    first = normal_(torch.empty(2 * CHUNK), 1.0, generator)
    second = normal_(torch.empty(2 * CHUNK), 1.0, generator)
    assert not torch.equal(first[:CHUNK], first[CHUNK:])
    assert not torch.equal(first, second)


def test_state_of_the_stream_is_all_that_the_numbers_depend_on():
    generator = stream()
    state = generator.get_state()
    first = normal_(torch.empty(3 * CHUNK), 1.0, generator)
    generator.set_state(state)
    assert torch.equal(first, normal_(torch.empty(3 * CHUNK), 1.0, generator))


def test_work_over_rows_meets_every_row_once():
    target, per_row, shared = torch.zeros(1000, 300), torch.rand(1000, 1), torch.rand(1, 300)

    def add(rows, generator):
        mine, of_row, of_all = rows
        mine.add_(of_row + of_all)

    over_rows(add, (target, per_row, shared), stream())
    assert torch.equal(target, per_row + shared)


PROGRAM = """
import hashlib, sys, torch
torch.set_num_threads(int(sys.argv[1]))
from devices.draws import normal_
drawn = normal_(torch.empty(1000, 1000), 1.0, torch.Generator().manual_seed(3))
print(hashlib.sha256(drawn.numpy().tobytes()).hexdigest())
"""


def test_numbers_do_not_depend_on_the_number_of_threads():
    drawn = normal_(torch.empty(1000, 1000), 1.0, stream(3))
    here = hashlib.sha256(drawn.numpy().tobytes()).hexdigest()
    for threads in ("1", "2"):
        command = [sys.executable, "-c", PROGRAM, threads]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == here


@pytest.mark.gpu
def test_numbers_are_made_on_the_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    generator = torch.Generator("cuda").manual_seed(0)
    drawn = normal_(torch.empty(CHUNK * 2, device="cuda"), 1.0, generator)
    assert drawn.std().item() == pytest.approx(1, rel=0.02)
