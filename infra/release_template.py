"""The template of a release, with parameters: the relay for people who use neither Python nor the CDK."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from aws_cdk import App, Aws, CfnCondition, CfnParameter, DefaultStackSynthesizer, Fn, Stack, Tags
from aws_cdk.aws_kinesis import CfnStream, IStream, Stream
from aws_cdk.aws_lambda import CfnFunction, Code
from aws_cdk.aws_s3 import Bucket
from aws_cdk.aws_sns import CfnSubscription, ITopic
from constructs import Construct

from .audit import acknowledge
from .consumer import ARCHITECTURES
from .relay import USUAL, Relay
from .stream import InteractionStream

NAME = "personalize-relay"
EMPTY = dict.fromkeys(
    ("CloudFormation-Validate::F3031", "CloudFormation-Validate::F3033"),
    "The parameter's empty default stands for a new stream; the event source mapping then has that stream's ARN.",
)


def archive_name(version: str, architecture: str) -> str:
    """The name of the archive with the function's code in a release."""
    return f"{NAME}-{version}-{architecture}.zip"


def template(version: str, context: dict[str, Any]) -> dict[str, Any]:
    """The template, made with the CDK's flags in the context."""
    with TemporaryDirectory() as folder:
        app = App(context=context, outdir=folder, analytics_reporting=False)
        ReleaseStack(app, NAME, version=version)
        app.synth()
        text = (Path(folder) / f"{NAME}.template.json").read_text()
    return dict(json.loads(text))


class ReleaseStack(Stack):
    """A relay with the default settings, and a parameter for each value that differs in every account."""

    def __init__(self, scope: Construct, construct_id: str, *, version: str) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"User events from Kinesis into Amazon Personalize, {version}",
            # There is no asset, so nobody has to bootstrap the account.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        Tags.of(self).add("Application", NAME)
        tracking_id = self._asked("TrackingId", "The id of the event tracker that events go to.", min_length=1)
        bucket = self._asked("CodeBucket", "The bucket in this region that holds the function's archive.")
        prefix = self._asked(
            "CodePrefix", "The archive's folder in the bucket, with a / at the end; empty for none.", default=""
        )
        architecture = self._asked(
            "Architecture",
            "The function's processor; the bucket must hold the archive for it.",
            default=USUAL.architecture,
            allowed_values=[*ARCHITECTURES],
        )
        relay = Relay(
            self,
            "Relay",
            tracking_id=tracking_id,
            stream=self._stream(),
            sees_stream=True,
            service=Aws.STACK_NAME,
            code=Code.from_bucket(
                Bucket.from_bucket_name(self, "Code", bucket), f"{prefix}{archive_name(version, architecture)}"
            ),
        )
        cast("CfnFunction", relay.function.node.default_child).architectures = [architecture]
        acknowledge(relay, EMPTY)
        self._subscribe(relay.alarms.page_topic, relay.alarms.ticket_topic)
        relay.write_outputs()

    def _asked(self, name: str, description: str, **of_the_parameter: Any) -> str:  # noqa: ANN401 - the CDK's
        return CfnParameter(self, name, description=description, **of_the_parameter).value_as_string

    def _stream(self) -> IStream:
        """The stream that the parameter names, or a new one."""
        # Not StreamArn: an output has that name.
        arn = self._asked(
            "ExistingStreamArn", "A stream of this account and region; if empty, the stack creates one.", default=""
        )
        made = CfnCondition(self, "StreamIsMade", expression=Fn.condition_equals(arn, ""))
        stream = InteractionStream(self, "Stream", settings=USUAL, key=None).stream
        cast("CfnStream", stream.node.default_child).cfn_options.condition = made
        chosen = Fn.condition_if(made.logical_id, stream.stream_arn, arn).to_string()
        return Stream.from_stream_arn(self, "Source", chosen)

    def _subscribe(self, *topics: ITopic) -> None:
        email = self._asked("AlarmEmail", "An address for pages and tickets; empty for none.", default="")
        given = CfnCondition(self, "AlarmEmailIsGiven", expression=Fn.condition_not(Fn.condition_equals(email, "")))
        for topic in topics:
            subscription = CfnSubscription(
                self, f"{topic.node.id}Email", protocol="email", endpoint=email, topic_arn=topic.topic_arn
            )
            subscription.cfn_options.condition = given
