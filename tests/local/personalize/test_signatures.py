"""The Personalize fake takes well-signed requests only."""

import json

import pytest
from botocore.credentials import Credentials

from local.personalize.server import PersonalizeFake
from tests.local.personalize.put_events import ACCEPTED, a_document, answered, client_of, post, signed


def test_a_signature_with_a_session_token_is_good() -> None:
    credentials = Credentials("key", "secret", "token")
    with PersonalizeFake(credentials=credentials) as personalize:
        body = json.dumps(a_document()).encode()
        assert post(personalize, body, signed(personalize, body, credentials)) == ACCEPTED
        without = signed(personalize, body, Credentials("key", "secret"))
        assert post(personalize, body, without) == (403, "UnrecognizedClientException")


def test_a_body_or_header_changed_after_signing_is_refused(personalize: PersonalizeFake) -> None:
    """What the signature covers can't be altered, not even with the checksum header that would vouch for it."""
    body = json.dumps(a_document()).encode()
    headers = signed(personalize, body)
    wrong = (403, "InvalidSignatureException")
    assert post(personalize, body.replace(b"click", b"clack"), headers) == wrong
    assert post(personalize, body, {**headers, "X-Amz-Date": f"{headers['X-Amz-Date'][:-2]}?Z"}) == wrong
    assert post(personalize, body, {**headers, "X-Amz-Content-SHA256": "0" * 64}) == wrong
    assert post(personalize, body, {**headers, "X-Amz-Date": "20200101T000000Z"}) == wrong


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        (Credentials("stranger", "test"), "UnrecognizedClientException"),
        (Credentials("test", "guess"), "InvalidSignatureException"),
    ],
)
def test_wrong_credentials_are_refused(personalize: PersonalizeFake, credentials: Credentials, code: str) -> None:
    assert answered(client_of(personalize, credentials)) == (403, code)
    assert personalize.accepted == {}


def test_a_request_without_a_signature_is_refused_unless_signatures_are_off(personalize: PersonalizeFake) -> None:
    body = json.dumps(a_document()).encode()
    assert post(personalize, body, {}) == (403, "MissingAuthenticationTokenException")
    assert post(personalize, body, {"Authorization": "Bearer x"}) == (403, "IncompleteSignatureException")
    with PersonalizeFake(verify_signatures=False) as trusting:
        assert post(trusting, body, {}) == ACCEPTED
