"""The fake's check of SigV4: each request is signed again with botocore's own signer and compared."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.personalize.answers import (
    INCOMPLETE_SIGNATURE,
    UNKNOWN_CREDENTIALS,
    UNSIGNED,
    HttpAnswer,
    invalid_signature,
)

SIGNING_NAME = "personalize"
CLOCK_SKEW = timedelta(minutes=15)
"""How far a signature's time may lie from the fake's clock, either way (AWS's common errors)."""

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,]+)/(?P<date>\d{8})/(?P<region>[^/,]+)/(?P<service>[^/,]+)/aws4_request,"
    r" ?SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_TIMESTAMP = re.compile(r"\d{8}T\d{6}Z")
_MUST_BE_SIGNED = frozenset({"host", "x-amz-date"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a signature covers; header names are looked up as the mapping does, in any case with aiohttp's."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


def refusal(request: Signed, credentials: Credentials, now: datetime) -> HttpAnswer | None:
    """Answer a request that these credentials did not sign for Personalize about `now`; None for one they did."""
    if "Authorization" not in request.headers:
        return UNSIGNED
    claim = _AUTHORIZATION.fullmatch(request.headers["Authorization"])
    if claim is None:
        return INCOMPLETE_SIGNATURE
    token = request.headers.get("X-Amz-Security-Token")
    if (claim["key"], token) != (credentials.access_key, credentials.token or None):
        return UNKNOWN_CREDENTIALS
    problem = _scope_problem(claim, request, now) or _signature_problem(claim, request, credentials)
    return invalid_signature(problem) if problem else None


def _scope_problem(claim: re.Match[str], request: Signed, now: datetime) -> str | None:
    if claim["service"] != SIGNING_NAME:
        return f"Credential should be scoped to correct service: '{SIGNING_NAME}'"
    signed = set(claim["headers"].split(";"))
    if not signed >= _MUST_BE_SIGNED | {name.lower() for name in request.headers if name.lower().startswith("x-amz-")}:
        return "'Host' and every 'X-Amz-*' must be signed headers"
    return _time_problem(claim["date"], request.headers.get("X-Amz-Date", ""), now)


def _time_problem(date: str, timestamp: str, now: datetime) -> str | None:
    if not _TIMESTAMP.fullmatch(timestamp):
        return "X-Amz-Date must be like 20260131T235959Z"
    try:
        signed_at = datetime.fromisoformat(timestamp)
    except ValueError:
        return "X-Amz-Date is no time"
    if abs(now - signed_at) > CLOCK_SKEW or not timestamp.startswith(date):
        return "Signature expired or not yet current"
    return None


def _signature_problem(claim: re.Match[str], request: Signed, credentials: Credentials) -> str | None:
    checksum = request.headers.get("X-Amz-Content-SHA256")
    if checksum not in {None, hashlib.sha256(request.body).hexdigest()}:
        return "X-Amz-Content-SHA256 is not that of the body"
    if not hmac.compare_digest(_sign(claim, request, credentials), claim["signature"]):
        return "The request signature we calculated does not match the signature you provided"
    return None


def _sign(claim: re.Match[str], request: Signed, credentials: Credentials) -> str:
    signer = SigV4Auth(credentials, claim["service"], claim["region"])
    headers = {name: request.headers[name] for name in claim["headers"].split(";") if name in request.headers}
    again = AWSRequest(method=request.method, url=request.url, headers=headers, data=request.body)
    again.context["timestamp"] = request.headers["X-Amz-Date"]
    return signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
