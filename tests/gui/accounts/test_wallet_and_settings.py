"""Accounts and settings: what is typed goes to the engine and nowhere else."""

import pytest
from shapes import ADDRESS, settings_sheet, wallet_state

from NatronIExec.gui.accounts.wallet_dialog import WalletDialog
from NatronIExec.gui.preferences.settings_dialog import SettingsDialog
from NatronIExec.gui.qt import Qt, QtCore, QtGui, QtWidgets
from NatronIExec.gui.widgets import choose


@pytest.fixture
def wallet(bridge, until):
    dialog = WalletDialog(bridge)
    dialog.show()
    until(lambda: dialog.state is not None, "for the wallet")
    yield dialog
    dialog.close()


def press(widget, key):
    for kind in (QtCore.QEvent.KeyPress, QtCore.QEvent.KeyRelease):
        QtWidgets.QApplication.sendEvent(widget, QtGui.QKeyEvent(kind, key, Qt.NoModifier))


def fields(dialog):
    return dialog.form.fields


def test_accounts_and_balances_are_shown(wallet, until):
    assert wallet.accounts.topLevelItem(0).text(2) == ADDRESS
    assert "RLC" in wallet.money.values["rlc"].text()
    until(lambda: wallet.ledger.topLevelItemCount() == 1, "for the ledger")
    assert "0.4 RLC" in wallet.month.text()


def test_a_new_account_needs_its_password_twice(wallet, engine, until):
    wallet.account_buttons["wallet.create"].click()
    form = fields(wallet)
    form["name"].setText("second")
    form["password"].setText("long enough")
    assert not wallet.form.go.isEnabled()
    assert "repetition" in wallet.form.problem.text()
    form["password again"].setText("long enough")
    assert wallet.form.go.isEnabled()
    wallet.form.go.click()
    assert form["password"].text() == form["password again"].text() == ""
    until(lambda: engine.args_of("wallet.create"), "for the question")
    assert engine.args_of("wallet.create") == [{"name": "second", "password": "long enough"}]
    until(lambda: "Back it up" in wallet.banner.text(), "for the answer")


@pytest.mark.parametrize("source", ["key", "mnemonic"])
def test_secrets_are_masked_and_cleared(wallet, engine, until, source):
    wallet.account_buttons["wallet.import"].click()
    form = fields(wallet)
    choose(form["source"], source)
    assert form["secret"].isVisible()
    assert form["secret"].echoMode() == QtWidgets.QLineEdit.Password
    form["secret"].setText("one two three")
    form["password"].setText("long enough")
    form["password again"].setText("long enough")
    wallet.form.go.click()
    assert form["secret"].text() == ""
    until(lambda: engine.args_of("wallet.import"), "for the question")
    assert engine.args_of("wallet.import")[0][source] == "one two three"


def test_closing_forgets_what_was_typed(wallet):
    wallet.account_buttons["wallet.remove"].click()
    field = fields(wallet)["password"]
    field.setText("typed")
    wallet.password.setText("typed too")
    wallet.close()
    assert field.text() == wallet.password.text() == ""


def test_unlock_and_lock(bridge, engine, until):
    engine.wallet = wallet_state(unlocked=False)
    dialog = WalletDialog(bridge)
    dialog.show()
    until(lambda: dialog.state is not None, "for the wallet")
    assert not dialog.money.deposit.isEnabled()
    dialog.password.setText("correct horse")
    dialog.unlock.click()
    assert dialog.password.text() == ""
    until(lambda: dialog.state["unlocked"], "for the lock")
    assert dialog.lock.isVisible()
    dialog.lock.click()
    until(lambda: not dialog.state["unlocked"], "for the lock")
    dialog.close()


def test_a_keyring_that_is_locked_is_not_a_wrong_password(wallet, engine, until):
    engine.refuse("wallet.unlock", "keyring", "The keyring is locked.", "Unlock it, or do not remember the password.")
    wallet.state = None
    engine._wallet(unlocked=False)
    until(lambda: wallet.state, "for the wallet")
    wallet.remember.setChecked(True)
    wallet.password.setText("correct horse")
    wallet.unlock.click()
    until(lambda: "The keyring is locked." in wallet.banner.text(), "for the refusal")
    assert engine.args_of("wallet.unlock") == [{"password": "correct horse", "remember": True}]
    assert wallet.password.text() == ""


def test_money_moves_by_amounts_that_are_some(wallet, engine, until):
    wallet.tabs.setCurrentIndex(1)
    until(lambda: wallet.money.network.count() == 2, "for the networks")
    wallet.money.amount.setText("lots")
    wallet.money.deposit.click()
    assert "not an amount" in wallet.banner.text()
    wallet.money.amount.setText("0,5")
    wallet.money.deposit.click()
    until(lambda: engine.args_of("wallet.deposit"), "for the question")
    assert engine.args_of("wallet.deposit")[0]["amount_nrlc"] == 500_000_000
    until(lambda: "are deposited" in wallet.banner.text(), "for the answer")


