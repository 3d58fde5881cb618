"""Scenario files as text: reading YAML safely, and saying where in the file a problem stands.

Nothing here knows what a scenario means. `load_yaml` gives plain data and remembers the line of
every key, `apply_overrides` lays `--set` on top, and `ScenarioError` is the one message that the
user sees. What pydantic finds wrong is put back into the file by `substrate.scenario.explain`.
"""

import copy
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from substrate.nearest import nearest

# All bounds are far above any real scenario: they stop aliases that expand without end, and files
# that are something else.
MAX_BYTES = 2_000_000
MAX_NODES = 20_000
MAX_DEPTH = 100

# Stands for `found` where there is no value to show; None is YAML's null.
NOT_GIVEN: Any = object()
_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = {_TAG + name for name in ("null", "bool", "int", "float", "str")}

Location = tuple[str | int, ...]
Place = tuple[str, int | None]
"""A file, or whatever else a setting came from, and the line, which only files have."""


class ScenarioError(Exception):
    """What is wrong with a scenario, and where; `str()` is the whole message for the user.

    `file` names the file, or the `--set path=value` that the problem came from; `line` counts
    from 1; `field` is the dotted path of the key; `found` the value that stood there; `hint` says
    what was probably meant. Each is None where it is not known.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        field: str | None = None,
        found: Any = NOT_GIVEN,
        hint: str | None = None,
    ) -> None:
        place = f"{file}:{line}" if line else file
        text = ": ".join(part for part in (place, field, message) if part)
        if found is not NOT_GIVEN:
            text += f" (found {_shown(found)})"
        super().__init__(f"{text}; {hint}" if hint else text)
        self.message = message
        self.file = file
        self.line = line
        self.field = field
        self.found = None if found is NOT_GIVEN else found
        self.hint = hint


@dataclass(frozen=True)
class Source:
    """A scenario as read: plain data, and the file and line, or the `--set`, of every key."""

    path: Path
    data: dict[str, Any]
    places: Mapping[Location, Place]

    def line(self, loc: Sequence[str | int]) -> int | None:
        """The line, counted from 1, of the key at `loc` or of its deepest ancestor that exists.

        None where the key came from `--set`.
        """
        return self.place(loc)[1]

    def place(self, loc: Sequence[str | int]) -> Place:
        """The file and line, or the `--set`, of the key at `loc` or of its deepest ancestor."""
        ancestors = (tuple(loc[:length]) for length in range(len(loc), -1, -1))
        return next(self.places[key] for key in ancestors if key in self.places)

    def error(
        self,
        loc: Sequence[str | int],
        message: str,
        *,
        found: Any = NOT_GIVEN,
        hint: str | None = None,
    ) -> ScenarioError:
        """A `ScenarioError` about the key at `loc`."""
        file, line = self.place(loc)
        return ScenarioError(
            message, file=file, line=line, field=_dotted(loc), found=found, hint=hint
        )


def load_yaml(path: Path) -> Source:
    """Read a YAML file of plain mappings, lists and scalars.

    Raises:
        ScenarioError: no such file, not text in UTF-8, malformed YAML, a tag that would build a
            Python object, a key given twice, aliases that expand too far, no mapping at the top.
    """
    reader = _Reader(str(path), numbered=True)
    data = reader.read(_text(path))
    if data is None:
        raise ScenarioError("the file is empty", file=str(path))
    if not isinstance(data, dict):
        message = "a scenario is a mapping of keys to values"
        raise ScenarioError(message, file=str(path), line=reader.places[()][1], found=data)
    return Source(path, data, reader.places)


def apply_overrides(source: Source, overrides: Iterable[str], *, origin: str = "--set") -> Source:
    """Lay `path.to.key=value` settings over a scenario; `origin` names them in errors.

    Values are YAML; a whole number in the path counts the entries of a list from 0.

    Raises:
        ScenarioError: a setting without `=`, with malformed YAML, or whose path runs through
            something that is neither a mapping nor a list.
    """
    settings = []
    for setting in overrides:
        place = f"{origin} {setting}"
        path, equals, text = setting.partition("=")
        if not equals:
            raise ScenarioError("a setting looks like path.to.key=value", file=place)
        value = _Reader(place, numbered=False).read(text)
        settings.append((path.strip(), value, (place, None)))
    return lay(source, settings)


def lay(source: Source, settings: Iterable[tuple[str, Any, Place]]) -> Source:
    """Lay settings over a scenario: a dotted path, the value, and where that setting stands.

    Raises:
        ScenarioError: a path has an empty part, or runs through something that is neither a
            mapping nor a list.
    """
    data = copy.deepcopy(source.data)
    places = dict(source.places)
    for path, value, (file, line) in settings:
        parts = path.split(".")
        if not all(parts):
            raise ScenarioError("a setting looks like path.to.key=value", file=file, line=line)
        container: Any = data
        loc: Location = ()
        for depth, part in enumerate(parts, start=1):
            key = _key_of(container, part, loc, file, line)
            loc = (*loc, key)
            old = container.get(key) if isinstance(container, dict) else container[key]
            if depth == len(parts):
                container[key] = copy.deepcopy(value)
                places = _without(places, loc) if isinstance(old, dict | list) else places
            elif isinstance(container, dict) and old is None:
                container[key] = {}
            else:
                container = old
                continue
            places[loc] = (file, line)
            container = container[key]
    return Source(source.path, data, places)


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


class _Reader:
    """Builds plain data of YAML's node tree, noting the line of every node on the way.

    Scalars are made by SafeLoader's constructor; an alias gives a copy of what it stands for.
    """

    def __init__(self, origin: str, *, numbered: bool) -> None:
        self.origin = origin
        self.numbered = numbered
        self.places: dict[Location, Place] = {}
        self._count = 0
        self._open: set[int] = set()

    def read(self, text: str) -> Any:
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
        return ScenarioError(message, file=file, line=line, field=_dotted(loc), **details)


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
        raise _missing_file(path) from None
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


def _shown(found: Any) -> str:
    """A value as a message shows it: short, whatever it is."""
    if found is None:
        return "nothing"
    shown = repr(found[:100] if isinstance(found, str) else found)
    return shown if len(shown) <= 80 else shown[:79] + "…"


def _dotted(loc: Sequence[str | int]) -> str | None:
    return ".".join(str(part) for part in loc) or None


def _without(places: Mapping[Location, Place], loc: Location) -> dict[Location, Place]:
    return {key: place for key, place in places.items() if key[: len(loc)] != loc}


def _missing_file(path: Path) -> ScenarioError:
    if not path.parent.is_dir():
        return ScenarioError(f"no such file, nor a folder {path.parent}", file=str(path))
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:  # a folder that may not be listed
        names = []
    meant = nearest(path.name, names)
    hint = f"did you mean {path.with_name(meant)}?" if meant else None
    return ScenarioError("no such file", file=str(path), hint=hint)


def _key_of(container: Any, part: str, loc: Location, file: str, line: int | None) -> str | int:
    if isinstance(container, dict):
        return part
    if not isinstance(container, list):
        message = f"neither a mapping nor a list, so {part!r} cannot be set in it"
        raise ScenarioError(message, file=file, line=line, field=_dotted(loc), found=container)
    if not (part.isdecimal() and len(part) < 10 and int(part) < len(container)):
        message = f"the list has {len(container)} entries, counted from 0"
        raise ScenarioError(message, file=file, line=line, field=_dotted(loc), found=part)
    return int(part)
