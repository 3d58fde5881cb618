"""The conformance kit finds every fault that may be made in the starting file of a device."""

import re
from pathlib import Path

import pytest

from substrate.new.write import write_new
from substrate.plugins import load_object
from substrate.verify import CrossbarConformance, run_checks

TEMPLATE = [
    # what the template says, what is written in its place, the check, its message
    (
        '            "pulse stream": self._pulse_stream.get_state(),\n',
        "",
        "saves_and_restores",
        "KeyError",
    ),
    (
        '        self._pulse_stream.set_state(state["pulse stream"])\n',
        "",
        "saves_and_restores",
        "after Outer request 1",
    ),
    (
        '        self._read_stream.set_state(state["read stream"])\n',
        "",
        "saves_and_restores",
        r"\(a read\)",
    ),
    ("-request.rate * (", "-0.01 * (", "updates", "Outer"),
    (
        "-request.rate * (",
        "-request.rate / len(request.x) * (",
        "updates",
        "Outer: the change made is",
    ),
    ("wanted = request.delta", "wanted = request.delta / 100", "updates", "Dense"),
    (
        "        return a + torch.empty_like(a).normal_(0, std, generator=self._read_stream)",
        "        noise = torch.empty_like(a).normal_(0, std, generator=self._read_stream)\n"
        "        grows = torch.linspace(1, 1.3, len(x)).repeat(repeats)\n"
        "        return a + noise * grows.view(-1, *[1] * (a.ndim - 1))",
        "batch_independence",
        "variance of a sample last in its batch",
    ),
    (
        "        return a + torch.empty_like(a).normal_(0, std, generator=self._read_stream)",
        "        noise = torch.empty_like(a).normal_(0, std, generator=self._read_stream)\n"
        "        again = torch.empty_like(a).normal_(0, std, generator=self._read_stream)\n"
        "        part = torch.linspace(0, 1, len(x)).repeat(repeats)\n"
        "        return a + noise + (again - noise) * part.view(-1, *[1] * (a.ndim - 1))",
        "batch_independence",
        "variance of a sample amid its batch",
    ),
    (
        "std = self.parameters.read_noise",
        "std = self.parameters.read_noise * float(x.abs().max())",
        "batch_independence",
        "variance of a sample first in its batch",
    ),
    (
        "std = self.parameters.read_noise",
        "std = self.parameters.read_noise / len(x) ** 0.5",
        "batch_independence",
        "variance of a sample first in its batch",
    ),
    (
        'generators("read noise")',
        "torch.Generator().manual_seed(0)",
        "fresh_noise",
        "two arrays of different seeds",
    ),
    ("return y @ self._weights", "return -y @ self._weights", "programming", "backward reads"),
]


@pytest.mark.parametrize(("says", "instead", "check", "reason"), TEMPLATE)
def test_every_fault_of_the_template_is_found(
    says: str, instead: str, check: str, reason: str, working_folder: Path
) -> None:
    path, _ = write_new("device", "OwnCell", working_folder)
    file = working_folder / path
    text = file.read_text()
    assert says in text
    file.write_text(text.replace(says, instead))
    own = load_object(f"{path}:OwnCell", working_folder)
    kit = type("Kit", (CrossbarConformance,), {"model": own, "max_cost": 1e3})
    wanted = getattr(kit, f"test_{check}").__doc__.splitlines()[0].rstrip(".")
    (found,) = (each for each in run_checks(kit()) if each.check == wanted)
    assert found.result == "failed"
    assert re.search(reason, found.detail), found.detail
