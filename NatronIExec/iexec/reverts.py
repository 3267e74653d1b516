"""The contracts' refusals, translated into sentences that say what to change."""

from __future__ import annotations

import re

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import function_signature_to_4byte_selector

from NatronIExec.errors import NatronIExecError, NotEnoughFunds, OrderRefused, RpcError
from NatronIExec.iexec.jsonrpc import data_of, is_reverted, words_of

#: `iExecV5-matchOrders-0xNN` (PoCo contracts/facets/IexecPoco1Facet.sol): what does not fit, and what to do.
MATCH_CODES: dict[str, tuple[str, str]] = {
    "00": (
        "The worker group sells another time category than was asked.",
        "Choose a worker group of the same category.",
    ),
    "01": ("This time category does not exist.", "Choose one that the network has."),
    "02": ("The worker group does not offer that much trust.", "Lower the trust, or choose another worker group."),
    "03": ("The app costs more than the order allows.", "Plan again with a higher price limit."),
    "04": ("The dataset costs more than the order allows.", "Plan again with a higher price limit."),
    "05": ("The worker group costs more than the order allows.", "Plan again with a higher price limit."),
    "06": ("The worker group lacks an ability that the task needs (tag).", "Choose a worker group with that tag."),
    "07": ("App and request do not agree on running in an enclave.", "Ask for what the app is: confidential or not."),
    "10": ("The request is for another app.", "Plan again."),
    "11": ("The request is for another dataset.", "Plan again."),
    "12": ("The request is for another worker group.", "Choose that worker group, or any."),
    "13": ("The app may not be used with this dataset.", "Leave the dataset out."),
    "14": ("The app may not run on this worker group.", "Choose another worker group."),
    "15": ("The app is not sold to this account.", "Use another account, or ask the app's owner."),
    "16": ("The dataset may not be used with this app.", "Leave the dataset out."),
    "17": ("The dataset may not go to this worker group.", "Choose another worker group."),
    "18": ("The dataset is not sold to this account.", "Use another account."),
    "19": ("The worker group does not run this app.", "Choose another worker group."),
    "1a": ("The worker group does not take this dataset.", "Choose another worker group."),
    "1b": ("The worker group does not sell to this account.", "Choose another worker group."),
    "20": ("The app is not registered on this network.", "Check the app's address in the network's settings."),
    "21": ("The app's order is not signed by its owner.", "Take the order from the market again."),
    "30": ("The dataset is not registered on this network.", "Leave the dataset out."),
    "31": ("The dataset's order is not signed by its owner.", "Leave the dataset out."),
    "40": ("The worker group is not registered on this network.", "Choose another worker group."),
    "41": ("The worker group's order is not signed by its owner.", "Choose another worker group."),
    "50": ("The request is not signed by the account that pays.", "Unlock the wallet and submit again."),
    "60": ("One of the orders is used up.", "Plan again: the market has changed."),
}
_TEXTS: tuple[tuple[str, type[NatronIExecError], str, str], ...] = (
    (
        "Transfer amount exceeds balance",
        NotEnoughFunds,
        "There is not enough RLC staked for this purchase, by you or by the worker group.",
        "Deposit RLC, or choose another worker group.",
    ),
    ("invalid-signature-format", OrderRefused, "An order's signature is malformed.", "Take the orders again."),
    ("insufficient funds", NotEnoughFunds, "There is not enough ETH for gas.", "Send some ETH to the account."),
    ("CallerIsNotTheRequester", OrderRefused, "Only the account that pays may buy in one step.", "Switch account."),
    ("UnsupportedOperation", OrderRefused, "The token was asked for something it cannot do.", "Update the plugin."),
    (
        "OperationFailed",
        OrderRefused,
        "The purchase failed after the deposit and gave no reason; nothing was spent.",
        "Plan again; if it fails again, deposit first and buy then.",
    ),
    (
        "ERC20InsufficientBalance",
        NotEnoughFunds,
        "There is not enough RLC in the wallet.",
        "Send RLC to the account.",
    ),
    (
        "ERC20InsufficientAllowance",
        OrderRefused,
        "The token did not let the iExec hub take the deposit.",
        "Try again; if it is refused again, report it with the details.",
    ),
    ("ERC20Invalid", OrderRefused, "The token does not send to that address.", "Check the network's addresses."),
    (
        "fallback-disabled",
        OrderRefused,
        "This network's hub does not know what was asked of it.",
        "Update the plugin, or check the network's addresses.",
    ),
    ("EnforcedPause", OrderRefused, "The RLC token is paused by its owners.", "Try again later."),
)
#: Custom errors: of PoCo IexecEscrowTokenFacet, and of tokens that are built on OpenZeppelin 5 (ERC-6093).
#: Their names are found in `_TEXTS`.
CUSTOM_ERRORS = (
    "CallerIsNotTheRequester()",
    "UnsupportedOperation(bytes4)",
    "OperationFailed()",
    "ERC20InsufficientBalance(address,uint256,uint256)",
    "ERC20InsufficientAllowance(address,uint256,uint256)",
    "ERC20InvalidReceiver(address)",
    "ERC20InvalidSpender(address)",
    "EnforcedPause()",
)
_BY_SELECTOR = {function_signature_to_4byte_selector(signature): signature for signature in CUSTOM_ERRORS}
_ERROR_STRING = function_signature_to_4byte_selector("Error(string)")
_PANIC = function_signature_to_4byte_selector("Panic(uint256)")


def explain(text: str, data: str = "") -> NatronIExecError:
    """The error for what a node said of a refused call: its message and its return data (0x…)."""
    words = f"{text} {_reason(data)}"
    found = re.search(r"matchOrders-0x([0-9a-f]{2})", words)
    if found and found[1] in MATCH_CODES:
        title, remedy = MATCH_CODES[found[1]]
        return OrderRefused(title, remedy, contract=f"0x{found[1]}")
    for mark, kind, title, remedy in _TEXTS:
        if mark.lower() in words.lower():
            return kind(title, remedy, contract=mark)
    return OrderRefused(
        "The chain refused the transaction.",
        "Plan again; if it is refused again, report it with the details.",
        contract=words.strip()[:300],
    )


def explained(problem: RpcError) -> NatronIExecError:
    """A contract's refusal or missing money, explained in a sentence. Any other error of a node is returned as it is:
    it is temporary, and a job must not be given up for it."""
    known = explain(words_of(problem), data_of(problem))
    return known if is_reverted(problem) or isinstance(known, NotEnoughFunds) else problem


def _reason(data: str) -> str:
    """The text of `Error(string)`, or the name of a custom error."""
    raw = bytes.fromhex(data[2:]) if re.fullmatch(r"0x(?:[0-9a-fA-F]{2})*", data) else b""
    selector = raw[:4]
    if selector == _ERROR_STRING:
        try:
            return str(decode(["string"], raw[4:])[0])
        except (DecodingError, ValueError, OverflowError):  # hostile bytes say nothing
            return ""
    if selector == _PANIC:
        return f"Panic {raw[4:].hex()}"
    return _BY_SELECTOR.get(selector, "")
