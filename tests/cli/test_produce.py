"""`relay produce` without a stream: what it refuses, what it sends of a line, and that it gives up in the end."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from mypy_boto3_kinesis.type_defs import PutRecordsResultEntryTypeDef

from personalize_relay_cli.input.reading import Line, read
from personalize_relay_cli.main import run
from personalize_relay_cli.problems import Problem
from personalize_relay_cli.sending.checkpoint import Checkpoint
from personalize_relay_cli.sending.headway import MAX_OPEN
from personalize_relay_cli.sending.interruption import Interruption
from personalize_relay_cli.sending.outbox import MAX_RECORD_BYTES, MAX_RECORDS_PER_CALL, Entry
from personalize_relay_cli.sending.producing import ProduceTerms, Rejected
from personalize_relay_cli.sending.runs import LINGER, Run
from tests.simulation.world import Clock

EVENT = {"sessionId": "s", "eventType": "click", "sentAt": 1_790_000_000}
THROTTLED = "ProvisionedThroughputExceededException"


class Stream:
    """A stream that takes what it is told to: see `put_records.Put`."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)
        """The code of every entry of each call, the last one's for ever."""
        self.taken: list[Entry[Any]] = []

    def put(self, entries: Sequence[Entry[Any]]) -> list[PutRecordsResultEntryTypeDef]:
        """Take or fail all of them."""
        code = self.codes.pop(0) if len(self.codes) > 1 else "".join(self.codes)
        if not code:
            self.taken.extend(entries)
        return [{"ErrorCode": code} if code else {"SequenceNumber": "1"} for _ in entries]


def produced(
    stream: Stream,
    file: Path,
    checkpoint: Checkpoint | None = None,
    **terms: Any,  # noqa: ANN401 - those of ProduceTerms
) -> tuple[Run, list[Rejected]]:
    rejected: list[Rejected] = []
    its = Run(stream.put, ProduceTerms(stream="clicks", **terms), checkpoint, rejected.append, Interruption())
    its.over(read([str(file)]))
    return its, rejected


def sent(stream: Stream) -> list[dict[str, Any]]:
    """The events that the stream took, in order."""
    payloads = (json.loads(each.data) for each in stream.taken)
    return [event for payload in payloads for event in payload.get("eventList", [payload])]


def ids(stream: Stream) -> list[str]:
    return [event["eventId"] for event in sent(stream)]


def write(file: Path, *payloads: dict[str, Any] | str) -> Path:
    file.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in payloads))
    return file


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.jsonl"], "no such file"),
        (["clicks.jsonl", "clicks.jsonl"], "named twice"),
        (["clicks.jsonl", "--checkpoint", "clicks.jsonl"], "is no checkpoint"),
        (["clicks.jsonl", "--rate", "0"], "--rate"),
        (["clicks.jsonl", "--profile", "any"], "--local is on this machine"),
        (["clicks.jsonl", "--stream", "my stream"], "is no stream's name"),
        (["clicks.jsonl", "--stream", "arn:aws:kinesis:eu-west-1:1:stream/x"], "no stream's ARN"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "clicks.jsonl", EVENT)
    assert run(["produce", "--local", "--stream", "clicks", *words]) == 2
    printed, complained = capsys.readouterr()
    assert printed == ""
    assert said in complained
    assert complained.count("\n") == 1


def test_a_file_without_an_event_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clicks.csv").write_text("sessionId,eventType\n")
    assert run(["produce", "--local", "--stream", "clicks", "clicks.csv"]) == 1
    printed, complained = capsys.readouterr()
    assert printed.startswith("0 read = 0 sent + 0 rejected")
    assert complained == "relay: clicks.csv: has a header and no rows: did its export fail?\n"


def test_a_broken_file_is_sent_as_far_as_it_could_be_read(tmp_path: Path) -> None:
    stream = Stream()
    file = tmp_path / "clicks.json"
    file.write_text(f"[{json.dumps(EVENT)}, {{")
    its, _ = produced(stream, file)
    assert str(its.problem).startswith(f"{file}:")
    assert (its.account().sent, len(stream.taken)) == (1, 1)


def test_without_validation_everything_is_sent(tmp_path: Path) -> None:
    stream = Stream()
    file = write(tmp_path / "clicks.jsonl", "{", {"sessionId": "null"}, {"userId": "u"}, {"eventList": 7})
    its, rejected = produced(stream, file, validating=False, stamping=False)
    assert (its.account().sent, rejected) == (4, [])
    assert {each.data for each in stream.taken} == set(file.read_bytes().splitlines())
    assert {"null", "u"} < {each.key for each in stream.taken}


