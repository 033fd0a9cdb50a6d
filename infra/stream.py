"""The stream of interactions: the permissions to read and write one, and a new stream."""

from collections.abc import Iterable

from aws_cdk import Duration
from aws_cdk.aws_iam import ArnPrincipal, PolicyStatement
from aws_cdk.aws_kinesis import IStream, Stream, StreamEncryption, StreamMode
from aws_cdk.aws_kms import IKey
from constructs import Construct

from .audit import acknowledge
from .relay_settings import RelaySettings
from .sharing import DECRYPTING, READING

WRITING = ("kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:PutRecord", "kinesis:PutRecords")
"""What producers call: the SDKs, the KPL, and `relay produce`."""


class InteractionStream(Construct):
    """A new stream, encrypted."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: RelaySettings, key: IKey | None) -> None:
        super().__init__(scope, construct_id)
        self.stream = Stream(
            self,
            "New",
            stream_mode=StreamMode.PROVISIONED if settings.stream_shards else StreamMode.ON_DEMAND,
            shard_count=settings.stream_shards,
            retention_period=Duration.hours(settings.stream_retention_hours),
            encryption=StreamEncryption.KMS if key else StreamEncryption.MANAGED,
            encryption_key=key,
            removal_policy=settings.removal_policy,
        )
        if key:
            reason = "The stream has the customer's own key."
            acknowledge(self.stream, {"AwsSolutions::AwsSolutions-KDS3": reason})


def reading(stream: IStream, key: IKey | None) -> list[PolicyStatement]:
    """Allow exactly what an event source mapping needs to read a stream, which a key may encrypt."""
    statement = PolicyStatement(actions=[*READING], resources=[stream.stream_arn])
    if not key:
        return [statement]
    return [statement, PolicyStatement(actions=[*DECRYPTING], resources=[key.key_arn])]


def let_write(stream: IStream, producer_arns: Iterable[str]) -> None:
    """Allow IAM roles and users, of any account, to write to a stream."""
    stream.add_to_resource_policy(
        PolicyStatement(
            principals=[ArnPrincipal(arn) for arn in producer_arns],
            actions=[*WRITING],
            resources=[stream.stream_arn],
        )
    )
