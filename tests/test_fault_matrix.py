"""Each kind of fault, wherever in a batch it strikes, on either client: the promises hold over real HTTP.

A seeded sample of the cells runs by default, all of them with --verify; what was seen goes to build/fault-matrix.md.
"""

import itertools
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.personalize.answers import (
    BARE_503,
    CUT,
    DENIED,
    EXPIRED_TOKEN,
    INCOMPLETE_SIGNATURE,
    INTERNAL_ERROR,
    REFUSED_EVENT,
    RESET,
    THROTTLED,
    THROTTLED_400,
    UNAVAILABLE,
    UNKNOWN_CREDENTIALS,
    UNKNOWN_TRACKER,
    HttpAnswer,
)
from local.personalize.faults import Delay, Effect, Fault, Hang, SlowBody
from local.personalize.requests import ReceivedRequest
from local.personalize.server import PersonalizeFake
from personalize_relay import curl_client
from personalize_relay.boto3_client import Boto3Client
from personalize_relay.clients import PutEventsClient
from personalize_relay.delivery import Delivery
from personalize_relay.events import Trackers
from personalize_relay.processor import RelayProcessor
from personalize_relay.quarantine import Quarantine
from tests.simulation.world import ARRIVAL, Bucket, click, invoke, record

pytestmark = pytest.mark.slow  # each cell is an invocation that waits

RESULTS = Path(__file__).parents[1] / "build" / "fault-matrix.md"
SAMPLE = 45
SECONDS = 3.0
"""What an invocation has."""
BUSY = 30.0
"""Seconds that a busy machine may add: only a call that nothing ends takes longer. The simulation holds deadlines."""


@dataclass(frozen=True)
class Kind:
    """A fault, and what it may do to the events of the call that it strikes."""

    does: Effect
    taken: bool = False
    """Whether the service takes the events all the same."""
    refuses: bool = False
    """Whether the answer says that the events are bad: one that is alone in its call is then quarantined."""


OK_LINE = b"HTTP/1.1 200 OK\r\n"
KINDS = {
    "throttled, 429": Kind(THROTTLED),
    "throttled, 400": Kind(THROTTLED_400),
    "throttled, later please": Kind(HttpAnswer(status=429, code="ThrottlingException", retry_after=1)),
    "slow down": Kind(HttpAnswer(status=503, code="SlowDown")),
    "too many requests": Kind(HttpAnswer(status=400, code="TooManyRequestsException")),
    "limit exceeded": Kind(HttpAnswer(status=400, code="LimitExceededException")),
    "500": Kind(INTERNAL_ERROR),
    "500, but taken": Kind(INTERNAL_ERROR, taken=True),
    "502 of a proxy": Kind(HttpAnswer(status=502)),
    "503": Kind(UNAVAILABLE),
    "503 of a proxy": Kind(BARE_503),
    "504": Kind(HttpAnswer(status=504)),
    "408": Kind(HttpAnswer(status=408, code="RequestTimeoutException")),
    "request timeout, 400": Kind(HttpAnswer(status=400, code="RequestTimeout")),
    "reset": Kind(RESET),
    "reset, but taken": Kind(RESET, taken=True),
    "cut in the body": Kind(CUT),
    "cut in the body, but taken": Kind(CUT, taken=True),
    "closed without an answer": Kind(HttpAnswer(status=200, raw=b"\r\n")),
    "no HTTP": Kind(HttpAnswer(status=200, raw=b"SSH-2.0-OpenSSH_9.9\r\n")),
    # A 200 is the service's word: boto3 takes it for one, even when the body behind it breaks off.
    "short body": Kind(HttpAnswer(status=200, raw=OK_LINE + b"Content-Length: 9\r\n\r\n{}"), taken=True),
    "chunks without an end": Kind(
        HttpAnswer(status=200, raw=OK_LINE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), taken=True
    ),
    "hangs": Kind(Hang()),
    "hangs, but taken": Kind(Hang(), taken=True),
    "slow": Kind(Delay(0.3)),
    "slow body": Kind(SlowBody(0.3)),
    "continue first": Kind(
        HttpAnswer(status=200, raw=b"HTTP/1.1 100 Continue\r\n\r\n" + OK_LINE + b"Content-Length: 2\r\n\r\n{}"),
        taken=True,
    ),
    "in chunks": Kind(
        HttpAnswer(status=200, raw=OK_LINE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), taken=True
    ),
    "closed after the answer": Kind(HttpAnswer(status=200, raw=OK_LINE + b"Content-Length: 0\r\n\r\n"), taken=True),
    "no content": Kind(HttpAnswer(status=204), taken=True),
    "moved": Kind(HttpAnswer(status=301)),
    "denied": Kind(DENIED),
    "expired token": Kind(EXPIRED_TOKEN),
    "unknown credentials": Kind(UNKNOWN_CREDENTIALS),
    "incomplete signature": Kind(INCOMPLETE_SIGNATURE),
    "unknown tracker": Kind(UNKNOWN_TRACKER),
    "proxy wants a login": Kind(HttpAnswer(status=407)),
    "invalid input": Kind(REFUSED_EVENT, refuses=True),
    "400 of no name": Kind(HttpAnswer(status=400), refuses=True),
    "too large": Kind(HttpAnswer(status=413), refuses=True),
    "validation": Kind(HttpAnswer(status=400, code="ValidationException"), refuses=True),
}

