"""All HTTP and JSON-RPC goes through here: time limits, retries, caps, and the only importer of requests.

Only what may be repeated is retried. A signed transaction is sent once and then looked up by its hash (`hub`).
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence

import requests

from NatronIExec.errors import Cancelled, ResultRefused, ServiceError, Unreachable
from NatronIExec.wire import load_json

#: Answers larger than this are refused unless they are streamed to disk.
MAX_BODY = 64 * 1024 * 1024
_RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class RpcError(ServiceError):
    """The node answered with a JSON-RPC error; `details` holds its code, message and data."""

    code = "rpc"


class Transport:
    """One pool of connections, safe for several threads.

    `tries` counts attempts for what may be repeated; waits grow from `wait_s` by powers of two with jitter.
    `sleep` and `jitter` are arguments so that tests need neither time nor luck. `requests_sent` counts HTTP requests.
    """

    def __init__(
        self,
        timeout_s: float = 30,
        tries: int = 4,
        wait_s: float = 0.5,
        sleep: Callable[[float], object] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.requests_sent = 0
        self._timeout = (10, timeout_s)
        self._tries = tries
        self._wait_s = wait_s
        self._sleep = sleep
        self._jitter = jitter
        self._local = threading.local()
        self._count = itertools.count(1)

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
        """The answer, its body read and no larger than MAX_BODY. `retry` defaults to whether the method is a read.
        A status of 400 or more raises ServiceError unless it is in `accept`; no answer raises Unreachable."""
        repeat = method in ("GET", "HEAD") if retry is None else retry

        def send() -> requests.Response:
            response = self._send(
                method, url, params=params, headers=headers, json=json_body, data=content, files=files, stream=True
            )
            try:
                response._content = _read_capped(response)
            finally:
                response.close()
            return response

        return self._checked(send, url, repeat, accept)

    def get_json(self, url: str, params: Mapping[str, Any] | None = None) -> Any:
        return _json(self.request("GET", url, params=params), url)

    def post_json(self, url: str, body: Any, headers: Mapping[str, str] | None = None, retry: bool = False) -> Any:
        return _json(self.request("POST", url, json_body=body, headers=headers, retry=retry), url)

    def rpc(self, url: str, method: str, params: Sequence[Any], retry: bool = True) -> Any:
        """One JSON-RPC call. Raises RpcError with the node's words."""
        return self.rpc_batch(url, [(method, params)], retry=retry)[0]

    def rpc_batch(self, url: str, calls: Sequence[tuple[str, Sequence[Any]]], retry: bool = True) -> list[Any]:
        """Many calls in one HTTP request, answers in the order of the calls. The first error raises RpcError."""
        answers = self.rpc_batch_raw(url, calls, retry)
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        return answers

    def rpc_batch_raw(self, url: str, calls: Sequence[tuple[str, Sequence[Any]]], retry: bool = True) -> list[Any]:
        """Like `rpc_batch`, with an RpcError in the place of each call that the node refused."""
        body = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
            for number, (method, params) in enumerate(calls)
        ]
        answer = self.post_json(url, body[0] if len(body) == 1 else body, retry=retry)
        by_id = {item.get("id"): item for item in (answer if isinstance(answer, list) else [answer]) if item}
        return [_rpc_result(by_id.get(number), url) for number in range(len(body))]

    def stream(
        self,
        url: str,
        to: Path,
        max_bytes: int,
        cancel: Callable[[], bool] = lambda: False,
        tries: int | None = None,
    ) -> int:
        """Download to the file `to` without holding it in memory; goes on where an earlier try stopped. Returns its
        size. Raises ResultRefused beyond `max_bytes`, Unreachable when all tries failed, Cancelled when asked to."""
        part = to.with_name(to.name + ".part")

        def fetch() -> requests.Response:
            have = part.stat().st_size if part.exists() else 0
            headers = {"Range": f"bytes={have}-"} if have else {}
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

        self._checked(fetch, url, True, (), tries)
        part.replace(to)
        return to.stat().st_size

    def _checked(
        self,
        send: Callable[[], requests.Response],
        url: str,
        repeat: bool,
        accept: Sequence[int],
        tries: int | None = None,
    ) -> requests.Response:
        last = (tries or self._tries) if repeat else 1
        for attempt in range(1, last + 1):
            with _translated(url, final=attempt == last) as failure:
                response = send()
                if response.status_code < 400 or response.status_code in accept:
                    return response
                if response.status_code not in _RETRY_STATUS or attempt == last:
                    raise _refused(response, url)
            self._sleep(self._wait(attempt, failure))
        raise AssertionError("unreachable")

    def _send(self, method: str, url: str, **how: Any) -> requests.Response:
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.max_redirects = 3
            session.trust_env = not url.startswith("http://127.0.0.1")
        self.requests_sent = next(self._count)
        response: requests.Response = session.request(method, url, timeout=self._timeout, **how)
        return response

    def _wait(self, attempt: int, _: object) -> float:
        return float(min(30.0, self._wait_s * 2 ** (attempt - 1)) * (0.5 + self._jitter()))


@contextmanager
def _translated(url: str, final: bool) -> Iterator[None]:
    """requests' exceptions become ours; before the last try they are swallowed."""
    try:
        yield
    except requests.RequestException as problem:
        if final:
            where = url.split("?")[0]
            raise Unreachable(
                f"{where} does not answer.",
                "Check the connection; it is tried again later.",
                problem=type(problem).__name__,
            ) from problem


def _refused(response: requests.Response, url: str) -> ServiceError | Unreachable:
    where = url.split("?")[0]
    words = bytes(getattr(response, "_content", b"") or b"")[:300].decode("utf-8", "replace")  # a stream was not read
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


def _read_capped(response: requests.Response) -> bytes:
    body = bytearray()
    for block in response.iter_content(65536):
        body += block
        if len(body) > MAX_BODY:
            response.close()
            raise ServiceError("The answer is far too large.", "Check the endpoint in the settings.")
    return bytes(body)


def _save(response: requests.Response, part: Path, have: int, max_bytes: int, cancel: Callable[[], bool]) -> None:
    with part.open("r+b" if have else "wb") as file:
        file.seek(have)
        file.truncate()
        for block in response.iter_content(262144):
            if cancel():
                raise Cancelled("Cancelled.")
            have += len(block)
            if have > max_bytes:
                file.close()
                part.unlink()
                raise ResultRefused(f"The download is larger than {max_bytes} bytes.", "It was not kept.")
            file.write(block)


def _json(response: requests.Response, url: str) -> Any:
    try:
        return load_json(response.content)
    except ValueError as problem:
        raise ServiceError(
            f"{url.split('?')[0]} answered something that is not JSON.", "Check the endpoint in the settings."
        ) from problem


def _rpc_result(answer: Any, url: str) -> Any:
    if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
        return RpcError(f"{url} answered without a result.", "Check the RPC endpoint in the settings.")
    if "error" in answer:
        error = answer["error"] if isinstance(answer["error"], dict) else {"message": str(answer["error"])}
        return RpcError(
            f"The chain refused the call: {error.get('message', '')}",
            "See the details.",
            rpc_code=error.get("code"),
            message=str(error.get("message", "")),
            data=error.get("data"),
        )
    return answer["result"]
