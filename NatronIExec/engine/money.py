"""The RLC of the paying account: its balance, and moving it between the wallet and the stake (the escrow that pays
deals)."""

from __future__ import annotations

import time
from typing import Any

from NatronIExec.errors import BadInput, NotEnoughFunds, Unreachable
from NatronIExec.farm.order.network_services import Services
from NatronIExec.farm.order.plan import wire_balances
from NatronIExec.iexec.signer import Signer
from NatronIExec.iexec.transactions import require_gas
from NatronIExec.wording import rlc

#: Seconds for which a balance is cached.
FRESH_S = 2.0
#: Seconds to wait for a transaction. Blocks come every second; if it takes minutes, its fee has become too low.
PATIENCE_S = 180.0


class Money:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._balances: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}

    def balance(self, network: str, address: str) -> dict[str, Any]:
        """The Balance of docs/engine-protocol.md. Raises Unreachable or ServiceError."""
        net = self._services.of(network)
        key = (net.network.name + net.network.rpc, address)
        known = self._balances.get(key)
        if known is None or time.monotonic() - known[0] > FRESH_S:
            known = (time.monotonic(), wire_balances(net.hub.balances(address)))
            self._balances[key] = known
        return known[1]

    def deposit(self, signer: Signer, network: str, amount_nrlc: int) -> dict[str, Any]:
        """Move `amount_nrlc` from the wallet to the stake. Raises NotEnoughFunds."""
        return self._move(signer, network, amount_nrlc, "deposit")

    def withdraw(self, signer: Signer, network: str, amount_nrlc: int) -> dict[str, Any]:
        """Move `amount_nrlc` from the stake to the wallet. Raises NotEnoughFunds."""
        return self._move(signer, network, amount_nrlc, "withdraw")

    def _move(self, signer: Signer, network: str, amount_nrlc: int, what: str) -> dict[str, Any]:
        if amount_nrlc <= 0:
            raise BadInput("There is nothing to move.", "Give an amount above 0.")
        net = self._services.of(network)
        net.check()
        held = net.hub.balances(signer.address)
        there = held.rlc_nrlc if what == "deposit" else held.stake_nrlc
        if amount_nrlc > there:
            where = "the wallet" if what == "deposit" else "the stake"
            raise NotEnoughFunds(f"There are {rlc(there)} in {where}.", "Choose a smaller amount.")
        build = net.hub.build_deposit if what == "deposit" else net.hub.build_withdraw
        with net.sending():
            transaction = build(signer.address, amount_nrlc)
            require_gas([transaction], held.eth_wei)
            signed = transaction.signed_by(signer)
            net.hub.send(signed)
        give_up_s = time.monotonic() + PATIENCE_S
        receipt = net.hub.wait(signed.hash, lambda: time.monotonic() > give_up_s)
        self._balances.clear()
        if receipt is None:
            raise Unreachable(
                "The chain has not taken the transaction yet.",
                "Look at the balances later; moving the money again would be a second transaction.",
                transaction=signed.hash,
            )
        return {"transaction": signed.hash, "stake_nrlc": net.hub.account(signer.address).stake_nrlc}
