"""Files such as cameras and editors write them, made at run time, and what became of them."""
