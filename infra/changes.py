"""What may become of a setting after the first deployment: whether it may change, and how."""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from .recorded import Texts


class Ruling(Enum):
    """Whether a deployment may change a setting."""

    FREE = auto()
    """Nothing speaks against it."""
    CONFIRM = auto()
    """It costs something that whoever deploys must want."""
    NEVER = auto()
    """The deployment would fail, and the sentence names the way that works."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that differs from the deployed one, with what that does; None is a setting without a value."""

    name: str
    deployed: str | None
    now: str | None
    verdict: Ruling = Ruling.FREE
    sentence: str = ""


type Judgement = tuple[Ruling, str]
type Judge = Callable[[Texts, Texts], Judgement]
"""What a change of a setting does, by all settings as they are deployed and as they would be."""


@dataclass(frozen=True, slots=True)
class Later:
    """Whether a setting may change later, in a phrase; the judge knows when, where it isn't always so."""

    says: str
    judge: Judge | None = None


FREE: Judgement = (Ruling.FREE, "")
YES = Later("yes")


def compare(deployed: Texts, now: Texts) -> Iterator[Difference]:
    """A finding for each setting that differs; a setting that this version doesn't know may go."""
    for name in [*LATER, *sorted(deployed.keys() - LATER.keys())]:
        if deployed.get(name) != now.get(name):
            judge = LATER.get(name, YES).judge
            verdict, sentence = judge(deployed, now) if judge else FREE
            yield Difference(name, deployed.get(name), now.get(name), verdict, sentence)


def differences(findings: Sequence[Difference]) -> Iterator[str]:
    """What differs, a line for each setting."""
    if findings:
        yield "These settings differ from the deployed ones:"
    for each in findings:
        yield f"  {each.name}: {_shown(each.deployed)} -> {_shown(each.now)}"


def objections(findings: Sequence[Difference], confirmed: Container[str] = ()) -> Iterator[str]:
    """What speaks against a deployment, a sentence for each setting whose change isn't confirmed, or can't be."""
    for each in findings:
        if each.verdict is Ruling.NEVER:
            yield f"{each.name} can't be changed like this. {each.sentence}"
        elif each.verdict is Ruling.CONFIRM and each.name not in confirmed:
            yield f"{each.name} is changed only with CONFIRM={each.name} (several with commas). {each.sentence}"


def _shown(text: str | None) -> str:
    return "not set" if text is None else text


def _confirm(*sentences: str) -> Judgement:
    return Ruling.CONFIRM, " ".join(sentences)


def _never(sentence: str) -> Judgement:
    return Ruling.NEVER, sentence


def _group(deployed: Texts, now: Texts) -> Judgement:
    sentences = []
    if "datasetGroup" in now:
        sentences += ["The events go to a new dataset group, which begins empty: train on it before it recommends."]
    if "datasetGroup" in deployed:
        sentences += [f"The group of before gets no more events, and {_fate(deployed)}."]
    return _confirm(*sentences, "An export job and an import job move what was recorded.")


def _schema(deployed: Texts, now: Texts) -> Judgement:
    if deployed.get("datasetGroup") != now.get("datasetGroup"):
        return FREE
    return _never(
        "Personalize replaces neither the schema of an interactions dataset nor the domain of a group, and a group "
        "holds one such dataset. Leave it as it is deployed, or give the group another name (datasetGroup) with it."
    )


def _position(deployed: Texts, now: Texts) -> Judgement:
    if deployed.get("streamArn") != now.get("streamArn"):
        return FREE  # the other stream's mapping is a new one
    return _never(
        "CloudFormation would make a second mapping of the stream to the function before it deletes the first, which "
        "Lambda refuses. Leave it as it is deployed; `relay replay` reads older records again."
    )


def _stream(deployed: Texts, now: Texts) -> Judgement:
    sentences = ["What the mapping hasn't read of the old stream, it never reads."]
    if "streamArn" not in deployed:
        sentences += [f"That stream, which is the stack's own, {_fate(deployed)}."]
    return _confirm(*sentences, _TO_A_STREAM_THAT_IS_THERE if "streamArn" in now else _TO_ONE_OF_THE_STACK)


_TO_A_STREAM_THAT_IS_THERE = (
    "In the new one it begins at startingPosition, or at the oldest record. Move the producers to it, wait until "
    "`relay status` shows that nothing waits, then deploy."
)
_TO_ONE_OF_THE_STACK = (
    "The new one is made by this deployment, and empty. Stop the producers, wait until `relay status` shows that "
    "nothing waits, deploy, and let them write to the stack's StreamName."
)


