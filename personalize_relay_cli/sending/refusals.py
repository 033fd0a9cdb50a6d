"""What kept a PutRecords call from its stream: worth a retry, or a Problem."""

from personalize_relay_cli.problems import translating

THROTTLED = frozenset(
    {
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""The codes, of a call or of a record, that ask for fewer records a second."""
_SERVER_ERROR = 500


def retriable(failure: Exception, *, answered_before: bool) -> str:
    """The failure's code if a retry may do better, else it is raised, as a Problem.

    Where nothing listens is a mistake before the first answer, and an outage after it.
    """
    from botocore import exceptions  # noqa: PLC0415 - slow to import

    if isinstance(failure, exceptions.ClientError):
        code = str(failure.response.get("Error", {}).get("Code", ""))
        status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in THROTTLED or status >= _SERVER_ERROR:
            return code or str(status)
    elif isinstance(failure, exceptions.BotoCoreError):
        unreachable = isinstance(failure, (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError))
        if answered_before or (isinstance(failure, exceptions.HTTPClientError) and not unreachable):
            return type(failure).__name__
    with translating():
        raise failure
