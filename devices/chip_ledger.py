"""The ledger that a chip keeps: requests as it takes them, in whole numbers on the host.

The arithmetic is that of `devices.ledger`; what only an array knows of itself is asked for last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from devices.chip_layer import ChipLayer
from devices.counting import LayerRequests, Requests, digital_counts, matrix_counts
from devices.decorrelation import CrossbarDecorrelation, update_multiplications
from devices.interface import DecorrelationUpdate, LayerUpdate
from devices.ledger import Counts, MatrixCounts
from devices.noisy_converter import NoisyConverter
from devices.reading import Reading


class ChipLedger:
    """What the layers of a chip were asked for, since they were made.

    Attributes:
        asked: of each layer.
    """

    def __init__(self, layers: Sequence[ChipLayer]) -> None:
        """Start at nothing."""
        self._layers = layers
        self.asked = [LayerRequests() for _ in layers]
        self._passes = self._readouts = self._activation_words = 0

    def counts(self) -> Counts:
        """Give all of it; asking may wait for the device."""
        return Counts(
            passes=self._passes,
            readout_conversions=self._readouts,
            activation_words=self._activation_words,
            matrices=[
                counts
                for number, (layer, asked) in enumerate(
                    zip(self._layers, self.asked, strict=True), start=1
                )
                for counts in _layer_counts(number, layer, asked)
            ],
        )

    def passes(self, sizes: Sequence[int], inputs: Reading, pre_activations: Reading) -> None:
        """Count what the hardware does in passes of so many samples each."""
        driven = sum(sizes)
        self._passes += driven
        for layer, asked in zip(self._layers, self.asked, strict=True):
            reads = driven * layer.layout.shape.positions
            asked.weights.reads += reads
            asked.decorrelation.reads += reads
        observed = [each for of in (inputs, pre_activations) for each in of.of_pass]
        words = sum(read.numel() for each in observed for read in each)
        self._activation_words = max(self._activation_words, -(-words // max(1, *sizes)))
        seen = sum(sizes[number] for number in pre_activations.wanted)
        for layer in self._layers:
            if isinstance(layer.readout, NoisyConverter):
                # the output is read in every pass
                samples = driven if layer is self._layers[-1] else seen
                self._readouts += samples * layer.layout.shape.nodes

    def backpropagation(self, samples: int) -> None:
        """Count a pass that is gone back through: transposed reads of all layers but the first."""
        self._passes += samples
        shapes = [layer.layout.shape for layer in self._layers]
        words = sum(each.positions * (each.n_in + each.n_out) for each in shapes)
        self._activation_words = max(self._activation_words, words)
        for number, (layer, asked) in enumerate(zip(self._layers, self.asked, strict=True)):
            reads = samples * layer.layout.shape.positions
            for part in (asked.weights, asked.decorrelation):
                part.reads += reads
                part.transposed_reads += reads if number > 0 else 0

    def update(self, request: LayerUpdate) -> None:
        """Count the requests to one layer."""
        layer, asked = self._layers[request.layer], self.asked[request.layer]
        if request.weight is not None:
            asked.weights.update(request.weight)
        if request.decorrelation is not None:
            _count_decorrelation(asked.decorrelation, layer, request.decorrelation)
        if request.mirror is not None:
            asked.mirror.update(request.mirror)

    def numbers(self) -> list[int]:
        """All that is counted here, for a state."""
        own = [self._passes, self._readouts, self._activation_words]
        return own + [number for asked in self.asked for number in asked.numbers()]

    def set_numbers(self, numbers: Sequence[int]) -> None:
        """Go on from what `numbers` gave."""
        self._passes, self._readouts, self._activation_words, *rest = numbers
        size = len(rest) // len(self.asked)
        self.asked = [
            LayerRequests.of(rest[place : place + size]) for place in range(0, len(rest), size)
        ]


def _layer_counts(number: int, layer: ChipLayer, asked: LayerRequests) -> Iterator[MatrixCounts]:
    """Count a layer's matrices; the bias stands in the words of the weights."""
    shape = layer.layout.shape
    size = shape.n_out, shape.n_in
    yield matrix_counts(number, "weights", *size, asked.weights, layer.crossbar, shape.n_out)
    if isinstance(layer.decorrelation, CrossbarDecorrelation):
        own, size = layer.decorrelation, (shape.n_in, shape.n_in)
        digital = asked.decorrelation.multiplications + own.rescalings * shape.n_in**2
        requests = replace(asked.decorrelation, multiplications=digital)
        yield matrix_counts(
            *(number, "decorrelation", *size, requests, own.crossbar), reads_back=own.reads_back
        )
    elif layer.decorrelation is not None:
        yield digital_counts(number, "decorrelation", shape.n_in, shape.n_in, asked.decorrelation)
    if layer.mirror is not None:
        size = shape.n_out, shape.n_in
        yield matrix_counts(number, "mirror", *size, asked.mirror, layer.mirror)


def _count_decorrelation(asked: Requests, layer: ChipLayer, request: DecorrelationUpdate) -> None:
    samples, n_in = request.x_star.shape
    asked.updates += 1
    if isinstance(layer.decorrelation, CrossbarDecorrelation):
        asked.transposed_reads += samples
        asked.outer_products += samples
        asked.multiplications += samples * n_in
    else:
        asked.multiplications += update_multiplications(samples, n_in)
