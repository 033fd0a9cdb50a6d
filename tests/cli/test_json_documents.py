"""What --format json prints has one accent, and docs/json.md has each document and each of its members."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.core import TyperOption

from personalize_relay.events import Origin
from personalize_relay_cli.erasure.erase import ErasureAccount as Erased
from personalize_relay_cli.health.diagnosis import wrong
from personalize_relay_cli.main import command, run
from personalize_relay_cli.printing import Output, document, print_result
from personalize_relay_cli.recovery.account import ALREADY_SENT, BeforeAfter, Claim, FaultKind
from personalize_relay_cli.recovery.account import RedriveAccount as Redriven
from personalize_relay_cli.recovery.groups import Group, Listing, One
from personalize_relay_cli.recovery.redriven import Mark
from personalize_relay_cli.recovery.set_aside import FailureCause, Flaw, SetAside
from personalize_relay_cli.recovery.text import record_json
from personalize_relay_cli.replaying.text import as_json
from personalize_relay_cli.sending.account import Account as Produced
from tests.cli.test_replay import FIRST, TERMS, Kinesis, replay
from tests.cli.test_screen import QUIET
from tests.cli.test_times import commands

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text()
AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
CLAIMS, FLAWS = [Claim("key", "run", AT, 1)], [Flaw("key", 1, "something else")]
CAUSE = FailureCause(index=0, reason="wrong_type", detail="itemId is a number", sub_sequence="0")
ONE = One(sequence_number="1", arrival=AT, cause=CAUSE, events=1, left=1)
SAMPLE = BeforeAfter(reason="wrong_type", sequence_number="1", before={}, rejected="wrong_type")
FAULT = FaultKind("wrong_type", "itemId is a number", 1)
RECORD = SetAside(
    key="key",
    line=1,
    origin=Origin(stream="clicks", shard_id=FIRST, sequence_number="1", arrival=AT.timestamp()),
    partition_key="key",
    stored_at="2026-11-24T09:30:00Z",
    causes=(CAUSE,),
    data="e30=",
)
EVENT = b'{"type":"track","event":"click","userId":"u"}\n{"sessionId":"s"}\n'
BY_NAME = {"reasons", "filtered", "rejectedAgain", "details", "left", "unreadable", "notSent", "figures", "counts"}
BY_NAME |= {"dropped", "rules"}
"""Members that have the names of a list of their own for keys: reasons, rules, metrics."""
REVEALED = {"payload", "before", "after"}
EVENTS = ("tried", "events")
"""In the contract's names, which are not the command's."""


def printed(sample: object) -> Callable[[], object]:
    return lambda: print_result(Output.JSON, sample, ())


def called(*words: str) -> Callable[[], object]:
    return lambda: run([*words, "--format", "json"])


SENT = Produced(
    stream="clicks",
    **dict.fromkeys(("read", "sent", "rejected", "filtered", "left", "settled_before"), 1),
    **dict.fromkeys(("events", "records", "calls", "retries"), 1),
    reasons={"wrong_type": 1},
    rules={"pings": 1},
    seconds=1.0,
)
SAMPLES: dict[str, Callable[[], object]] = {
    "produce": printed(SENT),
    "validate": called("validate", "events.jsonl", "--reveal"),
    "map test": called("map", "test", "segment"),
    "map try": called("map", "try", "segment", "events.jsonl", "--reveal"),
    "failed list": printed(
        Listing(
            groups=[Group(reason="wrong_type", first_arrival=AT, last_arrival=AT)],
            each=[ONE],
            claims=CLAIMS,
            flaws=FLAWS,
        )
    ),
    "failed show": printed(
        document("failed-show", records=[record_json(RECORD, {("1:0", 0): Mark("sent", "run", AT)}, reveal=True)])
    ),
    "failed redrive": printed(Redriven(claims=CLAIMS, flaws=FLAWS, samples=[SAMPLE], faults=[FAULT])),
    "failed erase": printed(Erased(flaws=FLAWS)),
    "replay": printed(as_json(replay(Kinesis({FIRST: [0, 1]}), None), TERMS, planned=True)),
    "status": printed(QUIET),
    "doctor": printed(document("doctor", findings=[wrong("stack", "is not there", "deploy it")])),
}


def members(value: object, *path: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """Each member of a document, by its path, but for those that are names of another's."""
    if isinstance(value, list):
        for each in value:
            yield from members(each, *path)
    elif isinstance(value, dict) and path != EVENTS and not {*path[-1:]} & (BY_NAME | REVEALED):
        for name, each in value.items():
            yield (*path, name), each
            yield from members(each, *path, name)


@pytest.fixture
def said(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> dict[str, Any]:
    """The document of a sample."""
    monkeypatch.chdir(tmp_path)
    Path("events.jsonl").write_bytes(EVENT)
    SAMPLES[request.param]()
    return dict(json.loads(capsys.readouterr().out))


def test_each_subcommand_with_a_format_has_a_sample_here() -> None:
    formats = {
        " ".join(words)
        for words, each in commands(command())
        if any(isinstance(param, TyperOption) and "--format" in param.opts for param in each.params)
    }
    assert formats == SAMPLES.keys()


@pytest.mark.parametrize("said", SAMPLES, indirect=True)
def test_a_document_begins_with_its_schema_and_is_camel_case_with_times_in_iso_8601(said: dict[str, Any]) -> None:
    assert next(iter(said)) == "schema"
    for path, value in members(said):
        assert re.fullmatch(r"[a-z][A-Za-z0-9]*", path[-1]), path
        if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z", value), path


@pytest.mark.parametrize("said", SAMPLES, indirect=True)
def test_the_page_has_each_document_and_each_of_its_members(said: dict[str, Any]) -> None:
    (section,) = [each for each in PAGE.split("\n## ") if f"`{said['schema']}`" in each]
    assert {path[-1] for path, _ in members(said)} - {"schema"} <= set(re.findall(r"`([^`]+)`", section))


@pytest.mark.parametrize("name", ["left", "rejectedAgain"])
def test_counts_stand_under_the_words_of_a_closed_list(name: str) -> None:
    account = Redriven()
    account.left[ALREADY_SENT] += 2
    account.rejected_again["wrong_type"] += 1
    assert msgspec.to_builtins(account)[name] == {"left": {"alreadySent": 2}, "rejectedAgain": {"wrong_type": 1}}[name]
