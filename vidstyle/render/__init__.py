"""One render, from the first look to the finished output, and what it would take."""
