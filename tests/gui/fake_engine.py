"""An engine for the tests of the GUI: a real server on 127.0.0.1 that speaks docs/engine-protocol.md.

It validates what it is asked, what it answers and what it sends against `shapes.py` (what is wrong is kept in
`complaints`, which every test checks at its end), answers from `answers`, which a test may replace by verb, and can
be told to hold back an answer (`hold`) or to break off (`drop_clients`).
"""

import json
import os
import socket
import threading
from multiprocessing import AuthenticationError
from multiprocessing.connection import Listener

from shapes import (
    check_answer,
    check_args,
    check_event,
    frame_row,
    job_row,
    job_sheet,
    network_row,
    plan_sheet,
    scan_sheet,
    settings_sheet,
    wallet_state,
    workerpool_row,
)

from NatronIExec.engine.protocol import hang_up

#: 4 × 4 pixels of one blue.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR4nGNwaDgARwzEcQBoUhgBbi01fQAAAABJRU5ErkJggg=="


class Refuse(Exception):
    """Answer with this wire error."""

    def __init__(self, code, title="It does not work.", remedy="Do something else.", **details):
        super().__init__(code)
        self.wire = {"code": code, "title": title, "remedy": remedy, "details": details}


class FakeEngine:
    def __init__(self, home):
        self.home = home
        self.key = os.urandom(16)
        self.jobs = []
        self.frames = {}
        self.wallet = wallet_state()
        self.settings = settings_sheet()
        self.asked = []
        self.complaints = []
        self.progress = {}
        self.cancelled = []
        self._holds = {}
        self._clients = []
        self._changed = threading.Condition()
        self.answers = {
            "hello": lambda args: {
                "protocol": 1,
                "version": args["version"],
                "pid": os.getpid(),
                "home": str(home),
                "started_s": 1_790_000_000,
            },
            "subscribe": lambda args: {"jobs": self.jobs, "wallet": self.wallet},
            "status": lambda args: {
                "version": "1",
                "pid": os.getpid(),
                "home": str(home),
                "started_s": 1_790_000_000,
                "clients": 1,
                "jobs_active": 0,
                "idle_s": 0,
                "requests": 0,
            },
            "scan": lambda args: scan_sheet(),
            "plan": lambda args: plan_sheet(),
            "submit": self._submit,
            "jobs": lambda args: self.jobs,
            "show": lambda args: job_sheet(self._row(args["job"])),
            "frames": lambda args: self.frames.get(args["job"], []),
            "logs": lambda args: {"lines": [f"line {n}" for n in range(5)]},
            "cancel": lambda args: {"stopped": ["3 tasks were not started"], "bought": ["2 tasks are paid"]},
            "retry": lambda args: {"job": "job-retry"},
            "import": lambda args: {"imported": 3, "skipped": 1, "folder": "/show/renders"},
            "claim": lambda args: {"tasks": 2, "refund_nrlc": 200_000_000},
            "remove": self._remove,
            "bundle": lambda args: {"path": args["to"]},
            "thumbnail": lambda args: {"png": PNG},
            "networks": lambda args: [
                network_row(),
                network_row("arbitrum", "Arbitrum One (real money)", test=False, chain_id=42161, faucet=None),
            ],
            "workerpools": lambda args: [
                workerpool_row(),
                workerpool_row(
                    workerpool="0x" + "77" * 20,
                    name="Small group",
                    task_price_nrlc=400_000_000,
                    volume=2,
                    fits=False,
                    reason="it has only 2 tasks left, this render needs 5",
                ),
            ],
            "test_endpoint": lambda args: {"ok": True, "answer": "chain 421614", "ms": 12},
            "wallet.state": lambda args: self.wallet,
            "wallet.create": lambda args: {"account": self._add_account(args["name"])},
            "wallet.import": lambda args: {"account": self._add_account(args["name"])},
            "wallet.export": lambda args: {"path": args["to"]},
            "wallet.change_password": lambda args: {},
            "wallet.remove": lambda args: {"backup": "/home/artist/removed.json"},
            "wallet.use": lambda args: self._wallet(current=args["address"]),
            "wallet.unlock": lambda args: self._wallet(unlocked=True),
            "wallet.lock": lambda args: self._wallet(unlocked=False),
            "wallet.deposit": lambda args: {"transaction": "0x" + "ab" * 32, "stake_nrlc": args["amount_nrlc"]},
            "wallet.withdraw": lambda args: {"transaction": "0x" + "ab" * 32, "stake_nrlc": 0},
            "wallet.external": lambda args: self._wallet(external=args["url"] or None),
            "ledger": lambda args: {
                "entries": [
                    {
                        "job": "job-1",
                        "name": "shot_010",
                        "at_s": 1_790_000_000,
                        "paid_nrlc": 500_000_000,
                        "refunded_nrlc": 100_000_000,
                        "gas_wei": "400000000000000",
                        "network": "arbitrum-sepolia",
                        "transaction": "0x" + "aa" * 32,
                    }
                ],
                "month_spent_nrlc": 400_000_000,
            },
            "settings.get": lambda args: self.settings,
            "settings.set": self._set,
        }
        self._listener = Listener(("127.0.0.1", 0), backlog=64, authkey=self.key)
        self.address = self._listener.address
        self._closing = False
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    # What tests do with it

    def hold(self, verb):
        """Answers of `verb` wait until the returned event is set."""
        self._holds[verb] = threading.Event()
        return self._holds[verb]

    def refuse(self, verb, code, title="It does not work.", remedy="Do something else."):
        def answer(args):
            raise Refuse(code, title, remedy)

        self.answers[verb] = answer

    def send(self, event):
        self.complain_of(check_event, event)
        with self._changed:
            clients = [client for client in self._clients if client.subscribed]
        for client in clients:
            client.send(event)

    def send_jobs(self, *rows, removed=()):
        self.send({"event": "jobs", "jobs": list(rows), "removed": list(removed)})

    def send_frames(self, job, rows):
        self.send({"event": "frames", "job": job, "frames": rows})

    def notice(self, title, level="info", job=None, remedy=""):
        self.send({"event": "notice", "job": job, "level": level, "title": title, "remedy": remedy})

    def complain_of(self, check, *what):
        """What `check` says is wrong; "" when nothing is."""
        try:
            check(*what)
        except AssertionError as problem:
            self.complaints.append(str(problem))
            return str(problem)
        return ""

    def drop_clients(self):
        with self._changed:
            clients, self._clients = self._clients, []
        for client in clients:
            client.close()

    def args_of(self, verb):
        """The arguments of every question of this verb, oldest first."""
        return [args for asked, args in self.asked if asked == verb]

    def close(self):
        for event in self._holds.values():
            event.set()
        self._closing = True
        socket.create_connection(self.address).close()  # wakes the thread that waits for a client
        self._accepting.join()
        self._listener.close()
        self.drop_clients()

    # Behaviour of single verbs

    def _row(self, job):
        for row in self.jobs:
            if row["id"] == job:
                return row
        raise Refuse("bad-input", "There is no such render.")

    def _submit(self, args):
        row = job_row(f"job-{len(self.jobs) + 1}", state="preparing", state_text="Preparing", frames_done=0)
        self.jobs.insert(0, row)
        self.frames[row["id"]] = [frame_row(n) for n in range(1, 21)]
        self.send_jobs(row)
        return {"job": row["id"]}

    def _remove(self, args):
        self.jobs = [row for row in self.jobs if row["id"] != args["job"]]
        self.send_jobs(removed=[args["job"]])
        return {}

    def _wallet(self, **changes):
        self.wallet = dict(self.wallet, **changes)
        self.send({"event": "wallet", "wallet": self.wallet})
        return self.wallet

    def _add_account(self, name):
        account = {"address": "0x" + "5a" * 20, "name": name, "file": "/home/artist/new.json", "kind": "keystore"}
        self._wallet(accounts=[*self.wallet["accounts"], account], current=account["address"], unlocked=True)
        return account

    def _set(self, args):
        strange = set(args["changes"]) - set(self.settings)
        if strange:
            self.complaints.append(f"settings.set: unknown {strange}")
        self.settings = dict(self.settings, **args["changes"])
        return self.settings

    # The server

    def _accept(self):
        while not self._closing:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError, AuthenticationError):
                continue  # who hung up before its name was heard is no reason to hear nobody else
            client = _Client(self, connection)
            with self._changed:
                self._clients.append(client)
            threading.Thread(target=client.serve, daemon=True).start()


