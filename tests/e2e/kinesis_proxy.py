"""A proxy before the emulator that fails entries of PutRecords, or withholds answers; all else goes through."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

HOST = "127.0.0.1"
THROTTLED = "ProvisionedThroughputExceededException"

type Entry = dict[str, str]
type Choose = Callable[[Entry, int], bool]
"""Whether to fail an entry, given how often it was tried before."""


class KinesisProxy:
    """Listens on `port` in a `with` block. What it fails never reaches the emulator."""

    def __init__(self, endpoint: str, fails: Choose = lambda _entry, _tries: False) -> None:
        self.calls: list[list[Entry]] = []
        """The entries of each PutRecords call."""
        self.refusals: list[tuple[int, str]] = []
        """Statuses and codes that the next PutRecords calls are answered with."""
        self.called = threading.Event()
        self.withholding = False
        """Whether calls reach the emulator, but their answers nobody."""
        self.withheld = threading.Event()
        self._fails = fails
        self._tries: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer((HOST, 0), _handler(self, urlsplit(endpoint).netloc))
        self._server.daemon_threads = True
        self.port = self._server.server_port

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def refusal(self) -> tuple[int, str] | None:
        """How to refuse the call that has just come, if it is to be."""
        with self._lock:
            return self.refusals.pop(0) if self.refusals else None

    def choose(self, entries: list[Entry]) -> list[bool]:
        """Which entries of a call to fail."""
        with self._lock:
            self.calls.append(entries)
            chosen = [self._fails(entry, self._tries[entry["Data"]]) for entry in entries]
            self._tries.update(entry["Data"] for entry in entries)
            return chosen

    def answered(self) -> None:
        """Wait, if answers are withheld, until there is nobody to answer."""
        if self.withholding:
            self.withheld.set()
            self._closing.wait()
        self.called.set()


def _handler(proxy: KinesisProxy, emulator: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Answer as the emulator does, but for what is to fail."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not self.headers.get("X-Amz-Target", "").endswith(".PutRecords"):
                self._answer(*self._forward(body))
            elif refusal := proxy.refusal():
                self._answer(refusal[0], json.dumps({"__type": refusal[1]}).encode())
            else:
                self._put_records(json.loads(body))

        def _put_records(self, request: dict[str, Any]) -> None:
            chosen = proxy.choose(request["Records"])
            passed = [entry for entry, fails in zip(request["Records"], chosen, strict=True) if not fails]
            status, body = self._forward(json.dumps(request | {"Records": passed}).encode()) if passed else (200, b"{}")
            if status == 200:
                taken = iter(json.loads(body).get("Records", []))
                failed = {"ErrorCode": THROTTLED, "ErrorMessage": "slow down"}
                records = [failed if fails else next(taken) for fails in chosen]
                body = json.dumps({"FailedRecordCount": sum(chosen), "Records": records}).encode()
            proxy.answered()
            self._answer(status, body)

        def _forward(self, body: bytes) -> tuple[int, bytes]:
            connection = HTTPConnection(emulator, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            self._content_type = answer.getheader("Content-Type", "application/x-amz-json-1.1")
            content = answer.read()
            connection.close()
            return answer.status, content

        def _answer(self, status: int, body: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", getattr(self, "_content_type", "application/x-amz-json-1.1"))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:
                self.close_connection = True  # the client is gone

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    return Handler
