"""The emulator: what it is given, what it keeps out, and that nothing of it is left behind."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.emulator.cdk import PROJECT, DeployError
from local.emulator.clients import FUNCTION_CREDENTIALS
from local.emulator.emulator import HOST, Emulator, EmulatorError
from tests.local.relay import make_function

pytestmark = pytest.mark.slow  # each starts an emulator

SOON = 20.0
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks through Linux's own windows on processes and ports")

# Tells its own process, the emulator's (which is its parent), and its environment.
FUNCTION = """
import os

def handler(event, context):
    return {"pid": os.getpid(), "parent": os.getppid(), "environment": dict(os.environ)}
"""

ENDS = (signal.SIGINT, signal.SIGTERM)
"""The end-to-end tests end the demo by these."""

# A process that owns an emulator with a warm function, tells of both, and waits for its end.
OWNER = """
import json, sys, time
from local.emulator.emulator import Emulator
from tests.local.emulator.test_emulator import told_by_function

with Emulator({"GIVEN": "yes"}) as emulator:
    emulator.client("s3").create_bucket(Bucket="own-bucket")
    print(json.dumps(told_by_function(emulator, "f") | {"endpoint": emulator.endpoint}), flush=True)
    time.sleep(600)
"""

# What a developer's machine may have set; each would break or redirect the emulator, its clients or its functions.
HOSTILE = {
    "AWS_PROFILE": "no-such-profile",
    "AWS_ACCESS_KEY_ID": "real",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_REGION": "eu-west-1",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_CA_BUNDLE": "/nonexistent",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "GATEWAY_PORT": "9",
}

# A CDK app without the CDK's own start of 15 seconds: it writes the assembly of one stack.
APP = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
stage = json.loads(os.environ["CDK_CONTEXT_JSON"])["stage"]
bucket = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "deployed"}}}
stack = {"Resources": bucket, "Outputs": {"Stage": {"Value": stage}, "BucketName": {"Value": {"Ref": "Bucket"}}}}
(out / "Tiny.template.json").write_text(json.dumps(stack))
artifact = {
    "type": "aws:cloudformation:stack",
    "environment": "aws://000000000000/us-east-1",
    "properties": {"templateFile": "Tiny.template.json"},
}
(out / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": {"Tiny": artifact}}))
"""


def told_by_function(emulator: Emulator, name: str) -> dict[str, object]:
    """Make a function, invoke it once, and return what it tells."""
    make_function(emulator, name, FUNCTION)
    told: dict[str, object] = json.loads(emulator.client("lambda").invoke(FunctionName=name)["Payload"].read())
    return told


def test_functions_inherit_what_the_caller_gives_and_nothing_else(emulator: Emulator) -> None:
    """The environment of this machine ends at the emulator's door."""
    with Emulator({"AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": "http://127.0.0.1:1"}) as own:
        environment = told_by_function(own, "f")["environment"]
    assert isinstance(environment, dict)
    assert environment["AWS_ENDPOINT_URL_PERSONALIZE_EVENTS"] == "http://127.0.0.1:1"
    assert environment["AWS_ENDPOINT_URL"] == own.endpoint != emulator.endpoint
    assert environment["AWS_ACCESS_KEY_ID"] == FUNCTION_CREDENTIALS.access_key
    assert environment["AWS_SECRET_ACCESS_KEY"] == FUNCTION_CREDENTIALS.secret_key
    assert not Path(environment["HOME"]).exists()
    assert os.environ["PATH"] != environment["PATH"]


