"""Reads and writes still pictures."""
