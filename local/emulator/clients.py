"""boto3 clients for the emulator that nothing of this machine's AWS setup can reach or redirect."""

import os
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol, cast, overload

import boto3
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.session import Session

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_iam.client import IAMClient
    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sqs.client import SQSClient

ACCOUNT = "000000000000"  # the emulator's own
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
# What functions sign with: the emulator gives them the account for an access key.
FUNCTION_CREDENTIALS = Credentials(ACCOUNT, CREDENTIALS["AWS_SECRET_ACCESS_KEY"])

# A profile, a configuration file or a proxy of the machine must count for nothing: each could name a real account.
_NOTHING_OF_THIS_MACHINE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "ca_bundle": (None, None, None, None),
}
_TIMEOUT = 330  # seconds; a function may run for 5 minutes


class ClientFactory(Protocol):
    """Makes the client of a service by its boto3 name."""

    @overload
    def __call__(self, service: Literal["cloudformation"]) -> "CloudFormationClient": ...
    @overload
    def __call__(self, service: Literal["cloudwatch"]) -> "CloudWatchClient": ...
    @overload
    def __call__(self, service: Literal["iam"]) -> "IAMClient": ...
    @overload
    def __call__(self, service: Literal["kinesis"]) -> "KinesisClient": ...
    @overload
    def __call__(self, service: Literal["lambda"]) -> "LambdaClient": ...
    @overload
    def __call__(self, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
    @overload
    def __call__(self, service: Literal["s3"]) -> "S3Client": ...
    @overload
    def __call__(self, service: Literal["sqs"]) -> "SQSClient": ...


def client_factory(endpoint: str) -> ClientFactory:
    """Clients of the services behind `endpoint`, with the test credentials; threads may share them."""
    session = boto3.session.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
        botocore_session=Session(session_vars=_NOTHING_OF_THIS_MACHINE),
    )
    config = Config(
        proxies={},
        max_pool_connections=64,
        connect_timeout=5,
        read_timeout=_TIMEOUT,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
    )
    return cast("ClientFactory", partial(session.client, endpoint_url=endpoint, config=config))


def error_code(failure: Exception) -> str:
    """The service's own word for a failure, or the name of what kept the request from it."""
    if isinstance(failure, ClientError):
        return str(failure.response.get("Error", {}).get("Code", "Unknown"))
    return type(failure).__name__
