import textwrap
from pathlib import Path

import pytest

from substrate.scenario.source import Source
from substrate.scenario.yaml_reader import load_yaml

SCENARIO = """\
# a comment
name: demo
arms:
  device:
    learning:
      rule: danp
      sigma2: 1e-6
  ideal: {rule: bp,
          rate: 0.1}
seeds:
  - 0
  - 1
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "demo.yaml"
        content = textwrap.dedent(text).encode() if isinstance(text, str) else text
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def source(write) -> Source:
    return load_yaml(write(SCENARIO))
