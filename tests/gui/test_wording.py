"""Amounts, times and states in words; colours that can be read."""

import pytest
from shapes import job_row

from NatronIExec.errors import BadInput
from NatronIExec.gui import theme, wording


def test_a_cost_is_never_more_and_a_balance_never_less_than_what_is_said():
    assert wording.eth(400_000_000_000_001) == "0.000401 ETH"
    assert wording.eth_held(400_000_999_999_999) == "0.0004 ETH"
    assert wording.eth(5) == wording.eth_held(5) == "< 0.000001 ETH"
    assert wording.eth(None) == wording.UNKNOWN


@pytest.mark.parametrize("text", ["1,000", "12,500", "1,000,000 RLC"])
def test_a_comma_that_may_be_of_thousands_is_asked_about(text):
    with pytest.raises(BadInput, match="two ways"):
        wording.parse_rlc(text)


def test_a_comma_that_can_only_be_decimal():
    assert wording.parse_rlc("0,125") == 125_000_000
    assert wording.parse_rlc("1,5") == 1_500_000_000
    assert wording.parse_rlc("1000") == 1000 * 10**9


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state_text": "rendering, 12 of 24 frames"}, "Rendering, 12 of 24 frames, 2 min"),
        ({"state_text": "The network is busy. Trying again."}, "The network is busy. Trying again, 2 min"),
        ({"state": "held", "state_text": "test frames are there"}, "Test frames are there"),
        ({"state": "paused", "state_text": "needs an answer: funds"}, "Needs an answer: funds"),
        ({"state": "done", "state_text": "20 frames rendered"}, "20 frames rendered"),
    ],
)
def test_states_of_a_job(changes, said):
    assert wording.job_state(job_row(created_s=1000, **changes), 1120) == said


def test_when_money_comes_back():
    due = job_row(refund_at_s=5000)
    assert wording.refund(due, 4000).startswith("after ")
    assert wording.refund(due, 6000) == "due now"
    assert wording.refund(job_row(state="partly", refunded_nrlc=10**8), 6000) == "0.1 RLC"
    assert wording.refund(job_row(state="done"), 6000) == wording.refund(job_row(refund_at_s=None), 1) == ""


def brightness(name):
    """Relative luminance, WCAG 2.1."""
    parts = [int(name[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    darker, lighter = sorted((brightness(one), brightness(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_every_state_can_be_read():
    for ink in [*theme.FRAME_INKS.values(), *theme.JOB_COLORS.values(), theme.UNKNOWN]:
        assert contrast(ink, theme.SUNKEN) >= 4.5, ink
    for ground in theme.BAR_COLORS.values():
        assert contrast("#ffffff", ground) >= 4.5, ground
    assert set(theme.FRAME_INKS) == set(wording.FRAME_STATES)
