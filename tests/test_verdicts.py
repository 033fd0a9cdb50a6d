"""What each answer of the service means."""

import pytest

from personalize_relay.clients import Answer
from personalize_relay.verdicts import Verdict, judge


@pytest.mark.parametrize(
    ("status", "error", "verdict"),
    [
        (200, "", Verdict.DELIVERED),
        (204, "", Verdict.DELIVERED),
        (400, "InvalidInputException", Verdict.INVALID),
        (400, "ValidationException", Verdict.INVALID),
        (400, "", Verdict.INVALID),
        (413, "", Verdict.INVALID),
        (0, "ParamValidationError", Verdict.INVALID),
        (429, "", Verdict.THROTTLED),
        (400, "ThrottlingException", Verdict.THROTTLED),
        (400, "Throttling", Verdict.THROTTLED),
        (400, "TooManyRequestsException", Verdict.THROTTLED),
        (400, "LimitExceededException", Verdict.THROTTLED),
        (400, "RequestLimitExceeded", Verdict.THROTTLED),
        (503, "SlowDown", Verdict.THROTTLED),
        (408, "", Verdict.TRANSIENT),
        (400, "RequestTimeout", Verdict.TRANSIENT),
        (500, "InternalFailure", Verdict.TRANSIENT),
        (502, "", Verdict.TRANSIENT),
        (503, "ServiceUnavailable", Verdict.TRANSIENT),
        (0, "", Verdict.TRANSIENT),
        (0, "ReadTimeoutError", Verdict.TRANSIENT),
        (0, "EndpointConnectionError", Verdict.TRANSIENT),
        (0, "SSLError", Verdict.TRANSIENT),
        (302, "", Verdict.TRANSIENT),
        (403, "AccessDeniedException", Verdict.CONFIGURATION),
        (400, "AccessDeniedException", Verdict.CONFIGURATION),
        (401, "", Verdict.CONFIGURATION),
        (403, "", Verdict.CONFIGURATION),
        (403, "ExpiredTokenException", Verdict.CONFIGURATION),
        (400, "UnrecognizedClientException", Verdict.CONFIGURATION),
        (403, "InvalidSignatureException", Verdict.CONFIGURATION),
        (403, "MissingAuthenticationTokenException", Verdict.CONFIGURATION),
        (404, "ResourceNotFoundException", Verdict.CONFIGURATION),
        (400, "ResourceNotFoundException", Verdict.CONFIGURATION),
        (0, "NoCredentialsError", Verdict.CONFIGURATION),
        (400, "RequestExpired", Verdict.CONFIGURATION),
        (400, "OptInRequired", Verdict.CONFIGURATION),
        (404, "UnknownOperationException", Verdict.CONFIGURATION),
        (404, "", Verdict.CONFIGURATION),
        (405, "", Verdict.CONFIGURATION),
        (407, "", Verdict.CONFIGURATION),
    ],
)
def test_an_answer_is_classed_by_its_code_and_status(status: int, error: str, verdict: Verdict) -> None:
    assert judge(Answer(status, error)) is verdict
