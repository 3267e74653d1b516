"""What a worker group's scheduler knows of a task: its state long before the chain's deadline, and the logs."""

from __future__ import annotations

from typing import Any

from NatronIExec.iexec.market import authorization
from NatronIExec.iexec.network import Network
from NatronIExec.iexec.signer import Signer
from NatronIExec.iexec.transport import Transport


class Scheduler:
    """The API of one worker group, found through the compass. Core TaskController.java."""

    def __init__(self, network: Network, workerpool: str, transport: Transport) -> None:
        self._transport = transport
        found = transport.get_json(f"{network.compass}/{network.chain_id}/workerpools/{workerpool}")
        self._base = str(found["apiUrl"]).rstrip("/")

    def status(self, taskid: str) -> str:
        """`currentStatus`, e.g. RUNNING or FAILED."""
        return str(self._transport.get_json(f"{self._base}/tasks/{taskid}")["currentStatus"])

    def logs(self, taskid: str, signer: Signer) -> list[tuple[str, str, str]]:
        """(worker, stdout, stderr) of each try; only for the requester, kept for three days."""
        challenge: Any = self._transport.get_json(f"{self._base}/tasks/logs/challenge", {"address": signer.address})
        response = self._transport.request(
            "GET", f"{self._base}/tasks/{taskid}/logs", headers={"Authorization": authorization(challenge, signer)}
        )
        return [
            (str(log["walletAddress"]), str(log["stdout"]), str(log["stderr"]))
            for log in response.json()["computeLogsList"]
        ]