def test_what_it_makes_nothing_of_is_told(emulator: Emulator) -> None:
    """A stack with a composite alarm and metric math is taken, as on AWS, and nobody believes that it is emulated."""
    usual = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 0}
    plain = usual | {"Namespace": "N", "MetricName": "M", "Period": 60, "Statistic": "Sum"}
    formula = usual | {"Metrics": [{"Id": "e", "Expression": "1 + 1"}]}
    rule = {"Fn::Sub": 'ALARM("${Plain.Arn}") OR ALARM("${Formula.Arn}")'}
    resources = {
        "Plain": {"Type": "AWS::CloudWatch::Alarm", "Properties": plain},
        "Formula": {"Type": "AWS::CloudWatch::Alarm", "Properties": formula},
        "Both": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": rule}},
    }
    cloudformation = emulator.client("cloudformation")
    assert emulator.only_accepted() == {}
    cloudformation.create_stack(StackName="alarms", TemplateBody=json.dumps({"Resources": resources}))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="alarms", WaiterConfig={"Delay": 1})
    assert emulator.only_accepted() == {"AWS::CloudWatch::Alarm": 1, "AWS::CloudWatch::CompositeAlarm": 1}
    cloudformation.delete_stack(StackName="alarms")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="alarms", WaiterConfig={"Delay": 1})


def test_a_taken_port_is_told(emulator: Emulator) -> None:
    """It does not start, says which port, and does not take another process's answer for its own."""
    port = int(emulator.endpoint.rpartition(":")[2])
    with pytest.raises(EmulatorError, match=f"port {port} is taken"), Emulator(port=port):
        pass


def test_a_failed_start_tells_the_last_lines() -> None:
    """What the emulator printed before it ended is in the error."""
    with (
        pytest.raises(EmulatorError, match=r"(?s)ended with status 1.*GATEWAY_PORT|ValueError"),
        Emulator({"GATEWAY_PORT": "none"}),
    ):
        pass


@LINUX
def test_it_listens_on_loopback_alone(emulator: Emulator) -> None:
    """No other address of this machine leads to it."""
    port = int(emulator.endpoint.rpartition(":")[2])
    with socket.socket() as elsewhere:
        # Free on another address only if it isn't bound on all.
        elsewhere.bind(("127.0.0.2", port))


@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="the end of a foreign process can be waited for on Linux only"
)
@pytest.mark.parametrize("end", [*(pytest.param(each, marks=pytest.mark.whole) for each in ENDS), signal.SIGKILL])
def test_nothing_outlives_its_owner(end: signal.Signals) -> None:
    """However the owner ends: the emulator, its functions' processes, its port and its files go with it."""
    with subprocess.Popen(  # noqa: S603 -- this file's own words
        [sys.executable, "-c", OWNER],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)} | HOSTILE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as owner:
        assert owner.stdout
        told = json.loads(owner.stdout.readline())
        guard = int(Path(f"/proc/{told['parent']}/stat").read_text().split()[3])
        watched = [os.pidfd_open(pid) for pid in (told["pid"], told["parent"], guard)]
        # As a terminal does it: to the owner and all it has started in its own group.
        os.killpg(owner.pid, end)
    try:
        assert all(select.select([one], [], [], SOON)[0] for one in watched)
    finally:
        for one in watched:
            os.close(one)
    assert told["environment"]["GIVEN"] == "yes"
    assert not {"real", "no-such-profile", str(PROJECT)} & set(told["environment"].values())
    assert not Path(told["environment"]["HOME"]).exists()
    with socket.socket() as probe:
        assert probe.connect_ex((HOST, int(told["endpoint"].rpartition(":")[2]))) != 0


@pytest.mark.whole  # the end-to-end tests deploy by this call, and find by its outputs all that they look at
def test_deploying_an_app_returns_its_outputs(emulator: Emulator, tmp_path: Path) -> None:
    """The project's CDK command line deploys an app with the given context."""
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "python app.py"}))
    (tmp_path / "app.py").write_text(APP)
    outputs = emulator.deploy({"stage": "dev"}, project=tmp_path)
    assert outputs == {"Stage": "dev", "BucketName": "deployed"}
    assert emulator.client("s3").head_bucket(Bucket="deployed")
    assert not (tmp_path / "cdk.out").exists()


def test_a_failed_deploy_tells_what_the_app_printed(emulator: Emulator, tmp_path: Path) -> None:
    """The error holds the command and the last lines."""
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "python app.py"}))
    (tmp_path / "app.py").write_text("raise SystemExit('no tracking id')")
    with pytest.raises(DeployError, match=r"(?s)cdk synth.*no tracking id"):
        emulator.deploy({}, project=tmp_path)
