"""Reads videos, folders of frames, moving pictures and masks, a frame at a time."""
