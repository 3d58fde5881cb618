import math
import os
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from substrate.scenario.overrides import apply_overrides
from substrate.scenario.source import ScenarioError, Source
from substrate.scenario.yaml_reader import load_yaml


def refused(path: Path) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        load_yaml(path)
    return caught.value


def test_data_is_plain(source: Source) -> None:
    assert source.data == {
        "name": "demo",
        "arms": {
            "device": {"learning": {"rule": "danp", "sigma2": 1e-6}},
            "ideal": {"rule": "bp", "rate": 0.1},
        },
        "seeds": [0, 1],
    }


@pytest.mark.parametrize(
    "text", ["1e-6", "1e5", "1E+5", "2.5e-3", "-1e-6", "+1e3", ".5e-3", "5.e2", "0.1", "1_0e2"]
)
def test_floats_are_floats(write, text: str) -> None:
    value = load_yaml(write(f"x: {text}")).data["x"]
    assert isinstance(value, float)
    assert value == float(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_that_python_prints_is_read_back(number: float) -> None:
    empty = Source(Path("demo.yaml"), {}, {(): ("demo.yaml", 1)})
    value = apply_overrides(empty, [f"x={number!r}"]).data["x"]
    assert value == number
    assert math.copysign(1, value) == math.copysign(1, number)


@pytest.mark.parametrize("text", ["2026-11-23", "e5", "1e", "12e5x", "1.2.3e4", "=", "v1e5"])
def test_what_is_no_number_stays_text(write, text: str) -> None:
    assert load_yaml(write(f"x: {text}")).data["x"] == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("abc -:#é1"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc", min_size=1), inner),
    max_leaves=20,
)


@given(value=JSON)
def test_agrees_with_pyyaml(value: object) -> None:
    text = yaml.safe_dump({"x": value}, default_flow_style=True, width=10**6).strip()
    empty = Source(Path("demo.yaml"), {}, {(): ("demo.yaml", 1)})
    assert apply_overrides(empty, [f"y={text}"]).data["y"] == {"x": value}


def test_missing_file_names_the_nearest(write) -> None:
    path = write("name: demo\n")
    error = refused(path.with_name("demmo.yaml"))
    assert error.file == str(path.with_name("demmo.yaml"))
    assert str(path) in str(error)
    assert "did you mean" not in str(refused(path.with_name("quite-another")))
    assert "nofolder" in str(refused(path.parent / "nofolder" / "demo.yaml"))


def test_a_folder_is_no_scenario(tmp_path: Path) -> None:
    assert "folder" in refused(tmp_path).message


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n"])
def test_empty_file(write, text: str) -> None:
    assert "empty" in refused(write(text)).message


def test_unreadable_characters(write) -> None:
    error = refused(write(b"name: demo\nauthor: J\xf6rg\n"))
    assert (error.line, error.message) == (2, "not text in UTF-8")
    error = refused(write(b"name: demo\n\nauthor: \x07\n"))
    assert (error.line, error.found) == (3, "\x07")


def test_a_byte_order_mark_is_no_matter(write) -> None:
    assert load_yaml(write(b"\xef\xbb\xbfname: demo\n")).data == {"name": "demo"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("- 1\n- 2\n", 1, "mapping"),
        ("just text\n", 1, "mapping"),
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "malformed YAML"),
        ("a: 1\n\tb: 2\n", 2, "not tabs"),
        ("a: 'open\n", 2, "malformed YAML"),
        ("a: 1\nb: *nowhere\n", 2, "undefined alias"),
        ("a: 1\n---\nb: 2\n", 2, "malformed YAML"),
        ("a: 1\nb: 2\na: 3\n", 3, "first on line 1"),
        ("a:\n  b: 1\n  'b': 2\n", 3, "a.b"),
        ("a: 1\n2: 3\n", 2, "quotes"),
        ("a: 1\non: 3\n", 2, "found True"),
        ("a: {{ template }}\n", 1, "key"),
        ("a: 1\nb: !!int many\n", 2, "int"),
        ("a: 1\nb: " + "9" * 10_000, 2, "int"),
        ("a: 1\nb:\n  <<: 3\n", 3, "mappings only"),
        ("a: &a\n  b: *a\n", 1, "holds itself"),
        ("a: &a {<<: *a}\n", 1, "holds itself"),
        ("a: &a [1, *a]\n", 1, "holds itself"),
        ("a: 1\nb: !!int ''\n", 2, "cannot be read as int (found '')"),
        ("a: 1\nb: !!float ''\n", 2, "cannot be read as float (found '')"),
        ("a: 1\nb: !!bool 7\n", 2, "cannot be read as bool (found '7')"),
        ("a: 0x" + "f" * 5000, 1, "cannot be read as int"),
        ("a: 1" + ":1" * 400, 1, "octal, or in base 60"),
        ('a: 1\nb: "\\UFFFFFFFF"\n', 2, "escape sequence"),
        ('a: 1\nb: "\\ud83d"\n', 2, "character that YAML does not allow"),
        ('a: 1\n"\\ud83d": 2\n', 2, "character that YAML does not allow"),
        ("a: " + "[" * 150 + "]" * 150, 1, "too large"),
    ],
)
def test_malformed(write, text: str, line: int, words: str) -> None:
    error = refused(write(text.encode()))
    assert error.line == line
    assert words in str(error)
    assert str(error).startswith(f"{error.file}:{line}: ")
    assert len(str(error)) < 300


