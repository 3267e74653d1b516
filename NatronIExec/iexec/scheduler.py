"""The task API of a worker group's scheduler: it knows that a task failed long before its deadline on chain, and it has
the logs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from NatronIExec.errors import ServiceError
from NatronIExec.iexec.challenge import authorization
from NatronIExec.iexec.network import Network
from NatronIExec.iexec.signer import Signer
from NatronIExec.iexec.transport import Transport, where_of

#: The name in the domain of its challenges (iexec-core EIP712ChallengeService.java).
SERVICE = "iExec Core"


#: Ends of a task that will not be delivered (core TaskStatus.java).
LOST = frozenset(
    {
        "INITIALIZE_FAILED",
        "RUNNING_FAILED",
        "CONTRIBUTION_TIMEOUT",
        "REOPEN_FAILED",
        "RESULT_UPLOAD_TIMEOUT",
        "FINALIZE_FAILED",
        "FAILED",
    }
)
#: A login to the logs is good for an hour (core EIP712ChallengeService.java); a new one is made a little earlier.
LOGIN_S = 3000.0
#: How a worker's try ended badly (core ReplicateStatus.java).
_TRY_FAILED = frozenset({"FAILED", "APP_DOWNLOAD_FAILED", "DATA_DOWNLOAD_FAILED", "COMPUTE_FAILED", "ABORTED"})


@dataclass(frozen=True)
class TaskReport:
    """What a scheduler says of a task: its status, and how many workers' tries failed."""

    status: str
    failures: int

    def lost(self, workers: int) -> bool:
        """Whether it will not be delivered: it has ended, or so many workers have failed at it."""
        return self.status in LOST or self.failures >= workers


class Scheduler:
    """The API of one worker group, found through the compass. Core TaskController.java."""

    def __init__(self, network: Network, workerpool: str, transport: Transport) -> None:
        self.network = network
        self._login: tuple[str, str, float] = ("", "", 0.0)
        self._chain_id = network.chain_id
        self._transport = transport
        self._base = network.compass
        found = transport.get_json(f"{network.compass}/{network.chain_id}/workerpools/{workerpool}")
        self._base = self._text(found, "apiUrl").rstrip("/")

    def status(self, taskid: str) -> str:
        """`currentStatus`, e.g. RUNNING or FAILED."""
        return self._text(self._transport.get_json(f"{self._base}/tasks/{taskid}"), "currentStatus")

    def task(self, taskid: str) -> TaskReport:
        """Needs no login. Raises Unreachable or ServiceError, also for a task that it does not know yet."""
        found = self._transport.get_json(f"{self._base}/tasks/{taskid}")
        rows = found.get("replicates") if isinstance(found, dict) else None
        tries = [row for row in rows or () if isinstance(row, dict)] if isinstance(rows, (list, type(None))) else []
        failed = [row for row in tries if row.get("currentStatus") in _TRY_FAILED or row.get("appExitCode")]
        return TaskReport(self._text(found, "currentStatus"), len(failed))

    def logs(self, taskid: str, signer: Signer) -> list[tuple[str, str, str]]:
        """(worker, stdout, stderr) of each try; only for the requester, kept for three days."""
        header = {"Authorization": self._authorization(signer)}
        found = self._transport.json("GET", f"{self._base}/tasks/{taskid}/logs", headers=header)
        rows = found.get("computeLogsList") if isinstance(found, dict) else None
        if not isinstance(rows, list):
            raise self._strange()
        text = self._text
        return [(text(row, "walletAddress"), text(row, "stdout"), text(row, "stderr")) for row in rows]

    def _authorization(self, signer: Signer) -> str:
        """Signed once an hour: an external signer asks its owner each time."""
        address, login, made_s = self._login
        if address != signer.address or time.monotonic() - made_s > LOGIN_S:
            challenge = self._transport.get_json(f"{self._base}/tasks/logs/challenge", {"address": signer.address})
            login = authorization(challenge, SERVICE, self._chain_id, signer)
            self._login = (signer.address, login, time.monotonic())
        return login

    def _text(self, found: Any, name: str) -> str:
        if isinstance(found, dict) and isinstance(found.get(name), str):
            return str(found[name])
        raise self._strange()

    def _strange(self) -> ServiceError:
        return ServiceError(
            f"{where_of(self._base)} sent an answer that could not be understood.",
            "Try again, or look at the worker group's own web page.",
        )
