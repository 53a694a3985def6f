"""Files in and out: sources read frames, sinks write them, and sound travels beside them."""
