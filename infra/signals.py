"""The metrics that the alarms and the dashboard read, with the dimensions by which each service counts them."""

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import Metric
from aws_cdk.aws_kinesis import IStream
from aws_cdk.aws_lambda import IFunction

from personalize_relay.settings import Settings

PERIOD_MINUTES = 5


class Signals:
    """The metrics of one stage, in periods of five minutes; sums, unless the caller asks for another statistic."""

    def __init__(
        self,
        *,
        environment: Settings,
        stream: IStream,
        function: IFunction,
        mapping_id: str,
        sees_stream: bool,
        owns_stream: bool,
    ) -> None:
        self._environment = environment
        self._stream = stream
        self._function = function
        self._mapping_id = mapping_id
        self.sees_stream = sees_stream
        """Whether this account has the stream's metrics, which only the stream's own account does."""
        self.owns_stream = owns_stream
        """Whether the relay's app created the stream, so that nobody else reads it."""

    def relay(self, name: str, statistic: str = "Sum") -> Metric:
        """A metric that the function counts, by the service that its environment names."""
        service = {"service": self._environment.service}
        return _metric(self._environment.metrics_namespace, name, service, statistic)

    def function(self, name: str, statistic: str = "Sum") -> Metric:
        """A metric that Lambda counts for the function, by its name alone: of all versions, whichever is live."""
        return _metric("AWS/Lambda", name, {"FunctionName": self._function.function_name}, statistic)

    def mapping(self, name: str) -> Metric:
        """A metric that Lambda counts for the event source mapping, whose metrics configuration asks for EventCount."""
        return _metric("AWS/Lambda", name, {"EventSourceMappingUUID": self._mapping_id}, "Sum")

    def stream(self, name: str, statistic: str = "Sum") -> Metric:
        """A metric that Kinesis counts for the stream, whoever reads it, in the stream's account."""
        return _metric("AWS/Kinesis", name, {"StreamName": self._stream.stream_name}, statistic)


def _metric(namespace: str, name: str, dimensions: dict[str, str], statistic: str) -> Metric:
    return Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=Duration.minutes(PERIOD_MINUTES),
    )