def test_a_record_of_a_mebibyte_is_sent_and_a_byte_more_is_not(tmp_path: Path) -> None:
    stream = Stream()
    room = MAX_RECORD_BYTES - len(json.dumps(EVENT | {"extra": ""})) - len("s")
    file = write(tmp_path / "clicks.jsonl", *(EVENT | {"extra": "x" * size} for size in (room, room + 1)))
    _, rejected = produced(stream, file, stamping=False)
    assert [each.size for each in stream.taken] == [MAX_RECORD_BYTES]
    assert [(each.line.number, each.reason) for each in rejected] == [(2, "record_too_large")]


def test_a_payload_with_one_bad_event_is_not_sent_and_the_event_is_named(tmp_path: Path) -> None:
    stream = Stream()
    good, bad = {"eventType": "x", "sentAt": 1_790_000_000}, {"sentAt": 1_790_000_000}
    _, rejected = produced(stream, write(tmp_path / "c.jsonl", {"sessionId": "s", "eventList": [good, bad]}))
    assert [(each.index, each.reason) for each in rejected] == [(1, "missing_member")]
    assert stream.taken == []


def test_a_stream_that_takes_nothing_is_given_up(tmp_path: Path) -> None:
    its, _ = produced(Stream(THROTTLED), write(tmp_path / "clicks.jsonl", EVENT), give_up_after=0.0)
    assert str(its.problem) == f"the stream took nothing for 0 seconds: {THROTTLED}"
    assert its.account().left == 1


def test_what_a_stream_throttles_is_sent_again(tmp_path: Path) -> None:
    stream = Stream(THROTTLED, "InternalFailure", "")
    its, _ = produced(stream, write(tmp_path / "clicks.jsonl", EVENT, EVENT))
    assert (its.account().sent, its.account().retries, its.problem) == (2, 2, None)
    assert (its.account().records, its.account().calls) == (1, 3)


def test_each_line_has_a_record_of_its_own_where_others_read_the_stream(tmp_path: Path) -> None:
    stream = Stream()
    file = write(tmp_path / "clicks.jsonl", EVENT, EVENT)
    its, _ = produced(stream, file, packing=False, stamping=False)
    assert [each.data for each in stream.taken] == file.read_bytes().splitlines()
    assert (its.account().records, its.account().calls) == (2, 2)


