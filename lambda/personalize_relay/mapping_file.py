"""Read a mapping from TOML: a file of the operator's, or a preset that comes with the relay.

A fault is a MappingError of one sentence that names the file, the rule or test, the member, and what to do.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from personalize_relay.errors import MappingError
from personalize_relay.expressions import Expressions, WrongExpression, fields, plain_path, takes_whole
from personalize_relay.functions import Functions
from personalize_relay.mapping import MEMBERS, Mapping, Rule
from personalize_relay.names import MARK
from personalize_relay.paths import of_owners
from personalize_relay.projections import Expression
from personalize_relay.tables import LONGEST_NAME, Table, is_name, kind

if TYPE_CHECKING:  # the function never runs the tests, and its start should not pay for them
    from personalize_relay.mapping_tests import Test

TEST_SALT = "test"
"""The salt of a mapping's own tests, whatever the deployment's salt is."""
SUFFIX = ".toml"

_FOLDER = Path(__file__).with_name("presets")
PRESETS = tuple(sorted(path.stem for path in _FOLDER.iterdir() if path.suffix == SUFFIX))
"""The names of the mappings that come with the relay."""

_REQUIRED = ("sessionId", "eventType")
_PLACE = r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$"
"""The end of tomllib's errors; not compiled, as a function's start would pay for it and never need it."""


class MappingFile(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a file."""

    description: str
    mapping: Mapping
    tests: tuple["Test", ...]


def named(mapping: str, salt: str | None = None) -> Mapping:
    """The mapping of a preset's name or a file's path, once its tests have passed; raises MappingError."""
    return load(source(mapping), file=mapping, salt=salt)


def preset(name: str, salt: str | None = None) -> Mapping:
    """A mapping that comes with the relay; raises MappingError if none has the name."""
    if name not in PRESETS:
        raise MappingError(f"{name}: is no preset: there are {', '.join(PRESETS)}")
    return named(name, salt)


def source(mapping: str, *, folder: Path = Path()) -> str:
    """The TOML text of a preset, or of a file whose path begins at `folder`; raises MappingError."""
    path = _FOLDER / f"{mapping}{SUFFIX}" if mapping in PRESETS else folder / mapping
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise MappingError(f"{mapping}: is not UTF-8 at byte {exc.start}: save it as UTF-8") from exc
    except (OSError, ValueError) as exc:
        why = (exc.strerror or "") if isinstance(exc, OSError) else "not a path"
        advice = f"name a file, or a preset: {', '.join(PRESETS)}"
        raise MappingError(f"{mapping}: can't be read ({why.lower()}): {advice}") from exc


def load(text: str, *, file: str, salt: str | None = None) -> Mapping:
    """The mapping of a text, once its tests have passed; hash() uses `salt`. Raises MappingError."""
    from personalize_relay import mapping_tests  # noqa: PLC0415 - as above

    loaded = read(text, file=file, salt=salt)
    tested = deployed(text, file=file, salt=TEST_SALT if salt else None)
    for test in loaded.tests:
        wrong = mapping_tests.failure(test, tested)
        if wrong:
            raise MappingError(f'{file}: test "{test.name}": {wrong}')
    return loaded.mapping


def read(text: str, *, file: str, salt: str | None = None) -> MappingFile:
    """The content of a text, before its tests have run; raises MappingError."""
    table = _table(text, file)
    description = table.text("description", "") if table.values.get("description") else ""
    mapping = _mapping(table, salt)
    return MappingFile(description=description or "", mapping=mapping, tests=_tests(table, mapping.rules))


def deployed(text: str, *, file: str, salt: str | None = None) -> Mapping:
    """The mapping of a text whose tests the deployment has run, so that nobody reads them; raises MappingError.

    A row has only the columns that an expression names: filling the others would take most of a row's time.
    """
    try:
        table = _table(_before_tests(text), file)
    except MappingError:  # of the whole text, with its lines
        table = _table(text, file)
    return _mapping(table, salt, every_column=False)


def _before_tests(text: str) -> str:
    """The text before the first test if nothing but tests follows, because parsing them takes long; else all of it."""
    before, _, tests = text.partition("\n[[test]]\n")
    heads = [line for line in tests.splitlines() if line.lstrip().startswith("[")]
    return before if all(line.startswith(("[[test]]", "[test.", "[[test.")) for line in heads) else text


def _table(text: str, file: str) -> Table:
    table = Table(file, _toml(text, file))
    table.refuse_others(("description", "columns", "separator", "let", "rule", "test"))
    return table


def _mapping(table: Table, salt: str | None, *, every_column: bool = True) -> Mapping:
    expressions = Expressions(Functions(salt))
    let, rules = _let(table, expressions), _rules(table, expressions)
    used = None if every_column or "columns" not in table.values else _names(table)
    return Mapping(name=Path(table.place).name, let=let, rules=rules, rows=_rows(table, used))


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        said = str(exc)
        place = re.search(_PLACE, said)
        line = place["line"] if place and place["line"] else str(text.rstrip().count("\n") + 1)
        what = re.sub(_PLACE, "", said)
        raise MappingError(f"{file}: line {line} is not TOML: {what[:1].lower()}{what[1:]}: see toml.io") from exc
    except RecursionError as exc:
        raise MappingError(f"{file}: is nested too deep: a mapping has rules and tests, see docs/mapping.md") from exc


