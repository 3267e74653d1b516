"""Colours that can be read."""

from NatronIExec import job_wording
from NatronIExec.gui import theme


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
    assert set(theme.FRAME_INKS) == set(job_wording.FRAME_STATES)
