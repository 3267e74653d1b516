"""The projects made by hand, for the tests of this folder."""

from project_builder import codes, knob, make, needed, numbers, shot  # noqa: F401 - fixtures
