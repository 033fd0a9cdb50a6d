"""Streams of other accounts: the permissions that their owners must grant, and where synth knows the stack to be."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from .arns import Arn
from .refusal import InvalidSetting, invalid
from .regions import REGIONS, WITH_TRACKERS
from .settings import StackSettings

READING = (
    *("kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator"),
    "kinesis:ListShards",
)
"""What the event source mapping does with a stream."""
DECRYPTING = ("kms:Decrypt",)
"""What the event source mapping does with the key of a stream."""
_KEPT_OF_A_NAME = 24
"""The characters of a stack's name that CloudFormation keeps, at least, in the names that it makes."""


@dataclass(frozen=True, slots=True)
class Home:
    """The account and the region that the stack goes to; None if synth doesn't know them."""

    account: str | None = None
    region: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Take them from the CDK command, which passes those of its credentials."""
        return cls(environ.get("CDK_DEFAULT_ACCOUNT") or None, environ.get("CDK_DEFAULT_REGION") or None)

    def check(self, settings: StackSettings) -> None:
        """Raise InvalidSetting for a setting that AWS refuses in that region or account."""
        self._check_region(settings)
        arn = settings.stream_arn
        if arn and self.region and Arn.of(arn).region != self.region:
            rule = f"of the region that is deployed to, {self.region}: Lambda reads no stream of another region"
            raise invalid("streamArn", rule, arn, settings.stage)
        for producer in settings.producer_arns:
            if self.is_elsewhere(producer) and not settings.customer_key:
                rule = "of this account, or customerKey be true: no other account may use AWS's own key for Kinesis"
                raise invalid("producerArns", rule, producer, settings.stage)

    def _check_region(self, settings: StackSettings) -> None:
        if self.region and self.region not in REGIONS:
            raise InvalidSetting(
                f"the region that is deployed to, {self.region}, has no Amazon Personalize: choose one of "
                f"{', '.join(REGIONS)}, by AWS_REGION or your profile"
            )
        if self.region and self.region not in WITH_TRACKERS and settings.dataset_group:
            rule = f"left out in {self.region}, where CloudFormation makes no event tracker (set trackingId)"
            raise invalid("datasetGroup", rule, settings.dataset_group, settings.stage)

    def is_elsewhere(self, arn: str | None) -> bool:
        """Whether a resource is known to be another account's."""
        return bool(arn and self.account and Arn.of(arn).account != self.account)


def asked_of_owners(settings: StackSettings, home: Home, *, stack: str) -> Iterator[str]:
    """A sentence for each owner in another account, with the policy that the owner must attach."""
    stream, key = settings.stream_arn, settings.stream_key_arn
    if not stream:
        return
    reader = f"arn:{Arn.of(stream).partition}:iam::{home.account}"
    if home.is_elsewhere(stream):
        policy = {"Version": "2012-10-17", "Statement": [_allowing(reader, stack, READING, stream)]}
        yield (
            f"streamArn is a stream of account {Arn.of(stream).account}, whose owner must let this stack read it "
            f"before you deploy: aws kinesis put-resource-policy --resource-arn {stream} "
            f"--policy '{json.dumps(policy)}' (this replaces any policy that the stream has)."
        )
    if key and home.is_elsewhere(key):
        # In a key's policy the resource is always the key itself.
        statement = _allowing(reader, stack, DECRYPTING, "*")
        yield (
            f"streamKeyArn is a key of account {Arn.of(key).account}, whose owner must add a statement to the key's "
            f"policy before you deploy: {json.dumps(statement)}"
        )


def _allowing(reader: str, stack: str, actions: Sequence[str], resource: str) -> dict[str, Any]:
    """A statement for the function's role by the beginning of its name.

    The statement must hold before the role exists, because one deployment creates both the role and the event source
    mapping; and no policy may name a principal that doesn't exist.
    """
    return {
        "Sid": "PersonalizeRelay",
        "Effect": "Allow",
        "Principal": {"AWS": f"{reader}:root"},
        "Action": list(actions),
        "Resource": resource,
        "Condition": {"ArnLike": {"aws:PrincipalArn": f"{reader}:role/{f'{stack}-'[:_KEPT_OF_A_NAME]}*"}},
    }
