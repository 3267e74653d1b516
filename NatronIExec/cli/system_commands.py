"""The engine, the settings, and whether everything that a render needs is there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from NatronIExec import paths
from NatronIExec.cli import plugin_folder
from NatronIExec.cli.connection import Session
from NatronIExec.errors import BadInput, EngineGone, NatronIExecError

pass_session = click.make_pass_decorator(Session)


@click.group()
def engine() -> None:
    """The process that holds wallet and queue; it is started by itself when needed."""


@engine.command()
@pass_session
def start(session: Session) -> None:
    """Start the engine if none runs."""
    answer = session.call("status")
    session.emit(answer, lambda: click.echo(f"Engine {answer['version']} runs (pid {answer['pid']})."))


@engine.command()
@click.option("--force", is_flag=True, help="Also while jobs are active; they go on at the next start.")
@pass_session
def stop(session: Session, force: bool) -> None:
    """Stop the engine. Jobs go on at the next start."""
    try:
        session.client_if_running.call("stop", {"force": force}, timeout_s=30)
    except EngineGone:
        session.emit({}, lambda: click.echo("No engine runs."))
        return
    session.emit({}, lambda: click.echo("Stopped."))


@engine.command()
@pass_session
def status(session: Session) -> None:
    """Whether an engine runs, without starting one."""
    try:
        answer = session.client_if_running.call("status", {}, timeout_s=30)
    except EngineGone:
        session.emit({"running": False}, lambda: click.echo("No engine runs."))
        return
    session.emit(
        {"running": True, **answer},
        lambda: click.echo(f"Engine {answer['version']} (pid {answer['pid']}), {answer['jobs_active']} active jobs"),
    )


@click.group(invoke_without_command=True)
@click.pass_context
def networks(context: click.Context) -> None:
    """The networks that can be chosen with --network; `networks add` learns a publisher's apps."""
    if context.invoked_subcommand is None:
        _list_networks(context.obj)


@networks.command()
@click.argument("source", metavar="FILE|URL")
@pass_session
def add(session: Session, source: str) -> None:
    """Learn where a publisher's apps are. Refused unless the account that signed the file owns them on chain."""
    answer = session.call("networks.add", content=_network_file(source))
    session.emit(
        answer, lambda: click.echo(f"{answer['network']}: the apps of {answer['publisher']} are used from now on.")
    )


def _network_file(source: str) -> str:
    try:
        if source.startswith(("http://", "https://")):
            from NatronIExec.iexec.transport import Transport

            return bytes(Transport().request("GET", source).content).decode("utf-8")
        return Path(source).expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(f"{source} cannot be read.", "Give the file or the web address of the publisher.") from problem


def _list_networks(session: Session) -> None:
    from NatronIExec.cli.screen import console, table

    rows = session.call("networks")
    listed = [
        (n["name"], n["title"], n["chain_id"], "test" if n["test"] else "real money", "yes" if n["available"] else "no")
        for n in rows
    ]
    session.emit(rows, lambda: console().print(table(("name", "title", "chain", "money", "ready"), listed)))


@click.command()
@click.argument("changes", nargs=-1, metavar="[NAME=VALUE]...")
@pass_session
def settings(session: Session, changes: tuple[str, ...]) -> None:
    """Show the settings, or change some: `settings network=local lock_after_s=900`. Values are JSON or plain text."""
    wanted = dict(_assignment(change) for change in changes)
    answer = session.call("settings.set", changes=wanted) if wanted else session.call("settings.get")
    session.emit(
        answer, lambda: click.echo("\n".join(f"{name} = {json.dumps(value)}" for name, value in answer.items()))
    )


def _assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadInput(f"{text!r} changes nothing.", "Write NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


@click.command()
@pass_session
def install(session: Session) -> None:
    """Make the plug-in folder for Natron, and tell the plug-in how to start this engine."""
    package = Path(__file__).resolve().parents[1]
    plugin = plugin_folder.write(package)
    record = {
        "command": [sys.executable, "-m", "NatronIExec.engine"],
        "package": str(package.parent),
        "plugin": str(plugin),
    }
    paths.write_atomic(paths.install_file(), json.dumps(record, indent=2).encode())
    session.emit(
        {**record, "file": str(paths.install_file())},
        lambda: click.echo(f"Add this folder to NATRON_PLUGIN_PATH and start Natron: {plugin}"),
    )


@click.command()
@pass_session
def doctor(session: Session) -> int:
    """Look at everything that a render needs, and say what to do about what is missing."""
    findings = _findings(session)
    bad = [finding for finding in findings if finding["level"] == "error"]

    def human() -> None:
        marks = {"ok": ("ok  ", "green"), "warning": ("look", "yellow"), "error": ("bad ", "red")}
        for finding in findings:
            mark, colour = marks[finding["level"]]
            click.echo(
                f"{click.style(mark, fg=colour)} {finding['what']}: {finding['title']} {finding['remedy']}".rstrip()
            )

    session.emit(findings, human)
    return 1 if bad else 0


def _findings(session: Session) -> list[dict[str, str]]:
    findings: list[dict[str, str]] = []

    def add(level: str, what: str, title: str, remedy: str = "") -> None:
        findings.append({"level": level, "what": what, "title": title, "remedy": remedy})

    try:
        answer = session.call("status")
        add("ok", "engine", f"version {answer['version']}, state in {answer['home']}")
    except NatronIExecError as problem:
        add("error", "engine", problem.title, problem.remedy)
        return findings
    chosen = session.call("settings.get")["network"]
    known = {network["name"]: network for network in session.call("networks")}
    if chosen not in known:
        add(
            "error",
            "network",
            f"{chosen} is not known.",
            "Run `natron-iexec settings network=NAME` with one of: " + ", ".join(known),
        )
        return findings
    if not known[chosen]["available"]:
        add(
            "warning",
            "network",
            f"{chosen} has no app deployed yet.",
            "Use `natron-iexec devnet up` and `settings network=local` to try things out.",
        )
    for kind, url in known[chosen]["endpoints"].items():
        if not url:
            continue
        try:
            tested = session.call("test_endpoint", network=chosen, kind=kind, url=url)
            add("ok", kind, f"{tested['answer']} ({tested['ms']} ms)")
        except NatronIExecError as problem:
            add("error", kind, problem.title, problem.remedy)
    state = session.call("wallet.state", network=chosen)
    if not state["accounts"]:
        add("warning", "wallet", "no account yet.", "Run `natron-iexec wallet create` or `wallet import`.")
    elif state["balance"] is None:
        add("warning", "wallet", "the balance is not known.", state["error"]["remedy"] if state["error"] else "")
    else:
        add("ok", "wallet", f"{state['current']} on {chosen}")
    return findings
