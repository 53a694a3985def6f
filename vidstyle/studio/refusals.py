"""What the page will not do, as a message for whoever asked."""

from __future__ import annotations


class RefusedError(Exception):
    """Something was asked for that cannot or may not be done; the message is shown on the page."""