SIZES = {4: 4, 20: 8, 60: 20, 200: 40}
"""Records of a batch, and the sessions they belong to."""
POSITIONS = ("first", "second", "middle", "last", "every third")
CLIENTS = ("curl", "boto3")
type Cell = tuple[str, str, int, str]
CELLS: list[Cell] = list(itertools.product(KINDS, POSITIONS, SIZES, CLIENTS))


@dataclass
class Struck:
    """A condition: the calls at a position of the batch, in the order in which they come, each once."""

    position: str
    calls: int
    seen: int = 0

    def __call__(self, _request: ReceivedRequest) -> bool:
        """See Condition."""
        number, self.seen = self.seen, self.seen + 1
        match self.position:
            case "first":
                return number == 0
            case "second":
                return number == 1
            case "middle":
                return number == self.calls // 2
            case "last":
                return number == self.calls - 1
            case _:
                return number < self.calls and number % 3 == 0


@dataclass
class Seen:
    """What the cells of one kind came to."""

    cells: int = 0
    calls: int = 0
    needed: int = 0
    """Calls that the batches would have taken without the fault."""
    invocations: int = 0
    longest: float = 0.0


@dataclass
class Relay:
    """The function with real parts but for its bucket."""

    client: PutEventsClient
    bucket: Bucket = field(default_factory=Bucket)

    def __post_init__(self) -> None:
        """Build it as the handler does."""
        self.processor = RelayProcessor(
            # Waits are a fifth of what they may be at most, as a matrix is long.
            delivery=Delivery(self.client, clock=time.monotonic, jitter=lambda most: most / 5, max_in_flight=8),
            quarantine=Quarantine(self.bucket, prefix="", now=lambda: datetime.now(UTC)),
            trackers=Trackers(default="tracker"),
            clock=time.monotonic,
            now=lambda: ARRIVAL,
            wait=lambda _seconds: None,
        )


@pytest.fixture(scope="module")
def personalize() -> Iterator[PersonalizeFake]:
    """The service, on loopback."""
    with PersonalizeFake(trackers=["tracker"]) as running:
        yield running


