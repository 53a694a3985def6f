"""What frames are to look like, at each moment: strength, styles, colors, and where there is to be paint."""
