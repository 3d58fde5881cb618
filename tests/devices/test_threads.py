import threading
from collections.abc import Iterator

import pytest
import torch

from devices import threads


@pytest.fixture(params=["torch's threads", "a pool"])
def _two_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "a pool":
        monkeypatch.setattr(threads, "_gomp_parallel", lambda: None)
    elif threads._gomp_parallel() is None:
        pytest.skip("torch is built without GNU's OpenMP here")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_two_threads")
@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_every_part_is_done_once(count):
    done: list[int] = []
    threads.for_each(done.append, range(count))
    assert sorted(done) == list(range(count))


@pytest.mark.usefixtures("_two_threads")
def test_two_threads_work_at_once():
    together = threading.Barrier(2, timeout=20)
    threads.for_each(lambda part: together.wait(), range(2))


@pytest.mark.usefixtures("_two_threads")
def test_torch_computes_inside():
    matrices = [torch.full((300, 300), float(number)) for number in range(8)]
    products = [torch.empty(300, 300) for _ in matrices]

    def multiply(number: int) -> None:
        torch.mm(matrices[number], matrices[number], out=products[number])

    threads.for_each(multiply, range(8))
    assert all((product == 300 * n**2).all() for n, product in enumerate(products))


@pytest.mark.usefixtures("_two_threads")
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_is_raised_comes_out(error):
    def fail(part: int) -> None:
        if part == 500:
            raise error

    with pytest.raises(error):
        threads.for_each(fail, range(1000))


def test_a_thread_takes_a_fair_share_that_is_worth_it():
    assert threads.share(1000, threads.WORTHWHILE) == -(-1000 // torch.get_num_threads())
    assert threads.share(2, 8) * 8 >= threads.WORTHWHILE
    assert not threads.has_kernel(torch.empty(1, dtype=torch.float64))
    assert not threads.has_kernel(torch.empty(1, device="meta"))
