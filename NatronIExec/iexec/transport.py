"""All HTTP and JSON-RPC goes through here: time limits, retries, caps, and the only importer of requests.

Only what may be repeated is retried. A signed transaction is sent once and then looked up by its hash (`hub`).
"""

from __future__ import annotations

import itertools
import random
import re
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence

import requests
from urllib3.exceptions import HTTPError

from NatronIExec import __version__
from NatronIExec.errors import Cancelled, ResultRefused, RpcError, ServiceError, Unreachable
from NatronIExec.iexec.jsonrpc import Call, answers_of, body_of, is_busy, is_too_large, words_of
from NatronIExec.wire import load_json

#: Answers larger than this are refused unless they are streamed to disk.
MAX_BODY = 64 * 1024 * 1024
#: A body may take this many time limits to arrive. Beyond that the service only holds the connection open.
BODY_LIMITS = 4
#: The market limits requests per minute; a Retry-After of more than that is treated as a refusal.
LONGEST_WAIT_S = 60
_RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_PIECE = 1 << 16
#: The User-Agent names the program, so that an operator can contact us; some proxies refuse a library's default name.
USER_AGENT = f"NatronIExec/{__version__}"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Transport:
    """One pool of connections, safe for several threads.

    `tries` counts attempts for what may be repeated; waits grow from `wait_s` by powers of two with jitter.
    `sleep`, `jitter` and `clock` are arguments so that tests need neither time nor luck. `requests_sent` counts HTTP
    requests.
    """

    def __init__(
        self,
        timeout_s: float = 30,
        tries: int = 4,
        wait_s: float = 0.5,
        sleep: Callable[[float], object] = time.sleep,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.requests_sent = 0
        self._timeout = (10, timeout_s)
        self._body_s = BODY_LIMITS * timeout_s
        self._tries = tries
        self._wait_s = wait_s
        self._sleep = sleep
        self._jitter = jitter
        self._clock = clock
        self._local = threading.local()
        self._count = itertools.count(1)
        self._batch_limits: dict[str, int] = {}

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json_body: Any = None,
        content: bytes | Iterable[bytes] | None = None,
        files: Sequence[tuple[str, Any]] | None = None,
        retry: bool | None = None,
        accept: Sequence[int] = (),
    ) -> requests.Response:
        """One request; the answer's body is read, at most MAX_BODY bytes. `retry` is true for reads unless given; a
        request that a busy service did not process (429) is always repeated. Raises ServiceError for a status of 400 or
        more that is not in `accept`, Unreachable when there is no answer."""
        repeat = method in ("GET", "HEAD") if retry is None else retry
        how = {"params": params, "headers": headers, "json": json_body, "data": content, "files": files}
        return self._request(method, url, self._tries if repeat else 1, self._tries, accept, **how)

    def get_json(self, url: str, params: Mapping[str, Any] | None = None) -> Any:
        return self.json("GET", url, params=params)

    def post_json(self, url: str, body: Any, headers: Mapping[str, str] | None = None, retry: bool = False) -> Any:
        return self.json("POST", url, json_body=body, headers=headers, retry=retry)

    def json(self, method: str, url: str, **how: Any) -> Any:
        """Like `request`, with the answer parsed as JSON. Raises ServiceError if it is not JSON."""
        return _json(self.request(method, url, **how), url)

    def rpc(self, url: str, method: str, params: Sequence[Any], retry: bool = True) -> Any:
        """One JSON-RPC call. Raises RpcError with the node's words."""
        return self.rpc_batch(url, [(method, params)], retry=retry)[0]

    def rpc_batch(self, url: str, calls: Sequence[Call], retry: bool = True) -> list[Any]:
        """Many calls in one HTTP request, answers in the order of the calls. The first error raises RpcError."""
        answers = self.rpc_batch_raw(url, calls, retry)
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        return answers

    def rpc_batch_raw(self, url: str, calls: Sequence[Call], retry: bool = True) -> list[Any]:
        """Like `rpc_batch`, but a refused call has an RpcError in its place instead of raising it. Raises Unreachable
        while the node is busy; with `retry=False` (a sent transaction) after the first try."""
        answers = self._rpc_in_parts(url, calls, retry)
        for attempt in itertools.count(1):
            busy = [number for number, answer in enumerate(answers) if isinstance(answer, RpcError) and is_busy(answer)]
            if not busy:
                return answers
            if attempt >= self._tries or not retry:
                words = words_of(answers[busy[0]])
                raise Unreachable(f"{where_of(url)} is busy: {words[:200]}", "It is tried again later.", message=words)
            self._sleep(self._wait(attempt))
            again = self._rpc_in_parts(url, [calls[number] for number in busy], retry)
            for number, answer in zip(busy, again):
                answers[number] = answer
        raise AssertionError("unreachable")

    def _rpc_in_parts(self, url: str, calls: Sequence[Call], retry: bool) -> list[Any]:
        """One HTTP request, or several if the node limits the size of batches. The limit is remembered once it is
        known."""
        limit = self._batch_limits.get(url, len(calls)) or 1
        answers: list[Any] = []
        for at in range(0, len(calls), limit):
            part = calls[at : at + limit]
            got = self._rpc_once(url, part, retry)
            if len(part) > 1 and any(isinstance(answer, RpcError) and is_too_large(answer) for answer in got):
                self._batch_limits[url] = len(part) // 2
                got = self._rpc_in_parts(url, part, retry)
            answers += got
        return answers

    def _rpc_once(self, url: str, calls: Sequence[Call], retry: bool) -> list[Any]:
        tries = self._tries if retry else 1
        # some providers answer 400 where others put the error into a 200
        response = self._request("POST", url, tries, tries, (400, 413), json=body_of(calls))
        if response.status_code == 413:
            return [RpcError("The chain refused the call.", "See the details.", message="batch too large")] * len(calls)
        try:
            answer = _json(response, url)
        except ServiceError:
            if response.status_code == 400:
                raise _refused(response, url) from None
            raise
        return answers_of(answer, calls, where_of(url))

    def stream(
        self,
        url: str,
        to: Path,
        max_bytes: int,
        cancel: Callable[[], bool] = lambda: False,
        tries: int | None = None,
    ) -> int:
        """Download to the file `to`, continuing an earlier partial download. Returns its size in bytes. Raises
        ResultRefused beyond `max_bytes`, Unreachable when all tries failed, Cancelled once `cancel()` is true."""
        part = to.with_name(to.name + ".part")

        def fetch() -> requests.Response:
            _ask(cancel)
            have = part.stat().st_size if part.exists() else 0
            headers = {"Accept-Encoding": "identity"}  # a compressed transfer could not be resumed in the middle
            if have:
                headers["Range"] = f"bytes={have}-"
            response = self._send("GET", url, headers=headers, stream=True)
            try:
                if response.status_code == 416:
                    part.unlink()
                    raise requests.ConnectionError("the partial file does not fit any more")
                if response.status_code < 400:
                    _save(response, part, have if response.status_code == 206 else 0, max_bytes, cancel)
            finally:
                response.close()
            return response

        last = tries or self._tries
        self._checked(fetch, url, last, last, ())
        part.replace(to)
        return to.stat().st_size

    def _request(
        self, method: str, url: str, tries: int, busy_tries: int, accept: Sequence[int], **how: Any
    ) -> requests.Response:
        def send() -> requests.Response:
            response = self._send(method, url, stream=True, **how)
            try:
                response._content = self._body(response)
            finally:
                response.close()
            return response

        return self._checked(send, url, tries, busy_tries, accept)

    def _checked(
        self, send: Callable[[], requests.Response], url: str, tries: int, busy_tries: int, accept: Sequence[int]
    ) -> requests.Response:
        for attempt in itertools.count(1):
            asked_s = 0.0
            with _translated(url, final=attempt >= tries):
                response = send()
                if response.status_code < 400 or response.status_code in accept:
                    return response
                last = busy_tries if response.status_code == 429 else tries
                if response.status_code not in _RETRY_STATUS or attempt >= last:
                    raise _refused(response, url)
                asked_s = _asked_wait_s(response)
            self._sleep(max(self._wait(attempt), asked_s))
        raise AssertionError("unreachable")

    def _send(self, method: str, url: str, **how: Any) -> requests.Response:
        """Send with this thread's session. Requests to this machine use a second session that ignores proxies."""
        near = _host(url) in _LOOPBACK
        name = "near" if near else "far"
        session: requests.Session | None = getattr(self._local, name, None)
        if session is None:
            session = requests.Session()
            session.max_redirects = 3
            session.headers["User-Agent"] = USER_AGENT
            session.trust_env = not near
            setattr(self._local, name, session)
        self.requests_sent = next(self._count)
        return session.request(method, url, timeout=self._timeout, **how)

    def _wait(self, attempt: int) -> float:
        return float(min(30.0, self._wait_s * 2 ** (attempt - 1)) * (0.5 + self._jitter()))

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        give_up_s = self._clock() + self._body_s
        for piece in _pieces(response):
            body += piece
            if len(body) > MAX_BODY:
                raise ServiceError("The answer is far too large.", "Check the endpoint in the settings.")
            if self._clock() > give_up_s:
                raise requests.ReadTimeout("the body arrives too slowly")
        return bytes(body)