def test_a_rejected_line_is_in_its_file_once_it_is_named(tmp_path: Path) -> None:
    """A process that is killed writes nothing more, and its next run takes the line for settled."""
    relay = str(Path(sys.executable).with_name("relay"))
    with subprocess.Popen(  # noqa: S603 - our own command
        [relay, "produce", "-", "--local", "--stream", "clicks", "--rejects", "bad.jsonl"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(b"bad\n")
        process.stdin.flush()
        said = process.stderr.readline()
        process.kill()
    assert b"invalid_json" in said
    assert (tmp_path / "bad.jsonl").read_bytes() == b"bad\n"


def test_rejected_lines_can_be_kept_mended_and_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent: nobody listens at the port. A rejected line is written before that is found out."""
    monkeypatch.chdir(tmp_path)
    bad = {"eventType": "click", "note": "a b"}
    (tmp_path / "clicks.json").write_text(json.dumps([bad, EVENT | {"sentAt": "yesterday"}], indent=2))
    words = ["produce", "--local", "--port", "9", "--stream", "clicks", "clicks.json", "--rejects", "bad.jsonl"]
    assert run(words) == 1
    lines = (tmp_path / "bad.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [bad, EVENT | {"sentAt": "yesterday"}]
    assert run(words) == 2, "what was mended there meanwhile is not overwritten"


def test_a_resumed_run_numbers_identical_events_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = Stream()
    payloads: list[dict[str, Any] | str] = [EVENT, EVENT, "bad", EVENT]
    produced(whole, write(tmp_path / "clicks.jsonl", *payloads))
    parts = Stream()
    for lines in (2, 4):
        part = write(tmp_path / "part.jsonl", *payloads[:lines])
        its, _ = produced(parts, part, Checkpoint(tmp_path / "at", "clicks", stamped=True))
    assert ids(parts) == ids(whole)
    assert (its.account().settled_before, its.account().read) == (2, 2)


@pytest.mark.parametrize("lines", [[EVENT], [EVENT | {"itemId": "i"}, EVENT, EVENT]])
def test_a_file_that_is_not_the_same_any_more_is_not_resumed(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    file = write(tmp_path / "clicks.jsonl", EVENT, EVENT)
    produced(Stream(), file, Checkpoint(tmp_path / "at", "clicks", stamped=True))
    stream = Stream()
    its, _ = produced(stream, write(file, *lines), Checkpoint(tmp_path / "at", "clicks", stamped=True))
    assert "is not the file that the checkpoint was written for" in str(its.problem)
    assert stream.taken == []


def checkpoint_with_one_left(tmp_path: Path) -> Checkpoint:
    """Of a file of two lines, of which an earlier run settled the second alone."""
    file = write(tmp_path / "clicks.jsonl", EVENT | {"sessionId": "first"}, EVENT)
    kept = Checkpoint(tmp_path / "at", "clicks", stamped=True)
    produced(Stream(), file, kept)
    position = kept.positions[str(file)]
    kept.save([msgspec.structs.replace(position, unsettled=[1])])
    return Checkpoint(tmp_path / "at", "clicks", stamped=True)


def test_a_resumed_run_sends_what_was_left_before_the_point_and_then_nothing_is(tmp_path: Path) -> None:
    stream, kept = Stream(), checkpoint_with_one_left(tmp_path)
    its, _ = produced(stream, tmp_path / "clicks.jsonl", kept)
    assert ([each.key for each in stream.taken], its.account().settled_before) == (["first"], 1)
    (position,) = Checkpoint(tmp_path / "at", "clicks", stamped=True).positions.values()
    assert (position.payloads, position.unsettled) == (2, [])


def test_of_another_file_nothing_is_sent_that_an_earlier_run_had_left(tmp_path: Path) -> None:
    kept = checkpoint_with_one_left(tmp_path)
    before = dict(kept.positions)
    stream = Stream()
    file = write(tmp_path / "clicks.jsonl", EVENT | {"sessionId": "first"}, EVENT | {"itemId": "another"})
    its, _ = produced(stream, file, kept)
    assert "is not the file that the checkpoint was written for" in str(its.problem)
    assert stream.taken == []
    assert Checkpoint(tmp_path / "at", "clicks", stamped=True).positions == before


def test_a_silent_pipe_sends_what_lingers_but_not_before_it_is_known_to_be_the_same(tmp_path: Path) -> None:
    clock = Clock()
    stream = Stream()
    kept = checkpoint_with_one_left(tmp_path)
    lines = list(read([str(tmp_path / "clicks.jsonl")]))
    run_: Run = Run(stream.put, ProduceTerms(stream="clicks"), kept, lambda _: None, Interruption(), clock=clock)

    def pipe() -> Iterator[Line]:
        for line, sent in zip(lines, (0, 1), strict=True):
            yield line
            clock.wait_until(clock() + LINGER)
            run_.wait()
            assert len(stream.taken) == sent

    run_.over(pipe())
    assert run_.problem is None


def test_a_stream_that_refuses_for_good_is_called_once(tmp_path: Path) -> None:
    calls: list[int] = []

    def put(entries: Sequence[Entry[Any]]) -> list[PutRecordsResultEntryTypeDef]:
        calls.append(len(entries))
        raise Problem("PutRecords was refused")

    its = Run(put, ProduceTerms(stream="clicks"), None, lambda _: None, Interruption())
    its.over(read([str(write(tmp_path / "clicks.jsonl", EVENT))]))
    assert (str(its.problem), calls) == ("PutRecords was refused", [1])


@pytest.mark.slow  # as many lines as may be open
def test_it_reads_ahead_but_not_without_bounds() -> None:
    stream = Stream()
    its = Run(
        stream.put,
        ProduceTerms(stream="clicks", validating=False, stamping=False),
        None,
        lambda _: None,
        Interruption(),
    )
    seen: list[int] = []

    def lines() -> Iterator[Line]:
        for number in range(1, MAX_OPEN + 2):
            seen.append(len(stream.taken))
            yield Line("-", number, 0, b'{"sessionId":"%d"}' % number)

    its.over(lines())
    assert (seen[-2], seen[-1]) == (0, MAX_RECORDS_PER_CALL)
    assert its.account().sent == MAX_OPEN + 1


def test_a_run_that_ends_before_the_point_where_it_would_go_on_leaves_the_checkpoint(tmp_path: Path) -> None:
    kept = checkpoint_with_one_left(tmp_path)
    kept.save([msgspec.structs.replace(each, unsettled=[]) for each in kept.positions.values()])
    before = dict(kept.positions)

    def lines() -> Iterator[Line]:
        yield next(read([str(tmp_path / "clicks.jsonl")]))
        raise Problem("the disk is gone")

    its = Run(Stream().put, ProduceTerms(stream="clicks"), kept, lambda _: None, Interruption())
    its.over(lines())
    assert str(its.problem) == "the disk is gone"
    assert Checkpoint(tmp_path / "at", "clicks", stamped=True).positions == before


def test_a_stream_that_refuses_while_a_pipe_is_silent_is_called_no_more(tmp_path: Path) -> None:
    clock, calls = Clock(), list[int]()

    def put(entries: Sequence[Entry[Any]]) -> list[PutRecordsResultEntryTypeDef]:
        calls.append(len(entries))
        raise Problem("PutRecords was refused")

    its: Run = Run(put, ProduceTerms(stream="clicks"), None, lambda _: None, Interruption(), clock=clock)

    def pipe() -> Iterator[Line]:
        yield from read([str(write(tmp_path / "clicks.jsonl", EVENT))])
        clock.wait_until(clock() + LINGER)
        its.wait()

    its.over(pipe())
    assert (str(its.problem), calls) == ("PutRecords was refused", [1])
