"""Accounts whose key is elsewhere."""

from __future__ import annotations

import threading
from typing import Any, Callable, Iterator

import pytest
from eth_account import Account as EthAccount

from NatronIExec.devnet.web import Answer, Request, WebServer, answer_json
from NatronIExec.engine import engine as engine_module
from NatronIExec.engine.engine import Engine
from NatronIExec.errors import ServiceError, Unreachable, WalletError
from NatronIExec.wallet.choice import ChoiceFile
from NatronIExec.wallet.keystore import Keystore
from NatronIExec.wallet.session import Session
from NatronIExec.wallet.signer import KeySigner
from NatronIExec.wallet.vault import Vault

PASSWORD = "correct horse battery"
OTHER = "0x5B38Da6a701c568545dCfcB03FcB875f56beddC4"
KEY = "0x" + "4c" * 32


def _no_dial(url: str) -> Any:
    raise AssertionError(url)


class Clef:
    """Answers as Clef's external API does, with a key of its own."""

    def __init__(self) -> None:
        self.account = EthAccount.from_key(KEY)
        self.refuses = False
        self.empty = False
        self.others: list[str] = []
        self.trouble: Exception | None = None

    def __call__(self, method: str, params: Any) -> Any:
        if method == "account_list":
            return [] if self.empty else [*self.others, self.account.address.lower()]
        if self.trouble:
            raise self.trouble
        if self.refuses:
            return None
        if method == "account_signData":
            from eth_account.messages import encode_defunct

            message = encode_defunct(bytes.fromhex(params[2][2:]))
            return "0x" + bytes(self.account.sign_message(message).signature).hex()
        if method == "account_signTypedData":
            from eth_account.messages import encode_typed_data

            return "0x" + bytes(self.account.sign_message(encode_typed_data(full_message=params[1])).signature).hex()
        fields = {k: v for k, v in params[0].items() if k != "from"}
        return {"raw": "0x" + bytes(self.account.sign_transaction({**fields, "type": 2}).raw_transaction).hex()}


def test_an_external_signer_signs_as_our_own_would(keystore: Keystore) -> None:
    clef = Clef()
    session = Session(keystore, Vault(disabled=True), lambda: 900, lambda url: clef)
    session.external("http://127.0.0.1:8550")
    theirs, ours = session.signer(), KeySigner(bytes.fromhex(KEY[2:]))
    assert session.unlocked
    assert theirs.address == ours.address == session.current
    domain = {"name": "iExecODB", "version": "5.0.0", "chainId": 1, "verifyingContract": "0x" + "11" * 20}
    types = {"A": [{"name": "n", "type": "uint256"}, {"name": "b", "type": "bytes32"}]}
    asked: Any = (domain, types, "A", {"n": 5, "b": b"\1" * 32})
    assert theirs.sign_typed_data(*asked) == ours.sign_typed_data(*asked)
    assert theirs.sign_message(b"x" * 32) == ours.sign_message(b"x" * 32)
    transaction = {
        "type": 2, "chainId": 1, "to": "0x" + "22" * 20, "data": "0x", "value": 0, "gas": 21000, "nonce": 0,
        "maxFeePerGas": 5, "maxPriorityFeePerGas": 1,
    }  # fmt: skip
    assert theirs.sign_transaction(transaction) == ours.sign_transaction(transaction)
    clef.refuses = True
    with pytest.raises(WalletError, match="did not sign"):
        theirs.sign_transaction(transaction)
    assert session.state()["accounts"][-1]["kind"] == "external"
    session.unlock("there is nothing to unlock")
    session.external("")
    assert session.current is None


def test_an_external_signer_is_remembered(keystore: Keystore, choices: ChoiceFile) -> None:
    """Without asking it: it may not run yet when the engine does."""
    clef, own = Clef(), keystore.create("own", PASSWORD)
    clef.others = [OTHER]
    session = Session(keystore, Vault(disabled=True), lambda: 900, lambda url: clef, choices)
    session.external("http://127.0.0.1:8550", clef.account.address.lower())
    assert session.current == clef.account.address
    with pytest.raises(WalletError, match="has no account"):
        session.external("http://127.0.0.1:8550", own.address)
    session = Session(keystore, Vault(disabled=True), lambda: 900, _no_dial, ChoiceFile(choices.file))
    assert session.state()["external"] == "http://127.0.0.1:8550"
    assert (session.current, session.unlocked) == (clef.account.address, True)
    session.use(OTHER)
    assert session.current == OTHER
    session.external("")
    assert session.current == own.address


