"""Read one Kinesis record: where it stands in its stream, and the events its payload holds."""

import base64
import binascii
from typing import Self

import msgspec
from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord

from personalize_relay import events
from personalize_relay.errors import InvalidRecord, Reason

AGGREGATED_MAGIC = bytes.fromhex("f3899ac2")
"""How a record of the Kinesis Producer Library's aggregation begins."""
GZIP_MAGIC = bytes.fromhex("1f8b")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What Kinesis says of a record, and its data as Lambda hands it over, in base64."""

    stream_arn: str
    shard_id: str
    sequence_number: str
    partition_key: str
    arrival: float
    """Approximate arrival in the stream, epoch seconds."""
    data: str

    @classmethod
    def read(cls, record: KinesisStreamRecord) -> Self:
        """Take from a Lambda event what the relay uses; KeyError where it isn't a Kinesis record."""
        kinesis = record.kinesis
        return cls(
            stream_arn=record.event_source_arn,
            shard_id=record.event_id.partition(":")[0],
            sequence_number=kinesis.sequence_number,
            partition_key=kinesis.partition_key,
            arrival=kinesis.approximate_arrival_timestamp,
            data=kinesis.data,
        )

    @property
    def position(self) -> int:
        """The sequence number as the integer it is: as texts, "9" would come after "10"."""
        return int(self.sequence_number)

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self.stream_arn.rpartition("/")[2]

    def parse(self, trackers: events.Trackers) -> events.Parsed:
        """The interactions and rejections of the record's payload."""
        try:
            payload = self._payload()
        except InvalidRecord as bad:
            return events.reject(bad)
        origin = events.Origin(
            stream=self.stream, shard_id=self.shard_id, sequence_number=self.sequence_number, arrival=self.arrival
        )
        return events.parse(payload, origin, trackers)

    def _payload(self) -> bytes:
        try:
            payload = base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError) as exc:
            raise InvalidRecord(Reason.INVALID_BASE64, "the record's data is not base64") from exc
        if not payload:
            raise InvalidRecord(Reason.EMPTY_RECORD, "the record has no data")
        if payload.startswith(AGGREGATED_MAGIC):
            raise InvalidRecord(
                Reason.AGGREGATED_RECORD,
                "the record is a KPL aggregate, which isn't read yet: switch aggregation off in the producer",
            )
        if payload.startswith(GZIP_MAGIC):
            raise InvalidRecord(
                Reason.COMPRESSED_RECORD, "the record is gzip, which isn't read yet: send it uncompressed"
            )
        return payload
