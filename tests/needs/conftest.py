"""The real command and the sandboxes it works on, as the tests of single commands use them."""

from ..cli.conftest import bare, open_desk

__all__ = ["bare", "open_desk"]
