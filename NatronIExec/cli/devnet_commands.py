"""`natron-iexec devnet`: the local iExec network on this machine."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from NatronIExec import paths
from NatronIExec.cli.connection import Session
from NatronIExec.errors import BadInput

pass_session = click.make_pass_decorator(Session)


@click.group()
def devnet() -> None:
    """A local iExec on this machine, for trying things out: worthless money, real contracts."""


@devnet.command()
@click.option("--workers", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where its state lives.")
@click.option("--hub", type=click.Choice(["6.2", "6.1"]), default="6.2", show_default=True, help="Release of the hub.")
@pass_session
def up(session: Session, workers: int, folder: Path | None, hub: str) -> None:
    """Install (first time), start, and make it known as the network `local`."""
    from NatronIExec.devnet.network import LocalNetwork

    _show_devnet(session, LocalNetwork(folder or paths.devnet()).up(workers=workers, hub=hub))


@devnet.command(name="status")
@click.option("--folder", type=click.Path(path_type=Path))
@pass_session
def devnet_status(session: Session, folder: Path | None) -> None:
    """Where it listens and what runs."""
    from NatronIExec.devnet.network import LocalNetwork

    _show_devnet(session, LocalNetwork(folder or paths.devnet()).status())


@devnet.command(name="faults")
@click.option("--folder", type=click.Path(path_type=Path))
@pass_session
def devnet_faults(session: Session, folder: Path | None) -> None:
    """What can go wrong on demand, and what does now."""
    from NatronIExec.devnet import drills

    now = [asdict(drill) for drill in drills.drills(folder or paths.devnet())]
    lines = [f"{kind:18} {what}" for kind, what in drills.KINDS.items()]
    lines += [f"now: {one['kind']}" + ("" if one["task"] is None else f" of task {one['task']}") for one in now]
    session.emit({"kinds": dict(drills.KINDS), "now": now}, lambda: click.echo("\n".join(lines)))


@devnet.command(name="fault")
@click.argument("kind")
@click.option("--task", type=click.IntRange(min=0), help="Of this task only, by its number from 0.")
@click.option("--for", "duration", metavar="TIME", help="How long, like 30s; else until `devnet fault none`.")
@click.option("--folder", type=click.Path(path_type=Path))
@pass_session
def devnet_fault(session: Session, kind: str, task: int | None, duration: str | None, folder: Path | None) -> None:
    """Break something, as `devnet faults` lists it; `none` ends all."""
    from NatronIExec.devnet import drills

    if kind == "none":
        drills.end(folder or paths.devnet())
        session.emit({}, lambda: click.echo("All works again."))
        return
    begun = drills.begin(folder or paths.devnet(), kind, task, _seconds(duration) if duration else None)
    session.emit(asdict(begun), lambda: click.echo(f"{begun.kind}: {drills.KINDS[begun.kind]}."))


@devnet.command(name="time")
@click.argument("forward", metavar="+TIME")
@click.option("--folder", type=click.Path(path_type=Path))
@pass_session
def devnet_time(session: Session, forward: str, folder: Path | None) -> None:
    """Move its clock forward (+90s, +30m, +1h, +2d): refunds are due sooner."""
    from NatronIExec.devnet.network import LocalNetwork

    now_s = LocalNetwork(folder or paths.devnet()).pass_time(_seconds(forward))
    session.emit({"now_s": now_s}, lambda: click.echo(f"The chain's clock shows {now_s}."))


def _seconds(text: str) -> int:
    found = re.fullmatch(r"\+?(\d+)([smhd])", text)
    if found is None:
        raise BadInput(f"{text} is no time.", "Write it like +90s, +30m, +1h or +2d.")
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


@devnet.command()
@click.option("--folder", type=click.Path(path_type=Path))
@pass_session
def down(session: Session, folder: Path | None) -> None:
    """Stop it; its chain is kept for the next `up`."""
    from NatronIExec.devnet.network import LocalNetwork

    LocalNetwork(folder or paths.devnet()).down()
    session.emit({}, lambda: click.echo("Stopped."))


def _show_devnet(session: Session, state: dict[str, Any]) -> None:
    session.emit(state, lambda: click.echo("\n".join(f"{name}: {value}" for name, value in state.items())))


def stand_in_words(network: str) -> str:
    """What whoever renders on the local network must know, "" where its workers have Natron."""
    from NatronIExec.devnet.network import LocalNetwork

    if network != "local" or LocalNetwork(paths.devnet()).status().get("renderer") != "slate":
        return ""
    return "The local network has no Natron: its frames are stand-ins with their number (NATRON_RENDERER names one)."


def devnet_requester_key() -> str:
    """The worthless test key that the local network funds. Raises BadInput when no local network was made."""
    accounts = paths.devnet() / "accounts.json"
    try:
        return str(json.loads(accounts.read_text())["requester"]["key"])
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise BadInput("There is no local network's account.", "Run `natron-iexec devnet up` first.") from problem
