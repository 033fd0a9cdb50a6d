"""The customer's own key, if there is one: the only key of everything that the relay stores."""

from collections.abc import Iterable

from aws_cdk import Aws
from aws_cdk.aws_iam import ArnPrincipal, PolicyStatement, ServicePrincipal
from aws_cdk.aws_kms import IKey, Key
from constructs import Construct

from .relay_settings import RelaySettings

USING = ["kms:Decrypt", "kms:GenerateDataKey"]
USING_BY_SERVICES = ["kms:Decrypt", "kms:GenerateDataKey*"]
"""From the guides of CloudWatch Logs and of Amazon SNS."""


class DataKey(Construct):
    """A new key, rotated."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: RelaySettings) -> None:
        super().__init__(scope, construct_id)
        self.key = Key(
            self,
            "Key",
            description="Personalize relay: stream, bucket, log and alarms",
            enable_key_rotation=True,
            # Without the key, nobody can read the data that it encrypted.
            removal_policy=settings.removal_policy,
        )


def using(key: IKey) -> PolicyStatement:
    """Allow the function, its event source mapping and its log to read and write encrypted data."""
    return PolicyStatement(actions=USING, resources=[key.key_arn])


def let_services_use(key: IKey) -> None:
    """Allow the services that act for themselves, not for the function, to use a key.

    The CDK doesn't change the policy of a key from outside the app.
    """
    key.add_to_resource_policy(_logging())
    key.add_to_resource_policy(_alarming())


def let_producers_use(key: IKey, producer_arns: Iterable[str]) -> None:
    """Allow whoever writes a record to encrypt it: Kinesis encrypts in the writer's name."""
    key.add_to_resource_policy(
        PolicyStatement(
            principals=[ArnPrincipal(arn) for arn in producer_arns],
            actions=["kms:GenerateDataKey"],
            resources=["*"],
            conditions={"StringEquals": {"kms:ViaService": f"kinesis.{Aws.REGION}.amazonaws.com"}},
        )
    )


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