@pytest.fixture(scope="module")
def clients(personalize: PersonalizeFake) -> Iterator[dict[str, PutEventsClient]]:
    """Both clients; their connections live through all the cells, and what befalls them."""
    environment = {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": personalize.endpoint,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield {"curl": curl_client.from_environment(os.environ, 8), "boto3": Boto3Client(max_in_flight=8)}


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, Seen]]:
    """What the cells came to, by kind; written when all have run."""
    kinds: dict[str, Seen] = {}
    yield kinds
    RESULTS.parent.mkdir(exist_ok=True)
    rows = [
        f"| {name} | {of.cells} | {of.calls / of.needed:.2f} | {of.invocations / of.cells:.2f} | {of.longest:.1f} |\n"
        for name, of in kinds.items()
    ]
    head = "| fault | cells | calls for each needed | invocations a cell | longest, s |\n|---|---|---|---|---|\n"
    ran = sum(of.cells for of in kinds.values())
    RESULTS.write_text(f"{ran} of {len(CELLS)} cells held\n\n{head}{''.join(rows)}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a sample that has every kind, or all of the cells."""
    if "cell" in metafunc.fixturenames:
        draw = random.Random(7)  # noqa: S311 - a fixed sample
        whole = metafunc.config.getoption("--verify")
        one_of_each = [draw.choice([cell for cell in CELLS if cell[0] == kind]) for kind in KINDS]
        cells = CELLS if whole else [*one_of_each, *draw.sample(CELLS, SAMPLE - len(KINDS))]
        metafunc.parametrize("cell", cells, ids=lambda cell: "-".join(map(str, cell)))


def test_the_matrix_is_as_large_as_it_claims() -> None:
    assert len(KINDS) >= 24
    assert len(CELLS) >= 480


def test_the_promises_hold(
    cell: Cell, personalize: PersonalizeFake, clients: dict[str, PutEventsClient], seen: dict[str, Seen]
) -> None:
    name, position, size, client = cell
    kind, sessions = KINDS[name], SIZES[size]
    batch = Batch(size, sessions)
    relay = Relay(clients[client])
    personalize.clear()
    known, before = set(personalize.accepted), personalize.call_count
    fault = personalize.inject(Fault(kind.does, taken=kind.taken, when=Struck(position, batch.calls)))

    began = time.monotonic()
    invocations = drain(relay, batch, personalize)
    took, calls = time.monotonic() - began, personalize.call_count - before

    assert fault.struck
    delivered = [batch.number(event_id) for event_id in personalize.accepted if event_id not in known]
    quarantined = {int(of): reason for (of, *_), reason in relay.bucket.rejections().items()}
    refused = {number for number, reason in quarantined.items() if reason != "placeholder_text"}
    assert quarantined.keys() - refused == batch.bad, "P4: a bad record is set aside"
    assert len(refused) <= (fault.struck if kind.refuses else 0), "P6, P7: a good one isn't"
    assert sorted([*delivered, *quarantined]) == list(range(size)), "P1, P3: each event once, under one id"
    for session in range(sessions):
        in_order = [number for number in delivered if number % sessions == session]
        assert in_order == sorted(in_order), "P5"
    # What is struck is called again, in halves perhaps; what an invocation leaves is called again by the next.
    assert calls <= invocations * batch.calls + 19 * fault.struck
    assert invocations <= 1 + fault.struck
    assert took <= invocations * SECONDS + BUSY
    add(seen.setdefault(name, Seen()), calls, batch.calls, invocations, took)


class Batch:
    """Records of one event each, a bad one now and then; their ids are of this batch alone."""

    def __init__(self, size: int, sessions: int) -> None:
        self._prefix = f"{time.monotonic_ns()}-"
        self.bad = {number for number in range(size) if number % 10 == 7}
        self.calls = len({number % sessions for number in range(size) if number not in self.bad})
        """PutEvents calls that it takes: one a session with a good event."""
        self.records = [record(number, self._event(number, sessions)) for number in range(size)]

    def _event(self, number: int, sessions: int) -> dict[str, Any]:
        kind = "null" if number in self.bad else "click"
        return click(f"s{number % sessions}", eventId=self.event_id(number), eventType=kind)

    def event_id(self, number: int) -> str:
        """The id of a record's event."""
        return f"{self._prefix}{number}"

    def number(self, event_id: str) -> int:
        """The record of an event's id."""
        return int(event_id.removeprefix(self._prefix))


def drain(relay: Relay, batch: Batch, personalize: PersonalizeFake) -> int:
    """Invoke as the mapping does until nothing is reported; returns how often."""
    position = invocations = 0
    while position < len(batch.records):
        invocations += 1
        assert invocations <= 100, "stuck"
        reported = invoke(relay.processor, batch.records[position:], time.monotonic, SECONDS)
        failed = {int(number) for number in reported}
        stored, accepted = {int(of) for of, *_ in relay.bucket.rejections()}, personalize.accepted
        for number in set(range(position, len(batch.records))) - failed:
            assert number in stored or batch.event_id(number) in accepted, "P2: no false ack"
        position = min(failed, default=len(batch.records))
    return invocations


def add(seen: Seen, calls: int, needed: int, invocations: int, took: float) -> None:
    """Count a cell."""
    seen.cells += 1
    seen.calls += calls
    seen.needed += needed
    seen.invocations += invocations
    seen.longest = max(seen.longest, took)