def test_an_external_signer(wallet, engine, until):
    wallet.tabs.setCurrentIndex(3)
    wallet.url.setText("http://127.0.0.1:8550")
    wallet.connect_button.click()
    until(lambda: (wallet.state or {}).get("external"), "for the signer")
    assert "Signed elsewhere" in wallet.lock_text.text()


def unlocked(bridge, engine, until, **changes):
    engine.wallet = wallet_state(unlocked=False, **changes)
    dialog = WalletDialog(bridge)
    dialog.show()
    until(lambda: dialog.state is not None, "for the wallet")
    return dialog


def test_enter_in_the_password_unlocks(bridge, engine, until):
    dialog = unlocked(bridge, engine, until)
    dialog.password.setText("correct horse")
    press(dialog.password, Qt.Key_Return)
    until(lambda: dialog.state["unlocked"], "for the wallet")
    assert dialog.password.text() == ""
    dialog.close()


def test_enter_in_a_form_does_what_it_is_for(wallet, engine, until):
    wallet.account_buttons["wallet.create"].click()
    form = fields(wallet)
    form["name"].setText("second")
    press(form["name"], Qt.Key_Return)
    assert engine.args_of("wallet.create") == []
    form["password"].setText("long enough")
    form["password again"].setText("long enough")
    press(form["password again"], Qt.Key_Return)
    until(lambda: engine.args_of("wallet.create"), "for the question")


def test_one_form_after_another(wallet):
    for verb in ("wallet.remove", "wallet.import", "wallet.create", "wallet.import"):
        wallet.account_buttons[verb].click()
        assert wallet.form.verb == verb
        assert wallet.form.isVisible()


def test_the_keyring_is_named(bridge, engine, until):
    keyring = {"available": True, "backend": "KWallet", "remembered": True}
    dialog = unlocked(bridge, engine, until, keyring=keyring)
    assert dialog.remember.text() == "&Remember in KWallet"
    assert dialog.lock_text.text() == "Locked; its password is in KWallet."
    dialog.close()


def create(wallet, until):
    """A second account, beside the one that is selected."""
    wallet.accounts.topLevelItem(0).setSelected(True)
    wallet.account_buttons["wallet.create"].click()
    form = fields(wallet)
    for name in ("password", "password again"):
        form[name].setText("long enough")
    wallet.form.go.click()
    until(lambda: "Back it up" in wallet.banner.text(), "for the account")


def test_what_was_made_is_what_is_backed_up(wallet, engine, until, tmp_path):
    create(wallet, until)
    wallet.banner.buttons()[0].click()
    form = fields(wallet)
    form["to"].setText(str(tmp_path / "second.json"))
    form["password"].setText("long enough")
    wallet.form.go.click()
    until(lambda: engine.args_of("wallet.export"), "for the question")
    assert engine.args_of("wallet.export")[0]["address"] == "0x" + "5a" * 20


@pytest.mark.parametrize(("written", "said"), [("5a" * 20, "and read again"), ("6b" * 20, "cannot be read again")])
def test_a_backup_is_read_again(wallet, engine, until, tmp_path, written, said):
    target = tmp_path / "second.json"

    def export(args):
        target.write_text('{"address": "' + written + '"}')
        return {"path": str(target)}

    engine.answers["wallet.export"] = export
    create(wallet, until)
    until(lambda: wallet.nag.isVisible(), "for the reminder")
    wallet.banner.buttons()[0].click()
    fields(wallet)["to"].setText(str(target))
    fields(wallet)["password"].setText("long enough")
    wallet.form.go.click()
    until(lambda: said in wallet.banner.text(), "for the answer")
    until(lambda: wallet.nag.isVisible() is ("cannot" in said), "for the reminder")


def test_money_is_not_removed_unseen(wallet, until):
    until(lambda: wallet.money.network.count() == 2, "for the networks")
    wallet.account_buttons["wallet.remove"].click()
    assert "No backup of it was made here." in wallet.form.warning.text()
    assert "It holds 3.25 RLC on Arbitrum Sepolia" in wallet.form.warning.text()


def test_the_signer_in_use_is_shown(bridge, engine, until):
    engine.wallet = wallet_state(external="http://127.0.0.1:1248")
    dialog = WalletDialog(bridge)
    until(lambda: dialog.url.text() == "http://127.0.0.1:1248", "for the signer")
    dialog.url.setFocus()
    dialog.close()


@pytest.mark.parametrize("window", [WalletDialog, SettingsDialog])
def test_every_field_has_a_name(bridge, until, window):
    """For who cannot see where it stands."""
    dialog = window(bridge)
    if window is WalletDialog:
        dialog._open_form("wallet.import")
    kinds = (QtWidgets.QLineEdit, QtWidgets.QComboBox, QtWidgets.QTreeWidget)
    nameless = [field for kind in kinds for field in dialog.findChildren(kind) if not field.accessibleName()]
    assert [field for field in nameless if not isinstance(field.parent(), QtWidgets.QComboBox)] == []
    dialog.close()


