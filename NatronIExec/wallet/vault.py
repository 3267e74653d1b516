"""The system's keyring, which keeps a password only if the user asks for it. The only importer of keyring."""

from __future__ import annotations

from NatronIExec.errors import KeyringUnavailable

_SERVICE = "NatronIExec"


class Vault:
    """The system's keyring; `disabled` acts as if there were none (tests, servers)."""

    def __init__(self, disabled: bool = False) -> None:
        self._disabled = disabled

    def backend(self) -> str | None:
        """The keyring's name, for the user to see; None if there is no usable keyring."""
        if self._disabled:
            return None
        try:
            import keyring
            import keyring.errors

            found = keyring.get_keyring()
            return str(found.name) if found.priority >= 1 else None
        except Exception:  # backends raise exceptions of their platforms, of any class
            return None

    def remember(self, address: str, password: str) -> None:
        self._require()
        import keyring
        import keyring.errors

        try:
            keyring.set_password(_SERVICE, address, password)
        except keyring.errors.KeyringError as problem:
            raise _unavailable() from problem

    def recall(self, address: str) -> str | None:
        """None when nothing is remembered or there is no keyring."""
        if self.backend() is None:
            return None
        import keyring
        import keyring.errors

        try:
            return keyring.get_password(_SERVICE, address)
        except keyring.errors.KeyringError as problem:
            raise _unavailable() from problem

    def forget(self, address: str) -> None:
        if self.backend() is None:
            return
        import contextlib

        import keyring
        import keyring.errors

        with contextlib.suppress(keyring.errors.KeyringError):
            keyring.delete_password(_SERVICE, address)

    def _require(self) -> None:
        if self.backend() is None:
            raise _unavailable()


def _unavailable() -> KeyringUnavailable:
    return KeyringUnavailable(
        "The system's keyring cannot be used.", "Unlock it, or type the password each time; nothing was stored."
    )
