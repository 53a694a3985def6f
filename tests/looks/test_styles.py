"""Styles: pictures, folders and videos."""

from pathlib import Path

import numpy as np
import pytest
from clips import make_folder, make_video, picture, write_raw
from PIL import Image

from vidstyle import Settings
from vidstyle.errors import SettingsError, SourceError
from vidstyle.looks.styles import MOST_FRAMES, Style, load_styles, spread_frames
from vidstyle.media.read.open_source import open_source

WHOLE = Settings()


def pictures(style):
    return [image for image, _ in style.pictures()]


def test_one_style_or_several_of_every_kind(tmp_path, still, frame_folder):
    array = picture(5)
    single = load_styles(still, WHOLE)
    assert [style.name for style in single] == [str(still)]
    several = load_styles([str(still), array, frame_folder, single[0]], WHOLE)
    assert [len(style.parts) for style in several] == [1, 1, 12, 1]
    assert np.array_equal(pictures(several[0])[0], picture(3))
    assert np.array_equal(pictures(several[1])[0], array)
    assert several[2].parts[0] == frame_folder / "f1.png"
    assert np.array_equal(pictures(several[2])[11], pictures(load_styles(frame_folder / "f12.png", WHOLE)[0])[0])


@pytest.mark.parametrize(("frames", "step"), [(1, 1), (16, 1), (17, 2), (32, 2), (33, 4), (70, 8)])
def test_frames_are_spread_over_a_video(tmp_path, frames, step):
    folder = make_folder(tmp_path / "frames", [f"{k}.png" for k in range(frames)])
    with open_source(folder) as source:
        every = [frame.image for frame in source]
    with open_source(folder) as source:
        kept = spread_frames(source)
    assert len(kept) <= MOST_FRAMES
    assert np.array_equal(kept, every[::step])


def test_a_video_is_told_by_its_content(tmp_path):
    video = make_video(tmp_path / "style.mp4", frames=5)
    assert len(load_styles(video, WHOLE)[0].parts) == 5
    nameless = write_raw(tmp_path / "style.png", picture(3)).rename(tmp_path / "style")
    assert len(load_styles(nameless, WHOLE)[0].parts) == 1


@pytest.mark.parametrize("name", ["style.webp", "style.png", "style.gif"])
def test_all_frames_of_an_animated_picture_count(tmp_path, name):
    frames = [Image.fromarray(picture(40 * k)) for k in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=40)
    (style,) = load_styles(tmp_path / name, WHOLE)
    with open_source(tmp_path / name) as source:
        assert np.array_equal(pictures(style), [frame.image for frame in source])
    assert len(style.parts) == 3


@pytest.mark.parametrize("name", ["style.webp", "style.png"])
def test_what_shows_nothing_is_no_style(tmp_path, name):
    rng = np.random.default_rng(1)
    layers = [rng.integers(0, 256, (32, 32, 4), dtype=np.uint8) for _ in range(3)]
    for is_seen in (True, False):
        for number, layer in enumerate(layers):
            layer[..., 3] = 255 if is_seen and number == 1 else 0
        frames = [Image.fromarray(layer) for layer in layers]
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=40, exact=True)
        if is_seen:
            load_styles(tmp_path / name, WHOLE)
    with pytest.raises(SourceError, match=f"{name}: transparent all over"):
        load_styles(tmp_path / name, WHOLE)


def test_a_crop_takes_its_part_of_every_picture():
    style = Style("two", (picture(1), picture(2)), (0.5, 0.25, 0.5, 0.75))
    height, width = picture(1).shape[:2]
    assert [share for _, share in style.pictures()] == [0.375, 0.375]
    assert np.array_equal(pictures(style)[1], picture(2)[height // 4 :, width // 2 :])


def test_what_cannot_be_a_style_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="no style"):
        load_styles([], WHOLE)
    with pytest.raises(SourceError, match="no such file"):
        load_styles([tmp_path / "gone.png"], WHOLE)
    with pytest.raises(SourceError, match="no image in this folder"):
        load_styles(tmp_path, WHOLE)
    Path(tmp_path / "notes.txt").write_text("a style")
    with pytest.raises(SourceError, match=r"notes\.txt"):
        load_styles(tmp_path / "notes.txt", WHOLE)
    with pytest.raises(SourceError, match="style_crop leaves 64x5 of 64x48 pixels"):
        load_styles(picture(1), Settings(style_crop=(0, 0, 1, 0.1)))
