"""A relay on a stream of your own: `pip install "personalize-relay[cdk]"`, then `cdk deploy --app "python app.py"`."""

from aws_cdk import App, Duration, Stack
from aws_cdk.aws_kinesis import Stream
from aws_cdk.aws_sns import Topic
from personalize_relay_cdk.alarms import AlarmTopics
from personalize_relay_cdk.relay import Relay
from personalize_relay_cdk.relay_settings import RelaySettings

app = App()
shop = Stack(app, "personalize-relay-shop")  # `relay status --stage shop` finds it by this name
clicks = Stream(shop, "Clicks", retention_period=Duration.hours(24))
on_call = Topic(shop, "OnCall", enforce_ssl=True)
Relay(
    shop,
    "Relay",
    tracking_id="11111111-2222-3333-4444-555555555555",
    stream=clicks,
    alarms=AlarmTopics(page=on_call),
    settings=RelaySettings(stream_retention_hours=24, mapping="segment"),
).write_outputs()
app.synth()
