"""Reading YAML safely: plain data, and the line of every key."""

import re
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from substrate.nearest import beside, nearest
from substrate.scenario.source import Location, Place, ScenarioError, Source, dotted

# All bounds are far above any real scenario: they stop aliases that expand without end, and files
# that are something else.
MAX_BYTES = 2_000_000
MAX_NODES = 20_000
MAX_DEPTH = 100

_TAG = "tag:yaml.org,2002:"
_ODD = re.compile(r"[-+]?(0\d+|\d+(:\d+)+)$")
_SCALAR_TAGS = {_TAG + name for name in ("null", "bool", "int", "float", "str")}


def load_yaml(path: Path) -> Source:
    """Read a YAML file of plain mappings, lists and scalars.

    Raises:
        ScenarioError: no such file, not text in UTF-8, malformed YAML, a tag that would build a
            Python object, a key given twice, aliases that expand too far, no mapping at the top.
    """
    reader = YamlReader(str(path), numbered=True)
    data = reader.read(_text(path))
    if data is None:
        raise ScenarioError("the file is empty", file=str(path))
    if not isinstance(data, dict):
        message = "a scenario is a mapping of keys to values"
        raise ScenarioError(message, file=str(path), line=reader.places[()][1], found=data)
    return Source(path, data, reader.places)