def test_nesting_that_pyyaml_cannot_follow(write) -> None:
    assert "nested too deeply" in str(refused(write("a: " + "[" * 5000)))


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("!!python/object/apply:os.system ['touch {}']", "!!python/object/apply:os.system"),
        ("!!python/name:os.system", "!!python/name:os.system"),
        ("!!python/tuple [1, 2]", "!!python/tuple"),
        ("!custom {b: 1}", "!custom"),
        ("!!binary aGVsbG8=", "!!binary"),
        ("!!set {b}", "!!set"),
        ("!!timestamp 2026-11-23", "!!timestamp"),
    ],
)
def test_tags_that_build_objects(write, tmp_path: Path, value: str, tag: str) -> None:
    proof = tmp_path / "was-here"
    error = refused(write(f"name: demo\narms:\n  device: {value}\n".replace("{}", str(proof))))
    assert (error.line, error.field, error.found) == (3, "arms.device", tag)
    assert "not allowed" in error.message
    assert not proof.exists()


@pytest.mark.parametrize(
    "merge", ["[*{0}, *{0}, *{0}, *{0}, *{0}, *{0}]", "{{<<: [*{0}, *{0}, *{0}]}}"]
)
def test_billion_laughs(write, merge: str) -> None:
    lines = ["a0: &a0 {b: 1}"]
    lines += [f"a{i}: &a{i} {merge.format(f'a{i - 1}')}" for i in range(1, 30)]
    started = time.process_time()
    error = refused(write("\n".join(lines)))
    assert "too large" in error.message
    assert time.process_time() - started < 10


def test_aliases_are_copies_and_merges_are_overridden(write) -> None:
    source = load_yaml(
        write("""\
        base: &base
          rule: np
          rates: {first: 1, second: 2}
        one: *base
        two:
          <<: *base
          rates:
            first: 3
        """)
    )
    assert source.data["two"] == {"rule": "np", "rates": {"first": 3}}
    assert source.line(("two", "rule")) == 2
    assert source.line(("two", "rates", "first")) == 8
    assert source.line(("two", "rates", "second")) == 7
    changed = apply_overrides(source, ["one.rates.first=9"])
    assert changed.data["one"]["rates"]["first"] == 9
    assert changed.data["base"]["rates"]["first"] == 1


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")  # opening it would wait for a writer
    assert "pipe or a device" in refused(tmp_path / "pipe.yaml").message
    assert "pipe or a device" in refused(Path("/dev/zero")).message
    assert "cannot be read" in refused(Path("a\0b.yaml")).message


def test_a_file_that_no_scenario_could_be_is_not_read_to_its_end(write) -> None:
    assert "larger than" in refused(write("# padding\n" * 300_000)).message


def test_many_keys_over_merged_ones_take_no_time(write) -> None:
    keys = ", ".join(f"k{number}: 1" for number in range(3000))
    started = time.process_time()
    source = load_yaml(write(f"a: &a {{{keys}}}\nb: {{<<: *a, {keys}}}\n"))
    assert source.data["a"] == source.data["b"]
    assert time.process_time() - started < 30


def test_a_decimal_comma_within_braces_is_told(write) -> None:
    error = refused(write("noise:\n- {std: 0,5, at: input}\n"))
    assert (error.line, error.field, error.found) == (2, "noise.0", 5)
    assert error.hint == "or is it part of a number? a decimal has a point, such as 0.05"


@pytest.mark.parametrize("text", ["[0,05]", "[010]", "{std: 0,05}", "-010", "1:30", "12:30:45"])
def test_no_number_is_read_as_another(write, text: str) -> None:
    """YAML 1.1 has octal numbers, and those in base 60."""
    error = refused(write(f"name: demo\nx: {text}\n"))
    assert error.line == 2
    assert error.found in ("05", "010", "-010", "1:30", "12:30:45")
    assert "a decimal has a point" in str(error.hint)


@pytest.mark.parametrize("text", ["0", "-0", "0.05", "1_000", "0x1F", "'010'", "1e-03", "1:3a"])
def test_other_numbers_and_text_are_read(write, text: str) -> None:
    assert load_yaml(write(f"x: {text}")).data["x"] == yaml.safe_load(text.replace("1e", "1.0e"))
