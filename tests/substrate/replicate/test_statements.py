import numpy as np
import pytest
from scipy import stats

from substrate.replicate.statements import Spread, check, check_syntax
from substrate.run.estimate import Estimate

MANY = 10**6


class Figures:
    """Mean figures by arm, and one half-width for the interval of whatever is made of them."""

    def __init__(self, higher_is_better=True, half=0.1, sigmas=(), **means):
        self.arms = list(means)
        self.higher_is_better = higher_is_better
        self.asked = None
        self.gone = {}
        self._half = half
        self._means = means
        self._sigmas = list(sigmas)

    def compared(self, arms, layer, samples):
        self.asked = (layer, samples)
        return {
            arm: Spread(self._means[arm], None, 1)
            for arm in arms
            if self._means.get(arm) is not None
        }

    def contrast(self, weights, arms, layer, samples):
        value = sum(weight * self._means[arm] for arm, weight in weights.items())
        if self._half is None:
            return Estimate([value], MANY, 1.0)
        quantile = stats.t.ppf(0.975, MANY - 1)
        return Estimate([value, value], MANY, (self._half / quantile) ** 2 * MANY)

    def by_sigma(self, arm):
        return self._sigmas or None

    def written(self, spread):
        return f"{spread.mean:g}"

    def number(self, value):
        return f"{value:g}"

    def lost(self, arm):
        return self.gone.get(arm, 0)

    def without_interval(self, interval):
        return "one seed" if interval.over_seeds is None else "no difference"


@pytest.mark.parametrize(
    ("statement", "half", "answer"),
    [
        ("danp better than dnp", 3.9, "confirmed"),
        ("danp better than dnp", 4.1, "not told apart"),
        ("dnp better than danp", 3.9, "refuted"),
        ("dnp better than danp", 4.1, "not told apart"),
        ("dnp worse than danp", 3.9, "confirmed"),
        ("danp worse than danp", 0.0, "not told apart"),  # nor is it better than itself
        ("danp worse than dnp", 3.9, "refuted"),
        ("danp within 5 of dnp", 0.9, "confirmed"),
        ("dnp within 5 of danp", 0.9, "confirmed"),
        ("dnp within 5 of danp", 1.1, "not told apart"),
        ("danp within 3 of dnp", 1.1, "not told apart"),
        ("danp within 3 of dnp", 0.9, "refuted"),
        ("dnp within 3 of danp", 0.9, "refuted"),
        ("dnp at most 5 behind danp", 0.9, "confirmed"),
        ("dnp at most 5 behind danp", 1.1, "not told apart"),
        ("dnp at most 3 behind danp", 0.9, "refuted"),
        ("dnp at most 3 behind danp", 1.1, "not told apart"),
        ("danp at most 0 behind dnp", 3.9, "confirmed"),
        ("danp closer to bp than dnp", 3.9, "confirmed"),
        ("danp closer to bp than dnp", 4.1, "not told apart"),
        ("dnp closer to bp than danp", 3.9, "refuted"),
        ("dnp closer to bp than danp", 4.1, "not told apart"),
        ("danp closer to dnp than bp", 1.9, "confirmed"),  # 4 from dnp, bp is 10
        ("danp closer to dnp than bp", 6.1, "not told apart"),
        ("bp best", 5.9, "confirmed"),
        ("bp best", 6.1, "not told apart"),
        ("danp best", 4.5, "refuted"),  # 6 behind bp, of two rivals
        ("danp best", 5.5, "not told apart"),  # by itself it would be, not with Holm's correction
    ],
)
def test_accuracies(statement, half, answer):
    assert check(statement, Figures(danp=44, dnp=40, bp=50, half=half)).answer == answer


def test_the_interval_stands_beside_the_answer():
    found = check("danp better than dnp", Figures(danp=44, dnp=40, half=1))
    assert (found.difference, found.note) == ("ahead by 4", "")
    assert (found.low, found.high) == pytest.approx((3, 5))
    found = check("np closer to bp than dnp", Figures(np=44, dnp=60, bp=50, half=1))
    # 6 below and 10 above it: closer by 4, whichever the side
    assert (found.difference, found.answer) == ("closer by 4", "confirmed")
    assert (found.low, found.high) == pytest.approx((3, 5))
    assert check("bp best", Figures(np=44, bp=50, anp=10, half=1)).difference == "ahead of np by 6"


def test_one_seed_tells_nothing_apart_and_says_so():
    found = check("bp better than np", Figures(np=10, bp=90, half=None))
    assert (found.answer, found.note, found.low) == ("not told apart", "one seed", None)
    assert found.difference == "ahead by 80"


