"""The method: how a frame is stylized, and what of it the next one starts from.

`stylizer.py` shows one frame's way: initialize (`temporal.py`), build the objective (`targets.py`, `objective.py`),
minimize (`solver.py`), accept. Nothing here knows files, jobs or the settings module: only pictures, tensors, and
`options.py`, the settings that matter here.
"""
