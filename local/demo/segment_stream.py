"""A sample of Segment's calls, as its Kinesis destination writes them: the same each time.

Shoppers look at pages and products, fill carts and order; some log in half-way. The preset `segment` makes events of
the tracked calls and drops the others. Among the calls are some of every kind that the relay quarantines.
"""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from local.demo.clickstream import (
    BEGINS,
    EACH_BAD_KIND,
    REFUSED_ITEM,
    USUAL,
    Dating,
    SampleEvent,
    SampleRecord,
    mixed,
)

VISITS = 100
CALLS_PER_VISIT = 24
DROPPED = "other calls"
"""The rule of the preset that drops all calls but track."""
_KINDS = ("page", "page", "viewed", "viewed", "viewed", "added", "cart", "ordered")


def sample(visits: int = VISITS, seed: int = 1, dating: Dating = USUAL) -> list[SampleRecord]:
    """The records in the order they happen: two dozen calls a visit, and five bad ones of each kind.

    `dating` applies to the visits, and changes nothing else.
    """
    draw = random.Random(seed)  # noqa: S311 - the same sample each time is the point
    bad = [_bad(kind, number) for kind in BAD for number in range(EACH_BAD_KIND)]
    return mixed([_visit(number, draw, dating) for number in range(visits)], bad, draw)


def _visit(number: int, draw: random.Random, dating: Dating) -> list[SampleRecord]:
    """One visitor's calls; a visitor who logs in is identified, and known from then on."""
    visitor, user = f"anon-{number:04}", f"shopper-{number % 37:03}"
    login = draw.choice((0, CALLS_PER_VISIT // 2, CALLS_PER_VISIT))
    records = []
    for place in range(CALLS_PER_VISIT):
        kind = "identify" if place == login else draw.choice(_KINDS)
        call = {"anonymousId": visitor, "userId": user if place >= login else None}
        call |= {"messageId": f"ajs-{number:04}-{place:02}", "timestamp": _time(dating.of(number * 60 + place * 7))}
        records.append(_record(call | _told(kind, draw)))
    return records


def _told(kind: str, draw: random.Random) -> dict[str, Any]:
    """The members of a call of a kind."""
    match kind:
        case "page":
            return {"type": "page", "name": "Home", "properties": {"path": "/"}}
        case "identify":
            return {"type": "identify", "traits": {"plan": draw.choice(("free", "gold"))}}
        case "viewed":
            return {"type": "track", "event": "Product Viewed", "properties": _product(draw)}
        case "added":
            return {"type": "track", "event": "Product Added", "properties": _product(draw) | {"quantity": 1}}
        case "cart":
            return {"type": "track", "event": "Cart Viewed", "properties": {"cart_id": "c-1", "products": []}}
    products = [_product(draw) for _ in range(draw.randint(1, 4))]
    return {"type": "track", "event": "Order Completed", "properties": {"currency": "CHF", "products": products}}


def _product(draw: random.Random) -> dict[str, Any]:
    number = draw.randrange(500)
    return {"product_id": f"item-{number:03}", "category": draw.choice(("Shoes", "Games")), "price": number / 10}


def _record(call: dict[str, Any]) -> SampleRecord:
    visitor = str(call["anonymousId"])
    return SampleRecord(visitor, json.dumps(call).encode(), tuple(_expected(call, visitor)))


def _expected(call: dict[str, Any], visitor: str) -> Sequence[SampleEvent]:
    user, message = call["userId"], call["messageId"]
    if call["type"] != "track":
        return [SampleEvent(visitor, user, dropped=DROPPED)]
    products = call["properties"].get("products")
    if not products:
        return [SampleEvent(visitor, user, event_id=message)]
    ids = [message] if len(products) == 1 else [f"{message}:{index}" for index in range(len(products))]
    return [SampleEvent(visitor, user, index, event_id) for index, event_id in enumerate(ids)]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _call(**members: object) -> bytes:
    usual = {"type": "track", "event": "Product Viewed", "anonymousId": "anon-bad", "timestamp": _time(BEGINS)}
    return json.dumps(usual | {"properties": {"product_id": "item-001"}} | members).encode()


BAD: dict[str, tuple[bytes, str]] = {
    "cut off": (_call()[:-9], "invalid_json"),
    "a bare value": (b"42", "not_an_object"),
    "a kind of call that Segment hasn't": (_call(type="heartbeat"), "not_mapped"),
    "a call without a type": (_call(type=None), "not_mapped"),
    "nobody's call": (_call(anonymousId=None), "missing_member"),
    "a visitor of null": (_call(anonymousId="null"), "placeholder_text"),
    "a track without a name": (_call(event=None), "missing_member"),
    "a fraction for a product": (_call(properties={"product_id": 17.5}), "wrong_type"),
    "a local time": (_call(timestamp="2026-01-01T00:00:00"), "invalid_timestamp"),
    "a withdrawn product": (_call(properties={"product_id": REFUSED_ITEM}), "rejected_by_personalize"),
}
"""Each kind of bad call: its data, and the reason for its quarantine."""


def _bad(kind: str, number: int) -> SampleRecord:
    data, reason = BAD[kind]
    visitor = f"anon-bad-{list(BAD).index(kind)}-{number}"
    return SampleRecord(
        visitor, data.replace(b"anon-bad", visitor.encode()), (SampleEvent(visitor, None, reason=reason),)
    )
