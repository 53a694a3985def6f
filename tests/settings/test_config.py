"""Settings in a TOML file: read strictly, written so that they come back."""

import ntpath
import os
import string
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.errors import OutputError, SettingsError
from vidstyle.settings import Settings
from vidstyle.settings.config import config_text, left_out, read_config, save_config
from vidstyle.settings.definitions import ALL_SETTINGS
from vidstyle.settings.kinds import Choice, File, Number, Switch, Whole, WholeOr, join_region
from vidstyle.settings.quality import QUALITIES


@pytest.fixture
def config(tmp_path):
    """Writes a file and returns its path."""

    def write(text):
        path = tmp_path / "look.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_values_are_those_of_settings_and_paths_are_relative_to_the_file(config, tmp_path):
    path = config(
        'style = ["a.jpg"]\nsize = 480\nstyle_weight = 50\nstyle_layers = ["relu1_1", "relu2_1"]\nfps = 23.976\n'
        'frames = "5:"\ntemporal_window = [1, 5]\nbit_depth = 10\nno_audio = true\ncuts = "cuts.txt"\n'
        f'weights = "sub/w.pth"\njob_dir = "{(tmp_path / "job").as_posix()}"\n'
    )
    read = read_config(path)
    assert read.styles == (tmp_path / "a.jpg",)
    assert Settings(**read.values) == Settings(
        size=480,
        style_weight=50.0,
        style_layers=("relu1_1", "relu2_1"),
        fps=Fraction("23.976"),
        frames=(5, None),
        temporal_window=(1, 5),
        bit_depth="10",
        no_audio=True,
        cuts=str(tmp_path / "cuts.txt"),
        weights=tmp_path / "sub" / "w.pth",
        job_dir=tmp_path / "job",
    )


def test_masks_and_styles_of_regions_are_relative_too(config, tmp_path):
    read = Settings(**read_config(config('mask = "m.png"\nregion = ["sky.png=s.jpg", "sea=t.jpg"]')).values)
    assert read.mask == tmp_path / "m.png"
    assert read.regions == ((tmp_path / "sky.png", tmp_path / "s.jpg"), (tmp_path / "sea", tmp_path / "t.jpg"))


def test_styles_over_time_are_relative_too(config, tmp_path):
    read = Settings(**read_config(config('style_at = ["0:a.jpg", "1:02.5:b.jpg"]\nanimate = "k.csv"')).values)
    assert read.style_at == (f"0:{tmp_path / 'a.jpg'}", f"1:02.5:{tmp_path / 'b.jpg'}")
    assert read.animate == tmp_path / "k.csv"


def test_files_that_are_called_like_other_words_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for cuts in ("./auto", "./off", "auto"):
        settings = Settings(cuts=cuts, style_at=("0:a.jpg", "0:./12:30.png"))
        Path("look.toml").write_text(config_text(settings, (), Path()), encoding="utf-8")
        values = read_config("look.toml").values
        assert (values["cuts"], values["style_at"]) == (cuts, settings.style_at)


def test_words_that_are_no_files_stay_as_they_are(config):
    assert read_config(config('cuts = "off"\nsize = "source"')).values == {"cuts": "off", "size": "source"}
    assert read_config(config('style = "b.png"')).styles[0].name == "b.png"
    assert read_config(config("")).values == {}


def test_a_quality_lies_beneath_what_the_file_says(config):
    values = read_config(config('size = 100\nquality = "best"')).values
    assert values == dict(QUALITIES["best"].settings) | {"size": 100}