def _let(table: Table, expressions: Expressions) -> tuple[tuple[str, Expression], ...]:
    """Names that the rules use like members of the payload; each expression sees the names before it."""
    if "let" not in table.values:
        return ()
    let = Table(f"{table.place}: let", table.table("let").values)
    if "each" in let.values:
        raise let.at("each", "is the word for a rule's entry: choose another name")
    compiled = ((name, _compiled(let, name, expressions)) for name in let.values)
    return tuple((name, expression) for name, expression in compiled if expression)


def _rules(table: Table, expressions: Expressions) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for each in table.tables("rule"):
        rule = _rule(each, expressions)
        if any(rule.name == other.name for other in rules):
            raise each.at("name", "is that of a rule before it: give each its own")
        if rules and rules[-1].when is None:
            raise each.wrong(f'is never reached: give "{rules[-1].name}" a when, or move it to the end')
        rules.append(rule)
    if not rules:
        raise table.wrong("has no rules: add [[rule]] with a name and a [rule.event], or drop = true")
    return tuple(rules)


def _rule(table: Table, expressions: Expressions) -> Rule:
    table.refuse_others(("name", "when", "each", "event", "drop"))
    name = _name(table)
    when = _compiled(table, "when", expressions)
    drop = table.values.get("drop", False)
    if not isinstance(drop, bool):
        raise table.at("drop", f"is {kind(drop)}: write true, or leave it out")
    if drop:
        for key in ("event", "each"):
            if key in table.values:
                raise table.at(key, "stands beside drop: a rule makes events or drops, so take one of them out")
        return Rule(name=name, when=when)
    if "event" not in table.values:
        raise table.at("event", "is missing: add [rule.event] with the members of the event, or drop = true")
    each = _compiled(table, "each", expressions)
    event = table.table("event")
    members = _members(event, expressions)
    plain = {name: path for name in members if (path := plain_path(event.values[name]))}
    return Rule(
        name=name,
        when=when,
        each=each,
        paths=of_owners(plain),
        members=tuple((name, expression) for name, expression in members.items() if name not in plain),
        keeps_scope=any(map(takes_whole, event.values.values())),
    )


def _members(table: Table, expressions: Expressions) -> dict[str, Expression]:
    table.refuse_others(MEMBERS)
    for name in _REQUIRED:
        if name not in table.values:
            raise table.at(name, "is missing: every event needs it, so add an expression for it")
    compiled = ((name, _compiled(table, name, expressions)) for name in MEMBERS)
    return {name: expression for name, expression in compiled if expression}


def _compiled(table: Table, key: str, expressions: Expressions) -> Expression | None:
    text = table.values.get(key)
    if text is None:
        return None
    if not isinstance(text, str):
        raise table.at(key, f"is {kind(text)}: write a JMESPath expression in quotes, a fixed text as \"'view'\"")
    try:
        return expressions.compiled(text)
    except WrongExpression as exc:
        raise table.at(key, str(exc)) from exc


def _name(table: Table) -> str:
    name = table.text("name")
    if name is None:
        raise table.at("name", 'is missing: add name = "…" to it')
    if not is_name(name):
        raise table.at("name", f"must be at most {LONGEST_NAME} printable characters: it is shown in the log")
    return name


def _names(table: Table) -> frozenset[str] | None:
    """All names in the expressions of a mapping without faults; None if one may need members that it doesn't name."""
    rules = table.values["rule"]
    conditions = [rule[key] for rule in rules for key in ("when", "each") if key in rule]
    tables = [table.values.get("let", {}), *(rule.get("event", {}) for rule in rules)]
    return fields([*conditions, *(expression for each in tables for expression in each.values())])


def _rows(table: Table, used: frozenset[str] | None) -> Callable[[str], dict[str, Any] | None] | None:
    columns, separator = table.values.get("columns"), table.text("separator")
    if columns is None and separator is None:
        return None
    if columns is None:
        raise table.at("columns", "is missing: name the columns that the separator separates, or take it out")
    if separator is None:
        raise table.at("separator", 'is missing: say what separates the columns, such as separator = "\\t"')
    if not isinstance(columns, list) or not all(isinstance(each, str) and each for each in columns):
        raise table.at("columns", "must be a list of texts: the names of the columns, in order")
    if len(set(columns)) < max(len(columns), 2):
        raise table.at("columns", "must be two names at least, and no two of them the same")
    return _reader(columns, separator, columns if used is None or MARK in columns else used)


def _reader(columns: Sequence[str], separator: str, kept: Collection[str]) -> Callable[[str], dict[str, Any] | None]:
    places = [(name, place) for place, name in enumerate(columns) if name in kept]

    def row(line: str) -> dict[str, Any] | None:
        fields = line.rstrip("\r\n").split(separator)
        if not 1 < len(fields) <= len(columns):
            return None
        # Such formats write null as an empty field, and may leave out the fields at a line's end.
        fields += [""] * (len(columns) - len(fields))
        return {name: field for name, place in places if (field := fields[place])}

    return row


def _tests(table: Table, rules: Sequence[Rule]) -> tuple["Test", ...]:
    from personalize_relay import mapping_tests  # noqa: PLC0415 - as above

    drops = [rule.name for rule in rules if rule.drops]
    tests: dict[str, Test] = {}
    for each in table.tables("test"):
        name = _name(each)
        if name in tests:
            raise each.at("name", "is that of a test before it: give each its own")
        tests[name] = mapping_tests.read(each, name, drops)
    return tuple(tests.values())
