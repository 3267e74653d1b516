"""The task API of a worker group's scheduler: it knows that a task failed long before its deadline on chain, and it has
the logs."""

from __future__ import annotations

from typing import Any

from NatronIExec.errors import ServiceError
from NatronIExec.iexec.challenge import authorization
from NatronIExec.iexec.network import Network
from NatronIExec.iexec.signer import Signer
from NatronIExec.iexec.transport import Transport, where_of

#: The name in the domain of its challenges (iexec-core EIP712ChallengeService.java).
SERVICE = "iExec Core"


class Scheduler:
    """The API of one worker group, found through the compass. Core TaskController.java."""

    def __init__(self, network: Network, workerpool: str, transport: Transport) -> None:
        self._chain_id = network.chain_id
        self._transport = transport
        self._base = network.compass
        found = transport.get_json(f"{network.compass}/{network.chain_id}/workerpools/{workerpool}")
        self._base = self._text(found, "apiUrl").rstrip("/")

    def status(self, taskid: str) -> str:
        """`currentStatus`, e.g. RUNNING or FAILED."""
        return self._text(self._transport.get_json(f"{self._base}/tasks/{taskid}"), "currentStatus")

    def logs(self, taskid: str, signer: Signer) -> list[tuple[str, str, str]]:
        """(worker, stdout, stderr) of each try; only for the requester, kept for three days."""
        challenge = self._transport.get_json(f"{self._base}/tasks/logs/challenge", {"address": signer.address})
        header = {"Authorization": authorization(challenge, SERVICE, self._chain_id, signer)}
        found = self._transport.json("GET", f"{self._base}/tasks/{taskid}/logs", headers=header)
        rows = found.get("computeLogsList") if isinstance(found, dict) else None
        if not isinstance(rows, list):
            raise self._strange()
        text = self._text
        return [(text(row, "walletAddress"), text(row, "stdout"), text(row, "stderr")) for row in rows]

    def _text(self, found: Any, name: str) -> str:
        if isinstance(found, dict) and isinstance(found.get(name), str):
            return str(found[name])
        raise self._strange()

    def _strange(self) -> ServiceError:
        return ServiceError(
            f"{where_of(self._base)} sent an answer that could not be understood.",
            "Try again, or look at the worker group's own web page.",
        )
