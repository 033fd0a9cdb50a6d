"""The settings of an event source mapping, from the Lambda API."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationResponseTypeDef

_UNLIMITED = -1
_BATCH_SIZE = 100  # the service's own default
_NOT_IMITATED = ("FilterCriteria", "TumblingWindowInSeconds")


class UnsupportedMapping(Exception):
    """A mapping with a setting that this imitation can't follow; the message names the setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSettings:
    """One Kinesis event source mapping; times in seconds, None for no limit."""

    uuid: str
    stream_arn: str
    function_arn: str
    batch_size: int = _BATCH_SIZE
    window: float = 0.0
    report_failures: bool = False
    bisect: bool = False
    max_retries: int | None = None
    max_age: float | None = None
    parallelization: int = 1
    starting_position: str = "TRIM_HORIZON"
    starting_timestamp: datetime | None = None
    destination_arn: str | None = None

    @classmethod
    def from_api(cls, answer: "EventSourceMappingConfigurationResponseTypeDef") -> Self:
        """Read GetEventSourceMapping's answer; raises UnsupportedMapping for a setting that changes the outcome."""
        for name in _NOT_IMITATED:
            if answer.get(name):
                raise UnsupportedMapping(f"the mapping sets {name}, which is not imitated here: leave it out")
        return cls(
            uuid=answer["UUID"],
            stream_arn=answer["EventSourceArn"],
            function_arn=answer["FunctionArn"],
            batch_size=int(answer.get("BatchSize", _BATCH_SIZE)),
            window=float(answer.get("MaximumBatchingWindowInSeconds", 0)),
            report_failures="ReportBatchItemFailures" in answer.get("FunctionResponseTypes", []),
            bisect=bool(answer.get("BisectBatchOnFunctionError", False)),
            max_retries=_limit(int(answer.get("MaximumRetryAttempts", _UNLIMITED))),
            max_age=_limit(int(answer.get("MaximumRecordAgeInSeconds", _UNLIMITED))),
            parallelization=int(answer.get("ParallelizationFactor", 1)),
            starting_position=answer.get("StartingPosition", "TRIM_HORIZON"),
            starting_timestamp=answer.get("StartingPositionTimestamp"),
            destination_arn=answer.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
        )


def _limit(value: int) -> int | None:
    return None if value == _UNLIMITED else value
