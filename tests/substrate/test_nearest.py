import pytest

from substrate.nearest import nearest


@pytest.mark.parametrize(
    ("word", "meant"),
    [("dnap", "danp"), ("DANP", "danp"), ("idealisedpreset", "IdealizedPreset"), ("xyz", None)],
)
def test_nearest(word: str, meant: str | None) -> None:
    assert nearest(word, ["bp", "danp", "IdealizedPreset"]) == meant
