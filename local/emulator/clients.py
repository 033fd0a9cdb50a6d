"""boto3 clients for the emulator that nothing of this machine's AWS setup can reach or redirect."""

from typing import TYPE_CHECKING, Literal, Protocol, cast, overload

from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from personalize_relay_cli import this_machine

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_iam.client import IAMClient
    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sqs.client import SQSClient

ACCOUNT, REGION = this_machine.ACCOUNT, this_machine.REGION
CREDENTIALS = {"AWS_ACCESS_KEY_ID": this_machine.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": this_machine.SECRET_KEY}
FUNCTION_CREDENTIALS = Credentials(this_machine.FUNCTION_ACCESS_KEY, this_machine.SECRET_KEY)


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
    return cast("ClientFactory", this_machine.client_factory(endpoint))


def error_code(failure: Exception) -> str:
    """The service's error code, or the name of the exception if the request didn't reach the service."""
    if isinstance(failure, ClientError):
        return str(failure.response.get("Error", {}).get("Code", "Unknown"))
    return type(failure).__name__
