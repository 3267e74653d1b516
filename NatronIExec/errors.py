"""The errors that a person may see: what happened (title) and what to do next (remedy).

Every door to a foreign library turns its exceptions into one of these; anything else that reaches a thread's
outermost frame is a bug. The tree:

    NatronIExecError
      Cancelled            the person asked for it; shown nowhere
      BadInput             an argument, a frame range, a file that is not what it should be
      ProjectError         the .ntp cannot be read, or cannot be rendered as it is
      MissingInput         files that the render needs are not there
      WalletError
        WalletLocked       a signature is needed and no password was given
        WrongPassword
        KeyringUnavailable the OS keyring cannot be used (not the same as a wrong password)
      NotEnoughFunds       RLC, stake or gas
      PriceAboveCap        the market asks more than the person allowed
      OrderRefused         the chain would refuse (or refused) the match: says which rule and what to change
      ServiceUnavailable   a service that the job needs cannot be used now
        Unreachable        it does not answer; worth another try later
        ServiceError       it answered, and said no
          RpcError         a node refused a call, or answered it with something else
          CannotRemove     the storage lets nobody like us remove anything
        WrongChain         the RPC endpoint serves another chain or hub than the network says
      ResultRefused        what came back is not what the chain promised; never imported
      OutputError          the output folder cannot be written
      EngineError
        EngineGone         the engine process ended or cannot be reached
        EngineNotFound     not installed
        EngineMismatch     another version than the caller's
      Conflict             the thing is in a state that does not allow it (a job that is over, a name that is taken)
      WrongUse             the command line was not understood
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Type


class NatronIExecError(Exception):
    """Base of all our errors.

    `code` is stable and crosses processes; `title` is one sentence of what happened, `remedy` one of what to do.
    `details` are JSON values for the Details fold-out (ids, endpoints), never secrets.
    """

    code = "error"

    def __init__(self, title: str, remedy: str = "", **details: Any) -> None:
        super().__init__(title)
        self.title = title
        self.remedy = remedy
        self.details = details

    def __str__(self) -> str:
        return " ".join(part for part in (self.title, self.remedy) if part)

    def to_wire(self) -> Dict[str, Any]:
        """JSON form for the engine protocol; `from_wire` is its inverse."""
        return {"code": self.code, "title": self.title, "remedy": self.remedy, "details": self.details}


class Cancelled(NatronIExecError):
    code = "cancelled"


class BadInput(NatronIExecError):
    code = "bad-input"


class ProjectError(NatronIExecError):
    code = "project"


class MissingInput(NatronIExecError):
    code = "missing-input"


class WalletError(NatronIExecError):
    code = "wallet"


class WalletLocked(WalletError):
    code = "wallet-locked"


class WrongPassword(WalletError):
    code = "wrong-password"


class KeyringUnavailable(WalletError):
    code = "keyring"


class NotEnoughFunds(NatronIExecError):
    code = "funds"


class PriceAboveCap(NatronIExecError):
    code = "price-cap"


class OrderRefused(NatronIExecError):
    code = "order-refused"


class ServiceUnavailable(NatronIExecError):
    code = "service-unavailable"


class Unreachable(ServiceUnavailable):
    code = "unreachable"


class ServiceError(ServiceUnavailable):
    code = "service"


class RpcError(ServiceError):
    """`details` holds `rpc_code`, `message` and `data` of the JSON-RPC error. `iexec.jsonrpc` says what they mean."""

    code = "rpc"


class CannotRemove(ServiceError):
    """Asking again is of no use; what is there, stays there."""

    code = "cannot-remove"


class WrongChain(ServiceUnavailable):
    code = "wrong-chain"


class ResultRefused(NatronIExecError):
    code = "result-refused"


class OutputError(NatronIExecError):
    code = "output"


class EngineError(NatronIExecError):
    code = "engine"


class EngineGone(EngineError):
    code = "engine-gone"


class EngineNotFound(EngineError):
    code = "engine-not-found"


class EngineMismatch(EngineError):
    code = "engine-mismatch"


class Conflict(NatronIExecError):
    code = "conflict"


class WrongUse(NatronIExecError):
    code = "usage"


def _tree(base: Type[NatronIExecError]) -> Dict[str, Type[NatronIExecError]]:
    known = {base.code: base}
    for child in base.__subclasses__():
        known.update(_tree(child))
    return known


def kind_of(code: str) -> Type[NatronIExecError]:
    """The class of errors with this code; the base class for that of a newer engine."""
    return _tree(NatronIExecError).get(code, NatronIExecError)


def from_wire(wire: Mapping[str, Any]) -> NatronIExecError:
    """The error that `to_wire` described; an unknown code (a newer engine) becomes the base class."""
    kind = kind_of(str(wire.get("code")))
    details = wire.get("details")
    return kind(
        str(wire.get("title", "")), str(wire.get("remedy", "")), **(details if isinstance(details, dict) else {})
    )