def _stream_key(deployed: Texts, now: Texts) -> Judgement:
    if "streamKeyArn" not in deployed or deployed.get("streamArn") != now.get("streamArn"):
        return FREE
    return _confirm(
        "The function may then no longer decrypt with the old key: a record in the stream that is encrypted with it "
        "stops its shard. Have the stream encrypt with the new one, wait until no record of before waits, then deploy."
    )


def _customer_key(deployed: Texts, now: Texts) -> Judgement:
    if now.get("customerKey") == "true":
        return FREE if "streamArn" in now else _confirm(_WRITING_WITH_THE_KEY)
    return _confirm(
        f"The function may then no longer use the key, which {_fate(deployed)}: a record that lies encrypted in the "
        "stream stops its shard, and what lies in the bucket opens only with the key. Send again what `relay failed "
        "list` shows, stop the producers, wait until `relay status` shows that nothing waits, then deploy."
    )


_WRITING_WITH_THE_KEY = (
    "The stream is then encrypted with a key that this deployment makes, and writes fail of a producer that may not "
    "kms:GenerateDataKey with it. Allow your producers that on the account's keys beforehand, on condition that "
    "kms:ViaService is Kinesis."
)


def _shadow(_deployed: Texts, now: Texts) -> Judgement:
    if now.get("shadow") != "true":
        return FREE
    return _confirm(
        "In shadow the records are acknowledged and none of their events is delivered, then or later. It is for a "
        "stack of a stage of its own, beside the one that delivers."
    )


def _vpc(deployed: Texts, now: Texts) -> Judgement:
    if (deployed.get("vpc"), now.get("vpc")) != ("true", "false"):
        return FREE
    return _never(
        "Lambda takes some twenty minutes to leave the network, and needs the role's permission for it all the time. "
        "Deploy with vpc=leaving first, and with vpc=false when the interfaces are gone."
    )


def _network(deployed: Texts, _now: Texts) -> Judgement:
    if deployed.get("vpc", "false") == "false":
        return FREE
    return _never(
        "Lambda takes some twenty minutes to leave a network, and CloudFormation would delete parts of it before. "
        "Deploy with vpc=leaving, then with vpc=false when the interfaces are gone, then with the other network."
    )


def _fate(deployed: Texts) -> str:
    """What becomes of a resource that holds data when it leaves the stack: the deployed template says so."""
    goes = "is deleted" if deployed.get("retainData") == "false" else "stays, outside of the stack"
    return f"{goes} (retainData)"


_OTHER_GROUP = "no, but with another `datasetGroup`"
_OTHER_NETWORK = Later("by way of `vpc=leaving` and `vpc=false`", _network)

LATER = {
    "trackingId": YES,
    "trackingIdParameter": YES,
    "datasetGroup": Later("with CONFIRM: a new group begins empty", _group),
    "datasetGroupDomain": Later(_OTHER_GROUP, _schema),
    "interactionFields": Later(_OTHER_GROUP, _schema),
    "allowedTrackingIds": YES,
    "streamArn": Later("with CONFIRM: the old stream is read no further", _stream),
    "streamKeyArn": Later("with CONFIRM, once nothing waits that the old key encrypted", _stream_key),
    "streamShards": Later("yes, to double or half at a time"),
    "streamRetentionHours": Later("yes; where it falls, what is older is gone"),
    "producerArns": YES,
    "startingPosition": Later("no, but with another `streamArn`; `relay replay` reads older records again", _position),
    "batchSize": YES,
    "batchWindowSeconds": YES,
    "parallelization": YES,
    "maxRecordAgeMinutes": YES,
    "bisectOnError": YES,
    "memoryMb": YES,
    "timeoutSeconds": YES,
    "architecture": YES,
    "reservedConcurrency": YES,
    "maxInFlight": YES,
    "putEventsClient": YES,
    "mapping": YES,
    "mappingSalt": Later("yes; what it hashed becomes another id"),
    "shadow": Later("to false; to true with CONFIRM: nothing is delivered", _shadow),
    "logLevel": YES,
    "logRetention": YES,
    "vpc": Later("to true; to false by way of `leaving`", _vpc),
    "vpcZones": _OTHER_NETWORK,
    "vpcCidr": _OTHER_NETWORK,
    "vpcId": _OTHER_NETWORK,
    "vpcSubnetIds": _OTHER_NETWORK,
    "silenceMinutes": YES,
    "freshnessMinutes": YES,
    "pageTopicArn": YES,
    "ticketTopicArn": YES,
    "alarmEmail": YES,
    "runbookUrl": YES,
    "quarantineExpiryDays": Later("yes; where it falls, older objects expire"),
    "customerKey": Later("with CONFIRM: for producers, and for what lies encrypted", _customer_key),
    "retainData": YES,
    "terminationProtection": YES,
}
"""By each setting's name."""
