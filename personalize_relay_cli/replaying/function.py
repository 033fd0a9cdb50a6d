"""Invokes the function that the mapping invokes, and reads what it answers of each record."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from personalize_relay_cli.replaying.records import Replayed, payload

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

_TYPE = re.compile(r"[A-Za-z0-9_.]{1,64}")


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a batch."""

    settled: int
    """How many of its first records are settled: the others are to come again."""
    error: str = ""
    """Why, where the function itself failed or could not be invoked: a type or a code."""
    counts: Mapping[str, int] | None = None
    """What the function counted, by the metric's name; None where its log doesn't show it."""


class Function:
    """A function by its ARN, with the alias that it is called by."""

    def __init__(self, client: "LambdaClient", arn: str) -> None:
        self._client = client
        self.arn = arn

    def invoke(self, batch: Sequence[Replayed]) -> BatchAnswer:
        """Invoke it with a batch; what a retry may mend is an answer, too, and anything else is raised."""
        from botocore.exceptions import ClientError, HTTPClientError  # noqa: PLC0415 - slow to import

        try:
            answer = self._client.invoke(FunctionName=self.arn, Payload=payload(batch).encode(), LogType="Tail")
            body = answer["Payload"].read()
        except ClientError as exc:
            code, status = exc.response["Error"]["Code"], exc.response["ResponseMetadata"]["HTTPStatusCode"]
            if status < 500 and code != "TooManyRequestsException":  # noqa: PLR2004 - HTTP's server errors
                raise
            return BatchAnswer(settled=0, error=code)
        except HTTPClientError as exc:
            return BatchAnswer(settled=0, error=type(exc).__name__)
        if answer.get("FunctionError"):
            return BatchAnswer(settled=0, error=_error_type(body))
        return BatchAnswer(settled=_settled(batch, body), counts=counts(answer.get("LogResult", "")))


def _settled(batch: Sequence[Replayed], body: bytes) -> int:
    """As the mapping reads it: all before the lowest that is reported, or all; none where the answer makes no sense."""
    try:
        failures = (json.loads(body or b"null") or {}).get("batchItemFailures") or []
        reported = {each["itemIdentifier"] for each in failures}
    except (ValueError, TypeError, AttributeError, KeyError):
        return 0
    numbers = [each.sequence_number for each in batch]
    if not reported <= set(numbers):
        return 0
    return min(map(numbers.index, reported), default=len(batch))


def counts(tail: str) -> dict[str, int] | None:
    """The counts in the last lines of an invocation's log, in base64; None where they don't show.

    Lambda gives the last 4 KB: the line of the batch is in them unless more than that many metrics follow it.
    """
    for line in reversed(base64.b64decode(tail).decode(errors="replace").splitlines()):
        found = _counted(line)
        if found is not None:
            return found
    return None


def _counted(line: str) -> dict[str, int] | None:
    try:
        read: Any = json.loads(line)
    except ValueError:
        return None
    if isinstance(read, dict) and read.get("message") == "batch settled" and isinstance(read.get("counts"), dict):
        return {name: int(each) for name, each in read["counts"].items()}
    return None


def _error_type(body: bytes) -> str:
    """The errorType alone: the message beside it may quote a record."""
    try:
        said = json.loads(body).get("errorType")
    except (ValueError, AttributeError):
        said = None
    return said if isinstance(said, str) and _TYPE.fullmatch(said) else "an error without a type"
