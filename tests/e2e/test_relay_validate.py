"""`relay validate`, as the installed command."""

import base64
import json
import os
import pty
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.interactions import interactions_schema
from personalize_relay.events import Trackers
from personalize_relay.records import Record
from tests.cli import corpus
from tests.e2e.conftest import PATIENCE
from tests.simulation.world import ARRIVAL, click, record

RELAY = str(Path(sys.executable).with_name("relay"))
TRACKERS = Trackers(default="tracker", allowed=frozenset({"other"}))
ENVIRONMENT = {**os.environ, "COLUMNS": "80", "TERM": "xterm", "PYTHONUTF8": "1"}
AT = ("--arrival", datetime.fromtimestamp(ARRIVAL, UTC).isoformat())
GOOD = json.dumps(click(userId="u")).encode() + b"\n"
DETAIL = "sessionId is the word for a missing value, not a value"
ADVICE = "leave the member out, or mend what turns a missing value into a word"
BAD = json.dumps(click(sessionId="null", itemId="canary")).encode() + b"\n"


def run(*arguments: str | Path, given: bytes = b"", cwd: Path | None = None) -> tuple[int, str, str]:
    """Run it to its end; returns the exit status, the output and the errors."""
    command = [RELAY, "validate", *map(str, arguments)]
    done = subprocess.run(  # noqa: S603 - our own command
        command, input=given, capture_output=True, env=ENVIRONMENT, cwd=cwd, timeout=PATIENCE, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def start(*arguments: str, **pipes: int) -> subprocess.Popen[bytes]:
    command = [RELAY, "validate", *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | pipes
    return subprocess.Popen(command, env=ENVIRONMENT, **pipes)  # type: ignore[call-overload, no-any-return]  # noqa: S603


def found(*arguments: str | Path, given: bytes = b"") -> dict[str, Any]:
    """What it found, as JSON."""
    _, output, errors = run(*arguments, "--format", "json", *AT, given=given)
    assert errors == ""
    return dict(json.loads(output))


def test_it_rejects_what_the_function_rejects_and_nothing_else(tmp_path: Path) -> None:
    payloads = corpus.payloads()
    (tmp_path / "a.jsonl").write_bytes(b"".join(payload + b"\n" for payload in payloads))
    trackers = ("--tracking-id", TRACKERS.default, "--allowed-tracking-id", *TRACKERS.allowed)
    told = found(tmp_path / "a.jsonl", "--max-errors", "100000", *trackers)

    by_the_function, good = [], 0
    for number, payload in enumerate(payloads, start=1):
        given = record(number, payload)
        assert base64.b64decode(given["kinesis"]["data"]) == payload
        parsed = Record.read(given).parse(TRACKERS)
        good += len(parsed.interactions)
        by_the_function += [(number, each.index, each.reason, each.detail) for each in parsed.rejections]
    assert [tuple(each[key] for key in ("line", "index", "reason", "detail")) for each in told["rejections"]] == (
        by_the_function
    )
    assert told["events"] == {"good": good, "bad": len(by_the_function)}
    assert told["lines"]["bad"] == len({number for number, *_ in by_the_function})
    assert sum(told["lines"].values()) == len(payloads)


def test_each_rejection_says_where_what_and_what_to_do(tmp_path: Path) -> None:
    events = [click(sessionId="s"), click(sessionId="s", eventType=None), click(sessionId="s", itemId=7.5)]
    listed = {"sessionId": "s", "eventList": events}
    (tmp_path / "a.jsonl").write_bytes(GOOD + BAD + json.dumps(listed).encode())
    status, output, errors = run("a.jsonl", *AT, cwd=tmp_path)
    assert (status, errors) == (1, "")
    assert output.splitlines() == [
        f"a.jsonl:2: placeholder_text: {DETAIL}",
        "a.jsonl:3[1]: missing_member: eventType is missing",
        "a.jsonl:3[2]: wrong_type: itemId is a number with a fraction, must be a string or a whole number",
        "",
        f"        1  placeholder_text: {ADVICE}",
        "        1  missing_member",
        "        1  wrong_type",
        "",
        "lines           1 good         2 bad",
        "events          2 good         3 bad",
    ]


def test_beyond_max_errors_the_others_are_only_counted() -> None:
    status, output, _ = run("-", "--max-errors", "2", given=BAD * 5)
    assert status == 1
    assert output.count("-:") == 2
    assert "and 3 more, which are only counted" in output
    assert "        5  placeholder_text" in output
    told = found("-", "--max-errors", "0", given=BAD * 5)
    assert (told["rejections"], told["unlisted"], told["reasons"]) == ([], 5, {"placeholder_text": 5})


def test_nothing_of_an_event_is_shown_unless_it_is_asked_for(tmp_path: Path) -> None:
    names = ("sessionId", "userId", "eventId", "itemId", "recommendationId")
    members: dict[str, Any] = {name: f"canary-{name}" for name in names}
    members |= {"canary": 1, "properties": {"canary": "canary"}, "impression": ["canary"], "eventType": "canary"}
    events = [click(**members | change) for change in ({}, {"itemId": "canary-2"}, {"eventType": "canary\0"})]
    lines = [json.dumps(each).encode() for each in events] + [b"canary\x1b[2J"]
    (tmp_path / "schema.json").write_text(json.dumps(interactions_schema({})))
    for form in ("text", "json"):
        options = ("-", "--schema", tmp_path / "schema.json", "--format", form)
        _, hidden, _ = run(*options, given=b"\n".join(lines))
        assert "invalid_character" in hidden
        assert "canary" not in hidden
        _, revealed, _ = run(*options, "--reveal", given=b"\n".join(lines))
        assert revealed.count("canary-sessionId") == 1
        assert "\x1b" not in revealed
        assert "x1b[2J" in revealed
    assert json.loads(revealed)["rejections"][0]["payload"] == lines[2].decode()
    assert {name for each in json.loads(revealed)["warnings"] for name in each["names"]} == {"canary"}


def test_a_name_that_is_nearly_a_missing_members_is_pointed_at_and_shown_on_request(tmp_path: Path) -> None:
    lines = [
        {"sesionId": "canary", "userId": "u", "event_typ": "canary"},
        {"sessionId": "s", "eventList": [{"evenType": "canary", "sentAt": ARRIVAL}, {"canaryTime": 1}]},
    ]
    given = b"\n".join(json.dumps(each).encode() for each in lines)
    one = "-:1: missing_member: sessionId is missing; eventType is missing"
    _, hidden, _ = run("-", *AT, given=given)
    assert hidden.splitlines()[:3] == [
        f"{one}; did you misspell sessionId, eventType? See --reveal",
        "-:2[0]: missing_member: eventType is missing; did you misspell eventType? See --reveal",
        "-:2[1]: missing_member: sentAt is missing: required where a payload has several events; eventType is missing",
    ]
    _, revealed, _ = run("-", *AT, "--reveal", given=given)
    assert f"{one}; did you mean sessionId by sesionId, eventType by event_typ?\n" in revealed
    slips = [each["slips"] for each in found("-", given=given)["rejections"]]
    assert slips == [[{"member": "sessionId"}, {"member": "eventType"}], [{"member": "eventType"}], []]
    slips = [each["slips"] for each in found("-", "--reveal", given=given)["rejections"]]
    assert slips[1] == [{"member": "eventType", "name": "evenType"}]
    (tmp_path / "a.csv").write_text("user_id,sessionId,Event Typ\nu,s,view\n")
    status, _, errors = run("a.csv", cwd=tmp_path)
    assert status == 2
    assert "no column is named eventType, which every event needs; column 3 is nearly eventType; it has 3" in errors


def test_warnings_matter_only_when_they_are_to() -> None:
    unstamped = json.dumps({"sessionId": "s", "userId": "u", "eventType": "click"}).encode()
    status, output, _ = run("-", given=unstamped)
    assert status == 0
    assert "warning: no_sent_at: 1 of 1 events have no sentAt (first -:1); send sentAt" in output
    assert run("-", "--strict", given=unstamped)[0] == 1
    assert run("-", "--strict", *AT, given=GOOD) == (
        0,
        "\nlines           1 good         0 bad\nevents          1 good         0 bad\n",
        "",
    )


def test_json_has_the_same_facts() -> None:
    assert found("-", given=GOOD + BAD + b'{"sessionId":"s","eventType":"click"}') == {
        "schema": "personalize-relay.validate/1",
        "lines": {"good": 2, "bad": 1, "blank": 0},
        "events": {"good": 2, "bad": 1},
        "reasons": {"placeholder_text": 1},
        "filtered": {},
        "rejections": [
            {
                "file": "-",
                "line": 2,
                "subSequence": None,
                "index": None,
                "reason": "placeholder_text",
                "detail": DETAIL,
                "advice": ADVICE,
                "slips": [],
            }
        ],
        "unlisted": 0,
        "warnings": [
            {
                "warning": "no_sent_at",
                "count": 1,
                "of": 2,
                "approximately": False,
                "file": "-",
                "line": 3,
                "fields": [],
                "names": [],
                "advice": "send sentAt: when the record reaches the stream is not when the user acted",
            }
        ],
    }


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", b"sessionId,userId,eventType\ns,u,click\n"), ("a.json", b"[]")]
)
def test_the_suffix_says_the_format(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert run(tmp_path / name)[0] == 0


def test_sent_at_is_measured_from_the_arrival_that_is_given() -> None:
    event = json.dumps(click(userId="u", sentAt=ARRIVAL + 600)).encode()
    assert [each["warning"] for each in found("-", given=event)["warnings"]] == ["in_the_future"]
    later = json.dumps(click(sentAt="9000-01-01T00:00:00Z")).encode()
    assert run("-", given=later)[0] == 1
    assert run("-", "--arrival", "9000-01-01T00:00:00Z", given=later)[0] == 0


def test_empty_input_is_no_error_and_binary_input_is_rejected_line_by_line() -> None:
    status, output, _ = run("-")
    assert status == 0
    assert "warning: no_events" in output
    status, output, errors = run("-", given=bytes(range(256)) * 3)
    assert (status, errors) == (1, "")
    assert "-:2: invalid_json" in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument"),
        (("gone.jsonl",), "gone.jsonl: can't be read: no such file or directory"),
        (("folder",), "folder: is a directory"),
        (("broken.json",), "broken.json:2: not JSON"),
        (("broken.csv",), "broken.csv:2: is not CSV"),
        (("a.txt",), "a.txt: is it jsonl, json or csv? Say so with --input-format"),
        (("-", "--schema", "gone.json"), "gone.json: can't be read"),
        (("-", "--schema", "broken.json"), "broken.json: is no Avro schema"),
        (("-", "--arrival", "yesterday"), "ISO 8601"),
        (("-", "--format", "xml"), "'xml'"),
        (("-", "--max-errors", "-1"), "--max-errors"),
        (("-", "--colour"), "--colour"),
    ],
)
def test_wrong_usage_is_said_in_a_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "broken.json").write_text("[1,\n2")
    (tmp_path / "broken.csv").write_text("sessionId,eventType\n1\n")
    status, _, errors = run(*arguments, cwd=tmp_path)
    assert status == 2
    assert said in errors
    assert errors.startswith("relay: ")
    assert errors.count("\n") == 1


