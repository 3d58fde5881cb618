"""`survey.json` and what is wrong with one."""

from pathlib import Path

import pytest

from substrate.survey.record import RECORD, Survey, SurveyError, begin_or_go_on, write_record

ASKED = Survey(
    scenario={"name": "tiny", "training": {"epochs": 20}},
    rates=[0.1],
    samples={"training": 100, "held out": 20},
    network="64-8-10",
    metric="test_accuracy",
    versions={"torch": "2.12"},
    data="f00d",
    code={"mine.py": "1"},
    command="substrate survey tiny",
    started="2026-01-01T00:00:00+00:00",
)


def test_an_empty_folder_begins_and_a_written_one_goes_on(tmp_path: Path) -> None:
    assert begin_or_go_on(tmp_path, ASKED) == ASKED
    write_record(tmp_path, ASKED)
    later = ASKED.model_copy(update={"command": "again", "started": "2026-01-02T00:00:00+00:00"})
    assert begin_or_go_on(tmp_path, later) == ASKED


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"versions": {"torch": "2.13"}}, r"versions\.torch is '2\.12' there, and '2\.13' here"),
        ({"data": "beef"}, "data is 'f00d' there, and 'beef' here"),
        ({"code": {"mine.py": "2"}}, r"code\.mine\.py is '1' there, and '2' here"),
    ],
)
def test_figures_of_another_version_or_of_other_data_are_not_mixed_in(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    write_record(tmp_path, ASKED)
    with pytest.raises(SurveyError, match=said):
        begin_or_go_on(tmp_path, ASKED.model_copy(update=changed))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}'])
def test_a_damaged_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(SurveyError, match=r"survey\.json cannot be read"):
        begin_or_go_on(tmp_path, ASKED)
