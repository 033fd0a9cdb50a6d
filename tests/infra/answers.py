"""What the checkers find that aren't asked at each synth, and a person's answer to it.

`infra/audit.py` has the answers to those that are. A finding without an answer fails `make verify`, and so does an
answer to nothing.
"""

from fnmatch import fnmatchcase
from typing import NamedTuple


class Answer(NamedTuple):
    """Why a finding stays."""

    rules: tuple[str, ...]
    """The last part of a rule's name in cdk-nag's packs, which share them, or the id of checkov's."""
    found_at: tuple[str, ...]
    """The constructs, or for checkov the logical ids, each with its number left out; `*` stands for anything."""
    reason: str

    def is_of(self, rule: str, place: str) -> bool:
        """Whether it answers a finding."""
        return rule in self.rules and any(fnmatchcase(place, pattern) for pattern in self.found_at)


ANSWERS = (
    Answer(
        ("CloudWatchAlarmAction",),
        ("Alarms/*",),
        "One cause sets off several of the pages: they act as one, by the composite alarm `Page`.",
    ),
    Answer(
        ("CloudWatchLogGroupEncrypted", "S3DefaultEncryptionKMS", "SNSEncryptedKMS"),
        ("Consumer/Log/*", "Failures/*", "Alarms/*"),
        "`customerKey` is the setting for it. No log and no alarm holds anything of a record, and the logs of accesses "
        "take no key of a customer's.",
    ),
    Answer(
        ("CKV_AWS_158", "CKV_AWS_173", "CKV_AWS_26"),
        ("ConsumerLog*", "ConsumerFunction*", "Alarms*"),
        "`customerKey` is the setting for it.",
    ),
    Answer(
        ("IAMNoInlinePolicy",),
        ("Consumer/Role/*", "Network/Vpc/Flows/IAMRole/*"),
        "Inline, a role's rights are there before what checks them and go with it: nobody else can attach them.",
    ),
    Answer(
        ("LambdaConcurrency", "CKV_AWS_115"),
        ("Consumer/Function/*", "ConsumerFunction*"),
        "`reservedConcurrency` is the setting for it. A number that fits no stream would throttle it, or take "
        "concurrency from the account's other functions.",
    ),
    Answer(
        ("LambdaDLQ", "CKV_AWS_116"),
        ("Consumer/Function/*", "ConsumerFunction*"),
        "A dead letter queue is for asynchronous invocations, and nothing makes any: what the mapping gives up goes to "
        "its on-failure destination, whole.",
    ),
    Answer(
        ("LambdaInsideVPC", "CKV_AWS_117"),
        ("Consumer/Function/*", "ConsumerFunction*"),
        "`vpc` is the setting for it.",
    ),
    Answer(
        ("S3BucketReplicationEnabled",),
        ("Failures/*",),
        "What the bucket holds expires after some weeks, and is of use only beside the stream of its region.",
    ),
    Answer(("CKV_AWS_18",), ("FailuresAccessLogs*",), "It holds the log of accesses: its own would have no end."),
    Answer(
        ("CKV_AWS_111",),
        ("ConsumerRole*",),
        "The actions on network interfaces, PutEvents and X-Ray's take no resource.",
    ),
    Answer(
        ("VPCDefaultSecurityGroupClosed",),
        ("Network/Vpc/*",),
        "Nothing is in that group; to empty it the CDK would bring a function of its own with rights to.",
    ),
)
