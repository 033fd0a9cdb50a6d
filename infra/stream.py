"""The stream of interactions: made here, or an existing one."""

from aws_cdk import Duration
from aws_cdk.aws_iam import ArnPrincipal, PolicyStatement
from aws_cdk.aws_kinesis import IStream, Stream, StreamEncryption, StreamMode
from aws_cdk.aws_kms import IKey
from constructs import Construct

from infra.audit import acknowledge
from infra.settings import StackSettings
from infra.sharing import DECRYPTING, READING

WRITING = ("kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:PutRecord", "kinesis:PutRecords")
"""What producers do with it: the SDKs, the KPL, and `relay produce`."""


class InteractionStream(Construct):
    """An encrypted stream, or the existing one that the settings name."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: StackSettings, key: IKey | None) -> None:
        super().__init__(scope, construct_id)
        self.stream = self._existing(settings.stream_arn) if settings.stream_arn else self._new(settings, key)
        self._own_key_arn = settings.stream_key_arn

    def reading(self) -> list[PolicyStatement]:
        """Allow what a mapping needs to read the stream, and no more."""
        reading = PolicyStatement(
            actions=[*READING],
            resources=[self.stream.stream_arn],
        )
        if not self._own_key_arn:
            return [reading]
        return [reading, PolicyStatement(actions=[*DECRYPTING], resources=[self._own_key_arn])]

    def _existing(self, arn: str) -> IStream:
        return Stream.from_stream_arn(self, "Existing", arn)

    def _new(self, settings: StackSettings, key: IKey | None) -> IStream:
        stream = Stream(
            self,
            "New",
            stream_mode=StreamMode.PROVISIONED if settings.stream_shards else StreamMode.ON_DEMAND,
            shard_count=settings.stream_shards,
            retention_period=Duration.hours(settings.stream_retention_hours),
            encryption=StreamEncryption.KMS if key else StreamEncryption.MANAGED,
            encryption_key=key,
            removal_policy=settings.removal_policy,
        )
        if settings.producer_arns:
            stream.add_to_resource_policy(
                PolicyStatement(
                    principals=[ArnPrincipal(arn) for arn in settings.producer_arns],
                    actions=[*WRITING],
                    resources=[stream.stream_arn],
                )
            )
        if key:
            acknowledge(stream, {"AwsSolutions::AwsSolutions-KDS3": "The settings ask for the customer's own key."})
        return stream
