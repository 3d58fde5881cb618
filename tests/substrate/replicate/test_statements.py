import pytest

from substrate.replicate.statements import Spread, check, check_syntax


class Figures:
    """Mean figures by arm, as a run gives them."""

    def __init__(self, higher_is_better=True, sigmas=(), **means):
        self.arms = list(means)
        self.higher_is_better = higher_is_better
        self.asked = None
        self._means = means
        self._sigmas = list(sigmas)

    def compared(self, arms, layer, samples):
        self.asked = (layer, samples)
        return {
            arm: Spread(self._means[arm], None, 1)
            for arm in arms
            if self._means.get(arm) is not None
        }

    def by_sigma(self, arm):
        return self._sigmas or None

    def written(self, spread):
        return f"{spread.mean:g}"


@pytest.mark.parametrize(
    ("statement", "holds"),
    [
        ("danp better than dnp", True),
        ("dnp better than danp", False),
        ("dnp worse than danp", True),
        ("danp worse than danp", False),  # nor is it better than itself
        ("danp better than danp", False),
        ("danp within 4 of dnp", True),
        ("dnp within 4 of danp", True),
        ("danp within 3.9 of dnp", False),
        ("dnp at most 4 behind danp", True),
        ("dnp at most 3.9 behind danp", False),
        ("danp at most 0 behind dnp", True),
        ("danp closer to bp than dnp", True),
        ("dnp closer to bp than danp", False),
        ("bp best", True),
        ("danp best", False),
    ],
)
def test_accuracies(statement, holds):
    assert check(statement, Figures(danp=44, dnp=40, bp=50)).holds is holds


def test_of_losses_the_lower_is_better():
    losses = Figures(higher_is_better=False, dnp=0.2, np=0.4, dbp=0.1)
    assert check("dnp better than np", losses).holds is True
    assert check("np worse than dnp", losses).holds is True
    assert check("np at most 0.25 behind dnp", losses).holds is True
    assert check("np at most 0.15 behind dnp", losses).holds is False
    assert check("dbp best", losses).holds is True
    assert check("np best", losses).holds is False


def test_what_was_not_measured_is_neither_confirmed_nor_refuted():
    found = check("danp better than dnp", Figures(danp=44, dnp=None))
    assert found.holds is None
    assert found.figures == "dnp not measured; danp 44"
    assert check("dinp best", Figures(danp=44)).holds is None
    assert check("danp best", Figures(danp=44, dnp=None)).holds is None


def test_layers_and_samples_are_passed_on():
    figures = Figures(higher_is_better=False, anp=44, np=45)
    assert check("anp within 2 of np in layer 1 at 100 samples", figures).holds is True
    assert figures.asked == (1, 100)
    check("anp better than np", figures)
    assert figures.asked == (None, None)


def test_steady_is_the_longest_flat_stretch():
    angles = [80, 60, 40, 41, 43, 39, 60, 80]
    figures = Figures(
        sigmas=[(10.0**-n, angle) for n, angle in zip(range(8, 0, -1), angles, strict=True)]
    )
    assert check("np steady over 3 decades", figures).holds is True
    found = check("np steady over 4 decades", figures)
    assert found.holds is False
    assert found.figures == "3 decades, from σ² = 1e-06 (40.0°) to 1e-03 (39.0°)"
    assert check("np steady over 3 decades", Figures(np=1)).holds is None


@pytest.mark.parametrize(
    "text", ["danp beats dnp", "danp better than", "danp within of dnp", "danp best in layer 0", ""]
)
def test_other_words_are_refused(text):
    with pytest.raises(ValueError, match="is no statement; one is like 'danp better than np'"):
        check_syntax(text)
