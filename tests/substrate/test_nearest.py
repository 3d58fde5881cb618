import pytest

from substrate.nearest import did_you_mean, nearest

RULES = ["bp", "dbp", "np", "dnp", "inp", "dinp", "anp", "danp", "weight_mirror"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("dnap", "danp"),  # two letters changed places; `dnp` is as near by its order alone
        ("DANP", "danp"),
        ("dapn", "danp"),
        ("danpp", "danp"),
        ("dinnp", "dinp"),
        ("bpd", "dbp"),
        ("wieght_mirror", "weight_mirror"),
        ("weight_miror", "weight_mirror"),
        ("weightmirror", "weight_mirror"),
        ("xyz", None),
        ("", None),
    ],
)
def test_nearest(word: str, meant: str | None) -> None:
    assert nearest(word, RULES) == meant


def test_the_nearest_is_given_as_it_is_written() -> None:
    assert nearest("idealisedpreset", ["EcRamPreset", "IdealizedPreset"]) == "IdealizedPreset"


def test_any_two_neighbours_that_changed_places_are_found() -> None:
    names = [*RULES, "three_hidden", "three_hidden_binary", "crossbar", "crossbar_two"]
    for name in names:
        for place in range(len(name) - 1):
            first, second = name[place : place + 2]
            word = name[:place] + second + first + name[place + 2 :]
            if word not in names:
                assert nearest(word, names) == name


def test_where_none_is_like_it_all_are_told() -> None:
    assert did_you_mean("dnap", ["bp", "danp"]) == "did you mean 'danp'?"
    assert did_you_mean("xyz", ["bp", "danp"]) == "known are bp, danp"
    assert did_you_mean("xyz", ["bp", "danp"], "see `list`") == "see `list`"
