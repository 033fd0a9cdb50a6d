"""The network is closed but for PutEvents and the bucket, and costs no function or gateway of its own."""

import pytest
from aws_cdk.assertions import Template

from tests.infra.conftest import Synthesize
from tests.infra.templates import arn, granted, only, under


@pytest.fixture(scope="module")
def template(synthesize: Synthesize) -> Template:
    """The prod stage in a network of its own."""
    return synthesize(stage="prod", vpc="true", vpcZones="eu-west-1a,eu-west-1c", vpcCidr="10.1.0.0/24")


@pytest.fixture(scope="module")
def leaving(synthesize: Synthesize) -> Template:
    """The same while the function leaves it, with a key of its own and producers."""
    return synthesize(
        stage="prod", vpc="leaving", customerKey="true", producerArns="arn:aws:iam::123456789012:role/web"
    )


def test_the_function_runs_in_it(template: Template) -> None:
    """In every zone that the settings name, and in a group of its own."""
    _, function = only(template, "AWS::Lambda::Function")
    network = function["Properties"]["VpcConfig"]
    subnets = template.find_resources("AWS::EC2::Subnet")
    assert {each["Ref"] for each in network["SubnetIds"]} == subnets.keys()
    placed = {body["Properties"]["AvailabilityZone"]: body["Properties"]["CidrBlock"] for body in subnets.values()}
    assert placed == {"eu-west-1a": "10.1.0.0/25", "eu-west-1c": "10.1.0.128/25"}
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


def test_while_the_function_leaves_its_network_that_and_the_rights_to_leave_it_stay(
    leaving: Template, template: Template
) -> None:
    """Lambda removes its interfaces after the function was updated, in the name of the role."""
    _, function = only(leaving, "AWS::Lambda::Function")
    assert "VpcConfig" not in function["Properties"]
    rights = {action for action, _ in granted(leaving) if action.startswith("ec2:")}
    assert rights == {action for action, _ in granted(template) if action.startswith("ec2:")} != set()
    kinds = ("AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup")
    for kind in kinds:
        assert leaving.find_resources(kind).keys() == template.find_resources(kind).keys()


def test_in_an_existing_network_the_stack_makes_a_security_group_alone(synthesize: Synthesize) -> None:
    """Routes and endpoints are its owner's."""
    template = synthesize(
        stage="prod", vpc="true", vpcId="vpc-0a1b2c3d", vpcSubnetIds="subnet-0a1b2c3d,subnet-1a1b2c3d"
    )
    name, group = only(template, "AWS::EC2::SecurityGroup")
    assert group["Properties"]["VpcId"] == "vpc-0a1b2c3d"
    assert [(each["FromPort"], each["ToPort"]) for each in group["Properties"]["SecurityGroupEgress"]] == [(443, 443)]
    kinds = {body["Type"] for body in template.to_json()["Resources"].values()}
    assert {kind for kind in kinds if kind.startswith("AWS::EC2::")} == {"AWS::EC2::SecurityGroup"}
    _, function = only(template, "AWS::Lambda::Function")
    assert function["Properties"]["VpcConfig"] == {
        "SubnetIds": ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
        "SecurityGroupIds": [{"Fn::GetAtt": [name, "GroupId"]}],
    }
    assert any(action == "ec2:CreateNetworkInterface" for action, _ in granted(template))


def test_producers_may_write_to_the_stream_and_have_its_key_for_that_alone(leaving: Template) -> None:
    """Without the key a write fails, whatever the stream's policy says."""
    web = "arn:aws:iam::123456789012:role/web"
    stream, _ = only(leaving, "AWS::Kinesis::Stream")
    _, policy = only(leaving, "AWS::Kinesis::ResourcePolicy")
    (writing,) = policy["Properties"]["ResourcePolicy"]["Statement"]
    assert policy["Properties"]["ResourceArn"] == writing["Resource"] == arn(stream)
    assert writing["Principal"] == {"AWS": web}
    assert {"kinesis:PutRecord", "kinesis:PutRecords"} <= set(writing["Action"])
    key, body = only(leaving, "AWS::KMS::Key")
    (using,) = [each for each in body["Properties"]["KeyPolicy"]["Statement"] if each["Principal"] == {"AWS": web}]
    assert using["Action"] == "kms:GenerateDataKey"
    assert list(using["Condition"]["StringEquals"]) == ["kms:ViaService"]
    leaving.has_output("KeyArn", {"Value": arn(key)})
