"""`relay map`: presets are shown, a mapping's tests are run, and it is tried on records without revealing them."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest

from personalize_relay.functions import OWN
from personalize_relay.mapping_file import PRESETS, read, source
from personalize_relay_cli.main import run

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "mapping.md").read_text()
MAPPING = """
[[rule]]
name = "views"
when = "type == 'view'"
[rule.event]
sessionId = "visit"
eventType = "type"
properties = "{color: color}"

[[rule]]
name = "pings"
when = "type == 'ping'"
drop = true

[[rule]]
name = "orders"
when = "type == 'order'"
each = "lines"
[rule.event]
sessionId = "visit"
eventType = "type"
sentAt = "epoch(at)"
"""
VIEW = {"type": "view", "visit": "canary-s", "color": "canary-c", "canary-name": [1, None]}
RECORDS = [
    VIEW,
    {"type": "ping"},
    {"type": "canary"},
    {"type": "order", "at": "canary", "lines": [1]},
    {"type": "order", "visit": "canary", "at": 1795512600, "lines": [1, 2]},
    {"type": "view", "visit": "null"},
    {"$schema": "personalize-relay.event/1", "sessionId": "canary", "eventType": "canary"},
]


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder with a mapping and records, on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    Path("m.toml").write_text(MAPPING)
    Path("r.jsonl").write_text("".join(json.dumps(each) + "\n" for each in RECORDS))


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = run(["map", *words])
    return status, *capsys.readouterr()


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    _, output, _ = said(capsys, *words, "--format", "json")
    return dict(json.loads(output))


def test_show_lists_the_presets_with_what_they_read(capsys: pytest.CaptureFixture[str]) -> None:
    status, output, errors = said(capsys, "show")
    described = [re.split(r"\s{2,}", line, maxsplit=1) for line in output.splitlines()]
    assert (status, errors) == (0, "")
    assert [name for name, _ in described] == list(PRESETS)
    assert all(description for _, description in described)


def test_show_prints_a_preset_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "show", "segment") == (0, source("segment"), "")


def test_show_names_the_presets_where_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    expected = f"relay: sement: is no preset: there are {', '.join(PRESETS)}\n"
    assert said(capsys, "show", "sement") == (2, "", expected)


@pytest.mark.parametrize("name", PRESETS)
def test_the_tests_of_every_preset_pass(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, output, _ = said(capsys, "test", name)
    assert status == 0
    assert output.splitlines()[-1].endswith(" tests, 0 failed")


def test_a_test_that_fails_says_what_came(capsys: pytest.CaptureFixture[str]) -> None:
    with Path("m.toml").open("a") as file:
        file.write('[[test]]\nname = "good"\ninput = \'{"type": "ping"}\'\ndropped = "pings"\n')
        file.write('[[test]]\nname = "bad"\ninput = \'{"type": "ping"}\'\nreason = "not_mapped"\n')
    wrong = 'expected the reason not_mapped, but the rule "pings" drops it'
    status, output, _ = said(capsys, "test", "m.toml")
    assert status == 1
    assert output.splitlines() == ["ok      good", f"FAILED  bad: {wrong}", "", "2 tests, 1 failed"]
    assert listed(capsys, "test", "m.toml") == {
        "schema": "personalize-relay.map-test/1",
        "tests": [{"test": "good", "failure": None}, {"test": "bad", "failure": wrong}],
        "failed": 1,
    }


def test_a_mapping_without_tests_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "test", "m.toml")[:2] == (1, "\n0 tests, 0 failed\n")


@pytest.mark.parametrize("words", [("test",), ("try",)])
def test_a_wrong_mapping_is_wrong_usage(words: tuple[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.toml").write_text(MAPPING.replace("visit", "visit[", 1))
    records = ("r.jsonl",) if words == ("try",) else ()
    status, output, errors = said(capsys, *words, "m.toml", *records)
    assert (status, output) == (2, "")
    assert errors == 'relay: m.toml: rule "views": sessionId is not JMESPath, as it ends too soon: complete it\n'


def test_try_says_what_becomes_of_each_payload_and_reveals_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    status, output, errors = said(capsys, "try", "m.toml", "r.jsonl")
    heads = [line for line in output.splitlines() if line.startswith("r.jsonl:")]
    assert (status, errors) == (1, "")
    assert heads == [
        'r.jsonl:1: 1 event by "views"',
        'r.jsonl:2: dropped by "pings"',
        "r.jsonl:3: rejected",
        'r.jsonl:4: rejected by "orders"',
        'r.jsonl:5: 2 events by "orders"',
        'r.jsonl:6: 1 event by "views", 1 rejected',
        "r.jsonl:7: 1 event, unmapped",
    ]
    assert "  not_mapped: no rule of the mapping matches\n" in output
    assert '  invalid_timestamp: rule "orders": sentAt: epoch() ' in output
    assert output.splitlines()[-1] == "payloads 7, events 5, dropped 1 (pings 1), rejected 3"
    assert "canary" not in output
    assert max(map(len, output.splitlines())) <= 120
    assert "  an object of 4:                        - sessionId: text\n" in output


def test_to_try_an_empty_file_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty.jsonl").touch()
    status, _, errors = said(capsys, "try", "m.toml", "empty.jsonl")
    assert (status, errors) == (1, "relay: empty.jsonl: holds nothing: did its export fail?\n")


def test_try_shows_both_sides_where_it_may(capsys: pytest.CaptureFixture[str]) -> None:
    _, output, _ = said(capsys, "try", "m.toml", "r.jsonl", "--reveal", "--limit", "1")
    rows = output.splitlines()[1:-2]
    left = "".join(row[:38] for row in rows)
    right = "".join(row[41:] for row in rows)
    assert json.loads(left) == VIEW
    assert json.loads(right) == {"sessionId": "canary-s", "eventType": "view", "properties": {"color": "canary-c"}}


def test_try_shows_the_members_in_the_order_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.toml").write_text(MAPPING.replace('"{color: color}"', '"box"\nitemId = "lower(color)"'))
    Path("r.jsonl").write_text(json.dumps(VIEW | {"box": {"a": 1}}) + "\n")
    (tried,) = listed(capsys, "try", "m.toml", "r.jsonl")["tried"]
    assert [*tried["events"][0]] == ["sessionId", "eventType", "itemId", "properties"]


def test_try_says_the_same_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, *_ = listed(capsys, "try", "m.toml", "r.jsonl")["tried"]
    assert first == {
        "file": "r.jsonl",
        "line": 1,
        "subSequence": [],
        "rule": "views",
        "dropped": False,
        "rejections": [],
        "events": [{"sessionId": "text", "eventType": "text", "properties": "object"}],
    }
    assert second["dropped"]
    (revealed,) = listed(capsys, "try", "m.toml", "r.jsonl", "--reveal", "--limit", "1")["tried"]
    assert revealed["payload"] == VIEW
    assert revealed["events"][0]["sessionId"] == "canary-s"


def test_try_survives_what_no_double_holds(capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.jsonl").write_text('{"type": "view", "visit": "s", "color": 1e999}\n{"type": \n"\\u001b[2J"\n')
    for form in ("text", "json"):
        status, output, _ = said(capsys, "try", "m.toml", "r.jsonl", "--reveal", "--format", form)
        assert status == 1
        assert "a number out of range" in output
        assert "\x1b" not in output


def test_try_reads_rows_a_line_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.toml").write_text('separator = "\\t"\ncolumns = ["type", "visit"]\n' + MAPPING)
    Path("r.tsv").write_text("view\ts-1\nping\n")
    _, output, _ = said(capsys, "try", "m.toml", "r.tsv")
    assert output.splitlines()[0] == 'r.tsv:1: 1 event by "views"'


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)


def test_the_documents_example_does_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    rules, tests, *others = blocks("toml")
    Path("records.jsonl").write_text(blocks("json")[0])
    Path("mapping.toml").write_text(rules + tests)
    commands = [line for block in blocks("console") for line in block.splitlines()]
    assert [command.split()[:3] for command in commands] == [["relay", "map", "try"], ["relay", "map", "test"]]
    assert [run(shlex.split(command)[1:]) for command in commands] == [0, 0]
    output = capsys.readouterr().out
    assert "payloads 3, events 3, dropped 1 (pages 1), rejected 0\n" in output
    assert output.endswith("4 tests, 0 failed\n")
    for other in others:
        read(other + rules.replace("description", "# description"), file="m.toml")


def test_the_document_has_every_preset_and_every_function() -> None:
    presets = dict(
        re.findall(r"^\| `(\w+)` \| (.+) \|$", DOCUMENT.partition("## A mapping of your own")[0], re.MULTILINE)
    )
    assert presets == {name: read(source(name), file=name, salt="s").description for name in PRESETS}
    functions = re.findall(r"^\| `(\w+)\(", DOCUMENT.partition("## Expressions")[2], re.MULTILINE)
    assert functions == list(OWN)


def test_a_mapping_that_is_shown_is_one_that_can_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    _, output, _ = said(capsys, "show", "segment")
    Path("mine.toml").write_text(output)
    assert said(capsys, "test", "mine.toml")[0] == 0
    assert msgspec.toml.decode(output)["rule"]


def test_an_entry_that_cannot_be_mapped_is_rejected_beside_the_events_of_its_neighbours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("m.toml").write_text(MAPPING.replace("epoch(at)", "epoch(each)"))
    lines = [1795512600, "canary", 1795512601]
    Path("r.jsonl").write_text(json.dumps({"type": "order", "visit": "s", "lines": lines}))
    _, output, _ = said(capsys, "try", "m.toml", "r.jsonl")
    assert output.splitlines()[0] == 'r.jsonl:1: 2 events by "orders", 1 rejected'
    assert output.splitlines()[1].startswith(
        '  invalid_timestamp: rule "orders": sentAt: epoch() is a text but no time'
    )
    assert output.splitlines()[-1] == "payloads 1, events 2, dropped 0, rejected 1"
    assert "canary" not in output
