import pytest

from substrate.replicate.claims import claims, claims_table, fate
from substrate.replicate.reported import reported
from substrate.replicate.statements import Check


def checks(*answers: str) -> list[Check]:
    return [Check(f"statement {number}", answer, "") for number, answer in enumerate(answers)]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["confirmed", "confirmed"], "holds"),
        (["confirmed", "refuted"], "holds in part"),
        (["confirmed", "not told apart"], "holds in part"),
        (["confirmed"], "holds in part"),  # the other one's experiment was not run
        (["refuted", "not told apart"], "does not hold"),
        (["not told apart", "not measured"], "not settled"),
        (["not measured"], "not measured"),
        ([], "not measured"),
    ],
)
def test_what_becomes_of_a_claim(answers, expected):
    assert fate(checks(*answers), 2) == expected


def test_claims_rest_on_statements_that_are_checked():
    for claim in claims():
        for experiment, statements in claim.by.items():
            assert {*statements} <= {*reported()[experiment].statements}, claim.says


def test_the_largest_budget_of_several_seeds_counts_else_one_seed_is_marked():
    claim = next(each for each in claims() if list(each.by) == ["paper/sarcos"])
    (experiment, statements) = next(iter(claim.by.items()))
    sure = [Check(each, "confirmed", "") for each in statements]
    refuted = [Check(each, "refuted", "") for each in statements]
    unsure = [Check(each, "not told apart", "", note="one seed") for each in statements]
    missing = [Check(each, "not measured", "") for each in statements]

    def line(**by_budget: list[Check]) -> str:
        (found,) = _lines(claim.says, claims_table({experiment: by_budget}))
        return found

    assert line(full=refuted, short=sure).endswith("| **does not hold** | 0 of 3 |")
    short = "paper/sarcos at `short` alone |"
    assert line(short=sure).endswith(f"| **holds** | 3 of 3; {short}")
    assert line(full=unsure, short=sure).endswith(f"| **holds** | 3 of 3; {short}")
    assert line(full=missing, short=sure).endswith(f"| **holds** | 3 of 3; {short}")
    one = "0 of 3; some known from one seed alone |"
    assert line(full=unsure, short=missing).endswith(f"| **not settled** | {one}")
    mixed = line(full=[*refuted[:1], *unsure[1:]], short=sure)
    assert mixed.endswith(f"| **holds in part** | 2 of 3; {short}")


def _lines(says: str, text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(f"| {says} |")]
