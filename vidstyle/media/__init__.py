"""Reads and writes media files: frames in, segments and videos out, with sound and other side streams."""
