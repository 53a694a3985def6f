"""Previews: settings of how the look stand, the words that reproduce them, and pictures."""

import shlex
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import replace

import pytest
from clips import make_video, picture, write_raw

import vidstyle
from vidstyle.cli.arguments import build_parser, parsed, settings_of
from vidstyle.render.estimate import Pace
from vidstyle.studio.folder import Folder, RefusedError
from vidstyle.studio.looks import Look, Previews
from vidstyle.studio.uploads import Uploads

LOOKS = {
    "plain": Look("clip.mp4", ("a.png",), size=320),
    "all turned": Look("clip.mp4", ("a.png",), 0.35, 1.5, 60.0, (1, 1, 1, 1), "content", 480, "compact"),
    "a blend": Look("clip.mp4", ("a.png", "b c.png"), shares=(0.75, 0.25, 1, 1), color="match", size=320),
    "alike": Look("clip.mp4", ("a.png", "b c.png"), shares=(0.5, 0.5, 1, 1), size=320),
}


@pytest.fixture
def previews(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    make_video(place / "clip.mp4", frames=4)
    for number, name in enumerate(("a.png", "b c.png")):
        write_raw(place / name, picture(number))
    with Uploads(1 << 20) as uploads:
        previews = Previews(Folder(place), uploads)
        yield previews
        previews.close()


def test_settings_are_those_chosen():
    settings = LOOKS["all turned"].settings()
    assert settings == vidstyle.Settings(
        strength=0.35, style_size=1.5, style_weight=60, color="content", size=480, keep_job=True
    )
    assert LOOKS["a blend"].settings().style_blend == (0.75, 0.25)
    assert LOOKS["alike"].settings().style_blend == ()
    assert Look().settings() == vidstyle.Settings(keep_job=True)


@pytest.mark.parametrize("change", [{"strength": 7}, {"size": "large"}, {"network": "other"}, {"style_size": None}])
def test_illegal_values_are_refused(change):
    with pytest.raises(RefusedError, match="do not go together"):
        replace(LOOKS["plain"], **change).settings()


@pytest.mark.parametrize("name", LOOKS)
def test_the_command_line_shown_does_what_is_shown(previews, name):
    look = LOOKS[name]
    words = shlex.split(previews.command(look, "out.mp4"))
    assert words[0] == "vidstyle"
    options = parsed(build_parser(), words[1:])
    assert settings_of(options) == look.settings()
    assert [options.input, *options.style] == [str(previews.folder.path / part) for part in (look.clip, *look.styles)]
    assert options.output == str(previews.folder.path / "out.mp4")


@pytest.mark.parametrize("name", LOOKS)
def test_the_file_shown_holds_what_is_shown(previews, name):
    look = LOOKS[name]
    file = previews.folder.path / "look.toml"
    file.write_text(previews.config(look), encoding="utf-8")
    config = vidstyle.read_config(file)
    assert vidstyle.Settings(**config.values) == replace(look.settings(), keep_job=False)
    assert list(config.styles) == [previews.folder.path / style for style in look.styles]


def test_the_forecast_is_that_of_a_new_render(previews, monkeypatch):
    monkeypatch.setattr(
        "vidstyle.render.forecast.measured_pace", lambda stylizer, image, *_: Pace(1, 1, *image.shape[1::-1])
    )
    text = previews.forecast(LOOKS["plain"], "out.mp4")
    assert "4 frames" in text
    assert "out.mp4: 64x48" in text
    assert not (previews.folder.path / "out.mp4").exists()


def test_a_name_is_suggested_that_is_not_taken(previews):
    assert previews.suggested_output(LOOKS["plain"]) == "clip_a.mp4"
    (previews.folder.path / "clip_a.mp4").touch()
    (previews.folder.path / "clip_a-2.mp4.vidstyle").mkdir()
    assert previews.suggested_output(LOOKS["plain"]) == "clip_a-3.mp4"
    assert previews.suggested_output(replace(LOOKS["plain"], clip="b c.png")) == "b-c_a.png"


def test_what_is_missing_or_elsewhere_is_refused(previews):
    for look, match in (
        (Look(), "Choose a clip"),
        (Look("clip.mp4"), "Choose a style"),
        (Look("../clip.mp4", ("a.png",)), "not in the folder"),
        (Look("clip.mp4", ("/etc/passwd",)), "not in the folder"),
        (Look("clip.mp4", ("dropped:../../a.png",)), "not in the folder"),
    ):
        with pytest.raises(RefusedError, match=match):
            next(previews.sketches(look, 0, "me"))


def test_a_frame_is_painted_beside_what_it_was(previews, few_steps):
    *_, (last, before) = previews.sketches(LOOKS["plain"], 2, "me")
    assert last.is_final
    assert last.image.shape == before.shape == (48, 64, 3)


def test_who_asks_again_gets_the_newer_picture_alone(previews, few_steps):
    first = previews.sketches(LOOKS["plain"], 0, "me")
    next(first)
    other = previews.sketches(LOOKS["plain"], 0, "somebody else")
    next(other)
    with ThreadPoolExecutor() as pool:
        again = pool.submit(list, previews.sketches(LOOKS["plain"], 1, "me"))
        with pytest.raises(NotYet):
            again.result(timeout=1)
        assert list(first) == []
        assert again.result()[-1][0].is_final
    other.close()


def test_a_quick_answer_does_not_overtake_a_picture_that_is_being_sent(previews, few_steps):
    being_sent = previews.sketches(LOOKS["plain"], 0, "me")
    next(being_sent)
    (previews.folder.path / "a.png").write_bytes(b"no picture")
    with ThreadPoolExecutor() as pool:
        refused = pool.submit(list, previews.sketches(LOOKS["plain"], 0, "me"))
        with pytest.raises(NotYet):
            refused.result(timeout=1)
        assert list(being_sent) == []
        with pytest.raises(RefusedError, match=r"a\.png"):
            refused.result(timeout=10)


def test_another_file_of_the_same_name_is_seen(previews):
    first = previews.clip("a.png").frame(0).image
    assert previews.clip("a.png") is previews.clip("a.png")
    write_raw(previews.folder.path / "a.png", picture(9, (80, 60)))
    assert previews.clip("a.png").frame(0).image.shape != first.shape


def test_who_leaves_has_nothing_painted_any_more(previews):
    for begun in (previews.sketches(LOOKS["plain"], 0, "me"), previews.three(LOOKS["plain"], "me")):
        next(begun)
        previews.leave("me")
        assert list(begun) == []
    previews.leave("nobody")
    assert previews._newest == {}


def test_three_frames_come_as_drafts_and_then_as_they_will_be(previews, few_steps):
    steps, are_final = zip(*previews.three(LOOKS["plain"], "me"), strict=True)
    assert are_final == (False,) * 5 + (True,)
    assert [len(step) for step in steps] == [1, 2, 3, 3, 3, 3]
    assert [caption for _, caption in steps[2]] == ["frame 0, draft", "frame 2, draft", "frame 3, draft"]
    assert [caption for _, caption in steps[-1]] == ["frame 0", "frame 2", "frame 3"]


def test_nothing_is_left_half_painted_when_three_frames_are_given_up(previews, few_steps, monkeypatch):
    begun = []
    real = previews._sketcher.sketches
    monkeypatch.setattr(previews._sketcher, "sketches", lambda *a, **k: begun.append(real(*a, **k)) or begun[-1])
    steps = previews.three(LOOKS["plain"], "me")
    for _ in range(4):  # three drafts, and the first as it will be
        next(steps)
    steps.close()
    assert len(begun) == 4
    assert all(sketches.gi_frame is None for sketches in begun)  # closed, whoever still holds them


def test_what_was_dropped_is_rendered_from_the_folder(previews, tmp_path):
    file = write_raw(previews.uploads.received / "mine.png", picture(4))
    upload = previews.uploads.take(file, is_style=True)
    look = replace(LOOKS["plain"], styles=(upload.key, "a.png"))
    assert previews.suggested_output(look) == "clip_mine-a.mp4"
    kept = previews.kept(look)
    assert kept.styles == (f"studio-uploads/{upload.path.name}", "a.png")
    assert previews.files(kept).styles[0].read_bytes() == upload.path.read_bytes()
