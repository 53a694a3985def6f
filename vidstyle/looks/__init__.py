"""The look of frames at each moment, from settings and files: styles, masks, changes, and a stylizer made of them."""
