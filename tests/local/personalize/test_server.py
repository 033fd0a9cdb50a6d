"""The Personalize fake answers as the service does, and leaves nothing behind."""

import http.client
import json
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from local.personalize.answers import (
    DENIED,
)
from local.personalize.faults import Fault, Hang, any_event
from local.personalize.server import PersonalizeFake
from tests.local.personalize.put_events import (
    PutEvents,
    a_document,
    answered,
    client_of,
    signed,
)


def test_success_is_an_empty_200_with_a_request_id(personalize: PersonalizeFake) -> None:
    """The answer is PutEvents' own: status 200, no body, a request id."""
    body = json.dumps(a_document()).encode()
    connection = http.client.HTTPConnection("127.0.0.1", personalize.port, timeout=5)
    connection.request("POST", "/events", body, signed(personalize, body))
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"")
    assert response.getheader("x-amzn-requestid")
    connection.close()


def test_only_put_events_is_served(personalize: PersonalizeFake) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", personalize.port, timeout=5)
    connection.request("GET", "/events")
    response = connection.getresponse()
    assert (response.status, response.getheader("x-amzn-errortype")) == (404, "UnknownOperationException")
    connection.close()


def test_a_tracker_that_is_not_known_is_not_found() -> None:
    with PersonalizeFake(trackers={"other"}) as personalize:
        assert answered(client_of(personalize)) == (404, "ResourceNotFoundException")
        assert personalize.accepted == {}


def test_the_end_leaves_no_thread_and_no_port_and_lets_no_client_hang() -> None:
    before = set(threading.enumerate())
    with ThreadPoolExecutor() as pool:
        with PersonalizeFake() as personalize:
            personalize.inject(Fault(Hang()))
            hanging = pool.submit(client_of(personalize))
            personalize.wait_for(lambda it: it.in_flight == 1, timeout=5)
        with pytest.raises(ConnectionClosedError):
            hanging.result(timeout=5)
    assert set(threading.enumerate()) <= before
    with PersonalizeFake(port=personalize.port) as again:
        client_of(again)()


def test_a_fake_closed_early_is_an_endpoint_where_nobody_is(
    personalize: PersonalizeFake, put_events: PutEvents
) -> None:
    put_events("a")
    personalize.close()
    with pytest.raises(EndpointConnectionError):
        put_events("b")
    assert list(personalize.accepted) == ["a"]


def test_a_port_in_use_is_said_at_the_start(personalize: PersonalizeFake) -> None:
    with pytest.raises(OSError, match="address already in use"), PersonalizeFake(port=personalize.port):
        pass


def test_a_predicate_that_fails_fails_the_test() -> None:
    """A bug in a fault must not pass for a fault: the block ends with its exception."""
    careless = Fault(DENIED, when=any_event(lambda event: bool(event["itemId"])))
    with pytest.raises(KeyError):
        run_with(careless)


def run_with(fault: Fault) -> None:
    with PersonalizeFake() as personalize:
        personalize.inject(fault)
        assert answered(client_of(personalize))[0] == 500


def test_it_speaks_tls(tmp_path: Path) -> None:
    """With a certificate it is https, for clients that know its issuer only."""
    certificate, key = make_certificate(tmp_path)
    with PersonalizeFake(tls=(certificate, key)) as personalize:
        assert personalize.endpoint.startswith("https://")
        body = json.dumps(a_document()).encode()
        context = ssl.create_default_context(cafile=str(certificate))
        connection = http.client.HTTPSConnection("127.0.0.1", personalize.port, timeout=5, context=context)
        connection.request("POST", "/events", body, signed(personalize, body))
        assert connection.getresponse().status == 200
        connection.close()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    name = ["-subj", "/CN=personalize-fake", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *request, *name, *files], check=True, capture_output=True)  # noqa: S603, S607 - fixed words; whichever openssl the machine has
    return certificate, key


def test_it_runs_by_hand_and_ends_on_ctrl_c() -> None:
    """It prints its endpoint first, and what it counted last."""
    command = [sys.executable, "-m", "local.personalize", "--tracker", "t", "--quota", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - this project's module
        assert process.stdout is not None
        endpoint = process.stdout.readline().strip()
        fake = PersonalizeFake(port=int(endpoint.rpartition(":")[2]))
        assert [answered(client_of(fake))[0] for _ in range(2)] == [200, 429]
        process.send_signal(2)
        assert process.stdout.read() == "2 calls, 1 events accepted\n"
    assert process.returncode == 0
