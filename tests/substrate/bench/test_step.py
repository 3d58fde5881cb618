import pytest

from substrate.bench.step import best_seconds
from substrate.bench.workload import make_step, random_batch


@pytest.mark.parametrize(("threads", "time"), [(1, "process_time"), (2, "perf_counter")])
def test_the_best_round_counts_and_the_first_does_not(monkeypatch, threads, time):
    clock = iter([0.0, 10.0, 15.0, 100.0, 103.0, 200.0, 209.0])
    monkeypatch.setattr(f"substrate.bench.step.time.{time}", lambda: next(clock))
    monkeypatch.setattr("torch.get_num_threads", lambda: threads)
    assert best_seconds([lambda: None], 3) == [3.0]


@pytest.mark.parametrize("rule", ["bp", "danp", "dinp", "weight_mirror"])
def test_measured_steps_learn(rule):
    x, y = random_batch((20, 16, 4), 64)
    step = make_step((20, 16, 4), x, y, {"rule": rule})
    before = step().losses.mean()
    for _ in range(100):
        after = step().losses.mean()
    assert after < before