class _Loader(yaml.SafeLoader):
    """YAML 1.1 without dates, and with floats such as 1e-6, which it would leave as text."""


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] in (*_SCALAR_TAGS, _TAG + "merge")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    _TAG + "float",
    re.compile(r"[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


class YamlReader:
    """Builds plain data of YAML's node tree, noting the line of every node on the way.

    Scalars are made by SafeLoader's constructor; an alias gives a copy of what it stands for.
    """

    def __init__(self, origin: str, *, numbered: bool) -> None:
        """Name in errors where the text comes from, and with `numbered` the line."""
        self.origin = origin
        self.numbered = numbered
        self.places: dict[Location, Place] = {}
        self._count = 0
        self._open: set[int] = set()

    def read(self, text: str) -> Any:
        """Give the data; None of an empty text.

        Raises:
            ScenarioError: as `load_yaml`, but for what the file is.
        """
        try:
            self._loader = _Loader(text)
            node = self._loader.get_single_node()
        except yaml.MarkedYAMLError as problem:
            tab = "\\t" in str(problem.problem)
            hint = "YAML indents with spaces, not tabs" if tab else None
            message = f"malformed YAML: {problem.problem or problem.context}"
            raise self._error(problem.problem_mark, message, hint=hint) from None
        except yaml.reader.ReaderError as problem:
            line = text.count("\n", 0, problem.position) + 1 if self.numbered else None
            message = "a character that YAML does not allow"
            found = chr(problem.character)
            raise ScenarioError(message, file=self.origin, line=line, found=found) from None
        except (ValueError, OverflowError):  # "\UFFFFFFFF"
            message = "malformed YAML: an escape sequence that stands for no character"
            raise self._error(self._loader.get_mark(), message) from None
        except RecursionError:
            raise ScenarioError("nested too deeply", file=self.origin) from None
        return None if node is None else self._build(node, ())

    def _build(self, node: yaml.Node, loc: Location) -> Any:
        self._count += 1
        if self._count > MAX_NODES or len(loc) > MAX_DEPTH:
            message = "too large: aliases (*) repeat too much, or the nesting is too deep"
            raise self._error(node.start_mark, message)
        self.places.setdefault(loc, self._place(node.start_mark))
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALAR_TAGS:
            return self._build_scalar(node, loc)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            with self._within(node):
                return [self._build(item, (*loc, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._build_mapping(node, loc)
        tag = node.tag.replace(_TAG, "!!")
        message = "this tag is not allowed: a scenario holds plain values, and builds no objects"
        raise self._error(node.start_mark, message, loc, found=tag)

    def _build_scalar(self, node: yaml.ScalarNode, loc: Location) -> Any:
        if node.tag == _TAG + "int" and _ODD.match(node.value):
            message = "YAML reads this as octal, or in base 60"
            hint = "a decimal has a point, a whole number begins with no 0, text stands in quotes"
            raise self._error(node.start_mark, message, loc, found=node.value, hint=hint)
        try:
            value = self._loader.construct_object(node)
            if isinstance(value, int):
                float(value)  # overflows where nothing that we compute could hold it
            elif isinstance(value, str):
                value.encode()
        except UnicodeEncodeError:  # half of a pair, as in "\ud83d"
            message = "a character that YAML does not allow"
            raise self._error(node.start_mark, message, loc, found=node.value) from None
        except (ValueError, LookupError, OverflowError, yaml.YAMLError):
            name = node.tag.removeprefix(_TAG)
            message = f"cannot be read as {name}"
            raise self._error(node.start_mark, message, loc, found=node.value) from None
        return value

    def _build_mapping(
        self, node: yaml.MappingNode, loc: Location, but: Collection[str] = ()
    ) -> dict[str, Any]:
        """The keys that stand here, and those merged into it by `<<`; `but` says which not."""
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        first: dict[str, yaml.Mark] = {}
        bases: list[yaml.Node] = []
        with self._within(node):
            for key_node, value_node in node.value:
                if key_node.tag == _TAG + "merge":
                    several = isinstance(value_node, yaml.SequenceNode)
                    bases += value_node.value if several else [value_node]
                    continue
                key = self._build(key_node, loc)
                if not isinstance(key, str):
                    message, hint = "a key must be text", "put it in quotes"
                    if value_node.value == "":  # {std: 0,05, at: input}
                        hint = "or is it part of a number? a decimal has a point, such as 0.05"
                    raise self._error(key_node.start_mark, message, loc, found=key, hint=hint)
                here = (*loc, key)
                if key in first:
                    message = "this key stands twice"
                    if self.numbered:
                        message += f", first on line {first[key].line + 1}"
                    raise self._error(key_node.start_mark, message, here)
                first[key] = key_node.start_mark
                if key not in but:
                    self.places[here] = self._place(key_node.start_mark)
                    own[key] = self._build(value_node, here)
            for base in bases:
                if not isinstance(base, yaml.MappingNode):
                    raise self._error(base.start_mark, "<< takes mappings only", loc)
                merged |= self._build_mapping(base, loc, {*but, *own, *merged})
        return {**merged, **own}

    @contextmanager
    def _within(self, node: yaml.Node) -> Iterator[None]:
        """Refuse an alias inside of what it stands for."""
        if id(node) in self._open:
            raise self._error(node.start_mark, "this holds itself: an alias (*) within its anchor")
        self._open.add(id(node))
        yield
        self._open.remove(id(node))

    def _place(self, mark: yaml.Mark | None) -> Place:
        return self.origin, mark.line + 1 if mark and self.numbered else None

    def _error(
        self, mark: yaml.Mark | None, message: str, loc: Location = (), **details: Any
    ) -> ScenarioError:
        file, line = self._place(mark)
        return ScenarioError(message, file=file, line=line, field=dotted(loc), **details)


def _text(path: Path) -> str:
    name = str(path)
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise ScenarioError("this is a folder, not a scenario file", file=name)
        if not stat.S_ISREG(kind):  # a pipe would be waited for, a device never ends
            raise ScenarioError("this is a pipe or a device, not a scenario file", file=name)
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise missing_file(path) from None
    except (OSError, ValueError) as problem:  # a ValueError where the name holds a NUL
        reason = problem.strerror if isinstance(problem, OSError) else problem
        raise ScenarioError(f"cannot be read: {reason}", file=name) from None
    if len(content) > MAX_BYTES:
        message = f"this is no scenario: it is larger than {MAX_BYTES:,} bytes"
        raise ScenarioError(message, file=name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise ScenarioError("not text in UTF-8", file=name, line=line) from None


def missing_file(path: Path, names: Iterable[str] = ()) -> ScenarioError:
    """The error of a file that is not there, with the nearest that is.

    Args:
        path: of the file.
        names: what else might have been meant.
    """
    message = "no such file"
    if not path.parent.is_dir():
        message = f"no such file, nor a folder {path.parent}"
    files = beside(path)
    known = {name: name for name in names} | {name: str(path.with_name(name)) for name in files}
    meant = nearest(path.name if files else str(path), known)
    hint = f"did you mean {known[meant]}?" if meant else None
    return ScenarioError(message, file=str(path), hint=hint)