def test_an_order_within_the_error_of_few_images_is_not_confirmed():
    """11.2 to 10.8 % of 500 images, over two seeds that agree."""
    from substrate.run.estimate import contrast

    class Few(Figures):
        def contrast(self, weights, arms, layer, samples):
            figures = {arm: [self._means[arm] / 100] * 2 for arm in weights}
            weights = {arm: 100.0 * weight for arm, weight in weights.items()}
            return contrast(weights, figures, {}, 500, accuracies=True)

    found = check("a better than b", Few(a=11.2, b=10.8))
    assert found.answer == "not told apart"
    error = 100 * np.sqrt((0.112 * 0.888 + 0.108 * 0.892 + 2 / 500) / 500)
    assert found.high == pytest.approx(0.4 + stats.t.ppf(0.975, 499) * error)
    assert found.note == "errors of the arms as if independent"
    assert check("a better than b", Few(a=31.2, b=10.8)).answer == "confirmed"


def test_of_losses_the_lower_is_better():
    losses = Figures(higher_is_better=False, half=0.01, dnp=0.2, np=0.4, dbp=0.1)
    assert check("dnp better than np", losses).answer == "confirmed"
    assert check("np worse than dnp", losses).answer == "confirmed"
    assert check("np at most 0.25 behind dnp", losses).answer == "confirmed"
    assert check("np at most 0.15 behind dnp", losses).answer == "refuted"
    assert check("dbp best", losses).answer == "confirmed"
    assert check("np best", losses).answer == "refuted"


def test_what_was_not_measured_is_neither_confirmed_nor_refuted():
    found = check("danp better than dnp", Figures(danp=44, dnp=None))
    assert found.answer == "not measured"
    assert found.figures == "dnp not measured; danp 44"
    assert check("dinp best", Figures(danp=44)).answer == "not measured"
    assert check("danp best", Figures(danp=44, dnp=None)).answer == "not measured"


def test_layers_and_samples_are_passed_on():
    figures = Figures(higher_is_better=False, anp=44, np=45)
    assert check("anp within 2 of np in layer 1 at 100 samples", figures).answer == "confirmed"
    assert figures.asked == (1, 100)
    check("anp better than np", figures)
    assert figures.asked == (None, None)


def curve(spread):
    """Angles of three inputs at every decade; each input has its own level, and rises by itself."""
    angles = [80, 60, 40, 41, 43, 39, 60, 80]
    return [
        (10.0**-n, [angle - 9.0, angle + 0.0, angle + 9.0 + spread * (n % 2)])
        for n, angle in zip(range(8, 0, -1), angles, strict=True)
    ]


def test_steady_is_the_flattest_stretch():
    figures = Figures(sigmas=curve(0))
    found = check("np steady over 3 decades", figures)
    assert found.figures == "from σ² = 1e-06 to 1e-03 39.0 to 43.0°"
    found = check("np steady over 4 decades", figures)
    # the flattest four decades leave the plateau by one point at either end
    assert (found.answer, found.difference) == ("not told apart", "different by 21")
    assert check("np steady over 3 decades", Figures(np=1)).answer == "not measured"
    assert check("np steady over 9 decades", figures).answer == "not measured"


def test_steady_is_told_by_inputs():
    (wide, flat) = (
        check(f"np steady over {n} decades", Figures(sigmas=curve(0.3))) for n in (4, 3)
    )
    assert (flat.answer, wide.answer) == ("confirmed", "refuted")
    assert flat.high < 5 < wide.low
    noisy = check("np steady over 3 decades", Figures(sigmas=curve(-6)))
    assert noisy.answer == "not told apart"
    mean_alone = [(squared, angles[1:2]) for squared, angles in curve(0)]
    assert check("np steady over 3 decades", Figures(sigmas=mean_alone)).low is None


@pytest.mark.parametrize(
    "text", ["danp beats dnp", "danp better than", "danp within of dnp", "danp best in layer 0", ""]
)
def test_other_words_are_refused(text):
    with pytest.raises(ValueError, match="is no statement; one is like 'danp better than np'"):
        check_syntax(text)


@pytest.mark.parametrize("half", [0.1, None])
def test_seeds_that_diverged_are_told_of_with_what_they_are_missing_in(half):
    run = Figures(half=half, danp=60.0, dnp=56.0)
    assert check("danp better than dnp", run).lost == ""
    run.gone = {"dnp": 2, "bp": 1}
    assert check("danp better than dnp", run).lost == "dnp lost 2 seeds"
