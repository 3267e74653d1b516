"""`natron-iexec wallet …`. Keys, phrases and passwords come from a hidden prompt or a file, never from an argument."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from NatronIExec.cli.amount_type import Rlc
from NatronIExec.cli.connection import Session
from NatronIExec.errors import BadInput
from NatronIExec.shapes import WalletState
from NatronIExec.wording import rlc

pass_session = click.make_pass_decorator(Session)
RLC = Rlc()
NEW_PASSWORD = "Password for this account"


@click.group(invoke_without_command=True)
@click.option("--network", metavar="NAME", help="Whose balances to show.")
@click.pass_context
def wallet(context: click.Context, network: str | None) -> None:
    """Accounts, balances, deposit and withdraw. Without a verb: shows them."""
    if context.invoked_subcommand is None:
        context.invoke(show, network=network)


@wallet.command()
@click.option("--network", metavar="NAME", help="Whose balances to show.")
@pass_session
def show(session: Session, network: str | None) -> None:
    """Accounts and balances; never asks for a password."""
    _show_state(session, session.call("wallet.state", network=_network(session, network)))


@wallet.command()
@click.option("--name", default="", help="A name for it.")
@pass_session
def create(session: Session, name: str) -> None:
    """Make a new account. Back it up with `wallet export`."""
    answer = session.call("wallet.create", name=name, password=session.password(NEW_PASSWORD, confirm=True))
    _show_account(session, answer)


@wallet.command(name="import")
@click.option("--name", default="", help="A name for it.")
@click.option("--file", "file", type=click.Path(path_type=Path), help="An encrypted keystore (V3) file.")
@click.option("--key", "kind", flag_value="key", help="Type a private key at a hidden prompt.")
@click.option("--mnemonic", "kind", flag_value="mnemonic", help="Type a recovery phrase at a hidden prompt.")
@click.option("--devnet", "from_devnet", is_flag=True, help="The funded test account of the local network.")
@pass_session
def import_(session: Session, name: str, file: Path | None, kind: str | None, from_devnet: bool) -> None:
    """Take an account that you have: --file, --key, --mnemonic or --devnet."""
    if sum((file is not None, kind is not None, from_devnet)) != 1:
        raise BadInput(
            "Say where the account comes from.", "Give exactly one of --file FILE, --key, --mnemonic, --devnet."
        )
    secret: dict[str, Any] = {}
    if file is not None:
        secret = {"file": str(file.expanduser().absolute()), "file_password": session.password("Password of that file")}
    elif kind is not None:
        secret = {
            kind: click.prompt("Private key" if kind == "key" else "Recovery phrase", hide_input=True, err=True).strip()
        }
    else:
        from NatronIExec.cli.devnet_commands import devnet_requester_key

        secret = {"key": devnet_requester_key()}
        name = name or "devnet"
    password = session.password(NEW_PASSWORD, confirm=session.password_file is None)
    _show_account(session, session.call("wallet.import", name=name, password=password, **secret))


@wallet.command()
@click.argument("address")
@click.argument("to", type=click.Path(path_type=Path))
@pass_session
def export(session: Session, address: str, to: Path) -> None:
    """Write the encrypted keystore file of ADDRESS to TO."""
    answer = session.call(
        "wallet.export",
        address=address,
        password=session.password("Wallet password"),
        to=str(to.expanduser().absolute()),
    )
    session.emit(answer, lambda: click.echo(answer["path"]))


@wallet.command()
@click.argument("address")
@pass_session
def password(session: Session, address: str) -> None:
    """Change the password of ADDRESS."""
    old = session.password("Old password")
    new = click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    session.call("wallet.change_password", address=address, password=old, new_password=new)
    session.emit({}, lambda: click.echo("Changed."))


@wallet.command()
@click.argument("address")
@pass_session
def remove(session: Session, address: str) -> None:
    """Take ADDRESS out of the wallet; its file is moved aside, not destroyed."""
    answer = session.call("wallet.remove", address=address, password=session.password("Wallet password"))
    session.emit(answer, lambda: click.echo(f"Moved to {answer['backup']}"))


@wallet.command()
@click.argument("address")
@pass_session
def use(session: Session, address: str) -> None:
    """Pay from ADDRESS from now on."""
    _show_state(session, session.call("wallet.use", address=address))


@wallet.command()
@click.option("--remember", is_flag=True, help="Keep the password in the system's keyring.")
@pass_session
def unlock(session: Session, remember: bool) -> None:
    """Unlock until `wallet lock` or the idle time in the settings."""
    _show_state(session, session.call("wallet.unlock", password=session.password("Wallet password"), remember=remember))


@wallet.command()
@pass_session
def lock(session: Session) -> None:
    """Forget the key now."""
    _show_state(session, session.call("wallet.lock"))


@wallet.command()
@click.argument("amount", type=RLC)
@click.option("--network", metavar="NAME")
@pass_session
def deposit(session: Session, amount: int, network: str | None) -> None:
    """Move AMOUNT RLC from the wallet to the stake that pays deals."""
    _move(session, "wallet.deposit", amount, network)


@wallet.command()
@click.argument("amount", type=RLC)
@click.option("--network", metavar="NAME")
@pass_session
def withdraw(session: Session, amount: int, network: str | None) -> None:
    """Move AMOUNT RLC from the stake back to the wallet."""
    _move(session, "wallet.withdraw", amount, network)


@wallet.command()
@click.argument("url", default="")
@pass_session
def external(session: Session, url: str) -> None:
    """Sign with an external signer (Clef) at URL; without one, with our own keystore again."""
    _show_state(session, session.call("wallet.external", url=url))


def _network(session: Session, name: str | None) -> str:
    return name or str(session.call("settings.get")["network"])


def _move(session: Session, verb: str, amount: int, network: str | None) -> None:
    answer = session.call_signed(verb, network=_network(session, network), amount_nrlc=amount)
    session.emit(
        answer, lambda: click.echo(f"Stake: {rlc(answer['stake_nrlc'])} (transaction {answer['transaction']})")
    )


def _show_state(session: Session, state: WalletState) -> None:
    from NatronIExec.cli.screen import print_wallet

    session.emit(state, lambda: print_wallet(state))


def _show_account(session: Session, answer: dict[str, Any]) -> None:
    account = answer["account"]
    session.emit(answer, lambda: click.echo(f"{account['address']} ({account['file']})"))
