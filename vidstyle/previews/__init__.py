"""Previews: single frames stylized before a render, on a labeled sheet or one sketch after the other."""
