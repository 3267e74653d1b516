"""The price in the submit dialog, its limits, its worker groups, and what is said of them."""

from shapes import plan_sheet

from NatronIExec.gui.widgets import item_of


def test_a_preset_brings_its_network_and_group(open_dialog, engine, choices, until):
    pool = "0x" + "77" * 20
    dialog = open_dialog()
    dialog.choices.save_preset("big", dict(dialog.draft.choice, network="arbitrum", workerpool=pool))
    dialog.choices.save_preset("small", dict(dialog.draft.choice, network="arbitrum-sepolia", workerpool=pool))
    for name, network in (("small", "arbitrum-sepolia"), ("big", "arbitrum")):
        engine.asked.clear()
        dialog._preset_chosen(name)
        until(lambda: engine.args_of("plan") and dialog.draft.plan, "for the price")
        # Asked again when the wallet's answer comes after the price.
        assert {(args["network"], args["workerpool"]) for args in engine.args_of("plan")} == {(network, pool)}
        assert item_of(dialog.destination.network) == network
        until(lambda: not dialog.asker.busy("groups"), "for the groups")
        assert item_of(dialog.destination.group) == pool


def test_why_a_submit_failed_stays_until_the_artist_does_something(open_dialog, engine, until):
    engine.refuse("submit", "funds", "There is too little RLC.")
    dialog = open_dialog()
    until(dialog.submit.isEnabled, "for Submit")
    dialog.submit.click()
    until(lambda: "too little" in dialog.banner.text(), "for the refusal")
    dialog.start_plan()
    until(lambda: dialog.draft.plan, "for the price")
    assert "too little" in dialog.banner.text()
    dialog.frames.chunk.setValue(3)
    assert dialog.banner.text() == ""


def test_another_problem_of_the_price_replaces_the_words(open_dialog, engine, until):
    def problem(title):
        found = {"code": "order-refused", "title": title, "remedy": "", "details": {}}
        engine.answers["plan"] = lambda args: plan_sheet(problems=[found] if title else [])

    problem("Nobody sells that.")
    dialog = open_dialog()
    for title in ("They ask for too much.", ""):
        problem(title)
        dialog.start_plan()
        until(lambda: dialog.draft.plan, "for the price")
        assert dialog.banner.text() == title


def test_a_higher_limit_lets_one_submit(open_dialog, engine, choices, snapshot, until):
    refusal = {"code": "price-cap", "title": "It costs more than your limit.", "remedy": "", "details": {}}
    engine.answers["plan"] = lambda args: plan_sheet(
        problems=[refusal] if (args["max_price_nrlc"] or 10**12) < 10**9 else []
    )
    dialog = open_dialog()
    dialog.price.cap.setText("0.1")
    until(lambda: "more than your limit" in dialog.banner.text(), "for the price")
    assert not dialog.submit.isEnabled()
    dialog.price.cap.setText("2")
    until(dialog.submit.isEnabled, "for Submit")
    assert dialog.banner.text() == ""


def test_groups_say_whether_they_have_room_for_this_render(open_dialog, engine, until):
    dialog = open_dialog()
    until(lambda: not dialog.asker.busy("groups"), "for the groups")
    assert engine.args_of("workerpools")[-1]["tasks"] == plan_sheet()["tasks"]


def test_a_limit_below_the_price_disables_submit(open_dialog, until):
    dialog = open_dialog()
    until(dialog.submit.isEnabled, "for Submit")
    dialog.price.cap.setText("0.000001")
    assert not dialog.submit.isEnabled()
    assert "limit" in dialog.submit.toolTip()
    dialog.price.cap.setText("much")
    assert not dialog.submit.isEnabled()


def test_nobody_sells_and_no_price(open_dialog, engine, until):
    problem = {"code": "order-refused", "title": "Nobody sells that.", "remedy": "Try again later.", "details": {}}
    nothing = {name: None for name in ("workerpool", "total_nrlc", "gas_wei", "refund_s", "after_nrlc", "category")}
    nothing.update({"app_price_nrlc": None, "workerpool_price_nrlc": None, "deposit_nrlc": None})
    engine.answers["plan"] = lambda args: plan_sheet(problems=[problem], **nothing)
    dialog = open_dialog()
    assert not dialog.submit.isEnabled()
    assert "Nobody sells that." in dialog.submit.toolTip()
    dialog.price.cap.setText("1")


def test_a_price_without_a_number_of_frames_a_task_says_none(open_dialog, engine):
    engine.answers["plan"] = lambda args: plan_sheet(chunk=0)
    assert open_dialog().price.values["tasks"].toolTip() == "20 frames, in 1 purchase"
