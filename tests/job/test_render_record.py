"""What is known of a render once its job folder is gone."""

from dataclasses import replace
from pathlib import Path

import pytest
from jobs import make_manifest
from reports import make_render_record

from vidstyle.job.journal import JournalEntry
from vidstyle.job.render_record import keep_record, newest_entries, output_digest, recall_record


@pytest.fixture
def output(tmp_path):
    path = tmp_path / "out.mp4"
    path.write_bytes(b"video")
    return path


def kept(output, **changes):
    render_record = make_render_record(content=output_digest(output), **changes)
    keep_record(output, render_record)
    return render_record


def record_file(cache):
    (path,) = (cache / "finished").glob("*.render.gz")
    return path


def test_it_comes_back_as_it_was(output):
    render_record = kept(output, notes=("one", "zwei ü"), styles=("a.jpg", "b.jpg"))
    seen = recall_record(output)
    assert replace(seen, entries=()) == replace(render_record, entries=())
    for entry, was in zip(seen.entries, render_record.entries, strict=True):
        assert entry.loss == pytest.approx(was.loss, rel=1e-6)
        assert (entry.frame, entry.seconds, entry.evaluations) == (was.frame, was.seconds, was.evaluations)


def test_a_changed_output_or_another_render_has_none(output):
    kept(output)
    other = make_manifest(identity=replace(make_manifest().identity, settings={"--size": "65"})).identity
    assert recall_record(output, make_manifest().identity) is not None
    assert recall_record(output, other) is None
    output.write_bytes(b"edited")
    assert recall_record(output) is None


@pytest.mark.parametrize("damage", [b"", b"no gzip", None])
def test_a_lost_or_damaged_one_is_none(output, cache, damage):
    kept(output)
    path = record_file(cache)
    if damage is None:
        path.write_bytes(path.read_bytes()[:-20])
    else:
        path.write_bytes(damage)
    assert recall_record(output) is None
    path.unlink()
    assert recall_record(output) is None


def test_the_same_record_is_the_same_bytes_and_small(output, cache):
    entries = tuple(JournalEntry(k, 0.5 + k % 7 / 100, 0.3 + k % 11 / 1000, 12, 0, 0) for k in range(20_000))
    kept(output, entries=entries)
    first = record_file(cache).read_bytes()
    kept(output, entries=entries)
    assert record_file(cache).read_bytes() == first
    assert len(first) < 20 * 20_000


def test_a_cache_that_cannot_be_written_is_in_nobodys_way(output, monkeypatch):
    monkeypatch.setenv("VIDSTYLE_CACHE", str(output))
    kept(output)
    assert recall_record(output) is None


def test_of_a_frame_that_was_painted_twice_the_last_counts():
    twice = [JournalEntry(1, 1.0, 1, 1, 0, 0), JournalEntry(0, 2.0, 1, 1, 0, 0), JournalEntry(1, 3.0, 1, 1, 0, 0)]
    assert [(entry.frame, entry.seconds) for entry in newest_entries(twice)] == [(0, 2.0), (1, 3.0)]


def test_names_are_relative_to_where_they_were_given():
    render_record = make_render_record(folder=str(Path("films").resolve()))
    assert render_record.path_of("in.mp4") == Path("films/in.mp4").resolve()
    assert render_record.path_of(Path("in.mp4").resolve()) == Path("in.mp4").resolve()
