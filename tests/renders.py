"""Renders for tests: small, in process, stopped where one likes."""

from vidstyle import Settings, stylize
from vidstyle.method import objective

QUICK = Settings(iterations=1, first_iterations=2, size=32, device="cpu", cuts="off")


def render(output="out.mp4", settings=QUICK, source="in.mp4", stop_after=None, style="style.png"):
    """Renders; returns the result, the plan, and the frames that were painted."""
    plans, frames = [], []

    def on_frame(frame):
        frames.append(frame)
        if len(frames) == stop_after:
            raise KeyboardInterrupt

    try:
        result = stylize(source, style, output, settings, on_start=plans.append, on_frame=on_frame)
    except KeyboardInterrupt:
        result = None
    return result, plans[0] if plans else None, frames


def contents(output):
    files = sorted(output.iterdir()) if output.is_dir() else [output]
    return [file.read_bytes() for file in files]


def everything(*folders):
    """Returns every path under some folders with its content and time of change."""
    paths = sorted(p for folder in folders for p in folder.rglob("*"))
    return [(p, p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else None) for p in paths]


def memory_failures(monkeypatch):
    """Returns a list of one number: so many of the next evaluations fail for want of memory."""
    evaluate, failures = objective.Objective.__call__, [0]

    def short_of_memory(self, image):
        if failures[0]:
            failures[0] -= 1
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return evaluate(self, image)

    monkeypatch.setattr(objective.Objective, "__call__", short_of_memory)
    return failures
