"""How a picture is moved downhill on its objective: steps, sizes from coarse to fine, and with little memory."""
