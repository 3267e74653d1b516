"""Who can read a render: what the dialog proposes, and what it says of it."""

import pytest
from shapes import network_row

from NatronIExec.gui.widgets import choose, item_of


@pytest.fixture
def live_and_local(engine):
    engine.answers["networks"] = lambda args: [
        network_row(),
        network_row("arbitrum", "Arbitrum One (real money)", test=False, confidential=True),
    ]


@pytest.mark.usefixtures("live_and_local")
def test_a_network_with_enclaves_proposes_confidential(open_dialog, engine, until):
    dialog = open_dialog()
    section = dialog.destination
    assert item_of(section.privacy) is False
    assert "good" in section.privacy_note.text()
    choose(section.network, "arbitrum")
    assert item_of(section.privacy) is True
    assert "how many tasks" in section.privacy_note.text()
    assert "stay in the storage" in section.privacy_note.text()
    until(lambda: engine.args_of("plan")[-1]["network"] == "arbitrum", "for the new price")
    assert engine.args_of("plan")[-1]["confidential"] is True


@pytest.mark.usefixtures("live_and_local")
def test_what_the_artist_chose_is_kept_for_that_network(open_dialog, engine, until, choices, snapshot):
    choices.save(snapshot.original, {"network": "arbitrum", "confidential": False})
    dialog = open_dialog()
    assert item_of(dialog.destination.privacy) is False
    assert engine.args_of("plan")[-1]["confidential"] is False


def test_where_inputs_are_removed_nothing_else_is_said(open_dialog, engine):
    engine.answers["networks"] = lambda args: [network_row(confidential=True, forgets=True)]
    dialog = open_dialog()
    assert item_of(dialog.destination.privacy) is True
    assert "stay" not in dialog.destination.privacy_note.text()
