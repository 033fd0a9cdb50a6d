"""The customer's own key, where the settings ask for one: the one key of all that the stack stores."""

from collections.abc import Iterable

from aws_cdk import Aws
from aws_cdk.aws_iam import ArnPrincipal, PolicyStatement, ServicePrincipal
from aws_cdk.aws_kms import Key
from constructs import Construct

from infra.settings import StackSettings

USING = ["kms:Decrypt", "kms:GenerateDataKey"]
USING_BY_SERVICES = ["kms:Decrypt", "kms:GenerateDataKey*"]
"""As the guides of CloudWatch Logs and of Amazon SNS have it."""


class DataKey(Construct):
    """A rotated key that the services which work on their own, not in the function's name, may use."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: StackSettings) -> None:
        super().__init__(scope, construct_id)
        self.key = Key(
            self,
            "Key",
            description="Personalize relay: stream, bucket, log and alarms",
            enable_key_rotation=True,
            # What it encrypted can be read only as long as it lives.
            removal_policy=settings.removal_policy,
        )
        self.key.add_to_resource_policy(_logging())
        self.key.add_to_resource_policy(_alarming())
        if settings.producer_arns:
            self.key.add_to_resource_policy(_producing(settings.producer_arns))

    def using(self) -> PolicyStatement:
        """Allow the function, its mapping and its log what reading and writing encrypted data takes."""
        return PolicyStatement(actions=USING, resources=[self.key.key_arn])


def _logging() -> PolicyStatement:
    groups = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*"
    return PolicyStatement(
        principals=[ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
        actions=[*USING_BY_SERVICES, "kms:Encrypt*", "kms:ReEncrypt*", "kms:Describe*"],
        resources=["*"],
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )


def _alarming() -> PolicyStatement:
    return PolicyStatement(
        principals=[ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=USING_BY_SERVICES,
        resources=["*"],
        conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
    )


def _producing(arns: Iterable[str]) -> PolicyStatement:
    """Kinesis encrypts a record with the key in the name of whoever writes it."""
    return PolicyStatement(
        principals=[ArnPrincipal(arn) for arn in arns],
        actions=["kms:GenerateDataKey"],
        resources=["*"],
        conditions={"StringEquals": {"kms:ViaService": f"kinesis.{Aws.REGION}.amazonaws.com"}},
    )
