"""Past the stream one calls with one's own credentials and region, and is told what is missing."""

import pytest

from personalize_relay_cli.problems import Misuse
from personalize_relay_cli.recovery.direct import ENDPOINT, delivery

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
NO_FILES = {
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The whole of what botocore finds."""
    for name, value in (KEYS | NO_FILES).items():
        monkeypatch.setenv(name, value)
    return KEYS | NO_FILES


def test_on_aws_a_region_and_credentials_are_needed(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert delivery(environ, None, "eu-west-1", local=False)
    assert delivery(environ | {"AWS_REGION": "eu-west-1"}, None, None, local=False)
    with pytest.raises(Misuse, match="AWS_REGION"):
        delivery(environ, None, None, local=False)
    with pytest.raises(Misuse, match="AWS_CA_BUNDLE"):
        delivery(environ | {"AWS_CA_BUNDLE": "/nonexistent"}, None, "eu-west-1", local=False)
    for name in KEYS:
        monkeypatch.delenv(name)
    with pytest.raises(Misuse, match="no AWS credentials"):
        delivery(environ, None, "eu-west-1", local=False)


def test_on_this_machine_the_stand_in_must_be_named() -> None:
    assert delivery({ENDPOINT: "http://127.0.0.1:1"}, None, None, local=True)
    with pytest.raises(Misuse, match=ENDPOINT):
        delivery({}, None, None, local=True)
