"""The stream of a deployment: by its name, or by the ARN of another account's."""

import pytest

from personalize_relay_cli.deployment import Deployment, naming
from tests.cli.services import OUTPUTS, STACK, Client

ARN = "arn:aws:kinesis:eu-west-1:222222222222:stream/clicks"


def deployment(**outputs: str) -> Deployment:
    listed = [{"OutputKey": name, "OutputValue": value} for name, value in (OUTPUTS | outputs).items()]
    return Deployment("prod", lambda _service: Client({"describe_stacks": {"Stacks": [STACK | {"Outputs": listed}]}}))


def test_a_stream_of_another_account_goes_by_its_arn() -> None:
    """One of the same name may be here, and no event may end in it."""
    assert deployment().stream == "the-stream"
    assert deployment(StreamArn=ARN).stream == ARN
    assert deployment(StreamArn=ARN.replace("222222222222", "123456789012")).stream == "the-stream"


@pytest.mark.parametrize(("stream", "named"), [("clicks", {"StreamName": "clicks"}), (ARN, {"StreamARN": ARN})])
def test_kinesis_takes_a_stream_by_name_or_arn(stream: str, named: dict[str, str]) -> None:
    assert naming(stream) == named
