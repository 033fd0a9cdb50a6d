"""What an operator would check of a deployment, in order: its stack, its parts, and what became of the last events."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from personalize_relay_cli.health.audience import pages, tickets
from personalize_relay_cli.health.deployed import Deployed
from personalize_relay_cli.health.diagnosis import Check, Finding, State, absent, code, ok, unknown, wrong
from personalize_relay_cli.health.patience import retention, retries, start
from personalize_relay_cli.health.permissions import Need, allowance
from personalize_relay_cli.health.workings import alarms, arrivals, batches, members
from personalize_relay_cli.problems import Problem

REPORTING = "ReportBatchItemFailures"
DEPLOY_AGAIN = "deploy the stage again, which puts it right"
MAPPING_PREFIX = "aws/lambda/"
"""Where Lambda stores what the mapping gives up."""
_AT_REST = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_NOT_HERE = "is it the right --stage, region and account?"


def credentials(deployed: Deployed) -> Iterator[Finding]:
    """Whose they are, and the region; never the key."""
    name = "credentials"
    try:
        account, region = deployed.identity["Account"], deployed.region
    except Problem as exc:
        yield wrong(name, str(exc), "all else needs them")
        return
    yield ok(name, f"of account {account}, region {region}")


def stack(deployed: Deployed) -> Iterator[Finding]:
    """Deployed, and at rest."""
    name = "stack"
    try:
        status = str(deployed.stack["StackStatus"])
    except Problem as exc:
        if code(exc) != "ValidationError":  # CloudFormation has no code of its own for it
            raise
        yield wrong(name, f"{deployed.deployment.stack} is not there", _NOT_HERE)
        return
    if status in _AT_REST:
        yield ok(name, f"{deployed.deployment.stack}, {status}")
    elif status.endswith("_IN_PROGRESS"):
        yield unknown(name, f"{status}: it is being changed", "look again when that is over")
    else:
        yield wrong(name, status, "the last deployment failed: its events in CloudFormation say why")


def stream(deployed: Deployed) -> Iterator[Finding]:
    """There, and active."""
    try:
        seen = deployed.stream
    except Problem as exc:
        yield _absent(exc, "stream", f"the stream {deployed.output('StreamName')} is not there")
        return
    mode = seen.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
    encryption = seen.get("EncryptionType", "NONE")
    encrypted = "not encrypted" if encryption == "NONE" else f"encrypted by {encryption}"
    says = f"{seen['StreamStatus']}, {mode}, {seen['OpenShardCount']} shards, {encrypted}"
    if seen["StreamStatus"] in {"ACTIVE", "UPDATING"}:
        yield ok("stream", says)
    else:
        yield wrong("stream", says, "nothing can be put on it until it is ACTIVE")


def mapping(deployed: Deployed) -> Iterator[Finding]:
    """Enabled, and set up as the relay needs it: a line for each setting that would lose or repeat events."""
    try:
        seen = deployed.mapping
    except Problem as exc:
        yield _absent(exc, "mapping", "the event source mapping is not there: nothing reads the stream")
        return
    yield _mapping_state(seen)
    yield from start(deployed)
    if REPORTING in seen.get("FunctionResponseTypes", ()):
        yield ok("partial batches", f"{REPORTING} is set")
    else:
        # It takes any answer for success then, and goes on after what the function reports as failed.
        yield wrong("partial batches", f"the mapping lacks {REPORTING}: failed records are lost", DEPLOY_AGAIN)
    destination = seen.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        yield ok("on-failure destination", str(destination))
    else:
        yield wrong("on-failure destination", "there is none: what is given up is lost", DEPLOY_AGAIN)
    if seen.get("BisectBatchOnFunctionError"):
        yield ok("bisect", "a batch whose invocation failed is halved")
    else:
        yield wrong(
            "bisect",
            "off: one record that crashes the function takes its whole batch along",
            "set bisectOnError to true, and deploy",
        )


def function(deployed: Deployed) -> Iterator[Finding]:
    """Active, its last update through."""
    try:
        seen = deployed.function
    except Problem as exc:
        yield _absent(exc, "function", "the function is not there")
        return
    state, update = seen.get("State", "Active"), seen.get("LastUpdateStatus", "Successful")
    if (state, update) == ("Active", "Successful"):
        yield ok("function", f"{state}, {seen['Runtime']}, {seen['MemorySize']} MB, {seen['Timeout']} s")
    elif update == "InProgress" or state in {"Pending", "Inactive"}:
        yield unknown("function", f"{state}, its last update {update}", "look again in a minute")
    else:
        reason = seen.get("StateReasonCode") or seen.get("LastUpdateStatusReasonCode") or "no reason given"
        yield wrong("function", f"{state}, its last update {update}: {reason}", DEPLOY_AGAIN)


def version(deployed: Deployed) -> Iterator[Finding]:
    """The one that is live, and whether it is the newest."""
    seen = deployed.versions
    if seen.live == seen.newest:
        yield ok("version", f"{seen.live}, the newest")
    else:
        says = f"{seen.live}: rolled back, as version {seen.newest.number} is newer"
        yield Finding("version", State.OK, says, "the next deployment that changes the function moves it on")


def settings(deployed: Deployed) -> Iterator[Finding]:
    """The environment, read as the function reads it when it starts."""
    _ = deployed.function
    try:
        seen = deployed.settings
    except Problem as exc:
        yield wrong("settings", str(exc), DEPLOY_AGAIN)
        return
    says = f"tracker {seen.tracking_id}, client {seen.put_events_client}, log level {seen.log_level}"
    mapped = f", mapping {seen.mapping}" if seen.mapping else ""
    shadowed = ", in shadow: nothing is delivered or quarantined" if seen.shadow else ""
    yield ok("settings", says + mapped + shadowed)


def bucket(deployed: Deployed) -> Iterator[Finding]:
    """The function's bucket can be reached, and is the stack's."""
    name, made = deployed.settings.quarantine_bucket, deployed.output("BucketName")
    try:
        deployed.ask("s3", "list_objects_v2", Bucket=name, MaxKeys=1)
    except Problem as exc:
        yield _absent(exc, "bucket", f"QUARANTINE_BUCKET names {name}, which is not there: bad records block shards")
        return
    if name == made:
        yield ok("bucket", name)
    else:
        yield wrong("bucket", f"QUARANTINE_BUCKET names {name}, and the stack's is {made}", DEPLOY_AGAIN)


def tracker(deployed: Deployed) -> Iterator[Finding]:
    """Each tracker that the function may send to is known here, and active."""
    wanted = (deployed.settings.tracking_id, *deployed.settings.allowed_tracking_ids)
    known = {each["trackingId"]: str(each["status"]) for each in deployed.trackers}
    where = f"account {deployed.identity['Account']} in {deployed.region}"
    for tracking_id in wanted:
        status = known.get(tracking_id)
        if status == "ACTIVE":
            yield ok("tracker", f"{tracking_id}, ACTIVE, of {where}")
        elif status is None:
            yield wrong("tracker", f"{tracking_id} is no event tracker of {where}", "deploy with the right trackingId")
        else:
            yield wrong("tracker", f"{tracking_id} is {status}", "it takes no event until it is ACTIVE")


def role(deployed: Deployed) -> Iterator[Finding]:
    """The role may do what the function and its mapping do."""
    settings, stored = deployed.settings, deployed.output("BucketName")
    needs = [
        Need("personalize:PutEvents"),
        Need("s3:PutObject", f"arn:aws:s3:::{settings.quarantine_bucket}/{settings.quarantine_prefix}checked"),
        Need("s3:PutObject", f"arn:aws:s3:::{stored}/{MAPPING_PREFIX}checked"),
        Need("kinesis:GetRecords", str(deployed.mapping["EventSourceArn"])),
    ]
    try:
        found = allowance(deployed.client("iam"), str(deployed.function["Role"]), needs)
    except Problem as exc:
        yield _absent(exc, "role", "the function's role is not there")
        return
    for need in found.lacking:
        yield wrong("role", f"it may not {need.action} on {need.resource} ({found.by})", DEPLOY_AGAIN)
    if not found.lacking:
        yield ok("role", f"may {', '.join(dict.fromkeys(need.action for need in needs))} ({found.by})")


CHECKS: Iterable[tuple[str, Check[Deployed]]] = (
    ("credentials", credentials),
    ("stack", stack),
    ("stream", stream),
    ("mapping", mapping),
    ("retries", retries),
    ("retention", retention),
    ("function", function),
    ("version", version),
    ("settings", settings),
    ("bucket", bucket),
    ("tracker", tracker),
    ("role", role),
    ("arrivals", arrivals),
    ("last batch", batches),
    ("members", members),
    ("alarms", alarms),
    ("pages", pages),
    ("tickets", tickets),
)
"""Each check, and the name that stands for it where it can't be made."""


def _mapping_state(seen: Mapping[str, Any]) -> Finding:
    state, last = str(seen["State"]), str(seen.get("LastProcessingResult") or "none")
    if state in {"Disabling", "Disabled"}:
        return wrong(
            "mapping",
            f"{state}: nothing is read from the stream",
            f"aws lambda update-event-source-mapping --enabled --uuid {seen['UUID']}",
        )
    if state != "Enabled":
        return unknown("mapping", f"{state}: it is being changed", "look again in a minute")
    if last.startswith("PROBLEM"):
        return wrong("mapping", f"Enabled, last result: {last}", "see the last batch below, and the function's log")
    return ok("mapping", f"Enabled, last result: {last}")


def _absent(problem: Problem, check: str, says: str) -> Finding:
    """What the Problem says of a part of the stack; raised again where it is another matter."""
    if not absent(problem):
        raise problem
    return wrong(check, says, DEPLOY_AGAIN)
