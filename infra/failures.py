"""The bucket for undelivered events: the function's quarantine, and the batches that Lambda gives up."""

from aws_cdk import Duration
from aws_cdk.aws_iam import ArnPrincipal, Effect, IRole, PolicyStatement
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_s3 import BlockPublicAccess, Bucket, BucketEncryption, LifecycleRule, ObjectOwnership
from constructs import Construct

from .relay_settings import RelaySettings

ACCESS_LOG_EXPIRY_DAYS = 90
MAPPING_PREFIX = "aws/lambda/"
"""Where Lambda stores an on-failure record; nobody can set this."""


class FailureStore(Construct):
    """A closed bucket whose objects expire and whose every access is logged."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: RelaySettings, key: IKey | None) -> None:
        super().__init__(scope, construct_id)
        # The bucket's policy allows access logs, whatever the app's cdk.json says: a closed bucket has no ACL.
        self.node.set_context("@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy", value=True)
        # Without retention, a bucket that still holds objects stops `destroy`. To empty it, the CDK would add a
        # function that may delete everything.
        self._removal_policy = settings.removal_policy
        self.bucket = self._closed_bucket(
            "Bucket",
            expiry_days=settings.quarantine_expiry_days,
            # S3 can't write access logs to a bucket with a customer's key.
            access_logs=self._closed_bucket("AccessLogs", expiry_days=ACCESS_LOG_EXPIRY_DAYS),
            key=key,
        )

    def writing(self, *, prefix: str) -> list[PolicyStatement]:
        """Allow the function to write under its prefix, and its event source mapping to store what it gives up."""
        objects = [self.bucket.arn_for_objects(f"{under}*") for under in (prefix, MAPPING_PREFIX)]
        return [
            PolicyStatement(actions=["s3:PutObject"], resources=objects),
            # Lambda lists the destination to check it.
            PolicyStatement(actions=["s3:ListBucket"], resources=[self.bucket.bucket_arn]),
        ]

    def keep_from(self, role: IRole) -> None:
        """Forbid a role to read or delete objects, whatever else allows it."""
        self.bucket.add_to_resource_policy(
            PolicyStatement(
                effect=Effect.DENY,
                principals=[ArnPrincipal(role.role_arn)],
                actions=["s3:DeleteObject*", "s3:GetObject*"],
                resources=[self.bucket.arn_for_objects("*")],
            )
        )

    def _closed_bucket(
        self, construct_id: str, *, expiry_days: int, access_logs: Bucket | None = None, key: IKey | None = None
    ) -> Bucket:
        bucket = Bucket(
            self,
            construct_id,
            encryption=BucketEncryption.KMS if key else BucketEncryption.S3_MANAGED,
            encryption_key=key,
            # One data key for many objects, because each call of KMS costs.
            bucket_key_enabled=bool(key) or None,
            enforce_ssl=True,
            block_public_access=BlockPublicAccess.BLOCK_ALL,
            object_ownership=ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=[
                LifecycleRule(
                    expiration=Duration.days(expiry_days),
                    noncurrent_version_expiration=Duration.days(1),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            server_access_logs_bucket=access_logs,
            removal_policy=self._removal_policy,
        )
        if bucket.policy:
            # A bucket that outlives the stack stays closed.
            bucket.policy.apply_removal_policy(self._removal_policy)
        return bucket
