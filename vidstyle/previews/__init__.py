"""Previews: single frames painted before a render, on a labeled sheet or one sketch after the other."""
