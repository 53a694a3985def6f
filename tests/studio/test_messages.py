"""Messages on the page."""

import html

import pytest

pytest.importorskip("gradio", reason="Gradio is not installed: pip install 'vidstyle[studio]'")
from vidstyle.studio.cards import plain


def test_a_message_is_read_as_it_is_and_holds_no_markup():
    told = "a <img src=x onerror=alert(1)> **b** [c](d) & e"
    assert html.unescape(plain(told)) == told
    assert not set("<>*[]()&") & set(plain(told).replace("&#", ""))
