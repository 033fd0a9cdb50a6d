"""A network without internet, where the settings ask for one: the function reaches two services and nothing else."""

from aws_cdk.aws_ec2 import (
    FlowLogDestination,
    GatewayVpcEndpointAwsService,
    InterfaceVpcEndpointAwsService,
    IpAddresses,
    Peer,
    Port,
    SecurityGroup,
    SubnetConfiguration,
    SubnetType,
    Vpc,
)
from aws_cdk.aws_iam import AnyPrincipal, PolicyStatement
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_logs import LogGroup
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from infra.settings import StackSettings

HTTPS = Port.tcp(443)


class Network(Construct):
    """Subnets in two zones, an endpoint for PutEvents and one for S3, each open for what the relay does with it.

    Lambda itself reads the stream and writes the log: neither needs an endpoint.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: StackSettings, bucket: IBucket, key: IKey | None
    ) -> None:
        super().__init__(scope, construct_id)
        self.vpc = Vpc(
            self,
            "Vpc",
            ip_addresses=IpAddresses.cidr("10.0.0.0/24"),
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[SubnetConfiguration(name="Function", subnet_type=SubnetType.PRIVATE_ISOLATED)],
            # The CDK would bring a function of its own to empty it.
            restrict_default_security_group=False,
        )
        self._log_flows(settings, key)
        self.function_group = self._group("FunctionGroup", "The function of the relay")
        # There is no route but to the endpoints.
        self.function_group.add_egress_rule(Peer.any_ipv4(), HTTPS)
        self._reach_personalize()
        self._reach_bucket(bucket)

    def _reach_personalize(self) -> None:
        group = self._group("EndpointGroup", "The endpoint for PutEvents")
        group.add_ingress_rule(self.function_group, HTTPS)
        endpoint = self.vpc.add_interface_endpoint(
            "PutEvents", service=InterfaceVpcEndpointAwsService.PERSONALIZE_EVENTS, security_groups=[group], open=False
        )
        endpoint.add_to_policy(_anyone("personalize:PutEvents", "*"))

    def _reach_bucket(self, bucket: IBucket) -> None:
        endpoint = self.vpc.add_gateway_endpoint("Bucket", service=GatewayVpcEndpointAwsService.S3)
        endpoint.add_to_policy(_anyone("s3:PutObject", bucket.arn_for_objects("*")))

    def _log_flows(self, settings: StackSettings, key: IKey | None) -> None:
        log = LogGroup(
            self,
            "FlowLog",
            retention=settings.log_retention,
            encryption_key=key,
            removal_policy=settings.removal_policy,
        )
        self.vpc.add_flow_log("Flows", destination=FlowLogDestination.to_cloud_watch_logs(log))

    def _group(self, construct_id: str, description: str) -> SecurityGroup:
        return SecurityGroup(
            self,
            construct_id,
            vpc=self.vpc,
            description=description,
            allow_all_outbound=False,
        )


def _anyone(action: str, resource: str) -> PolicyStatement:
    """What may pass the endpoint; who may do it at all is the role's to say."""
    return PolicyStatement(principals=[AnyPrincipal()], actions=[action], resources=[resource])


def attaching() -> PolicyStatement:
    """Allow Lambda to attach the function to the network; most of these actions have no resource type."""
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
