"""Frames painted one after the other, each from the one before it, carried along by optical flow."""
