"""How the same records would be relayed with boto3: three Lambda handlers, each the best of its kind.

Each is given how many calls may be in flight, makes its client once with as many connections, and leaves the SDK's
retries as they are by default. They check less than the relay does: what a producer sends goes out as it is.
"""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    async_process_partial_response,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from bench import grouping
from bench.grouping import TRACKING_ID, ClickGroup
from bench.workloads import Handler, LambdaEvent

if TYPE_CHECKING:
    from mypy_boto3_personalize_events.client import PersonalizeEventsClient


def one_call_a_record(in_flight: int) -> Handler:
    """Powertools' BatchProcessor and a call in the record handler, one after the other, as the AWS samples do."""
    client = _client(in_flight)
    processor = BatchProcessor(event_type=EventType.KinesisDataStreams)

    def record_handler(record: KinesisStreamRecord) -> None:
        _put(client, [record.kinesis.data_as_json()])

    return lambda event, context: process_partial_response(event, record_handler, processor, context)


def one_call_a_record_in_threads(in_flight: int) -> Handler:
    """Powertools' AsyncBatchProcessor: a call a record, in as many threads as may be in flight."""
    client = _client(in_flight)
    processor = AsyncBatchProcessor(event_type=EventType.KinesisDataStreams)
    threads = ThreadPoolExecutor(in_flight)

    async def record_handler(record: KinesisStreamRecord) -> None:
        click = record.kinesis.data_as_json()
        await asyncio.get_running_loop().run_in_executor(threads, _put, client, [click])

    return lambda event, context: async_process_partial_response(event, record_handler, processor, context)


def grouped_by_session(in_flight: int) -> Handler:
    """Requests of up to ten events, a session after another in as many threads as may be in flight."""
    client = _client(in_flight)
    threads = ThreadPoolExecutor(in_flight)

    def handler(event: LambdaEvent, _context: LambdaContext) -> LambdaEvent:
        failed = threads.map(lambda session: list(_undelivered(client, session)), grouping.sessions(event))
        return grouping.response([number for numbers in failed for number in numbers])

    return handler


def _undelivered(client: "PersonalizeEventsClient", session: list[ClickGroup]) -> Iterator[str]:
    """Send a session's requests in order; the sequence numbers of those that were not taken."""
    for request in session:
        try:
            _put(client, [click.event for click in request])
        except Exception:  # noqa: BLE001 - as Powertools does it: whatever it is, the record comes again
            yield from grouping.numbers(request)


def _put(client: "PersonalizeEventsClient", clicks: list[LambdaEvent]) -> None:
    client.put_events(
        trackingId=TRACKING_ID,
        userId=clicks[0]["userId"],
        sessionId=clicks[0]["sessionId"],
        eventList=[
            {
                "eventId": click["eventId"],
                "eventType": click["eventType"],
                "itemId": click["itemId"],
                "sentAt": datetime.fromtimestamp(click["sentAt"], UTC),
                "properties": json.dumps(click["properties"]),
            }
            for click in clicks
        ],
    )


def _client(in_flight: int) -> "PersonalizeEventsClient":
    client: PersonalizeEventsClient = boto3.client(
        "personalize-events", config=Config(max_pool_connections=in_flight, tcp_keepalive=True)
    )
    return client