def where_of(url: str) -> str:
    """The service's name for messages: only scheme and host, since providers put API keys into paths, queries and user
    names."""
    found = re.match(r"(\w+://)(?:[^/?#]*@)?([^/?#@]*)", url)
    return found[1] + found[2] if found else "The endpoint"


def _host(url: str) -> str:
    """Without the port; an IPv6 address without its brackets."""
    found = re.fullmatch(r"\w+://\[?(.*?)\]?(?::\d*)?", where_of(url))
    return found[1] if found else ""


@contextmanager
def _translated(url: str, final: bool) -> Iterator[None]:
    """Turns the library's exceptions into ours; before the last try they are ignored. Their text is dropped because it
    holds the whole URL, which may contain an API key."""
    try:
        yield
    except (requests.RequestException, HTTPError) as problem:
        if final:
            raise Unreachable(
                f"{where_of(url)} does not answer.",
                "Check the connection; it is tried again later.",
                problem=type(problem).__name__,
            ) from None


def _refused(response: requests.Response, url: str) -> ServiceError | Unreachable:
    where = where_of(url)
    unread = b""  # the body of a stream was not read
    words = bytes(getattr(response, "_content", unread) or unread)[:300].decode("utf-8", "replace")
    if response.status_code in _RETRY_STATUS:
        return Unreachable(
            f"{where} is not ready ({response.status_code}).", "It is tried again later.", status=response.status_code
        )
    return ServiceError(
        f"{where} refused the request ({response.status_code}): {words}".rstrip(": "),
        "Check the network's endpoints in the settings.",
        status=response.status_code,
        body=words,
    )


def _asked_wait_s(response: requests.Response) -> float:
    """What the service asks for in Retry-After, when it says seconds."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), LONGEST_WAIT_S) if text.isascii() and text.isdigit() else 0


def _pieces(response: requests.Response) -> Iterator[bytes]:
    """The body in the pieces in which it arrives, without waiting for full blocks."""
    while piece := response.raw.read1(_PIECE, decode_content=True):
        yield piece


def _ask(cancel: Callable[[], bool]) -> None:
    if cancel():
        raise Cancelled("Cancelled.")


def _save(response: requests.Response, part: Path, have: int, max_bytes: int, cancel: Callable[[], bool]) -> None:
    with part.open("r+b" if have else "wb") as file:
        file.seek(have)
        file.truncate()
        for piece in _pieces(response):
            _ask(cancel)
            have += len(piece)
            if have > max_bytes:
                file.close()
                part.unlink()
                raise ResultRefused(f"The download is larger than {max_bytes} bytes.", "It was not kept.")
            file.write(piece)


def _json(response: requests.Response, url: str) -> Any:
    try:
        return load_json(response.content)
    except ValueError as problem:
        raise ServiceError(
            f"{where_of(url)} sent an answer that is not JSON.", "Check the endpoint in the settings."
        ) from problem
