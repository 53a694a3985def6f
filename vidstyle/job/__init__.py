"""The job folder: what a render has done so far, on disk, so that the same command continues it."""
