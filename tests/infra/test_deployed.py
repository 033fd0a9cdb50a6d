"""What is deployed is read with the credentials that there are, or it is said why it can't be."""

import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest

from infra.deployed import AccountOptions, Unreadable, deployed_template

ROLE = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/cdk-deploy-role-${AWS::AccountId}-${AWS::Region}"
LENT = "<Credentials><AccessKeyId>lent</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
LENT += "<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>"


class Account(ThreadingHTTPServer):
    """CloudFormation and STS of an account in which only the role of `cdk bootstrap` may read a stack."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status = "UPDATE_COMPLETE"
        self.trusts = True
        self.taken: list[str] = []
        """The roles that were taken."""

    def answer(self, action: str, key: str, asked: dict[str, list[str]]) -> str | None:
        """The result of a call, as XML; None where it isn't allowed."""
        match action:
            case "GetCallerIdentity":
                return "<Account>123456789012</Account>"
            case "AssumeRole":
                self.taken += asked["RoleArn"]
                return LENT if self.trusts else None
            case "DescribeStacks" if key == "lent":
                created = "<CreationTime>2026-01-01T00:00:00Z</CreationTime>"
                stack = f"<StackName>relay</StackName>{created}<StackStatus>{self.status}</StackStatus>"
                return f"<Stacks><member>{stack}</member></Stacks>"
            case "GetTemplate" if key == "lent":
                return '<TemplateBody>{"Metadata": {}}</TemplateBody>'
        return None


class Answer(BaseHTTPRequestHandler):
    """An answer in the query protocol."""

    server: Account

    def do_POST(self) -> None:
        """Answer, or refuse."""
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        (action,) = asked["Action"]
        key = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        result = self.server.answer(action, key, asked)
        refused = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
        allowed = f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"
        body = (refused if result is None else allowed).encode()
        self.send_response(403 if result is None else 200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_given: Any) -> None:  # noqa: ANN401 - as http.server has it
        """Print nothing."""


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account that a user is signed in to."""
    with Account() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        signed_in = {"AWS_ACCESS_KEY_ID": "user", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1"}
        here = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "NO_PROXY": "127.0.0.1"}
        nothing = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
        for name, value in (signed_in | here | nothing).items():
            monkeypatch.setenv(name, value)
        yield server
        server.shutdown()


def test_who_may_only_take_the_role_reads_with_it(account: Account) -> None:
    """As the CDK command does: many a pipeline may nothing else."""
    assert deployed_template("relay", AccountOptions(), role=ROLE) == {"Metadata": {}}
    assert account.taken == ["arn:aws:iam::123456789012:role/cdk-deploy-role-123456789012-eu-west-1"]


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "CREATE_FAILED", "DELETE_COMPLETE"])
def test_a_stack_that_never_came_to_be_is_none(account: Account, status: str) -> None:
    """The next deployment makes it anew, with whatever settings."""
    account.status = status
    assert deployed_template("relay", AccountOptions(), role=ROLE) is None


def test_an_update_that_was_rolled_back_left_what_was_there(account: Account) -> None:
    account.status = "UPDATE_ROLLBACK_COMPLETE"
    assert deployed_template("relay", AccountOptions(), role=ROLE) is not None


def test_no_access_is_one_sentence(account: Account) -> None:
    account.trusts = False
    with pytest.raises(Unreadable) as failed:
        deployed_template("relay", AccountOptions(), role=ROLE)
    assert str(failed.value) == (
        "The deployed template of relay can't be read, and nothing is changed: AssumeRole is refused (AccessDenied). "
        "Sign in, or choose another profile or region: AWS_PROFILE and AWS_REGION, or --profile and --region in ARGS."
    )


@pytest.mark.parametrize(
    ("credentials", "missing", "why"),
    [
        (AccountOptions(), "AWS_REGION", "You must specify a region"),
        (AccountOptions(profile="nobody"), "", r"The config profile \(nobody\) could not be found"),
        (
            AccountOptions(region="eu-west-1"),
            "AWS_ACCESS_KEY_ID",
            "Unable to locate credentials|Partial credentials found",
        ),
    ],
)
def test_what_is_missing_is_one_sentence(
    account: Account, monkeypatch: pytest.MonkeyPatch, credentials: AccountOptions, missing: str, why: str
) -> None:
    assert not account.taken
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv(missing, raising=False)
    with pytest.raises(Unreadable, match=rf"^The deployed template of relay can't be read, .*: ({why})"):
        deployed_template("relay", credentials, role=ROLE)
