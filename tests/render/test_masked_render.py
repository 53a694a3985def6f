"""Renders that paint some of the frame only, or several styles, from the input to the output."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_folder, make_video
from renders import QUICK, contents, render

from vidstyle import Settings, stylize_image
from vidstyle.cli.main import main
from vidstyle.errors import JobChangedError, OutputError, SettingsError, SourceError
from vidstyle.frames import resize
from vidstyle.media.stills.images import read_image, read_layers

SIZE = (64, 48)


def save(name, picture):
    Path(name).parent.mkdir(exist_ok=True)
    cv2.imwrite(name, picture)


def disc(x_px, radius_px=14, soft=False):
    mask = np.zeros(SIZE[::-1], np.uint8)
    cv2.circle(mask, (x_px, 24), radius_px, 255, -1)
    return cv2.GaussianBlur(mask, (0, 0), 3) if soft else mask


@pytest.fixture
def scene(painting_scene):
    """A clip of ten frames, styles, a disc that moves over them, and a soft one that stays."""
    save("other.png", np.random.default_rng(2).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    save("soft.png", disc(32, soft=True))
    for k in range(10):
        save(f"moving/m{k}.png", disc(12 + 4 * k))


def masked(**changes):
    return replace(QUICK, size="source", **changes)


def test_black_is_untouched_to_the_pixel_wherever_the_mask_moves(scene):
    make_folder(Path("frames"), [f"f{k}.png" for k in range(10)])
    result, _, _ = render("out/", masked(mask=Path("moving")), source="frames")
    assert result.frames == 10
    for k in range(10):
        content, stylized = read_image(Path(f"frames/f{k}.png")), read_image(Path(f"out/f{k}.png"))
        mask = disc(12 + 4 * k)
        assert np.array_equal(stylized[mask == 0], content[mask == 0])
        assert (stylized[mask > 0] != content[mask > 0]).any(1).mean() > 0.8


def test_a_picture_that_is_all_white_masks_nothing(scene):
    save("white.png", np.full(SIZE[::-1], 250, np.uint8))
    render("masked/", masked(mask=Path("white.png")))
    render("plain/", masked())
    assert contents(Path("masked")) == contents(Path("plain"))


def test_masks_go_by_the_frames_own_numbers(scene):
    result, _, _ = render("out/", masked(mask=Path("moving"), frames=(6, 8)))
    assert result.frames == 2
    whole, _, _ = render("all/", masked(iterations=0, first_iterations=0))
    changed = read_image(Path("out/000006.png")) != read_image(Path("all/000006.png"))
    assert not changed[disc(12 + 4 * 6) == 0].any()
    assert whole.frames == 10


def test_a_frame_whose_mask_is_black_is_not_painted(scene):
    save("moving/m4.png", disc(0) * 0)
    _, _, frames = render("out/", masked(mask=Path("moving")))
    assert [frame.index for frame in frames if frame.evaluations == 0] == [4]
    assert len(frames) == 10


@pytest.mark.parametrize(("output", "stop_after"), [("out.mp4", 5), ("out/", 1)])
def test_an_interrupted_render_with_masks_and_regions_continues_to_the_same_bytes(scene, output, stop_after):
    settings = masked(mask=Path("soft.png"), region=("moving=other.png",))
    whole = output.replace("out", "whole")
    render(whole, settings)
    render(output, settings, stop_after=stop_after)
    render(output, settings, stop_after=2)
    render(output, settings)
    assert contents(Path(output)) == contents(Path(whole))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"mask": Path("moving")}, "mask was soft.png"),
        ({"mask": None}, "mask was soft.png .*, is not given"),
        ({"region": ("moving=style.png",)}, "style of region 1 was other.png"),
        ({"region": ()}, "mask of region 1 was moving"),
    ],
)
def test_another_mask_is_another_render(scene, change, word):
    settings = masked(mask=Path("soft.png"), region=("moving=other.png",))
    render(settings=settings, stop_after=2)
    with pytest.raises(JobChangedError, match=word):
        render(settings=replace(settings, **change))


def test_a_mask_that_was_painted_over_since_is_noticed(scene):
    settings = masked(mask=Path("moving"))
    render(settings=settings, stop_after=2)
    save("moving/m9.png", disc(10))
    with pytest.raises(JobChangedError, match="mask was moving"):
        render(settings=settings)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--mask", "nowhere.png"], "nowhere.png: no such file"),
        (["--mask", "narrow.png"], "narrow.png: 40x48 pixels, but in.mp4 has 64x48"),
        (["--mask", "short"], "short: has masks for 2 frames only, and frame 2 is painted, too"),
        (["--mask", "black.png"], "black.png: black all over, so there is nothing to paint"),
        (["--mask", "text.txt"], "text.txt: not a video"),
        (["--region", "black.png=other.png"], "black.png: black all over"),
        (["--region", "soft.png=nowhere.png"], "nowhere.png: no such file"),
        (["--region", "soft.png=text.txt"], "text.txt: "),
    ],
)
def test_bad_masks_are_said_before_the_first_frame(scene, capsys, words, message):
    save("narrow.png", np.full((48, 40), 255, np.uint8))
    save("black.png", np.zeros((48, 64), np.uint8))
    for k in range(2):
        save(f"short/{k}.png", disc(20))
    Path("text.txt").write_text("words")
    before = sorted(Path().iterdir())
    assert main(["in.mp4", "--style", "style.png", "-o", "out.mp4", "--size", "32", *words]) == 1
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") <= 2
    assert sorted(Path().iterdir()) == before


def test_a_region_without_a_style_is_wrong_usage(capsys):
    for words in (["--region", "mask.png"], ["--region", "=style.png"], ["--region", "mask.png="]):
        assert main(["in.mp4", "--style", "s.png", *words]) == 2
        assert "MASK=STYLE" in capsys.readouterr().err
    with pytest.raises(SettingsError, match="MASK=STYLE"):
        Settings(region=("mask.png",))


def test_an_output_that_is_a_mask_is_refused(scene):
    with pytest.raises(OutputError, match="is a mask itself"):
        render("moving", masked(mask=Path("moving"), overwrite=True))


def test_a_still_is_painted_through_its_mask_from_python_too(scene):
    photo = cv2.GaussianBlur(np.random.default_rng(5).integers(0, 256, (48, 64, 3), dtype=np.uint8), (0, 0), 2)
    save("photo.png", photo[..., ::-1])
    settings = masked(mask=Path("soft.png"))
    render("out.png", settings, source="photo.png")
    stylized, mask = read_image(Path("out.png")), read_image(Path("soft.png"))[..., 0]
    assert np.array_equal(stylized[mask < 8], photo[mask < 8])
    assert np.array_equal(stylize_image(photo, "style.png", settings), stylized)
    assert np.array_equal(stylize_image("photo.png", "style.png", settings), stylized)


def cut_out(hidden_level, times=1):
    """Returns a picture, uint8 RGBA, of which the left half is there; its colors vary.

    Its shape is `(48, 64, 4)`, or several times that.
    """
    height, width = 48 * times, 64 * times
    layers = np.zeros((height, width, 4), np.uint8)
    layers[..., :3] = resize(np.random.default_rng(6).integers(0, 256, (6, 8, 3), dtype=np.uint8), width, height)
    layers[:, width // 2 :, :3], layers[:, : width // 2, 3] = hidden_level, 255
    return layers


def test_what_is_transparent_is_neither_painted_nor_looked_at(scene):
    for level in (0, 255):  # of a size that is painted small first
        save(f"cut{level}.png", cv2.cvtColor(cut_out(level, 3), cv2.COLOR_RGBA2BGRA))
        render(f"out{level}.png", masked(), source=f"cut{level}.png")
    stylized, alpha = read_layers(Path("out0.png"))
    assert np.array_equal(alpha, cut_out(0, 3)[..., 3])
    assert (stylized[:, :96] != cut_out(0, 3)[:, :96, :3]).any(2).mean() > 0.9
    assert np.array_equal(stylized, read_layers(Path("out255.png"))[0])
    # Its colors under the transparency are those that continue the picture, unpainted.
    assert np.array_equal(stylized[:, 96:], read_image(Path("cut0.png"))[:, 96:])
    assert np.array_equal(stylize_image("cut0.png", "style.png", masked()), stylized)


def test_a_picture_with_nothing_in_it_comes_out_as_it_is(scene):
    save("empty.png", np.zeros((48, 64, 4), np.uint8))
    result, _, frames = render("out.png", masked(), source="empty.png")
    assert (result.frames, frames[0].evaluations) == (1, 0)


def test_moving_cut_outs_continue_to_the_same_bytes(scene):
    Path("sprites").mkdir()
    for k in range(6):
        layers = np.dstack([resize(cut_out(0)[..., :3], *SIZE), disc(12 + 8 * k)])
        cv2.imwrite(f"sprites/{k}.png", layers)
    render("whole/", masked(), source="sprites")
    render("out/", masked(), source="sprites", stop_after=3)
    render("out/", masked(), source="sprites")
    assert contents(Path("out")) == contents(Path("whole"))


def test_the_mask_of_a_video_may_be_a_video(scene):
    make_video(Path("mask.mp4"), images=[cv2.cvtColor(disc(12 + 4 * k), cv2.COLOR_GRAY2RGB) for k in range(10)])
    result, _, _ = render("out/", masked(mask=Path("mask.mp4")))
    plain, _, _ = render("all/", masked(iterations=0, first_iterations=0))
    assert result.frames == plain.frames == 10
    for k in range(10):
        far = disc(12 + 4 * k, 22) == 0
        stylized, content = (read_image(Path(f"{name}/{k:06}.png")) for name in ("out", "all"))
        assert np.array_equal(stylized[far], content[far])


def test_a_mask_of_the_wrong_length_is_an_error_for_a_video_too(scene):
    make_video(Path("mask.mp4"), images=[cv2.cvtColor(disc(30), cv2.COLOR_GRAY2RGB)] * 7)
    with pytest.raises(SourceError, match=r"mask.mp4: has masks for 7 frames only, and frame 7 is painted"):
        render(settings=masked(mask=Path("mask.mp4")))
