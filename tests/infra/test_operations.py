"""What docs/operations.md says is what the stack and the scripts say."""

import re

import pytest
from aws_cdk.assertions import Template

from bench import capacity
from tests.infra.conftest import ROOT
from tests.infra.evaluation import MetricAlarm

TEXT = (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("table", [capacity.windows, capacity.costs, capacity.monthly])
def test_figures_are_those_that_the_script_computes(table: object) -> None:
    """From the prices it states and the measured figures of bench/results.md."""
    assert callable(table)
    assert f"\n\n{table()}\n\n" in TEXT


def test_the_readme_names_the_same_costs() -> None:
    """Rounded to dollars a month at rest, and to cents a million events."""
    readme = " ".join((ROOT / "README.md").read_text().split())
    stream, metrics, _, alarms, dashboard, xray, *_ = _prices(capacity.monthly())
    at_rest = stream + metrics + alarms + dashboard
    assert f"about ${at_rest:.0f} a month at rest" in readme
    assert (
        f"stream ${stream:.0f}, metrics ${metrics:.0f}, alarms ${alarms:.0f} and the dashboard ${dashboard:.0f}"
        in readme
    )
    dense, sparse, logs, kinesis = _prices(capacity.costs())
    assert f"A million events cost ${dense + logs + kinesis:.2f} to ${sparse + logs + kinesis:.2f}" in readme
    assert f"X-Ray up to ${xray:.0f} a month" in readme


def _prices(table: str) -> list[float]:
    """The last column of a table."""
    return [float(price) for price in re.findall(r"\| ([\d.]+) \|$", table, re.MULTILINE)]


def test_capacity_is_that_of_the_design() -> None:
    """Sessions that click every ten seconds fill a call with 1.05 events; a few busy ones fill it."""
    assert round(1000 / capacity.calls(10, 1), 2) == 1.05
    assert 100 < capacity.calls(0.01, 1) < 110


def test_alarms_are_priced_as_they_are(prod: Template) -> None:
    """CloudWatch bills each metric of each alarm."""
    alarms = [MetricAlarm(body["Properties"]) for body in prod.find_resources("AWS::CloudWatch::Alarm").values()]
    assert sum(len(alarm.reads) for alarm in alarms) == capacity.ALARM_METRICS


def test_every_alarm_has_a_section_that_says_what_to_do(prod: Template) -> None:
    """Three things to look at, what to do, and how to see that it is over; and no section is of an alarm that was."""
    sections = {
        section.partition("\n")[0].lower().replace(" ", "-"): section
        for section in re.split(r"^## ", TEXT, flags=re.MULTILINE)
        if re.search(r"^\*(Page|Ticket)", section, re.MULTILINE)
    }
    alarms = prod.find_resources("AWS::CloudWatch::Alarm").values()
    assert sections.keys() == {body["Properties"]["AlarmDescription"].rpartition("#")[2] for body in alarms}
    for section in sections.values():
        assert len(re.findall(r"^[123]\. ", section, re.MULTILINE)) == 3, section
        assert re.findall(r"^(Look at:|Do: |Verify: )", section, re.MULTILINE) == ["Look at:", "Do: ", "Verify: "]


def test_what_is_said_of_pages_is_so(prod: Template) -> None:
    """The alarms that page by themselves, and the outputs with the topics, are those of the stack."""
    (section,) = re.findall(r"^## Paged\n(.+?)^## ", TEXT, re.MULTILINE | re.DOTALL)
    acting = [body["Properties"] for body in prod.find_resources("AWS::CloudWatch::Alarm").values()]
    alone = {
        alarm["AlarmDescription"].partition(":")[0]
        for alarm in acting
        if "AlarmActions" in alarm and alarm["AlarmDescription"].startswith("page ")
    }
    (said,) = re.findall(r"^- (.+) are sent by themselves", section, re.MULTILINE)
    assert {f"page {name}" for name in re.findall(r"`(\w+)`", said)} == alone
    assert {name for name in prod.find_outputs("*") if "Topic" in name} == {
        *re.findall(r"`(\w+TopicArn)`", section)
    } - {*("pageTopicArn", "ticketTopicArn")}


def test_each_alarm_is_a_page_or_a_ticket_as_its_section_says(prod: Template) -> None:
    """In the first words of the section that its description leads to."""
    is_so, said = {}, {}
    for body in prod.find_resources("AWS::CloudWatch::Alarm").values():
        ((severity, alarm, anchor),) = re.findall(r"^(\w+) (\w+): .*#([\w-]+)$", body["Properties"]["AlarmDescription"])
        is_so[alarm, anchor] = severity
    for heading, begins in re.findall(r"^## (.+)\n\n((?:.+\n)+)", TEXT, re.MULTILINE):
        anchor, severity = heading.lower().replace(" ", "-"), ""
        for word, alarm in re.findall(r"\*(\w+)\*|`(\w+)`", begins):
            severity = word.lower() or severity
            said[alarm, anchor] = severity
    assert {alarm: said.get(alarm) for alarm in is_so} == is_so
