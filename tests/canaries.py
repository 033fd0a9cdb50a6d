"""Records with a canary in every place where a record may have text, good and bad, in whatever they are packed."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

from local.demo import kpl
from tests import packing
from tests.packing import text
from tests.simulation.world import ARRIVAL, click

CANARY = "canary-5d1e"
_TEXTS = ("userId", "sessionId", "eventId", "itemId", "eventType", "recommendationId")
_EVENT = click(**{name: f"{CANARY}-{name}" for name in _TEXTS}, properties={CANARY: CANARY})


def good() -> list[bytes]:
    """Payloads that are delivered, an event each."""
    listed = [{"eventType": CANARY, "itemId": CANARY, CANARY: 1, "sentAt": ARRIVAL}]
    return [
        text(_EVENT),
        text(_EVENT | {CANARY: CANARY, "inner": {CANARY: [CANARY]}}),
        text({name.upper(): value for name, value in _EVENT.items()}),
        text({"sessionId": CANARY, "eventList": listed}),
    ]


def bad() -> list[bytes]:
    """Payloads of which nothing is delivered, each bad in a way of its own."""
    wrong: list[dict[str, Any]] = [
        *({name: value} for name in _TEXTS for value in ([CANARY], {CANARY: CANARY}, f"\0{CANARY}", CANARY * 60)),
        *({"sentAt": value} for value in (CANARY, {CANARY: 1}, f"2026-01-01 {CANARY}", [CANARY])),
        *({"eventValue": value} for value in (CANARY, {CANARY: 1}, [CANARY])),
        *({"properties": value} for value in (CANARY, {CANARY: CANARY, "userId": CANARY}, [CANARY], f"{{{CANARY}")),
        *({"impression": value} for value in (CANARY, [CANARY] * 26, [[CANARY]], {CANARY: CANARY})),
        *({"metricAttribution": value} for value in ([CANARY], {"eventAttributionSource": [CANARY]})),
        {"trackingId": CANARY},
        {"sessionId": None, CANARY: {"sessionId": CANARY, "eventType": CANARY}},
        {"userId": None, "USER_ID": CANARY, "user-id": f"{CANARY}-2"},
        {"eventList": CANARY},
        {"eventList": [CANARY, [CANARY], {CANARY: CANARY}, _EVENT | {"itemId": [CANARY]}]},
        {"eventType": None, "messageId": CANARY, "type": CANARY, "timestamp": CANARY},
    ]
    texts = [
        f"{CANARY}",
        f"['{CANARY}', None]",
        f"{{'{CANARY}': '{CANARY}'}}",
        f'{{"{CANARY}": "{CANARY}',
        f"[{CANARY}]",
    ]
    return [
        *(text(_EVENT | each) for each in wrong),
        *(each.encode() for each in texts),
        json.dumps(CANARY).encode(),
        CANARY.encode("utf-16"),
        f"{CANARY}\xff".encode("latin-1"),
        b'{"' + CANARY.encode() + b'": ' + b"[" * 50 + b"]" * 50 + b"}",
    ]


def framed(payloads: list[bytes]) -> Iterator[bytes]:
    """The payloads alone, together, and wrapped: each stands in as many records."""
    yield from payloads
    yield kpl.aggregate(payloads)
    ascii_only = [each for each in payloads if each.isascii()]
    yield packing.log_messages(ascii_only).replace(b'"owner":"1"', text({"owner": CANARY})[1:-1])
    yield from (kpl.sealed(each) for each in payloads[:3])
    for wrap in packing.WRAPPERS.values():
        yield from (wrap(each) for each in ascii_only)
        yield wrap(packing.log_messages(ascii_only))
    yield b"\n".join(ascii_only)
    yield gzip.compress(b"".join(payloads))[:-9]
