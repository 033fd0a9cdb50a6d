"""The network is closed but for PutEvents and the bucket, and costs no function or gateway of its own."""

import pytest
from aws_cdk.assertions import Template

from tests.infra.conftest import Synthesize
from tests.infra.templates import granted, only, under


@pytest.fixture(scope="module")
def template(synthesize: Synthesize) -> Template:
    """The prod stage in a network of its own."""
    return synthesize(stage="prod", vpc="true")


def test_the_function_runs_in_it(template: Template) -> None:
    """In every zone of it, and in a group of its own."""
    _, function = only(template, "AWS::Lambda::Function")
    network = function["Properties"]["VpcConfig"]
    subnets = template.find_resources("AWS::EC2::Subnet")
    assert {each["Ref"] for each in network["SubnetIds"]} == subnets.keys()
    assert len(subnets) == 2
    (group,) = network["SecurityGroupIds"]
    group_id = group["Fn::GetAtt"][0]
    egress = template.find_resources("AWS::EC2::SecurityGroup")[group_id]["Properties"]["SecurityGroupEgress"]
    assert [(each["FromPort"], each["ToPort"]) for each in egress] == [(443, 443)]


def test_nothing_leads_out_or_in(template: Template) -> None:
    """Neither gateway nor route, so that what isn't an endpoint can't be reached; no second function either."""
    kinds = {body["Type"] for body in template.to_json()["Resources"].values()}
    assert not kinds & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route", "AWS::EC2::EIP"}
    template.resource_count_is("AWS::Lambda::Function", 1)
    (ingress,) = template.find_resources("AWS::EC2::SecurityGroupIngress").values()
    assert (ingress["Properties"]["FromPort"], ingress["Properties"]["ToPort"]) == (443, 443)
    assert "SourceSecurityGroupId" in ingress["Properties"]
    assert all(
        "SecurityGroupIngress" not in body["Properties"]
        for body in template.find_resources("AWS::EC2::SecurityGroup").values()
    )


def test_endpoints_let_pass_what_the_relay_does(template: Template) -> None:
    """PutEvents to one, objects of the stack's own bucket to the other."""
    bucket, _ = only(template, "AWS::S3::Bucket", {"LoggingConfiguration": {}})
    passing = {}
    for body in template.find_resources("AWS::EC2::VPCEndpoint").values():
        service = body["Properties"]["ServiceName"]["Fn::Join"][1][-1]
        (statement,) = body["Properties"]["PolicyDocument"]["Statement"]
        passing[service] = (statement["Effect"], statement["Action"], statement["Resource"])
    assert passing == {
        ".personalize-events": ("Allow", "personalize:PutEvents", "*"),
        ".s3": ("Allow", "s3:PutObject", under(bucket, "/*")),
    }


def test_flows_are_logged(template: Template) -> None:
    """All of them, into a log that outlives the stack."""
    network, _ = only(template, "AWS::EC2::VPC")
    _, flows = only(template, "AWS::EC2::FlowLog", {"TrafficType": "ALL", "ResourceId": {"Ref": network}})
    log = template.find_resources("AWS::Logs::LogGroup")[flows["Properties"]["LogGroupName"]["Ref"]]
    assert log["DeletionPolicy"] == "RetainExceptOnCreate"


def test_the_role_may_attach_it_and_no_more(template: Template, prod: Template) -> None:
    """What Lambda needs for that has no resource that could be named beforehand."""
    actions = {
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    }
    outside = [str(pair) for pair in granted(prod)]
    more = [pair for pair in granted(template) if str(pair) not in outside]
    assert sorted(more) == sorted((action, "*") for action in actions)
    assert len(granted(template)) == len(outside) + len(more)
