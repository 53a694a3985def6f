"""Encodes frames to segments and joins them to the output."""
