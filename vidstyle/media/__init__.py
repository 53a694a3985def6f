"""Files in and out: sources read frames, segments and joining write them, and sound travels beside them."""