def test_a_folder_of_any_name_may_hold_the_file(tmp_path):
    folder = tmp_path / "e=q=="
    folder.mkdir()
    (folder / "look.toml").write_text('region = ["m.png=d.png", "a==b.png=c==.png"]')
    settings = Settings(**read_config(folder / "look.toml").values)
    assert settings.regions == (
        (folder / "m.png", folder / "d.png"),
        (folder / "a=b.png", folder / "c=.png"),
    )
    (tmp_path / "above.toml").write_text(config_text(settings, (), tmp_path), encoding="utf-8")
    assert Settings(**read_config(tmp_path / "above.toml").values).regions == settings.regions


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("size == 3", "is not a TOML file (Invalid value (at line 1, column 7))"),
        ("size = 1\nsize = 2", "Cannot overwrite a value"),
        (b"\xff\xfe", "is not a TOML file"),
        ("[" * 5000, "is not a TOML file"),
        ("sice = 480", "sice is no setting; did you mean size?"),
        ("style-weight = 3", "style-weight is no setting; did you mean style_weight?"),
        ("zzz = 1", "zzz is no setting; see vidstyle --help"),
        ("[size]\na = 1", "size is {'a': 1}"),
        ("size = '640'", "size is '640'; give a whole number of pixels, or 'source'"),
        ("size = 8", "size is 8; the range is 16 to 16384"),
        ("size = 6.5", "size is 6.5"),
        ("size = true", "size is True"),
        ("iterations = '5'", "iterations is '5'"),
        ("iterations = 5.5", "iterations is 5.5; give a whole number"),
        ("iterations = true", "iterations is True"),
        ("style_weight = '30'", "style_weight is '30'; give a number"),
        ("style_weight = true", "style_weight is True"),
        ("style_weight = nan", "style_weight is nan"),
        ("style_weight = inf", "style_weight is inf"),
        ("style_weight = [1]", "style_weight is [1]"),
        ("style_weight = 1979-05-27", "style_weight is datetime.date"),
        ("network = 3", "network is '3'; choose one of compact, vgg19"),
        ("network = ['vgg19']", "network is ['vgg19']; choose one of"),
        ("pix_fmt = 3", "pix_fmt is 3"),
        ("weights = 3", "weights is 3; give the name of a file in quotes"),
        ("style_layers = 'relu1_1'", "style_layers is 'relu1_1'; give a list of names, as ['relu1_1', 'relu2_1']"),
        ("style_layers = [1]", "style_layers is [1]"),
        ("no_audio = 1", "no_audio is 1"),
        ("no_audio = 'yes'", "no_audio is 'yes'; give true or false"),
        ("frames = 5", "frames is 5"),
        ("frames = 'all'", "frames is 'all'; give A and B: from Python (0, 100) or (5, None), in a file '0:100'"),
        ("temporal_window = 1", "temporal_window is 1; give whole numbers from 1 on, in a list"),
        ("fps = '1/0'", "fps is '1/0'; give a number above 0, or a fraction in quotes"),
        ("fps = [25]", "fps is [25]"),
        ("region = 'a=b'", "region is 'a=b'; give a list of masks with their styles, as ['sky.png=wave.jpg']"),
        ("region = ['a']", "region is 'a'; give it as MASK=STYLE"),
        ("region = [1]", "region is [1]"),
        ("cuts = 3", "cuts is 3; give 'auto', 'off' or the name of a file, in quotes"),
        ("strength = 'x'", "strength is 'x'; give a number"),
        ("style_blend = 1", "style_blend is 1; give a list of numbers, as [0.7, 0.3]"),
        ("style_blend = ['x']", "style_blend is ['x']; give a list of numbers"),
        ("style_at = '0:a.jpg'", "style_at is '0:a.jpg'; give a list of moments with their styles"),
        ("style_at = ['a.jpg']", "style_at is ['a.jpg']; give a list of moments with their styles"),
        ("style_crop = 3", "style_crop is 3; give four numbers, left, top, width and height"),
        ("style_crop = 'left'", "style_crop is 'left'; give four numbers"),
        ("cuts = ''", "cuts is ''"),
        ("style = 3", "style is 3; give the name of a picture"),
        ("style = ['a.jpg', 3]", "style is ['a.jpg', 3]"),
        ("quality = 'superb'", "quality is 'superb'; choose one of draft, standard, high, best"),
        ("quality = [1]", "quality is [1]"),
        ("keyframes = 'k.csv'", "keyframes is now animate; change the name, and leave the value as it is"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_the_key(text, said, config):
    path = config(text)
    with pytest.raises(SettingsError) as error:
        read_config(path)
    assert str(error.value).startswith(f"{path}: ")
    assert said in str(error.value)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path, config):
    for path in (tmp_path / "none.toml", tmp_path, Path("a\0b")):
        with pytest.raises(SettingsError):
            read_config(path)
    with pytest.raises(SettingsError, match="far too large"):
        read_config(config("#" * (1 << 20) + "\n"))


# -- writing -----------------------------------------------------------------------------------

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/\\:"), min_size=1, max_size=20).filter(
    lambda name: name.strip(". ") == name and name not in ("auto", "off")
)
REGIONS = st.tuples(NAMES, NAMES).map(lambda pair: join_region(*(str(Path("/films", name)) for name in pair)))


