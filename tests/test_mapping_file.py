"""A mapping's file is read whole or refused with one sentence: the file, the rule or test, the member, what to do."""

import re
from pathlib import Path
from typing import Any

import pytest

from personalize_relay import mapping_file
from personalize_relay.errors import MappingError
from personalize_relay.mapping import Mapping
from personalize_relay.mapping_file import PRESETS, load, named, preset, read, source

GOOD = """description = "views"
[[rule]]
name = "view"
when = "type == 'view'"
[rule.event]
sessionId = "visit"
eventType = "type"

[[rule]]
name = "ping"
drop = true

[[test]]
name = "a view"
input = '{"type": "view", "visit": "s"}'
event = { sessionId = "s", eventType = "view" }

[[test]]
name = "a ping"
input = '{"type": "ping"}'
dropped = "ping"
"""
RULE = GOOD.partition("[[test]]")[0]
TEST = '[[test]]\nname = "t"\ninput = \'{"type": "view", "visit": "s"}\'\n'

WRONG: dict[str, tuple[str, str | re.Pattern[str]]] = {
    "syntax": (GOOD.replace('name = "ping"', "name = ping"), "m.toml: line 10 is not TOML: invalid value: see toml.io"),
    "a text without its end": (
        GOOD + "x = '''",
        """m.toml: line 22 is not TOML: expected "'''": see toml.io""",
    ),
    "an unknown key": (
        "rules = 1\n" + GOOD,
        "m.toml: rules is not known: did you mean rule?",
    ),
    "an unknown key like no other": (
        "version = 1\n" + GOOD,
        "m.toml: version is not known: there are description, columns, separator, let, rule, test",
    ),
    "a description of another type": (
        GOOD.replace('"views"', "1"),
        "m.toml: description is a number: it must be a text in quotes",
    ),
    "no rules": (
        'description = "views"',
        "m.toml: has no rules: add [[rule]] with a name and a [rule.event], or drop = true",
    ),
    "one rule for a list": (
        GOOD.replace("[[rule]]", "[rule]", 1).replace('[[rule]]\nname = "ping"\ndrop = true\n', ""),
        "m.toml: rule must be a list of tables: write [[rule]] before each",
    ),
    "let that is no table": (
        "let = 1\n" + GOOD,
        "m.toml: let is a number: it must be a table of members",
    ),
    "let with the word for an entry": (
        "let = { each = 'a' }\n" + GOOD,
        "m.toml: let: each is the word for a rule's entry: choose another name",
    ),
    "let that is no expression": (
        "let = { session = 'a b' }\n" + GOOD,
        "m.toml: let: session is not JMESPath at character 3, before b: mend it, fixed texts go in single quotes",
    ),
    "a rule without a name": (
        GOOD.replace('name = "view"\n', ""),
        'm.toml: rule 1: name is missing: add name = "…" to it',
    ),
    "a rule with an empty name": (
        GOOD.replace('"view"\n', '" "\n', 1),
        "m.toml: rule 1: name is empty: fill it in, or leave it out",
    ),
    "a name of two lines": (
        GOOD.replace('"ping"\ndrop', '"ping\\nping"\ndrop'),
        "m.toml: rule 2: name must be at most 64 printable characters: it is shown in the log",
    ),
    "two rules of one name": (
        GOOD.replace('"ping"\ndrop', '"view"\ndrop'),
        'm.toml: rule "view": name is that of a rule before it: give each its own',
    ),
    "a rule that is never reached": (
        GOOD.replace("when = \"type == 'view'\"\n", ""),
        'm.toml: rule "ping": is never reached: give "view" a when, or move it to the end',
    ),
    "an unknown key of a rule": (
        GOOD.replace("when =", "where ="),
        'm.toml: rule "view": where is not known: did you mean when?',
    ),
    "neither event nor drop": (
        GOOD.replace("drop = true", ""),
        'm.toml: rule "ping": event is missing: add [rule.event] with the members of the event, or drop = true',
    ),
    "both event and drop": (
        GOOD.replace("when =", "drop = true\nwhen ="),
        'm.toml: rule "view": event stands beside drop: a rule makes events or drops, so take one of them out',
    ),
    "each beside drop": (
        GOOD.replace("drop = true", 'drop = true\neach = "lines"'),
        'm.toml: rule "ping": each stands beside drop: a rule makes events or drops, so take one of them out',
    ),
    "drop as a text": (
        GOOD.replace("drop = true", 'drop = "yes"'),
        'm.toml: rule "ping": drop is a text: write true, or leave it out',
    ),
    "an event that is no table": (
        GOOD.replace('[rule.event]\nsessionId = "visit"\neventType = "type"', 'event = "type"'),
        'm.toml: rule "view": event is a text: it must be a table of members',
    ),
    "a misspelt member": (
        GOOD.replace("sessionId =", "session_id =", 1),
        'm.toml: rule "view": session_id is not known: did you mean sessionId?',
    ),
    "a member that is missing": (
        GOOD.replace('eventType = "type"\n', ""),
        'm.toml: rule "view": eventType is missing: every event needs it, so add an expression for it',
    ),
    "a member that is a number": (
        GOOD.replace('eventType = "type"', 'eventType = "type"\neventValue = 1'),
        (
            'm.toml: rule "view": eventValue is a number: '
            "write a JMESPath expression in quotes, a fixed text as \"'view'\""
        ),
    ),
    "an expression that is none": (
        GOOD.replace('"visit"', '"visit["', 1),
        'm.toml: rule "view": sessionId is not JMESPath, as it ends too soon: complete it',
    ),
    "a condition that is none": (
        GOOD.replace("type == 'view'", "type = 'view'"),
        (
            "m.toml: rule \"view\": when is not JMESPath at character 6, before = 'view': mend it, "
            "fixed texts go in single quotes"
        ),
    ),
    "a list that is none": (
        GOOD.replace("when =", 'each = ""\nwhen ='),
        'm.toml: rule "view": each is empty: write a JMESPath expression, or leave it out',
    ),
    "an unknown function": (
        GOOD.replace('"visit"', '"upper(visit)"', 1),
        re.compile(r'm.toml: rule "view": sessionId calls upper\(\), which there is not: use one of epoch, text, .+'),
    ),
    "too many arguments": (
        GOOD.replace('"visit"', '"lower(visit, type)"', 1),
        'm.toml: rule "view": sessionId gives lower() 2 arguments: give it 1',
    ),
    "an unknown zone": (
        GOOD.replace('"visit"', "\"epoch(visit, 'Berlin')\"", 1),
        (
            'm.toml: rule "view": sessionId names Berlin, which is no time zone: '
            "write one such as 'Europe/Berlin' or '+01:00'"
        ),
    ),
    "hash without a salt": (
        GOOD.replace('"visit"', '"hash(visit)"', 1),
        'm.toml: rule "view": sessionId calls hash(), but there is no salt: set `mappingSalt`, and keep it secret',
    ),
    "columns without a separator": (
        'columns = ["a", "b"]\n' + GOOD,
        'm.toml: separator is missing: say what separates the columns, such as separator = "\\t"',
    ),
    "a separator without columns": (
        'separator = ","\n' + GOOD,
        "m.toml: columns is missing: name the columns that the separator separates, or take it out",
    ),
    "columns of another type": (
        'separator = ","\ncolumns = ["a", 1]\n' + GOOD,
        "m.toml: columns must be a list of texts: the names of the columns, in order",
    ),
    "two columns of one name": (
        'separator = ","\ncolumns = ["a", "a"]\n' + GOOD,
        "m.toml: columns must be two names at least, and no two of them the same",
    ),
    "a test without a name": (
        GOOD.replace('name = "a view"\n', ""),
        'm.toml: test 1: name is missing: add name = "…" to it',
    ),
    "two tests of one name": (
        GOOD.replace('"a ping"', '"a view"'),
        'm.toml: test "a view": name is that of a test before it: give each its own',
    ),
    "a test without an input": (
        RULE + '[[test]]\nname = "t"\nreason = "not_mapped"',
        "m.toml: test \"t\": input is missing: add what stands on the stream, as input = '''…'''",
    ),
    "an input that is no text": (
        RULE + '[[test]]\nname = "t"\ninput = {}\nreason = "not_mapped"',
        'm.toml: test "t": input is a table: it must be a text in quotes',
    ),
    "an input that is no JSON": (
        RULE + '[[test]]\nname = "t"\ninput = \'view\'\nreason = "not_mapped"',
        (
            'm.toml: test "t": its input is neither a JSON object nor a row of the columns: '
            "write it as it stands on the stream"
        ),
    ),
    "a test without an expectation": (
        RULE + TEST,
        'm.toml: test "t": has no expectation: give it one of event, events, reason, dropped',
    ),
    "a test with two": (
        RULE + TEST + 'reason = "not_mapped"\ndropped = "ping"',
        'm.toml: test "t": has 2 expectations (reason and dropped): give it one of event, events, reason, dropped',
    ),
    "an unknown key of a test": (
        RULE + TEST + 'reasons = "not_mapped"',
        'm.toml: test "t": reasons is not known: did you mean reason?',
    ),
    "an unknown member of an expected event": (
        RULE + TEST + 'event = { session = "s" }',
        'm.toml: test "t": session is not known: did you mean sessionId?',
    ),
    "a date of TOML's": (
        RULE + TEST + "event = { sentAt = 2026-11-24T09:30:00Z }",
        "m.toml: test \"t\": sentAt is a date of TOML's, which JSON doesn't have: put it in quotes",
    ),
    "an unknown reason": (
        RULE + TEST + 'reason = "bad"',
        'm.toml: test "t": reason is none of the relay\'s: "bad"; docs/events.md lists them',
    ),
    "a rule that doesn't drop": (
        RULE + TEST + 'dropped = "view"',
        'm.toml: test "t": dropped names no rule that drops: ping',
    ),
    "a test that fails by a member": (
        RULE + TEST + 'event = { sessionId = "s", eventType = "click" }',
        'm.toml: test "t": expected eventType "click", but it becomes "view"',
    ),
    "a test that lacks a member": (
        RULE + TEST + 'event = { sessionId = "s", eventType = "view", itemId = "i" }',
        'm.toml: test "t": expected itemId "i", but it becomes none',
    ),
    "a test of one event that makes another number": (
        RULE + TEST + 'events = [{ sessionId = "s", eventType = "view" }]',
        (
            'm.toml: test "t": expected [{"sessionId":"s","eventType":"view"}], '
            'but it becomes {"sessionId":"s","eventType":"view"}'
        ),
    ),
    "a test that should be rejected": (
        RULE + TEST + 'reason = "not_mapped"',
        'm.toml: test "t": expected the reason not_mapped, but it becomes {"sessionId":"s","eventType":"view"}',
    ),
    "a test that should be dropped": (
        RULE + TEST + 'dropped = "ping"',
        'm.toml: test "t": expected the rule "ping" to drop it, but it becomes {"sessionId":"s","eventType":"view"}',
    ),
    "a test that is dropped": (
        RULE + TEST.replace("view", "ping") + 'event = { sessionId = "s" }',
        'm.toml: test "t": expected {"sessionId":"s"}, but the rule "ping" drops it',
    ),
    "a test that the contract rejects": (
        RULE + TEST.replace('"visit": "s"', '"visit": "null"') + 'event = { sessionId = "null", eventType = "view" }',
        re.compile(
            r'm.toml: test "t": expected \{"sessionId":"null","eventType":"view"\}, '
            r"but the relay rejects it: placeholder_text: .+"
        ),
    ),
    "a test that no rule matches": (
        RULE.replace("drop = true", "drop = true\nwhen = \"type == 'ping'\"")
        + TEST.replace("view", "click")
        + 'dropped = "ping"',
        (
            'm.toml: test "t": expected the rule "ping" to drop it, but it is rejected: '
            "not_mapped: no rule of the mapping matches"
        ),
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_mapping_is_one_sentence_with_its_place(kind: str) -> None:
    text, said = WRONG[kind]
    with pytest.raises(MappingError) as raised:
        load(text, file="m.toml")
    if isinstance(said, str):
        assert str(raised.value) == said
    else:
        assert said.fullmatch(str(raised.value)), str(raised.value)


def test_a_right_one_is_loaded_with_its_tests_passed() -> None:
    mapping = load(GOOD, file="folder/m.toml")
    assert mapping.name == "m.toml"
    assert [rule.name for rule in mapping.rules] == ["view", "ping"]
    assert read(GOOD, file="m.toml").description == "views"


def test_a_deployed_mapping_maps_as_the_tested_one_does_and_its_tests_are_not_read() -> None:
    mapped = {"sessionId": "s", "eventType": "view"}
    for text in (GOOD, GOOD.replace("input = ", "outcome = ")):
        assert mapping_file.deployed(text, file="m.toml").map({"type": "view", "visit": "s"}).events == (mapped,)
    with pytest.raises(MappingError, match=r"^m.toml: rules is not known: did you mean rule\?$"):
        mapping_file.deployed("rules = 1\n" + GOOD, file="m.toml")


VIEW, PING = (f"[[rule]]{each}" for each in RULE.split("[[rule]]")[1:])
A_TEST = f'{TEST}event = {{ sessionId = "s", eventType = "view" }}\n'


@pytest.mark.parametrize(
    "text",
    [
        f"{VIEW}\n{A_TEST}\n{PING}",
        f"{VIEW}\n{A_TEST}\n{A_TEST}\n{PING}",
        f"{VIEW}\n{A_TEST}\n  {PING}",
        f'description = """begins\n[[test]]\nends"""\n{VIEW}\n{PING}',
        f"{VIEW}\n{PING}\n{A_TEST}\n[[test]]\nthis is never parsed",
    ],
    ids=[
        "a rule after a test",
        "a rule after two",
        "the same, indented",
        "a text like a test",
        "only tests at the end",
    ],
)
def test_a_deployed_mapping_has_all_its_rules_wherever_its_tests_stand(text: str) -> None:
    assert [rule.name for rule in mapping_file.deployed(text, file="m.toml").rules] == ["view", "ping"]


def test_the_tests_of_a_mapping_hold_whatever_the_salt() -> None:
    hashed = RULE.replace('"visit"', '"hash(visit)"')
    salted = read(hashed, file="m.toml", salt=mapping_file.TEST_SALT).mapping
    event = made(salted)
    text = hashed + TEST + f'event = {{ sessionId = "{event["sessionId"]}", eventType = "view" }}'
    mapping = load(text, file="m.toml", salt="another")
    assert made(mapping)["sessionId"] != event["sessionId"]


def made(mapping: Mapping) -> dict[str, Any]:
    (event,) = mapping.map({"type": "view", "visit": "s"}).events
    assert isinstance(event, dict)
    return event


ENTRIES = """
[[rule]]
name = "orders"
each = "lines"
[rule.event]
sessionId = "visit"
eventType = "'buy'"
sentAt = "epoch(each)"
[[test]]
name = "t"
input = '{"visit": "s", "lines": [1795512600, "canary"]}'
"""
BOTH = 'events = [{ sessionId = "s", eventType = "buy", sentAt = 1795512600 }, { sessionId = "s", eventType = "buy" }]'


def test_a_test_says_which_reason_rejects_an_entry() -> None:
    load(ENTRIES + 'reason = "invalid_timestamp"', file="m.toml")
    with pytest.raises(
        MappingError, match=r'but the relay rejects it: invalid_timestamp: rule "orders": sentAt: epoch'
    ):
        load(ENTRIES + BOTH, file="m.toml")
    made = r'it becomes \[\{"sessionId":"s","eventType":"buy","sentAt":1795512600(\.0)?\},null\]'
    with pytest.raises(MappingError, match=made):
        load(ENTRIES + "events = [{}]", file="m.toml")


def test_a_test_may_expect_what_the_contract_rejects() -> None:
    load(RULE + TEST.replace('"visit": "s"', '"visit": null') + 'reason = "missing_member"', file="m.toml")


def test_a_file_is_found_by_its_path_with_or_without_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert named(str(path)).name == "mine.toml"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing.toml", "nothing.toml: can't be read (no such file or directory): name a file, or a preset: "),
        (".", ".: can't be read (is a directory): name a file, or a preset: "),
        ("a\0b", "a\0b: can't be read (not a path): name a file, or a preset: "),
    ],
)
def test_a_file_that_is_not_there_is_said_so(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MappingError) as raised:
        named(name)
    assert str(raised.value) == said + ", ".join(PRESETS)


def test_a_file_of_another_encoding_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.toml").write_bytes('description = "Käufe"'.encode("latin-1"))
    with pytest.raises(MappingError, match=r"^m\.toml: is not UTF-8 at byte 16: save it as UTF-8$"):
        named("m.toml")


def test_a_preset_is_one_of_those_there_are() -> None:
    with pytest.raises(MappingError, match=r"^sement: is no preset: there are .*segment"):
        preset("sement")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_passes_its_tests_of_eight_payloads_or_more(name: str) -> None:
    """Among them one that it makes no event of."""
    assert preset(name, "salt").name == name
    held = read(source(name), file=name, salt=mapping_file.TEST_SALT)
    assert held.description
    assert len(held.tests) >= 8
    assert any(test.events is None for test in held.tests)