def test_a_file_that_may_not_be_read_is_said_in_a_line(tmp_path: Path) -> None:
    """Whoever runs the tests: a file of the kernel's that is only written to, where root may read all others."""
    closed = Path("/proc/self/clear_refs")
    if os.geteuid():
        closed = tmp_path / "a.jsonl"
        closed.touch(mode=0)
    status, _, errors = run(closed, "--input-format", "jsonl")
    assert status == 2
    assert re.fullmatch(r"relay: \S+: (may not|can't) be read: .+\n", errors)


def test_a_closed_pipe_ends_it_quietly() -> None:
    with start("-") as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(BAD)
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"-:1: placeholder_text")
        process.stdout.close()
        process.stdin.write(BAD * 3)
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode


def test_ctrl_c_ends_it_quietly() -> None:
    with start("-") as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(BAD)
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"-:1: placeholder_text")
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
        process.stdin.close()
    assert process.returncode == 130


@pytest.mark.parametrize("output_too", [False, True])
def test_a_bar_is_drawn_on_a_terminal_and_never_in_the_output(tmp_path: Path, *, output_too: bool) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD * 5000 + BAD)
    _, plain, _ = run(tmp_path / "a.jsonl", *AT)
    screen, terminal = pty.openpty()
    pipes = {"stderr": terminal} | ({"stdout": terminal} if output_too else {})
    with start(str(tmp_path / "a.jsonl"), *AT, **pipes) as process:
        os.close(terminal)
        output = b"" if output_too else process.communicate(timeout=PATIENCE)[0]
        drawn = _read_all(screen)
    assert process.returncode == 1
    assert "checking" in drawn
    if output_too:
        assert "placeholder_text" in drawn
        assert drawn.endswith("\r\n".join(plain.splitlines()[-2:]) + "\r\n")
    else:
        assert output.decode() == plain


def _read_all(screen: int) -> str:
    """All that is written to a terminal until nobody has it open, which is an error to read."""
    parts = []
    try:
        while part := os.read(screen, 65536):
            parts.append(part)
    except OSError:
        pass
    finally:
        os.close(screen)
    return b"".join(parts).decode()


def test_its_help_fits_on_a_screen_and_shows_how_it_is_used() -> None:
    status, output, _ = run("--help")
    assert status == 0
    assert len(output.splitlines()) <= 40
    assert output.count("relay validate ") >= 4
