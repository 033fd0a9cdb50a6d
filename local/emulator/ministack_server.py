"""Serves ministack (1.5.33), corrected where the relay's stack needs more.

- Its Kinesis poller ignores `batchItemFailures`, bisecting, retries and destinations, and silently drops failed
  records. We switch it off, and `local.mapping.mapping` reads the streams instead.
- Its CloudFormation refuses composite alarms, alarms on metric math, all of Personalize, and two parts of a network. We
  accept these and make nothing: their physical ids begin with NOT_EMULATED, so that whoever deploys can tell. An update
  changes nothing either, where AWS would replace a resource of Personalize.
- Its CloudFormation gives a function neither its network, which changes nothing here, nor its reserved concurrency.
- Its alarms look at every metric of a name; now they look only at the one with the alarm's dimensions.
- It deletes a bucket with its objects. Now, as on AWS, a bucket that isn't empty stops the deletion of its stack.
- `local.emulator.sandboxes` corrects its sandboxes; `local.emulator.emulated_kinesis` and `local.emulator.resharding`
  correct its Kinesis.

The emulator has no settings for these.
"""

import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from ministack.app import main  # type: ignore[import-untyped]  # it ships no types
from ministack.services import cloudwatch, lambda_svc, s3  # type: ignore[import-untyped]  # the same
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]  # the same

NOT_EMULATED = "not-emulated-"
"""The same as in local.emulator, which this file can't import."""

PERSONALIZE = {
    "DatasetGroup": ["DatasetGroupArn"],
    "Schema": ["SchemaArn"],
    "Dataset": ["DatasetArn"],
    "EventTracker": ["EventTrackerArn", "TrackingId"],
}
"""The kinds of Personalize's resources that the stack creates, with the attributes that a template may read."""

type HandlerEvent = dict[str, Any]
type Properties = dict[str, Any]
type MadeEnvironment = tuple[str, dict[str, str]]


def _leave_streams_alone() -> bool:
    return False


def _accept(logical_id: str, _properties: Properties, stack: str) -> MadeEnvironment:
    """Make nothing; return a physical id, and the ARN by which others refer to an alarm."""
    name = f"{NOT_EMULATED}{stack}-{logical_id}"
    return name, {"Arn": f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}"}


def _accepting_personalize(attributes: list[str]) -> HandlerEvent:
    """A handler for a kind with these attributes, each of them an ARN or the physical id."""

    def create(logical_id: str, _properties: Properties, stack: str) -> MadeEnvironment:
        name = f"{NOT_EMULATED}{stack}-{logical_id}"
        arn = f"arn:aws:personalize:us-east-1:000000000000:{name}"
        return name, {each: arn if each.endswith("Arn") else name for each in attributes}

    return {"create": create, "delete": _forget}


def _forget(_physical_id: str, _properties: Properties) -> None:
    pass


def _accepting_metric_math(alarm: HandlerEvent) -> HandlerEvent:
    """The handler of alarms, which accepts the ones that ministack refuses."""

    def create(logical_id: str, properties: Properties, stack: str) -> object:
        return (_accept if "Metrics" in properties else alarm["create"])(logical_id, properties, stack)

    def update(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> object:
        if "Metrics" in old or "Metrics" in new:
            # If the kind of alarm changes, so does the physical id, and the caller deletes the old alarm.
            return create(logical_id, new, stack)
        return alarm["update"](physical_id, old, new, stack, logical_id)

    def delete(physical_id: str, properties: Properties) -> None:
        (_forget if "Metrics" in properties else alarm["delete"])(physical_id, properties)

    return alarm | {"create": create, "update": update, "delete": delete}


def _with_network_and_concurrency(function: HandlerEvent) -> HandlerEvent:
    """The handler of functions, which also sets these two, as the template has them or no longer has them."""

    def complete(name: str, properties: Properties) -> None:
        made = lambda_svc._functions[name]  # noqa: SLF001 -- what the API itself changes
        made["config"]["VpcConfig"] = lambda_svc._vpc_config_with_id(properties.get("VpcConfig"))  # noqa: SLF001
        reserved = properties.get("ReservedConcurrentExecutions")
        made["concurrency"] = None if reserved is None else int(reserved)

    def create(logical_id: str, properties: Properties, stack: str) -> MadeEnvironment:
        made: MadeEnvironment = function["create"](logical_id, properties, stack)
        complete(made[0], properties)
        return made

    def update(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> MadeEnvironment:
        made: MadeEnvironment = function["update"](physical_id, old, new, stack, logical_id)
        complete(made[0], new)
        return made

    return function | {"create": create, "update": update}


def _by_its_dimensions(evaluate: Callable[[Properties], None]) -> Callable[[Properties], None]:
    """The evaluation of an alarm, which sees only the alarm's own metric."""

    def evaluated(alarm: Properties) -> None:
        own = {each["Name"]: each["Value"] for each in alarm.get("Dimensions", [])}
        every = cloudwatch._metrics  # noqa: SLF001 -- the evaluation reads nothing else
        cloudwatch._metrics = {  # noqa: SLF001
            key: points for key, points in every.items() if points and points[0]["Dimensions"] == own
        }
        try:
            evaluate(alarm)
        finally:
            cloudwatch._metrics = every  # noqa: SLF001

    return evaluated


def _keeping_full_buckets(bucket: HandlerEvent) -> HandlerEvent:
    """The handler of buckets, which deletes no bucket that S3 would refuse to delete."""

    def delete(name: str, properties: Properties) -> None:
        status, _headers, _body = s3._delete_bucket(name)  # noqa: SLF001 -- the service's own check and deletion
        if status == HTTPStatus.CONFLICT:
            raise ValueError("The bucket you tried to delete is not empty")
        bucket["delete"](name, properties)

    return bucket | {"delete": delete}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))  # no name there is also the emulator's
    from local.emulator import emulated_kinesis, resharding, sandboxes

    emulated_kinesis.mend()
    resharding.mend()
    sandboxes.mend()
    lambda_svc._poll_kinesis = _leave_streams_alone  # noqa: SLF001 -- the only place where the poller can be cut off
    cloudwatch._evaluate_alarm = _by_its_dimensions(cloudwatch._evaluate_alarm)  # noqa: SLF001 -- it has no other door
    handlers = provisioners._RESOURCE_HANDLERS  # noqa: SLF001 -- the only place where a resource can be accepted
    for kind in ("CloudWatch::CompositeAlarm", "EC2::FlowLog", "EC2::SecurityGroupIngress"):
        handlers[f"AWS::{kind}"] = {"create": _accept, "delete": _forget}
    handlers["AWS::CloudWatch::Alarm"] = _accepting_metric_math(handlers["AWS::CloudWatch::Alarm"])
    handlers["AWS::Lambda::Function"] = _with_network_and_concurrency(handlers["AWS::Lambda::Function"])
    handlers["AWS::Kinesis::ResourcePolicy"] = emulated_kinesis.RESOURCE_POLICY
    handlers["AWS::Kinesis::Stream"] = resharding.following_the_template(handlers["AWS::Kinesis::Stream"])
    handlers["AWS::S3::Bucket"] = _keeping_full_buckets(handlers["AWS::S3::Bucket"])
    for kind, attributes in PERSONALIZE.items():
        handlers[f"AWS::Personalize::{kind}"] = _accepting_personalize(attributes)
    main()