def test_our_own_account_is_used_again_when_it_is_chosen(keystore: Keystore) -> None:
    session = Session(keystore, Vault(disabled=True), lambda: 900, lambda url: Clef())
    one, two = keystore.create("one", PASSWORD), keystore.create("two", PASSWORD)
    session.external("http://127.0.0.1:8550")
    session.use(two.address)
    assert (session.current, session.unlocked, session.state()["external"]) == (two.address, False, None)
    session.external("http://127.0.0.1:8550")
    session.unlock(PASSWORD, one.address)
    assert session.signer().address == one.address


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (ServiceError("The chain refused the call: Request denied", ""), WalletError),
        (Unreachable("It does not answer.", "", problem="ReadTimeout"), WalletError),
        (Unreachable("It does not answer.", "", problem="ConnectionError"), Unreachable),
    ],
)
def test_only_a_signer_that_does_not_run_is_asked_again(keystore: Keystore, trouble: Exception, kind: type) -> None:
    """Jobs retry what is unreachable, and wait for a person at a WalletError: each retry would be a prompt more."""
    clef = Clef()
    session = Session(keystore, Vault(disabled=True), lambda: 900, lambda url: clef)
    session.external("http://127.0.0.1:8550")
    clef.trouble = trouble
    with pytest.raises(kind) as said:
        session.signer().sign_message(b"x")
    assert isinstance(said.value, Unreachable) == (kind is Unreachable)


def test_an_external_signer_without_accounts(keystore: Keystore) -> None:
    clef = Clef()
    clef.empty = True
    session = Session(keystore, Vault(disabled=True), lambda: 900, lambda url: clef)
    with pytest.raises(WalletError, match="offers no account"):
        session.external("http://127.0.0.1:8550")
    session = Session(keystore, Vault(disabled=True), lambda: 900, lambda url: lambda method, params: "hello")
    with pytest.raises(WalletError, match="no external signer"):
        session.external("http://127.0.0.1:8550")


class ClefServer:
    """The same over HTTP, as a service of a web server. `approve` is what its owner clicks."""

    def __init__(self) -> None:
        self.clef = Clef()
        self.approve = threading.Event()
        self.asked: list[str] = []

    def answer(self, request: Request) -> Answer:
        body = request.json()
        self.asked.append(body["method"])
        if body["method"] != "account_list":
            assert self.approve.wait(60)
        return answer_json({"jsonrpc": "2.0", "id": body["id"], "result": self.clef(body["method"], body["params"])})


@pytest.fixture
def clef_server() -> Iterator[tuple[ClefServer, str]]:
    clef = ClefServer()
    web = WebServer([clef])
    web.start()
    yield clef, web.url
    clef.approve.set()
    web.stop()


@pytest.fixture
def new_engine() -> Iterator[Callable[[], Engine]]:
    """One whose wallet is there and whose farm is not."""
    made: list[Engine] = []

    def make() -> Engine:
        made.append(Engine(vault=Vault(disabled=True)))
        return made[-1]

    yield make
    for engine in made:
        engine.server.stop()


def test_an_engine_finds_its_signer_again(
    clef_server: tuple[ClefServer, str], start_farm: Callable[..., Any], new_engine: Callable[[], Engine]
) -> None:
    clef, url = clef_server
    farm = start_farm()
    assert farm.call("wallet.external", url=url)["current"] == clef.clef.account.address
    clef.approve.set()
    engine = new_engine()
    assert engine.wallet.unlocked
    assert engine.wallet.signer().sign_message(b"x") == KeySigner(bytes.fromhex(KEY[2:])).sign_message(b"x")
    assert clef.asked == ["account_list", "account_signData"]
    own = farm.call("wallet.create", name="own", password=PASSWORD)["account"]["address"]
    assert farm.call("wallet.use", address=own)["external"] is None


def test_its_owner_has_minutes_and_is_asked_once(
    clef_server: tuple[ClefServer, str], new_engine: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    clef, url = clef_server
    assert engine_module.SIGNER_S >= 300
    monkeypatch.setattr(engine_module, "SIGNER_S", 0.2)
    wallet = new_engine().wallet
    wallet.external(url)
    with pytest.raises(WalletError, match="Nobody answered"):
        wallet.signer().sign_message(b"x")
    assert clef.asked.count("account_signData") == 1
