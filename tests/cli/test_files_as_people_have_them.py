"""What becomes of files as spreadsheets, exports and vendors' documents have them: read, or told once for the file."""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from personalize_relay.events import Origin
from personalize_relay.parsing import parse
from personalize_relay_cli.checking.checks import trackers
from personalize_relay_cli.input.reading import read
from personalize_relay_cli.main import run
from personalize_relay_cli.problems import Misuse

CASES = Path(__file__).parents[1] / "cases"
ARRIVAL = 1_795_512_660.0
AT = ("--arrival", "2026-11-24T09:31:00Z")
MORNING = 1_795_512_600.0
"""Half past nine, when the cases begin."""
HEADER = b"sessionId,eventType\n"


def visit(item: str, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """An event as most cases have it; a None is a member that isn't there."""
    usual = {"sessionId": "visit-7", "userId": "shopper-4", "eventType": "view", "itemId": item, "sentAt": MORNING}
    return {name: value for name, value in (usual | members).items() if value is not None}


def buy(session: str, user: str, item: str, value: float, sent_at: float) -> dict[str, Any]:
    return visit(item, sessionId=session, userId=user, eventType="buy", eventValue=value, sentAt=sent_at)


@dataclass(frozen=True)
class Case:
    """What becomes of a file."""

    delivered: list[dict[str, Any]] = field(default_factory=list)
    rejected: dict[int, list[str]] = field(default_factory=dict)
    """The members that the details name, by line."""
    said: str = ""
    """On standard error, behind the file's name."""
    status: int = 0


READ = {
    "15b-renamed-1997.csv": Case([buy("a", "901", "71", 8, 882001500), buy("b", "902", "72", 9, 890100600)]),
    "15c-excel-semicolon-bom.csv": Case([visit("sku-1"), visit("sku-2", eventType="click", sentAt=MORNING + 5)]),
    "15d-utf16.csv": Case([visit("sku-1")]),
    "15e-quoted-newline.csv": Case(
        [
            visit("sku-1", properties={"note": 'line one\nline two, with "quotes"'}),
            visit("sku-2", eventType="click", sentAt=MORNING + 5),
        ]
    ),
    "15f-excel-times.csv": Case(
        [visit("sku-3", sentAt=MORNING + 0.25)], {2: ["sentAt"], 3: ["sentAt"], 5: ["sentAt"]}, status=1
    ),
    "15g-tab.tsv": Case([visit("sku-1", sentAt=ARRIVAL)]),
    "15h-utf16.jsonl": Case([visit("sku-1", sentAt=MORNING + 1), visit("sku-2", sentAt=MORNING + 2)]),
    "15i-properties-json-cell.csv": Case([visit("sku-1", properties={"color": "red", "price": 19.9})]),
    "15j-null-cells.csv": Case([], {2: ["userId"], 3: ["userId", "eventValue"], 4: ["eventValue"]}, status=1),
    "15k-pandas-index.csv": Case(
        [visit("sku-1")], said=":1: column 1 has no name: it is taken for the rows' numbers, and skipped"
    ),
    "16b-empty-cells.csv": Case([visit("sku-1", userId=None)]),
}
MISUSED = {
    "15a-personalize-docs.csv": ":1: no column is named sessionId, which every event needs; it has 5 columns separated "
    "by commas",
}


def test_every_file_of_the_cases_is_here() -> None:
    assert READ.keys() | MISUSED.keys() == {path.name for path in CASES.iterdir() if re.match("15|16b", path.name)}


@pytest.mark.parametrize("name", READ)
def test_a_file_is_read_as_it_is_meant(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES)
    delivered, rejected = parsed(name)
    assert delivered == READ[name].delivered
    assert rejected.keys() == READ[name].rejected.keys()
    for line, members in READ[name].rejected.items():
        assert all(member in rejected[line] for member in members)


@pytest.mark.parametrize("name", READ)
def test_validate_says_what_is_to_be_said_once(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(CASES)
    assert run(["validate", name, *AT, "--format", "json"]) == READ[name].status
    output, errors = capsys.readouterr()
    assert errors == (f"relay: {name}{READ[name].said}\n" if READ[name].said else "")
    assert {each["line"] for each in json.loads(output)["rejections"]} == READ[name].rejected.keys()


@pytest.mark.parametrize("name", MISUSED)
@pytest.mark.parametrize("command", ["validate", "produce"])
def test_a_header_that_does_not_fit_is_told_once_and_named_on_request(
    command: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(CASES)
    arguments = [command, name] + ["--local", "--stream", "clicks"] * (command == "produce")
    assert run(arguments) == 2
    assert capsys.readouterr().err.endswith(f"relay: {name}{MISUSED[name]}, which --reveal names\n")
    assert run([*arguments, "--reveal"]) == 2
    assert ": USER_ID, ITEM_ID, EVENT_TYPE, EVENT_VALUE, TIMESTAMP\n" in capsys.readouterr().err


def parsed(file: str) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """The events that the function would deliver, and the details of the others by line."""
    origin = Origin(stream="clicks", shard_id="0", sequence_number="1", arrival=ARRIVAL)
    delivered: list[dict[str, Any]] = []
    rejected: dict[int, str] = {}
    for line in read([file]):
        result = parse(line.data, origin, trackers(None, ()))
        rejected |= {line.number: " ".join(each.detail for each in result.rejections)} if result.rejections else {}
        for each in result.interactions:
            event = msgspec.to_builtins(each.event)
            del event["eventId"]  # that of the position
            event |= {"sessionId": each.session_id} | ({"userId": each.user_id} if each.user_id else {})
            event |= {"properties": json.loads(event["properties"])} if "properties" in event else {}
            delivered.append(event)
    return delivered, rejected


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to be in, so that files are named as people name them."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(name: str, content: bytes) -> list[dict[str, Any]]:
    Path(name).write_bytes(content)
    return [json.loads(line.data) for line in read([name])]


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(Misuse) as caught:
        rows(name, content)
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_by_its_mark_in_any_format(folder: Path, encoding: str) -> None:
    def marked(text: str) -> bytes:
        return f"\ufeff{text}".encode(encoding)

    assert rows("a.json", marked('[{"a":"ਊ"}]')) == rows("a.jsonl", marked('\r\n{"a":"ਊ"}')) == [{"a": "ਊ"}]
    assert rows("a.csv", marked("sessionId,eventType\nਊ,e\n")) == [{"sessionId": "ਊ", "eventType": "e"}]
    for name in ("a.json", "a.jsonl", "a.csv"):
        assert refusal(name, marked("\n{")[:-1]).startswith(f"{name}: is not UTF-16")
    assert folder.is_dir()


@pytest.mark.parametrize(
    ("content", "first"),
    [
        (b' \n{"a": 1}\n{"a": 2}\n', b'{"a": 1}'),
        (b'{"a": 1}', b'{"a": 1}'),
        (b"{'a': 1}\n", b"{'a': 1}"),
        (b'{"a":\n1}\n', b'{"a":\n1}'),
        (b'\n[{"a": 1},\n{"a": 2}]', b'{"a": 1}'),
        (b'"sessionId";"eventType"\ns;e\n', b'{"sessionId":"s","eventType":"e"}'),
        ('\ufeff{"a": 1}\n'.encode("utf-16-le"), b'{"a": 1}'),
    ],
)
@pytest.mark.parametrize("name", ["export", "export.txt"])
def test_a_file_without_a_known_suffix_is_looked_into(folder: Path, name: str, content: bytes, first: bytes) -> None:
    (folder / name).write_bytes(content)
    assert next(read([name])).data == first


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b"", "holds nothing"),
        ("a.jsonl", b"\n \n", "holds nothing"),
        ("a.json", b" ", "holds nothing"),
        ("a.csv", b"", "holds nothing"),
        ("a.csv", HEADER, "has a header and no rows"),
        ("a", b"", "holds nothing"),
    ],
)
def test_a_file_without_an_event_is_no_success(
    folder: Path, name: str, content: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A nightly job whose export is empty is not to be green."""
    (folder / name).write_bytes(content)
    (folder / "good.jsonl").write_text(json.dumps(visit("sku-1")))
    for form in ("text", "json"):
        assert run(["validate", name, "good.jsonl", *AT, "--format", form]) == 1
        assert capsys.readouterr().err == f"relay: {name}: {said}: did its export fail?\n"
    assert run(["validate", "good.jsonl", *AT]) == 0


def test_an_empty_array_says_itself_that_there_is_nothing(folder: Path) -> None:
    (folder / "a.json").write_bytes(b"[]")
    assert run(["validate", "a.json"]) == 0


def test_blank_lines_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = json.dumps(visit("sku-1")).encode()
    (folder / "a.jsonl").write_bytes(b"\n%b\n \n" % event)
    (folder / "b.csv").write_bytes(b"\n" + HEADER + b"\ns,e\n,\n")
    assert run(["validate", "a.jsonl", "b.csv", *AT]) == 0
    assert "lines           2 good         0 bad         5 blank\n" in capsys.readouterr().out
    run(["validate", "a.jsonl", *AT, "--format", "json"])
    assert json.loads(capsys.readouterr().out)["lines"] == {"good": 1, "bad": 0, "blank": 2}


def test_the_advice_of_a_reason_is_given_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = [visit("sku-1", eventType=None), visit("sku-1", sessionId="null")]
    (folder / "a.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in bad * 3))
    assert run(["validate", "a.jsonl", *AT]) == 1
    said = capsys.readouterr().out
    assert said.count("; ") == 1  # that of a warning
    assert said.count("leave the member out, or mend what turns a missing value into a word") == 1
    assert "        3  missing_member\n" in said


def test_a_session_for_every_event_is_warned_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(CASES / "04b-samples15.jsonl", folder)
    run(["validate", "04b-samples15.jsonl", *AT])
    assert "warning: session_per_event: 30 of 30 sessions have a single event" in capsys.readouterr().out


def test_an_event_is_named_by_its_line_its_payload_and_its_place_in_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = {"sessionId": "s", "eventList": [{"eventType": "view"}]}
    nested = [visit("sku-1"), [visit("sku-2"), listed, {"sessionId": "s", "eventList": [{}]}]]
    (folder / "a.jsonl").write_text(json.dumps(nested))
    assert run(["validate", "a.jsonl", *AT]) == 1
    assert capsys.readouterr().out.startswith("a.jsonl:1/1.2[0]: missing_member: eventType is missing")
    run(["validate", "a.jsonl", *AT, "--format", "json"])
    (rejection,) = json.loads(capsys.readouterr().out)["rejections"]
    assert (rejection["subSequence"], rejection["index"]) == ("1.2", 0)