def values_of(spec):
    """Returns what a setting may be, by its kind."""
    kind = spec.kind
    known = {
        "frames": st.tuples(st.integers(0, 50), st.none() | st.integers(51, 99)),
        "temporal_window": st.sampled_from([(1,), (1, 2), (1, 5, 15)]),
        "style_layers": st.lists(NAMES, min_size=1, max_size=4, unique=True).map(tuple),
        "cuts": st.sampled_from(["auto", "off"]) | NAMES.map(lambda name: str(Path("/films", name))),
        "region": st.lists(REGIONS, max_size=2).map(tuple),
        "style_blend": st.lists(st.floats(0.1, 10), max_size=3).map(tuple),
        "style_crop": st.sampled_from([(0.0, 0.0, 1.0, 1.0), (0.5, 0.25, 0.5, 0.75)]),
        "fps": st.none() | st.fractions(1, 100, max_denominator=1001),
        "style_at": st.just(()),
    }
    if spec.name in known:
        return known[spec.name]
    if isinstance(kind, Choice):
        return st.sampled_from(kind.choices)
    if isinstance(kind, Switch):
        return st.booleans()
    if isinstance(kind, File):
        return st.none() | NAMES.map(lambda name: Path("/films", name))
    if isinstance(kind, Whole):
        whole = st.integers(int(kind.low), int(kind.high))
        whole = whole | st.just(kind.word) if isinstance(kind, WholeOr) else whole
        return whole if spec.default is not None else st.none() | whole
    if isinstance(kind, Number):
        return st.floats(kind.low, kind.high, allow_nan=False)
    return st.text(string.ascii_lowercase + string.digits, min_size=1)


def of_scopes(*scopes):
    return {spec.name for spec in ALL_SETTINGS.values() if spec.scope in scopes}


@st.composite
def any_settings(draw):
    values = {spec.name: draw(values_of(spec)) for spec in ALL_SETTINGS.values()}
    if values["network"] != "vgg19":
        values["pooling"] = "average"
    if values["no_audio"]:
        values["audio"] = "auto"
    if values["init"] != "warped" or values["flow"] == "off" or values["temporal_window"] != (1,):
        values["keyframe_every"] = draw(st.sampled_from([1, "auto"]))
    if not any(values[name] for name in ("content_weight", "style_weight", "tv_weight")):
        values["style_weight"] = 30.0
    if values["cluster"] is None:
        values |= {"gpus_per_shot": None, "cpus_per_shot": None, "no_shared_storage": False}
    else:
        values |= {"workers": 1, "gpus_per_shot": draw(st.none() | st.floats(0, 1))}
    return Settings(**values)


@hypothesis.settings(max_examples=20)
@given(any_settings(), st.lists(NAMES, min_size=1, max_size=3))
def test_what_is_written_is_read_back(tmp_path_factory, settings, names):
    folder = tmp_path_factory.getbasetemp()
    styles = tuple(Path("/films", "styles", name) for name in names)
    path = folder / "round.toml"
    path.write_bytes(config_text(settings, styles, folder).encode())
    read = read_config(path)
    run = {name: getattr(settings, name) for name in of_scopes("machine", "run")}
    back = Settings(**read.values | run)
    assert unfolded(back) == unfolded(settings)
    assert tuple(map(os.path.normpath, read.styles)) == tuple(map(os.path.normpath, styles))
    assert not run.keys() & set(read.values)
    again = config_text(back, read.styles, folder)
    assert again == path.read_text(encoding="utf-8")
    save_config(path, settings, styles, overwrite=True)
    left = of_scopes("film", "output") | set(left_out(settings))
    assert read_config(path).values == {name: value for name, value in read.values.items() if name not in left}


def unfolded(settings):
    """Returns settings with their paths without `..`, which is how they come back."""
    paths = {name: getattr(settings, name) for name in ALL_SETTINGS}
    changed = {name: Path(os.path.normpath(path)) for name, path in paths.items() if isinstance(path, Path)}
    changed["cuts"] = settings.cuts if settings.cuts in ("auto", "off") else os.path.normpath(settings.cuts)
    changed["region"] = tuple(join_region(*map(os.path.normpath, pair)) for pair in settings.regions)
    return replace(settings, **changed)


