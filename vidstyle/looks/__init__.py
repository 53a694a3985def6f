"""The look of frames at each moment, from settings and files: styles, masks, keyframes, and a stylizer made of them."""
