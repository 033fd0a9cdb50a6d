"""The buckets are closed, and nothing stays in them for ever."""

from aws_cdk.assertions import Match, Template

from tests.infra.conftest import Synthesize
from tests.infra.templates import arn, only, under


def test_every_bucket_is_closed(prod: Template) -> None:
    """Encrypted, private, without ACLs, versioned, and cleaned up: the bucket and the log of its accesses."""
    prod.all_resources_properties(
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "VersioningConfiguration": {"Status": "Enabled"},
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Status": "Enabled",
                        "ExpirationInDays": Match.any_value(),
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                    }
                ]
            },
        },
    )


def test_every_bucket_refuses_plain_http(prod: Template) -> None:
    """Each bucket has a policy that denies whatever comes without TLS."""
    policies = prod.find_resources("AWS::S3::BucketPolicy").values()
    assert {body["Properties"]["Bucket"]["Ref"] for body in policies} == prod.find_resources("AWS::S3::Bucket").keys()
    for body in policies:
        name = body["Properties"]["Bucket"]["Ref"]
        assert {
            "Action": "s3:*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Resource": [arn(name), under(name, "/*")],
        } in body["Properties"]["PolicyDocument"]["Statement"]


def test_quarantine_expires(synthesize: Synthesize) -> None:
    """Objects of the bucket that is logged live as long as the setting says."""
    template = synthesize(stage="dev", quarantineExpiryDays="7")
    _, body = only(template, "AWS::S3::Bucket", {"LoggingConfiguration": Match.any_value()})
    assert [rule["ExpirationInDays"] for rule in body["Properties"]["LifecycleConfiguration"]["Rules"]] == [7]
