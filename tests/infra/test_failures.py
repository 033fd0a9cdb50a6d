"""The buckets are closed, and nothing stays in them for ever."""

from aws_cdk.assertions import Match, Template

from infra.failures import MAPPING_PREFIX
from personalize_relay_cli.recovery.stored import ON_FAILURE
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


def test_the_function_can_neither_read_nor_delete_what_was_stored(prod: Template) -> None:
    """Whatever its role is granted one day."""
    role, _ = only(prod, "AWS::IAM::Role")
    name, _ = only(prod, "AWS::S3::Bucket", {"LoggingConfiguration": Match.any_value()})
    _, policy = only(prod, "AWS::S3::BucketPolicy", {"Bucket": {"Ref": name}})
    assert {
        "Action": ["s3:DeleteObject*", "s3:GetObject*"],
        "Effect": "Deny",
        "Principal": {"AWS": arn(role)},
        "Resource": under(name, "/*"),
    } in policy["Properties"]["PolicyDocument"]["Statement"]


def test_a_customers_key_encrypts_all_that_is_stored(synthesize: Synthesize) -> None:
    """One key, rotated, for the stream, the bucket, the log and the function's settings."""
    template = synthesize(stage="prod", customerKey="true")
    key, body = only(template, "AWS::KMS::Key", {"EnableKeyRotation": True})
    assert body["DeletionPolicy"] == "RetainExceptOnCreate"
    template.has_resource_properties("AWS::Kinesis::Stream", {"StreamEncryption": {"KeyId": arn(key)}})
    template.has_resource_properties("AWS::Logs::LogGroup", {"KmsKeyId": arn(key)})
    template.has_resource_properties("AWS::Lambda::Function", {"KmsKeyArn": arn(key)})
    _, bucket = only(template, "AWS::S3::Bucket", {"LoggingConfiguration": Match.any_value()})
    (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn(key)}
    _, role = only(template, "AWS::IAM::Role")
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    granted = [each["Action"] for each in statements if each["Resource"] == arn(key)]
    assert granted == [["kms:Decrypt", "kms:GenerateDataKey"]]


def test_a_customers_key_may_be_used_by_whom_no_role_stands_for(synthesize: Synthesize) -> None:
    """The account's logs, those of the network included, and its alarms; all others use it in a role's name."""
    template = synthesize(stage="prod", customerKey="true", vpc="true")
    name, key = only(template, "AWS::KMS::Key")
    logs = template.find_resources("AWS::Logs::LogGroup").values()
    assert [body["Properties"]["KmsKeyId"] for body in logs] == [arn(name)] * 2
    owner, logging, alarming = key["Properties"]["KeyPolicy"]["Statement"]
    assert owner["Principal"]["AWS"]["Fn::Join"][1][-1] == ":root"
    assert logging["Principal"] == {"Service": {"Fn::Join": ["", ["logs.", {"Ref": "AWS::Region"}, ".amazonaws.com"]]}}
    assert {"kms:Decrypt", "kms:GenerateDataKey*"} <= set(logging["Action"])
    ((_, groups),) = logging["Condition"]["ArnLike"].items()
    assert groups["Fn::Join"][1][-2:] == [{"Ref": "AWS::AccountId"}, ":log-group:*"]
    assert alarming["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarming["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert alarming["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_command_looks_where_the_mapping_stores() -> None:
    assert MAPPING_PREFIX == ON_FAILURE
