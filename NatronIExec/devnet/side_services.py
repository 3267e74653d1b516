"""The secret management service, the compass, and the scheduler's task API."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct

from NatronIExec import paths
from NatronIExec.devnet.challenges import Challenges
from NatronIExec.devnet.web import Answer, Request, answer_json
from NatronIExec.iexec.sms import requester_challenge
from NatronIExec.seal import KEY_NAME

MAX_SECRET = 4096


class SecretService:
    """Requester and web2 secrets: written once by their owner, read by nobody but the workers of this process.

    Kept in `file`, which its owner alone can read, so that a confidential task goes on after a restart.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        kept = json.loads(file.read_text()) if file.exists() else []
        self._secrets: dict[tuple[str, str, str], str] = {}
        #: Of accounts, for post-compute: public keys and tokens.
        self._of_accounts: dict[tuple[str, str, str], str] = {}
        for kind, who, name, value in kept:
            self._shelf(kind)[(kind, who, name)] = value
        self._lock = threading.Lock()

    def requester_secret(self, requester: str, name: str) -> str | None:
        return self._secrets.get(("requester", requester.lower(), name))

    def result_key(self, beneficiary: str) -> str | None:
        return self._of_accounts.get(("web2", beneficiary.lower(), KEY_NAME))

    def _shelf(self, kind: str) -> dict[tuple[str, str, str], str]:
        return self._of_accounts if kind == "web2" else self._secrets

    def answer(self, request: Request) -> Answer | None:
        parts = request.path.strip("/").split("/")
        if len(parts) == 4 and parts[0] == "requesters" and parts[2] == "secrets":
            return self._secret(request, ("requester", parts[1].lower(), parts[3]), parts[1])
        if request.path == "/tee/framework":
            return answer_json("TDX")
        if request.path == "/secrets/web2":
            owner, name = request.query["ownerAddress"], request.query["secretName"]
            return self._secret(request, ("web2", owner.lower(), name), owner)
        return None

    def _secret(self, request: Request, key: tuple[str, str, str], owner: str) -> Answer:
        if key[0] == "requester" and not re.fullmatch("[A-Za-z0-9-_]{1,64}", key[2]):
            return Answer(400)
        if request.method not in ("HEAD", "POST", "PUT") or (request.method, key[0]) == ("PUT", "requester"):
            return Answer(405)  # a requester's secret stays what it is
        if request.method == "HEAD":
            return Answer(204 if key in self._shelf(key[0]) else 404)
        if request.length > MAX_SECRET:
            return Answer(413)
        value = request.read().decode()
        challenge = requester_challenge(owner, key[2], value)
        try:
            signer = Account.recover_message(
                encode_defunct(challenge), signature=request.headers.get("authorization", "")
            )
        except Exception:  # eth-account raises many kinds for what is no signature
            return Answer(401)
        if signer.lower() != owner.lower():
            return Answer(401)
        with self._lock:
            if key in self._shelf(key[0]) and request.method == "POST":
                return Answer(409)
            self._shelf(key[0])[key] = value
            kept = {**self._secrets, **self._of_accounts}
            paths.write_atomic(self._file, json.dumps([[*key, value] for key, value in kept.items()]).encode())
        return Answer(204)


class SchedulerService:
    """What a worker group's scheduler tells of its tasks. The compass leads here."""

    def __init__(self, chain_id: int, workerpool: str) -> None:
        self._chain_id = chain_id
        self._workerpool = workerpool.lower()
        self._tasks: dict[str, dict[str, Any]] = {}
        self._challenges = Challenges("iExec Core", "", once=False)
        self.url = ""

    def begin(self, taskid: str, requester: str) -> None:
        """Its logs are for `requester` only."""
        self._tasks[taskid] = {"status": "INITIALIZED", "logs": [], "requester": requester}

    def note(self, taskid: str, status: str, worker: str = "", stdout: str = "", stderr: str = "") -> None:
        """Called by the workers."""
        task = self._tasks[taskid]
        task["status"] = status
        if worker:
            task["logs"].append({"walletAddress": worker, "stdout": stdout[-100_000:], "stderr": stderr[-100_000:]})

    def answer(self, request: Request) -> Answer | None:
        parts = request.path.strip("/").split("/")
        if len(parts) == 3 and parts[1] == "workerpools":
            known = parts[0] == str(self._chain_id) and parts[2].lower() == self._workerpool
            return answer_json({"apiUrl": self.url}) if known else answer_json({"error": "not found"}, 404)
        if parts[0] != "tasks":
            return None
        if request.path == "/tasks/logs/challenge":
            return answer_json(self._challenges.give(request.query["address"], self._chain_id))
        task = self._tasks.get(parts[1]) if len(parts) > 1 else None
        if task is None:
            return answer_json({"error": "not found"}, 404)
        if parts[2:] == ["logs"]:
            who = self._challenges.who(request.headers.get("authorization", ""))
            if who is None:
                return answer_json({"error": "unauthorized"}, 401)
            if who.lower() != task["requester"].lower():
                return answer_json({"error": "forbidden"}, 403)
            return answer_json({"chainTaskId": parts[1], "computeLogsList": task["logs"]})
        return answer_json(
            {"chainTaskId": parts[1], "currentStatus": task["status"], "dateStatusList": [], "replicates": []}
        )