def test_all_that_paints_is_written_whatever_the_defaults_will_be(tmp_path):
    save_config(tmp_path / "a.toml", Settings(), tmp_path / "s.jpg")
    written = set(read_config(tmp_path / "a.toml").values)
    assert written == {name for name in of_scopes("look") if ALL_SETTINGS[name].default is not None}
    assert '\nsize = 640\nnetwork = "compact"\n' in (tmp_path / "a.toml").read_text()


def test_what_windows_writes_is_read_everywhere(monkeypatch):
    for module in ("config", "kinds"):
        monkeypatch.setattr(f"vidstyle.settings.{module}.Path", PureWindowsPath)
    monkeypatch.setattr("vidstyle.settings.config.os", SimpleNamespace(path=ntpath))
    settings = Settings(region=("masks\\m.png=a\\b.jpg",), style_at=("1:02:a\\b.jpg",), cuts="a\\cuts.txt")
    lines = config_text(settings, [PureWindowsPath("a\\b.jpg")], PureWindowsPath()).splitlines()
    assert [line for line in lines if ".jpg" in line or ".txt" in line] == [
        'style = "a/b.jpg"',
        'style_at = ["1:02:a/b.jpg"]',
        'cuts = "a/cuts.txt"',
        'region = ["masks/m.png=a/b.jpg"]',
    ]


def test_a_look_is_kept_without_what_belongs_to_one_film(tmp_path):
    look = {"strength": 0.5, "color": "content", "animate": tmp_path / "k.csv", "seed": 3}
    film = {
        "frames": (0, 3),
        "cuts": str(tmp_path / "cuts.txt"),
        "mask": tmp_path / "m.png",
        "region": ("m.png=s.png",),
        "codec": "prores",
        "frame_format": "jpg",
        "crf": 60,
        "stream": 1,
    }
    settings = Settings(**look, **film)
    save_config(tmp_path / "a.toml", settings, tmp_path / "s.jpg")
    assert Settings(**read_config(tmp_path / "a.toml").values) == Settings(**look)
    assert set(left_out(settings)) == set(film)
    assert left_out(Settings(**look, cuts="off")) == ()
    assert "frames" in config_text(settings, (), tmp_path)


def test_links_lead_to_where_the_files_are(tmp_path, monkeypatch):
    (tmp_path / "deep" / "looks").mkdir(parents=True)
    (tmp_path / "pictures" / "new").mkdir(parents=True)
    (tmp_path / "s.jpg").write_bytes(b"s")
    (tmp_path / "pictures" / "t.jpg").write_bytes(b"t")
    try:
        (tmp_path / "link").symlink_to("deep/looks", target_is_directory=True)
        (tmp_path / "new").symlink_to("pictures/new", target_is_directory=True)
        (tmp_path / "now.jpg").symlink_to("s.jpg")
    except OSError:
        pytest.skip("no links here")
    monkeypatch.chdir(tmp_path)
    save_config("link/a.toml", Settings(animate=Path("new/../t.jpg")), ["s.jpg", "now.jpg"])
    for path in ("link/a.toml", "deep/looks/a.toml"):
        read = read_config(path)
        assert [style.read_bytes() for style in read.styles] == [b"s", b"s"]
        assert read.values["animate"].read_bytes() == b"t"
    assert [style.name for style in read.styles] == ["s.jpg", "now.jpg"]


def test_a_file_is_not_replaced_unless_asked_for(tmp_path):
    path = tmp_path / "a.toml"
    save_config(path, Settings(), "s.jpg")
    first = path.read_bytes(), path.stat().st_mtime_ns
    save_config(path, Settings(workers=4), "s.jpg")  # the same, but for the run
    assert (path.read_bytes(), path.stat().st_mtime_ns) == first
    with pytest.raises(OutputError, match="exists already, and holds something else"):
        save_config(path, Settings(seed=1), "s.jpg")
    assert path.read_bytes() == first[0]
    save_config(path, Settings(seed=1), "s.jpg", overwrite=True)
    assert read_config(path).values["seed"] == 1
    for wrong, said in (
        (tmp_path / "a.mp4", "end the name in .toml"),
        (tmp_path / "none" / "a.toml", "no such folder"),
    ):
        with pytest.raises(OutputError, match=said):
            save_config(wrong, Settings(), "s.jpg")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.toml"]
