"""The few lines of the engine client's contract that the GUI leans on, for a FakeEngine at a known address."""

import itertools
import json
import queue
import threading
from multiprocessing.connection import Client

from NatronIExec.engine.protocol import hang_up
from NatronIExec.errors import Cancelled, EngineGone, EngineNotFound, from_wire


class WireClient:
    def __init__(self, engine):
        self._engine = engine
        self._numbers = itertools.count(1)
        self._waiting = {}
        self._callback = None
        self._lock = threading.Lock()
        self._connection = None
        self._gone = False

    @property
    def connected(self):
        return self._connection is not None and not self._gone

    def connect(self, start=True):
        try:
            self._connection = Client(self._engine.address, authkey=self._engine.key)
        except OSError:
            raise EngineNotFound("The render engine is not installed.", "Run `natron-iexec install`.") from None
        threading.Thread(target=self._read, daemon=True).start()
        self.call("hello", {"protocol": 1, "version": "1"})

    def call(self, verb, args, progress=None, timeout_s=None, on_id=None):
        number = next(self._numbers)
        answers = self._waiting[number] = queue.Queue()
        if self._gone:
            raise EngineGone("The render engine stopped.", "It is started again.")
        self._send({"id": number, "verb": verb, "args": args})
        if on_id is not None:
            on_id(number)
        while True:
            message = answers.get(timeout=timeout_s)
            if message is None:
                raise EngineGone("The render engine stopped.", "It is started again.")
            if "progress" in message:
                if progress is not None:
                    try:
                        progress(message["progress"]["done"], message["progress"]["total"], message["progress"]["what"])
                    except Cancelled:
                        self.cancel(number)
                        raise
            elif "error" in message:
                raise from_wire(message["error"])
            else:
                return message["result"]

    def cancel(self, number):
        self._send({"verb": "cancel_request", "args": {"id": number}})

    def subscribe(self, callback):
        self._callback = callback
        return self.call("subscribe", {})

    def close(self):
        if self._connection is not None:
            hang_up(self._connection)  # the reader closes it: closed here, it would go on to read from another's number

    def _send(self, message):
        try:
            with self._lock:
                self._connection.send_bytes(json.dumps(message).encode("utf-8"))
        except OSError:
            raise EngineGone("The render engine stopped.", "It is started again.") from None

    def _read(self):
        while True:
            try:
                message = json.loads(self._connection.recv_bytes().decode("utf-8"))
            except (EOFError, OSError):
                self._connection.close()
                break
            if "event" in message:
                if self._callback is not None:
                    self._callback(message)
            else:
                self._waiting[message["id"]].put(message)
        self._gone = True
        for answers in list(self._waiting.values()):
            answers.put(None)
        if self._callback is not None:
            self._callback({"event": "gone"})
