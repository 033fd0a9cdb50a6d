"""The network that the function runs in, if the settings ask for one: a new one without internet, or an existing one.

After the function has left a network, Lambda still has to remove its interfaces, with the role's permissions. `leaving`
keeps the network and the permissions until then.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
"""

from collections.abc import Iterable
from typing import cast

from aws_cdk import Annotations
from aws_cdk.aws_ec2 import (
    CfnSubnet,
    FlowLogDestination,
    GatewayVpcEndpointAwsService,
    InterfaceVpcEndpointAwsService,
    IpAddresses,
    ISecurityGroup,
    ISubnet,
    IVpc,
    Peer,
    Port,
    SecurityGroup,
    Subnet,
    SubnetConfiguration,
    SubnetType,
    Vpc,
)
from aws_cdk.aws_iam import AnyPrincipal, PolicyStatement
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_logs import LogGroup
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from .settings import StackSettings

HTTPS = Port.tcp(443)


class ExistingNetwork(Construct):
    """A security group in somebody else's VPC, whose routes and endpoints are theirs, too."""

    def __init__(self, scope: Construct, construct_id: str, *, vpc_id: str, subnet_ids: Iterable[str]) -> None:
        super().__init__(scope, construct_id)
        # We never use its zones, but the CDK requires one.
        self.vpc: IVpc = Vpc.from_vpc_attributes(self, "Vpc", vpc_id=vpc_id, availability_zones=["unknown"])
        self.subnets = [self._subnet(each) for each in subnet_ids]
        self.function_group: ISecurityGroup = function_group(self, self.vpc)

    def _subnet(self, subnet_id: str) -> ISubnet:
        subnet = Subnet.from_subnet_id(self, subnet_id, subnet_id)
        Annotations.of(subnet).acknowledge_warning("@aws-cdk/aws-ec2:noSubnetRouteTableId", "Routes are its owner's.")
        return subnet


class Network(Construct):
    """Subnets in two zones or more, and endpoints for PutEvents and S3, each open only for what the relay does there.

    Lambda itself reads the stream and writes the log: neither needs an endpoint.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StackSettings, key: IKey | None) -> None:
        super().__init__(scope, construct_id)
        vpc = Vpc(
            self,
            "Vpc",
            ip_addresses=IpAddresses.cidr(settings.vpc_cidr),
            # By default the first two, even if Lambda or Personalize is in neither.
            availability_zones=list(settings.vpc_zones) or None,
            max_azs=None if settings.vpc_zones else 2,
            nat_gateways=0,
            subnet_configuration=[SubnetConfiguration(name="Function", subnet_type=SubnetType.PRIVATE_ISOLATED)],
            # The CDK would add a function to empty it.
            restrict_default_security_group=False,
        )
        for subnet in vpc.isolated_subnets if settings.vpc_zones else []:
            # cfn-lint wants AWS to choose the zones, which is what the setting avoids.
            cast("CfnSubnet", subnet.node.default_child).add_metadata(
                "cfn-lint", {"config": {"ignore_checks": ["W3010"]}}
            )
        self.vpc: IVpc = vpc
        self.subnets = vpc.isolated_subnets
        self._log_flows(settings, key)
        self.function_group: ISecurityGroup = function_group(self, vpc)
        self._reach_personalize()

    def reach_bucket(self, bucket: IBucket) -> None:
        """Let objects of this bucket pass, and of no other."""
        endpoint = self.vpc.add_gateway_endpoint("Bucket", service=GatewayVpcEndpointAwsService.S3)
        endpoint.add_to_policy(_anyone("s3:PutObject", bucket.arn_for_objects("*")))

    def _reach_personalize(self) -> None:
        group = _group(self, "EndpointGroup", self.vpc, "The endpoint for PutEvents")
        group.add_ingress_rule(self.function_group, HTTPS)
        endpoint = self.vpc.add_interface_endpoint(
            "PutEvents", service=InterfaceVpcEndpointAwsService.PERSONALIZE_EVENTS, security_groups=[group], open=False
        )
        endpoint.add_to_policy(_anyone("personalize:PutEvents", "*"))

    def _log_flows(self, settings: StackSettings, key: IKey | None) -> None:
        log = LogGroup(
            self,
            "FlowLog",
            retention=settings.log_retention,
            encryption_key=key,
            removal_policy=settings.removal_policy,
        )
        self.vpc.add_flow_log("Flows", destination=FlowLogDestination.to_cloud_watch_logs(log))


def function_group(scope: Construct, vpc: IVpc) -> SecurityGroup:
    """The function's security group, which allows HTTPS to anywhere: the network's routes decide what it reaches."""
    group = _group(scope, "FunctionGroup", vpc, "The function of the relay")
    group.add_egress_rule(Peer.any_ipv4(), HTTPS)
    return group


def _group(scope: Construct, construct_id: str, vpc: IVpc, description: str) -> SecurityGroup:
    return SecurityGroup(scope, construct_id, vpc=vpc, description=description, allow_all_outbound=False)


def _anyone(action: str, resource: str) -> PolicyStatement:
    """Let an action pass the endpoint; the role decides who may do it at all."""
    return PolicyStatement(principals=[AnyPrincipal()], actions=[action], resources=[resource])


def attaching() -> PolicyStatement:
    """Allow Lambda to attach the function to a network; most of these actions have no resource type."""
    return PolicyStatement(
        actions=[
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        ],
        resources=["*"],
    )
