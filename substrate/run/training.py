"""Training one arm with one seed, epoch by epoch.

What is measured between epochs leaves no trace in the chip: it draws from streams of its own, made
anew of seed and epoch, and memory, time and ranges go back to where training left them. So trained
figures do not depend on how often or on how much is tested, and a resumed run tests the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from devices.interface import NotFiniteError
from devices.states import below, on_device, prefixed
from substrate.assemble.host import ChipHost, SimulatedHost
from substrate.assemble.learner import build_learner
from substrate.assemble.loss import build_loss
from substrate.data.dataset import Dataset
from substrate.randomness import stream
from substrate.record.afterwards import Afterwards
from substrate.record.ledger import Ledger, per_sample
from substrate.record.metrics import Epoch
from substrate.record.summary import LayerNoise
from substrate.run.afterwards import what_is_left
from substrate.run.multiplications import Multiplications
from substrate.scenario.schema import IdealChip, Scenario
from substrate.wire.errors import ChipNotFinite

_EVALUATION_BATCH = 1000
_NOISE_SAMPLES = 256
_NOISE_PASSES = 8


class Divergence(ArithmeticError):
    """The loss is no longer a number, or infinite."""

    def __init__(self, epoch: int, what: str) -> None:
        """Say in which epoch, and what was seen."""
        super().__init__(f"{what} in epoch {epoch}")
        self.epoch = epoch
        self.what = what


class ArmRun:
    """One arm of a scenario with one seed."""

    def __init__(
        self,
        scenario: Scenario,
        name: str,
        seed: int,
        dataset: Dataset,
        device: torch.device,
        host: ChipHost | None = None,
    ) -> None:
        """Have the arm's chip begin, and build the learner.

        Args:
            scenario: that has the arm.
            name: of the arm.
            seed: of all that is random.
            dataset: on the device.
            device: where the learner computes.
            host: has the chip; none for one that is simulated in this process.
        """
        arm = scenario.all_arms[name]
        self._name = name
        self._seed = seed
        self._scenario = scenario
        self._dataset = dataset
        self._loss = build_loss(scenario.training)
        self._device = device
        self._host = host or SimulatedHost(scenario, arm, dataset, device)
        self._host.begin(seed)
        self._chip = self._host.chip
        self._learner = build_learner(scenario, arm, self._chip, seed, device)
        # on the CPU, so that the order is the same on every device
        self._order = stream(seed, "data order")
        settings = arm.learning.decorrelation
        self._every = 1 if settings is None else settings.every
        self._period = arm.learning.make_rule().period
        self._multiplications = Multiplications()
        self._steps = 0
        self._by_sample: Tensor | None = None
        self._next_epoch = 0
        self._seconds_before = 0.0

    def state(self) -> dict[str, Tensor]:
        """Everything that the next epoch depends on; `restore` it after an epoch's figures."""
        uncounted = " ".join(sorted(self._multiplications.uncounted)).encode()
        named = {"uncounted": torch.tensor(list(uncounted), dtype=torch.uint8)} if uncounted else {}
        return {
            **named,
            "data order": self._order.get_state(),
            "by sample": self.by_sample(),
            "work": torch.tensor([self._steps, self._multiplications.total]),
            **prefixed("chip", self._host.state()),
            **prefixed("learner", self._learner.state()),
        }

    def restore(self, state: Mapping[str, Tensor], last: Epoch) -> None:
        """Go on after an epoch, from the state that was taken then."""
        self._order.set_state(state["data order"])
        self._by_sample = state["by sample"]
        self._steps, self._multiplications.total = state["work"].tolist()
        names = state["uncounted"].tolist() if "uncounted" in state else []
        self._multiplications.uncounted = set(bytes(names).decode().split())
        self._host.restore(below("chip", state))
        self._learner.restore(on_device(below("learner", state), self._device))
        self._next_epoch = last.epoch + 1
        self._seconds_before = last.seconds

    def epochs(self) -> Iterator[Epoch]:
        """Train, giving the figures before training and after every epoch.

        Raises:
            Divergence: the training or test loss is NaN or infinite.
        """
        started = time.perf_counter() - self._seconds_before
        for epoch in range(self._next_epoch, self._scenario.training.epochs + 1):
            try:
                train_loss, train_accuracy = self._train() if epoch else (None, None)
                _finite(train_loss, epoch, "training loss")
                with self._host.aside("evaluation", f"epoch {epoch}"):
                    test_loss, test_accuracy = self._test()
            except (ChipNotFinite, NotFiniteError) as problem:
                raise Divergence(epoch, str(problem)) from None
            _finite(test_loss, epoch, "test loss")
            trains, cut_short = self._host.pulse_trains() or (None, None)
            yield Epoch(
                arm=self._name,
                seed=self._seed,
                epoch=epoch,
                train_loss=train_loss,
                train_accuracy=train_accuracy,
                test_loss=test_loss,
                test_accuracy=test_accuracy,
                seconds=time.perf_counter() - started,
                trains=trains,
                trains_cut_short=cut_short,
                reported=dict(self._host.reported()),
            )

    def by_sample(self) -> Tensor:
        """What became of every test sample in the last epoch's evaluation, on the CPU.

        Returns:
            (samples,): whether it was classified rightly, or in a regression its loss, float64.
        """
        assert self._by_sample is not None
        return self._by_sample.cpu()

    def observed_noise(self) -> list[LayerNoise]:
        """Measure each layer's noise from repeated passes of the same test inputs."""
        x = self._dataset.x_test[:_NOISE_SAMPLES]
        with self._host.aside("observed noise"):
            passes = [self._chip.forward(x).pre_activations for _ in range(_NOISE_PASSES)]
        return [
            layer_noise(index, torch.stack(repeated))
            for index, repeated in enumerate(zip(*passes, strict=True), start=1)
        ]

    def ledger(self) -> Ledger:
        """Give what the training took, and what an inference takes."""
        # a batch as an evaluation has it: some tiles look how far they have drifted once a batch
        x = self._dataset.x_test[:_EVALUATION_BATCH]
        with self._host.aside("ledger"):
            before = self._host.ledger()
            self._chip.passes(x, [None], read_inputs=(), read_pre_activations=())
            inference = per_sample(self._host.ledger(), before, len(x))
        kept = (value for value in self._learner.state().values() if value.is_floating_point())
        return Ledger(
            steps=self._steps,
            training=self._host.ledger(),
            inference=inference,
            learner_multiplications=self._multiplications.total,
            uncounted=sorted(self._multiplications.uncounted),
            learner_words=sum(value.numel() for value in kept),
        )

    def afterwards(self) -> list[Afterwards]:
        """Test what the training leaves behind; cells are broken after it, so it comes last."""
        if isinstance(self._scenario.all_arms[self._name].chip, IdealChip):
            return []
        by_sample = self._by_sample
        found = what_is_left(self._chip, self._seed, self._test, self._host.aside)
        self._by_sample = by_sample
        return found

    def _train(self) -> tuple[float, float | None]:
        x, y = self._dataset.x_train, self._dataset.y_train
        loss = torch.zeros((), dtype=torch.float64, device=x.device)
        correct = torch.zeros((), dtype=torch.float64, device=x.device)
        order = torch.randperm(len(x), generator=self._order).to(x.device)
        for chosen in order.split(self._scenario.training.batch_size):
            # what a step multiplies follows from its batch, from whether R is updated, and from
            # where the rule is in what it does again and again
            due = self._steps % self._every == 0
            kind = len(chosen), self._steps == 0, due, self._steps % self._period
            step = self._multiplications.count(
                kind, partial(self._learner.step, x[chosen], y[chosen])
            )
            self._steps += 1
            loss += step.losses.sum()
            if not self._dataset.regression:
                correct += _correct(step.output, y[chosen])
        return self._figures(loss, correct, len(x))

    def _test(self) -> tuple[float, float | None]:
        x, y = self._dataset.x_test, self._dataset.y_test
        loss = torch.zeros((), dtype=torch.float64, device=x.device)
        correct = torch.zeros((), dtype=torch.float64, device=x.device)
        by_sample = []
        for part, target in zip(
            x.split(_EVALUATION_BATCH), y.split(_EVALUATION_BATCH), strict=True
        ):
            # the output alone: what nobody reads need not be told apart
            (seen,) = self._chip.passes(part, [None], read_inputs=(), read_pre_activations=())
            output = seen.output
            losses = self._loss(output, target)
            loss += losses.sum()
            if self._dataset.regression:
                by_sample.append(losses.double())
            else:
                by_sample.append(output.argmax(1) == target)
                correct += by_sample[-1].sum()
        self._by_sample = torch.cat(by_sample)
        return self._figures(loss, correct, len(x))

    def _figures(self, loss: Tensor, correct: Tensor, samples: int) -> tuple[float, float | None]:
        """Bring mean loss and accuracy to the host, which waits here and nowhere else."""
        mean_loss, accuracy = (torch.stack([loss, correct]) / samples).tolist()
        return mean_loss, None if self._dataset.regression else accuracy


def layer_noise(
    layer: int, repeated: Float[Tensor, "passes samples *positions_and_nodes"]
) -> LayerNoise:
    """Tell noise and signal of a layer apart in repeated passes of the same inputs.

    The mean over P passes has the signal's variance, and 1/P of the noise's on top.
    """
    of_noise, mean = torch.var_mean(repeated, dim=0)
    noise = of_noise.mean()
    signal = (mean.var() - noise / len(repeated)).clamp(min=0)
    return LayerNoise(
        layer=layer,
        noise_std=_finite_or_none(noise.sqrt()),
        signal_std=_finite_or_none(signal.sqrt()),
    )


def _correct(output: Tensor, target: Tensor) -> Tensor:
    return (output.argmax(1) == target).sum()


def _finite_or_none(value: Tensor) -> float | None:
    return value.item() if value.isfinite() else None


def _finite(loss: float | None, epoch: int, name: str) -> None:
    if loss is not None and not abs(loss) < float("inf"):
        raise Divergence(epoch, f"{name} is {loss}")
