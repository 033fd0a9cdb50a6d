"""Whether a setting may change after the first deployment, and how."""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from .recorded import Texts


class Ruling(Enum):
    """Whether a deployment may change a setting."""

    FREE = auto()
    """The change does no harm."""
    CONFIRM = auto()
    """The change has a price, so whoever deploys must confirm it."""
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
"""Judges the change of a setting, by all settings as they are deployed and as they would be."""


@dataclass(frozen=True, slots=True)
class Later:
    """Whether a setting may change later, in a phrase; if that depends on the change, the judge decides."""

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
    """A line for each setting that differs."""
    if findings:
        yield "These settings differ from the deployed ones:"
    for each in findings:
        yield f"  {each.name}: {_shown(each.deployed)} -> {_shown(each.now)}"


def objections(findings: Sequence[Difference], confirmed: Container[str] = ()) -> Iterator[str]:
    """A sentence for each setting whose change isn't confirmed, or can't work."""
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
        sentences += ["The events will go to a new, empty dataset group: train on it before you use it."]
    if "datasetGroup" in deployed:
        sentences += [f"The old group will get no more events, and {_fate(deployed)}."]
    return _confirm(*sentences, "An export job and an import job move the old interactions.")


def _schema(deployed: Texts, now: Texts) -> Judgement:
    if deployed.get("datasetGroup") != now.get("datasetGroup"):
        return FREE
    return _never(
        "Personalize replaces neither the schema of an interactions dataset nor the domain of a group, and a group "
        "holds only one such dataset. Keep the deployed value, or set datasetGroup to another name, too."
    )


def _position(deployed: Texts, now: Texts) -> Judgement:
    if deployed.get("streamArn") != now.get("streamArn"):
        return FREE  # the other stream's mapping is a new one
    return _never(
        "CloudFormation would create a second event source mapping before it deletes the first, and Lambda refuses "
        "that. Keep the deployed value; `relay replay` reads older records again."
    )


def _stream(deployed: Texts, now: Texts) -> Judgement:
    sentences = ["Lambda will never read the records that are still unread in the old stream."]
    if "streamArn" not in deployed:
        sentences += [f"The old stream, which the stack created, {_fate(deployed)}."]
    return _confirm(*sentences, _TO_A_STREAM_THAT_IS_THERE if "streamArn" in now else _TO_ONE_OF_THE_STACK)


_TO_A_STREAM_THAT_IS_THERE = (
    "In the new stream, Lambda begins at startingPosition or at the oldest record. Move the producers to it, wait "
    "until `relay status` shows that nothing waits in the old one, then deploy."
)
_TO_ONE_OF_THE_STACK = (
    "This deployment creates the new stream, empty. Stop the producers, wait until `relay status` shows that nothing "
    "waits, deploy, and have them write to the stream that the output StreamName names."
)


def _stream_key(deployed: Texts, now: Texts) -> Judgement:
    if "streamKeyArn" not in deployed or deployed.get("streamArn") != now.get("streamArn"):
        return FREE
    return _confirm(
        "The function will lose its permission to decrypt with the old key, and a record that is encrypted with it "
        "would stop its shard. Have the stream use the new key, wait until the relay has read all older records, then "
        "deploy."
    )


def _customer_key(deployed: Texts, now: Texts) -> Judgement:
    if now.get("customerKey") == "true":
        return FREE if "streamArn" in now else _confirm(_WRITING_WITH_THE_KEY)
    return _confirm(
        f"The function will lose its permission to use the key, which {_fate(deployed)}: a record in the stream that "
        "is encrypted with it would stop its shard, and the objects in the bucket open only with it. Send again what "
        "`relay failed list` shows, stop the producers, wait until `relay status` shows that nothing waits, then "
        "deploy."
    )


_WRITING_WITH_THE_KEY = (
    "This deployment creates a key and encrypts the stream with it, and the writes of producers without "
    "kms:GenerateDataKey will fail. Grant your producers that beforehand on all keys of the account, on condition that "
    "kms:ViaService is Kinesis."
)


def _shadow(_deployed: Texts, now: Texts) -> Judgement:
    if now.get("shadow") != "true":
        return FREE
    return _confirm(
        "In shadow, the function acknowledges records and delivers none of their events, then or later. Use a separate "
        "stage for it, beside the one that delivers."
    )


def _vpc(deployed: Texts, now: Texts) -> Judgement:
    if (deployed.get("vpc"), now.get("vpc")) != ("true", "false"):
        return FREE
    return _never(
        "Lambda takes some twenty minutes to leave the network, and needs the role's permissions until then. Deploy "
        "with vpc=leaving first, and with vpc=false when the interfaces are gone."
    )


def _network(deployed: Texts, _now: Texts) -> Judgement:
    if deployed.get("vpc", "false") == "false":
        return FREE
    return _never(
        "Lambda takes some twenty minutes to leave a network, and CloudFormation would delete parts of it too early. "
        "Deploy with vpc=leaving, then with vpc=false when the interfaces are gone, then with the other network."
    )


def _fate(deployed: Texts) -> str:
    """What becomes of a resource that holds data when it leaves the stack, as the deployed template has it."""
    goes = "is deleted" if deployed.get("retainData") == "false" else "stays, outside the stack"
    return f"{goes} (retainData)"


_OTHER_GROUP = "only together with `datasetGroup`"
_OTHER_NETWORK = Later("after `vpc=leaving` and `vpc=false`", _network)

LATER = {
    "trackingId": YES,
    "trackingIdParameter": YES,
    "datasetGroup": Later("with CONFIRM: the new group is empty", _group),
    "datasetGroupDomain": Later(_OTHER_GROUP, _schema),
    "interactionFields": Later(_OTHER_GROUP, _schema),
    "allowedTrackingIds": YES,
    "streamArn": Later("with CONFIRM: Lambda stops reading the old stream", _stream),
    "streamKeyArn": Later("with CONFIRM, once no record waits that the old key encrypts", _stream_key),
    "streamShards": Later("yes, at most doubled or halved at a time"),
    "streamRetentionHours": Later("yes; if you lower it, older records are gone"),
    "producerArns": YES,
    "startingPosition": Later("only together with `streamArn`; `relay replay` reads older records again", _position),
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
    "mappingSalt": Later("yes; hashed ids become other ids"),
    "shadow": Later("to false; to true with CONFIRM: the relay stops delivering", _shadow),
    "logLevel": YES,
    "logRetention": YES,
    "vpc": Later("to true; to false after `leaving`", _vpc),
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
    "quarantineExpiryDays": Later("yes; if you lower it, older objects expire"),
    "customerKey": Later("with CONFIRM: producers need the key, and old data keeps it", _customer_key),
    "retainData": YES,
    "terminationProtection": YES,
}
"""By each setting's name."""