@pytest.fixture
def settings(bridge, until):
    dialog = SettingsDialog(bridge)
    dialog.show()
    until(lambda: dialog.save.isEnabled(), "for the settings")
    yield dialog
    dialog.close()


def test_only_changes_are_saved(settings, engine, until):
    assert settings.changes() == {}
    settings.fields["job_cap_nrlc"].setText("1.5")
    settings.fields["lock_after_s"].setText("5")
    settings.save.click()
    until(lambda: engine.args_of("settings.set"), "for the question")
    assert engine.args_of("settings.set") == [{"changes": {"job_cap_nrlc": 1_500_000_000, "lock_after_s": 300}}]


def test_nonsense_is_not_saved(settings, engine):
    settings.fields["keep_inputs_days"].setText("soon")
    settings.save.click()
    assert "needs a number" in settings.banner.text()
    assert engine.args_of("settings.set") == []


def test_an_endpoint_is_tried(settings, engine, until):
    settings.endpoints.urls["rpc"].setText("http://127.0.0.1:1")
    settings.endpoints.test("rpc")
    until(lambda: "answers in 12 ms" in settings.banner.text(), "for the answer")
    assert engine.args_of("test_endpoint")[0]["url"] == "http://127.0.0.1:1"
    assert settings.changes() == {"endpoints": {"arbitrum-sepolia": {"rpc": "http://127.0.0.1:1"}}}


def test_looking_at_real_money_is_not_paying_with_it(settings, engine, until):
    choose(settings.endpoints.network, "arbitrum")
    settings.endpoints.urls["market"].setText("https://market.mine")
    choose(settings.endpoints.network, "arbitrum-sepolia")
    settings.endpoints.urls["sms"].setText("")
    choose(settings.endpoints.network, "arbitrum")
    assert settings.endpoints.urls["market"].text() == "https://market.mine"
    settings.save.click()
    until(lambda: engine.args_of("settings.set"), "for the question")
    assert engine.args_of("settings.set") == [
        {"changes": {"endpoints": {"arbitrum": {"market": "https://market.mine"}}}}
    ]


def test_an_endpoint_goes_back_to_the_networks_own(bridge, engine, until):
    own = {"arbitrum-sepolia": {"rpc": "https://rpc.example", "sms": "https://sms.example"}}
    engine.settings = settings_sheet(endpoints=own)
    dialog = SettingsDialog(bridge)
    until(lambda: dialog.save.isEnabled(), "for the settings")
    dialog.endpoints.urls["rpc"].setText("")
    assert dialog.changes() == {"endpoints": {"arbitrum-sepolia": {"sms": "https://sms.example"}}}
    dialog.close()


def test_frames_can_be_uploaded_to_a_bucket(settings, engine, until):
    assert not settings.s3["bucket"].isEnabled()
    choose(settings.storage, "s3")
    settings.save.click()
    assert "bucket has no name" in settings.banner.text()
    settings.s3["bucket"].setText("renders")
    settings.save.click()
    until(lambda: engine.args_of("settings.set"), "for the question")
    s3 = {"endpoint": "", "bucket": "renders", "prefix": "", "region": ""}
    assert engine.args_of("settings.set") == [{"changes": {"storage": "s3", "s3": s3}}]


@pytest.mark.parametrize("seconds", [60, 90, 100, 900, 86400])
def test_times_that_nobody_touched_are_no_change(bridge, engine, until, seconds):
    engine.settings = settings_sheet(lock_after_s=seconds)
    dialog = SettingsDialog(bridge)
    until(lambda: dialog.save.isEnabled(), "for the settings")
    assert dialog.changes() == {}
    dialog.close()


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("lock_after_s", "0.5", "Type 1 or more."),
        ("lock_after_s", "inf", "Type 1 or more."),
        ("lock_after_s", "nan", "Type 1 or more."),
        ("keep_inputs_days", "-1", "Type 0 or more."),
        ("keep_inputs_days", "1e999", "Type 0 or more."),
        ("job_cap_nrlc", "1,000", "Write 1000"),
    ],
)
def test_numbers_that_make_no_sense(settings, engine, field, text, said):
    settings.fields[field].setText(text)
    settings.save.click()
    assert said in settings.banner.text()
    assert engine.args_of("settings.set") == []


def test_enter_saves_the_settings(settings, engine, until):
    settings.fields["job_cap_nrlc"].setText("1.5")
    settings.fields["job_cap_nrlc"].setFocus()
    press(settings.fields["job_cap_nrlc"], Qt.Key_Return)
    until(lambda: engine.args_of("settings.set"), "for the question")
