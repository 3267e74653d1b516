"""One command's connection to the engine, how it reports errors, and how it asks for passwords."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Iterator

import click

from NatronIExec.engine.client import EngineClient
from NatronIExec.errors import (
    BadInput,
    Cancelled,
    Conflict,
    EngineError,
    MissingInput,
    NatronIExecError,
    NotEnoughFunds,
    OrderRefused,
    OutputError,
    PriceAboveCap,
    ProjectError,
    ResultRefused,
    ServiceUnavailable,
    WalletError,
    WalletLocked,
    WrongUse,
)

#: Exit code of the errors of a class and those below it; 1 for any other. docs/cli.md lists them, and a test compares.
EXIT_CODES: dict[type[NatronIExecError], int] = {
    WrongUse: 2,
    NotEnoughFunds: 3,
    PriceAboveCap: 3,
    OrderRefused: 3,
    BadInput: 4,
    ProjectError: 4,
    MissingInput: 4,
    WalletError: 5,
    ServiceUnavailable: 6,
    EngineError: 6,
    OutputError: 7,
    ResultRefused: 7,
    Conflict: 8,
    Cancelled: 130,
}
#: A job that was watched to its end and has frames missing.
FRAMES_MISSING = 9


class Session:
    """What every command gets: the connection to the engine, and whether to print JSON."""

    def __init__(self, as_json: bool, password_file: str | None = None) -> None:
        self.as_json = as_json
        self.password_file = password_file
        self._client: EngineClient | None = None

    @property
    def client(self) -> EngineClient:
        """The engine's client; starts the engine if none runs."""
        if self._client is None:
            self._client = EngineClient(command=[sys.executable, "-m", "NatronIExec.engine"])
            self._client.connect(start=True)
        return self._client

    @property
    def client_if_running(self) -> EngineClient:
        """The engine's client; raises EngineGone if no engine runs."""
        if self._client is None:
            client = EngineClient()
            client.connect(start=False)
            self._client = client
        return self._client

    def call(self, verb: str, progress: Callable[[int, int, str], None] | None = None, **args: Any) -> Any:
        """Waits as long as the engine works; a dead engine raises EngineGone."""
        return self.client.call(verb, args, progress=progress, timeout_s=None)

    def call_with_progress(self, verb: str, title: str, **args: Any) -> Any:
        """`call` with a bar on a terminal's stderr; without one, silently."""
        if self.as_json or not sys.stderr.isatty():
            return self.call(verb, **args)
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            row = bar.add_task(title, total=None)

            def show(done: int, total: int, what: str) -> None:
                bar.update(row, completed=done, total=total or None, description=f"{title}: {what}" if what else title)

            return self.call(verb, progress=show, **args)

    def call_signed(self, verb: str, **args: Any) -> Any:
        """A call that needs a signature: tried without a password first, asked for only when the wallet is locked."""
        try:
            return self.call(verb, **args)
        except WalletLocked:
            return self.call(verb, **args, password=self.password("Wallet password"))

    def unlock_ahead(self) -> Callable[[], None]:
        """Start unlocking with the password of `--password-file` while other calls run, as both take long. Returns a
        function that waits for it. Errors are reported by the call that signs, which unlocks again."""
        if not self.password_file or self.password_file == "-":
            return lambda: None
        password, client = read_secret(Path(self.password_file)), self.client

        def unlock() -> None:
            with contextlib.suppress(NatronIExecError):
                client.call("wallet.unlock", {"password": password})

        thread = threading.Thread(target=unlock, daemon=True)
        thread.start()
        return thread.join

    def password(self, prompt: str, confirm: bool = False) -> str:
        """From `--password-file` (`-` is stdin), else a hidden prompt; never an argument or the environment."""
        if self.password_file == "-":
            return sys.stdin.readline().rstrip("\r\n")
        if self.password_file:
            return read_secret(Path(self.password_file))
        if not sys.stdin.isatty():
            raise WalletLocked(
                "The wallet is locked and there is no terminal to ask for the password.",
                "Run `natron-iexec wallet unlock` first, or give --password-file FILE (- for standard input).",
            )
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))

    def emit(self, value: Any, human: Callable[[], None]) -> None:
        """Print `answer` as JSON with --json, else call `human`, which prints for a person."""
        if self.as_json:
            click.echo(json.dumps(value, indent=2, ensure_ascii=False))
        else:
            human()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


def read_secret(path: Path) -> str:
    """The first line of a file that only its owner may read."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise BadInput(f"{path} can be read by other users.", f"chmod 600 {path}, then try again.")
        return path.read_text(encoding="utf-8").splitlines()[0]
    except (OSError, UnicodeDecodeError, IndexError) as problem:
        raise BadInput(
            f"No password can be read from {path}.", "Give a file whose first line is the password."
        ) from problem


@contextlib.contextmanager
def unless_interrupted(as_json: bool, title: str, remedy: str, **details: Any) -> Iterator[None]:
    """Turns Ctrl-C into the end of the command, and says what continues without it."""
    try:
        yield
    except KeyboardInterrupt:
        if not as_json:
            click.echo(f"{title} {remedy}", err=True)
        raise Cancelled(title, remedy, **details) from None


def report(problem: NatronIExecError, as_json: bool) -> int:
    """Say what happened and what to do next on stderr (stdout holds only results); returns the exit code."""
    if as_json:
        click.echo(json.dumps({"error": problem.to_wire()}, ensure_ascii=False), err=True)
    elif not isinstance(problem, Cancelled):
        click.secho(problem.title, fg="red", err=True)
        if problem.remedy:
            click.echo(problem.remedy, err=True)
    return exit_code(problem)


def exit_code(problem: NatronIExecError) -> int:
    return next((EXIT_CODES[kind] for kind in type(problem).__mro__ if kind in EXIT_CODES), 1)
