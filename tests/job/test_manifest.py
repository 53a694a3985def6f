"""What a job is, and what is refused."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobs import make_manifest

from vidstyle.errors import JobError
from vidstyle.job.manifest import FORMAT_VERSION, MANIFEST_NAME, read_manifest
from vidstyle.version import __version__


def test_what_is_written_is_read(tmp_path):
    info = replace(make_manifest().info, rate=Fraction(30000, 1001), time_base=Fraction(1, 30000), range_stop=9)
    info = replace(info, last_duration_s=Fraction(1, 3))
    manifest = make_manifest(info=info, cuts=(3, 7), notes=("it is dark",), timestamps=(5, 6, 9, 12, 13, 14, 15, 99))
    manifest.write(tmp_path)
    assert read_manifest(tmp_path) == manifest
    assert [(shot.start, shot.stop) for shot in manifest.shots] == [(0, 3), (3, 7), (7, 8)]


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(1, 10**6), max_size=40))
def test_any_timestamps_are_kept(tmp_path_factory, first, steps):
    folder = tmp_path_factory.mktemp("job")
    stamps = tuple(first + sum(steps[:k]) for k in range(len(steps) + 1))
    make_manifest(timestamps=stamps, cuts=()).write(folder)
    assert read_manifest(folder).timestamps == stamps


def test_a_steady_film_takes_no_room(tmp_path):
    make_manifest(timestamps=tuple(range(0, 1001 * 200_000, 1001))).write(tmp_path)
    assert (tmp_path / MANIFEST_NAME).stat().st_size < 5000


def damaged(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


DAMAGE = {
    "emptied": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:300]),
    "not JSON": lambda path: path.write_bytes(b"\xff\xfe\0garbage"),
    "a list": lambda path: path.write_text("[1, 2]"),
    "no format": lambda path: damaged(path, lambda content: content.pop("format")),
    "no settings": lambda path: damaged(path, lambda content: content.pop("settings")),
    "no such rate": lambda path: damaged(path, lambda content: content["info"].update(rate="1/0")),
    "an unknown field of the input": lambda path: damaged(path, lambda content: content["info"].update(color=1)),
    "threads of none": lambda path: damaged(path, lambda content: content.update(threads=0)),
    "time running back": lambda path: damaged(path, lambda content: content.update(timestamps=[[0, 1], [-1, 7]])),
    "no time": lambda path: damaged(path, lambda content: content.update(timestamps=[])),
    "cuts beyond the end": lambda path: damaged(path, lambda content: content.update(cuts=[99])),
    "frames without end": lambda path: damaged(path, lambda content: content.update(timestamps=[[0, 1], [1, 10**12]])),
    "brackets without end": lambda path: path.write_text("[" * 200_000),
    "another kind": lambda path: damaged(path, lambda content: content.update(kind="song")),
    "another size": lambda path: damaged(path, lambda content: content.update(width=10**6)),
    "a setting out of range": lambda path: damaged(path, lambda content: content["settings"].update(crf=101)),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_manifest_is_an_error_with_a_remedy(tmp_path, how):
    make_manifest().write(tmp_path)
    DAMAGE[how](tmp_path / MANIFEST_NAME)
    with pytest.raises(JobError, match=r"manifest\.json: the job's manifest cannot be read.*--restart"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("number", [FORMAT_VERSION - 1, FORMAT_VERSION + 1])
def test_another_format_is_refused_in_one_line_that_says_what_to_do(tmp_path, number):
    make_manifest(versions={"vidstyle": "7.8.9"}).write(tmp_path)
    damaged(tmp_path / MANIFEST_NAME, lambda content: content.update(format=number))
    begun = rf"manifest\.json: begun by vidstyle 7\.8\.9 \(job format {number}\), "
    with pytest.raises(JobError, match=begun + r".*finish the job with vidstyle 7\.8\.9, or throw .* --restart$"):
        read_manifest(tmp_path)


def test_a_job_from_before_a_setting_was_renamed_is_refused_in_one_line(tmp_path):
    make_manifest(versions={"vidstyle": __version__}).write(tmp_path)
    path = tmp_path / MANIFEST_NAME
    content = json.loads(path.read_text())
    content["settings"]["keyframes"] = content["settings"].pop("animate")
    path.write_text(json.dumps(content | {"format": 3}))
    with pytest.raises(JobError) as caught:
        read_manifest(tmp_path)
    assert str(caught.value) == (
        f"{path}: begun by another version of vidstyle (job format 3), and this version continues only jobs of format "
        "4; finish the job with another version of vidstyle, or throw it away with --restart"
    )


def test_the_command_may_hold_any_name(tmp_path):
    manifest = make_manifest(command="vidstyle 'Gemälde \udcff\n.mp4'", output="雪.mp4")
    manifest.write(tmp_path)
    assert read_manifest(tmp_path).command == manifest.command
    assert Path(read_manifest(tmp_path).output) == Path("雪.mp4")
