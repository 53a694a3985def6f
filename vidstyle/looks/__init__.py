"""What frames are to look like, at each moment: strength, styles, colours, and where there is to be paint."""