class _Client:
    def __init__(self, engine, connection):
        self.engine, self.connection = engine, connection
        self.subscribed = False
        self._send_lock = threading.Lock()

    def send(self, message):
        try:
            with self._send_lock:
                self.connection.send_bytes(json.dumps(message).encode("utf-8"))
        except (OSError, ValueError):
            pass

    def close(self):
        hang_up(self.connection)  # the thread that reads it closes it

    def serve(self):
        while True:
            try:
                message = json.loads(self.connection.recv_bytes().decode("utf-8"))
            except (EOFError, OSError):
                self.connection.close()
                return
            threading.Thread(target=self.answer, args=(message,), daemon=True).start()

    def answer(self, message):
        verb, args, number = message["verb"], message["args"], message.get("id")
        if verb == "cancel_request":
            self.engine.cancelled.append(args["id"])
            return
        wrong = self.engine.complain_of(check_args, verb, args)
        if wrong:
            self.send({"id": number, "error": {"code": "bad-input", "title": wrong, "remedy": "", "details": {}}})
            return
        self.engine.asked.append((verb, args))
        for step in self.engine.progress.get(verb, ()):
            self.send({"id": number, "progress": {"done": step[0], "total": step[1], "what": step[2]}})
        hold = self.engine._holds.get(verb)
        if hold is not None:
            hold.wait(20)
        try:
            result = self.engine.answers[verb](args)
        except Refuse as refusal:
            self.send({"id": number, "error": refusal.wire})
            return
        self.engine.complain_of(check_answer, verb, result)
        self.subscribed = self.subscribed or verb == "subscribe"
        self.send({"id": number, "result": result})
