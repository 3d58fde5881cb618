"""Which files an object of a user's own is made of."""

from pathlib import Path

from substrate.plugin_files import files_of, sha256_of_files


def test_imports_are_followed_within_the_folder_and_nothing_is_run(tmp_path: Path) -> None:
    (tmp_path / "helpers" / "deep").mkdir(parents=True)
    (tmp_path / "package").mkdir()
    files = {
        "mine.py": "import json\nfrom helpers.util import x\nimport package\nraise SystemExit\n",
        "helpers/util.py": "from .deep import more\nfrom helpers import other\n",
        "helpers/other.py": f"import mine\nfrom {'.' * 99} import beyond\n",
        "helpers/deep/more.py": "from ... import outside\nthis is no python",
        "package/__init__.py": "from . import part\n",
        "package/part.py": "",
        "unused.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    mine, *others = files_of(tmp_path / "mine.py")
    assert mine == tmp_path / "mine.py"
    assert [str(each.relative_to(tmp_path)) for each in others] == [
        *("helpers/deep/more.py", "helpers/other.py", "helpers/util.py"),
        *("package/__init__.py", "package/part.py"),
    ]


def test_what_is_no_code_is_one_file(tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("import mine\n")
    assert files_of(trace) == [trace]
    before = sha256_of_files([trace])
    trace.write_text("import mine \n")
    assert sha256_of_files([trace]) != before
