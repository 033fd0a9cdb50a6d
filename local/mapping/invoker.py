"""Invokes a function with a batch, as its event source mapping does, and reads the outcome."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.emulator.clients import error_code
from local.mapping.invocation import (
    InvocationOutcome,
    InvocationResult,
    InvokeAnswer,
    StreamRecord,
    payload_of,
    read_answer,
)
from local.mapping.settings import MappingSettings

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

Invoker = Callable[[tuple[StreamRecord, ...]], InvocationOutcome]


def invoker_of(settings: MappingSettings, functions: "LambdaClient") -> Invoker:
    """Return a function that invokes the mapping's function; a failed invocation is an outcome, too."""

    def invoke(records: tuple[StreamRecord, ...]) -> InvocationOutcome:
        try:
            answer = _ask(functions, settings.function_arn, payload_of(records).encode())
        except (BotoCoreError, ClientError) as exc:
            return InvocationOutcome(result=InvocationResult.NOT_INVOKED, error=error_code(exc))
        return read_answer(records, answer, report_failures=settings.report_failures)

    return invoke


def _ask(functions: "LambdaClient", function_arn: str, payload: bytes) -> InvokeAnswer:
    answer = functions.invoke(FunctionName=function_arn, InvocationType="RequestResponse", Payload=payload)
    return InvokeAnswer(
        request_id=answer["ResponseMetadata"]["RequestId"],
        status_code=answer["StatusCode"],
        executed_version=answer.get("ExecutedVersion", "$LATEST"),
        function_error=answer.get("FunctionError"),
        payload=answer["Payload"].read(),
    )
