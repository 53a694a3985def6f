"""A machine says what of a render it does not see, or sees otherwise, before it paints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from jobs import fill, make_job

from vidstyle import Settings, VidstyleError, stylize
from vidstyle.cluster import workplaces
from vidstyle.cluster.stylizer import saved_picture
from vidstyle.cluster.workplaces import workplace_for
from vidstyle.errors import ClusterError, SourceError
from vidstyle.files import sha256_of
from vidstyle.job.identity import versions_of
from vidstyle.settings.words import to_json


@pytest.fixture
def order(film, monkeypatch):
    """What a task is told of a render of the film that was stopped at its first frame."""

    class StopError(VidstyleError):
        pass

    def stop(frame):
        raise StopError

    settings = Settings(iterations=0, first_iterations=0, size=64, device="cpu", cuts="cuts.txt")
    with pytest.raises(StopError):
        stylize("in.mp4", "style.png", "out.mp4", settings, on_frame=stop)
    monkeypatch.setattr(workplaces, "_open", {})
    yield {
        "id": "this one",
        "versions": versions_of(settings),
        "settings": to_json(settings),
        "job": str(film / "out.mp4.vidstyle"),
        "manifest_sha256": sha256_of(film / "out.mp4.vidstyle/manifest.json"),
        "source": str(film / "in.mp4"),
        "source_bytes": (film / "in.mp4").stat().st_size,
        "styles": [str(film / "style.png")],
    }
    for each in workplaces._open.values():
        each.close()


def test_a_shot_is_painted_where_all_is_seen(order):
    answers = list(workplace_for(order).stylize(1, {}))
    assert [answer["position"] for answer in answers] == list(range(3, 7))
    assert workplace_for(order) is workplace_for(order)


def other_style():
    Path("style.png").write_bytes(Path("style.png").read_bytes() + b"\0")


def other_input():
    Path("in.mp4").write_bytes(Path("in.mp4").read_bytes() + b"\0")


UNFIT = {
    "no input": (lambda: Path("in.mp4").unlink(), "in.mp4"),
    "another input": (other_input, r"in\.mp4: another file is there; put input, styles and job folder"),
    "no style": (lambda: Path("style.png").unlink(), "style.png"),
    "another style": (other_style, r"style\.png \(style\): has changed"),
    "no job": (lambda: Path("out.mp4.vidstyle/manifest.json").unlink(), r"manifest\.json: not seen there; put input"),
    "another job": (
        lambda: Path("out.mp4.vidstyle/manifest.json").write_text("{}"),
        r"manifest\.json: another file is there; put input, styles and job folder",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_is_not_seen_is_named_with_the_machine(order, name):
    change, said = UNFIT[name]
    change()
    with pytest.raises(ClusterError, match=rf"^machine \S+: .*{said}"):
        workplace_for(order)


def test_a_picture_is_had_from_its_file_and_from_its_segment(tmp_path):
    job = make_job(tmp_path / "job")
    shot = job.manifest.shots[0]
    run = shot.segments[0]
    fill(job, run)
    pictures = [saved_picture(job, shot, position) for position in run]
    assert all(np.array_equal(picture, job.load_frame(p)) for p, picture in zip(run, pictures, strict=True))
    job.close_segment(shot, run)
    for position in run:
        encoded = saved_picture(job, shot, position)
        nearest = min(run, key=lambda other: np.abs(pictures[other - run.start] - encoded.astype(float)).mean())
        assert nearest == position
    with pytest.raises(SourceError):
        saved_picture(job, shot, shot.segments[1].start)
