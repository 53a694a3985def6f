"""Files that the settings name, taken to another place."""

from __future__ import annotations

from vidstyle.cluster.shipped_files import packed, unpacked
from vidstyle.settings import Settings


def test_every_file_arrives_and_is_named_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "many").mkdir()
    for name in ("a.png", "wave.png", "keys.csv", "net.safetensors", "many/1.png", "many/2.png"):
        (tmp_path / name).write_text(name)
    settings = Settings(region=("mask.png=wave.png",), keyframes="keys.csv", weights="net.safetensors")
    place = tmp_path / "there"
    place.mkdir()
    named, styles = unpacked(packed(settings, [tmp_path / "a.png", tmp_path / "many"]), settings, place)
    assert styles[0].read_text() == "a.png"
    assert sorted(path.name for path in styles[1].iterdir()) == ["1.png", "2.png"]
    (region,) = named.regions
    assert str(region[0]) == "mask.png"
    assert region[1].read_text() == "wave.png"
    assert named.keyframes.read_text() == "keys.csv"
    assert named.weights.read_text() == "net.safetensors"
    assert all(place in path.parents for path in (*styles, region[1], named.keyframes, named.weights))


def test_a_style_that_is_named_twice_travels_once(tmp_path):
    style = tmp_path / "a.png"
    style.write_text("a")
    settings = Settings(style_at=(f"0:{style}", f"2s:{style}"))
    shipped = packed(settings, [style])
    assert len(shipped.contents) == 1
    named, _ = unpacked(shipped, settings, tmp_path)
    assert [text.partition(":")[0] for text in named.style_at] == ["0", "2s"]
