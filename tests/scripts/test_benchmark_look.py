"""The pairs are what they promise, and pictures go from rendering to a judged table and a blind comparison."""

import json
import sys
from collections import Counter

import cv2
import numpy as np
import pytest
from scripting import loaded_script

JUDGE = """
import json, pathlib, sys
print("loaded")
for result in sys.argv[COUNT:]:
    total = 2.0 if pathlib.Path(result).parent.name == "old" else 3.0
    print(json.dumps({"result": result, "total": total, "content": 9.0}))
with open(__file__ + ".calls", "a") as calls:
    calls.write("one call\\n")
"""
QUICK = ["--", "--first-iterations", "2", "--levels", "1", "--device", "cpu"]


@pytest.fixture(scope="module")
def look():
    with loaded_script("benchmark_look") as module:
        yield module


@pytest.fixture
def folders(look, tmp_path):
    """Two folders with pictures of pairs 1 and 3, and the images that they would be of."""
    rng = np.random.default_rng(0)
    for number in (1, 3):
        for path in look.numbered(number).files(tmp_path / "images"):
            path.parent.mkdir(parents=True, exist_ok=True)
            picture(path, rng)
        for name in ("old", "new"):
            (tmp_path / name).mkdir(exist_ok=True)
            picture(tmp_path / name / f"{number:02d}.png", rng)
    return tmp_path


def picture(path, rng):
    cv2.imwrite(str(path), cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (64, 48)))


def words(folder, command, *names):
    return [command, *(str(folder / name) for name in names), "--images", str(folder / "images")]


def test_the_pairs_have_every_photo_and_every_painting_twice(look):
    assert len(look.PAIRS) == 32
    assert len({pair.photo for pair in look.PAIRS}) == 30
    assert set(Counter(pair.painting for pair in look.PAIRS).values()) == {2}
    assert len({(pair.photo, pair.painting) for pair in look.PAIRS}) == 32


def test_the_first_eight_pairs_have_all_classes_and_a_name_has_one(look):
    pairs = sys.modules["look_measures.pairs"]
    for kind, classes in (("photo", pairs.PHOTO_CLASSES), ("painting", pairs.PAINTING_CLASSES)):
        assert {getattr(pair, f"{kind}_class") for pair in look.PAIRS[:8]} == set(classes)
        named = {(getattr(pair, kind), getattr(pair, f"{kind}_class")) for pair in look.PAIRS}
        assert len(named) == len({name for name, _ in named})
        assert {name for _, name in named} == set(classes)


def test_each_pair_is_in_three_groups(look):
    groups = sys.modules["look_measures.pairs"].by_class([1, 3])
    assert groups == {
        "all": [1, 3],
        "photo: face": [1],
        "photo: night": [3],
        "painting: strokes": [1],
        "painting: blank": [3],
    }


def test_rendering_paints_what_is_missing_with_vidstyles_own_options(look, folders):
    start = [*words(folders, "render", "out"), "--size", "48", "--only"]
    assert look.main([*start, "1", *QUICK]) == 0
    first = folders / "out" / "01.png"
    before = first.stat().st_mtime_ns
    assert cv2.imread(str(first)).shape == (36, 48, 3)
    assert look.main([*start, "1", "3", *QUICK]) == 0
    assert first.stat().st_mtime_ns == before
    record = json.loads((folders / "out" / "render.json").read_text())
    assert sorted(record["seconds"]) == ["1", "3"]
    assert record["options"] == QUICK[1:]
    with pytest.raises(SystemExit, match=r"out: was painted at 48 px with --first-iterations 2 .*; name another"):
        look.main([*start, "1"])


def test_other_commands_take_none_of_vidstyles_options(look, folders, capsys):
    with pytest.raises(SystemExit):
        look.main([*words(folders, "judge", "old"), *QUICK])
    assert "only render takes vidstyle's options" in capsys.readouterr().err


def test_judges_are_asked_once_and_their_means_shown_by_class(look, folders, capsys):
    for name, count in (("judge.py", "4"), ("second.py", "3")):
        (folders / name).write_text(JUDGE.replace("COUNT", count))
    (folders / "old" / "render.json").write_text(json.dumps({"seconds": {"1": 4, "3": 6}}))
    command = [*words(folders, "judge", "old", "new"), "--judge", str(folders / "judge.py")]
    command += ["--second-judge", str(folders / "second.py")]
    assert look.main(command) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "| pairs | number | folder | total | content | judge total | seconds |"
    assert shown[2] == "| all | 2 | old | 2 | 9 | 2 | 5 |"
    assert shown[3] == "| all | 2 | new | 3 (1.50) | 9 (1.00) | 3 (1.50) | - |"
    assert [line.split(" | ")[0] for line in shown[4::2]] == [
        "| photo: face",
        "| photo: night",
        "| painting: strokes",
        "| painting: blank",
    ]
    calls = [folders / "judge.py.calls", folders / "second.py.calls"]
    assert [len(path.read_text().splitlines()) for path in calls] == [4, 2]
    # What has changed is judged anew, and nothing else.
    picture(folders / "new" / "03.png", np.random.default_rng(1))
    assert look.main(command) == 0
    assert capsys.readouterr().out.splitlines() == shown
    assert [len(path.read_text().splitlines()) for path in calls] == [5, 3]


def test_a_judge_that_fails_is_named(look, folders):
    (folders / "judge.py").write_text("raise SystemExit('no weights')")
    with pytest.raises(SystemExit, match=r"judge\.py failed on .*kodim17\.png:\nno weights"):
        look.main([*words(folders, "judge", "old"), "--judge", str(folders / "judge.py")])


def test_sheets_have_a_row_for_each_pair_that_all_folders_have(look, folders, capsys):
    (folders / "new" / "03.png").unlink()
    pages = folders / "pages"
    assert look.main([*words(folders, "sheet", "old"), "--pages", str(pages), "--rows", "1"]) == 0
    assert sorted(path.name for path in pages.iterdir()) == ["page_1.png", "page_2.png"]
    assert look.main([*words(folders, "sheet", "old", "new"), "--pages", str(folders / "both"), "--rows", "1"]) == 0
    assert [path.name for path in (folders / "both").iterdir()] == ["page_1.png"]
    with pytest.raises(SystemExit, match="no such pair is in all of"):
        look.main([*words(folders, "sheet", "old", "new"), "--pages", str(pages), "--only", "3"])


def test_a_blind_comparison_tells_only_the_key_which_is_which(look, folders, capsys):
    key, pages = folders / "key.json", folders / "pages"
    command = [*words(folders, "blind", "old", "new"), "--pages", str(pages), "--key", str(key), "--seed", "5"]
    assert look.main(command) == 0
    assert capsys.readouterr().out == f"wrote {pages / 'page_1.png'} {pages / 'answers.txt'}\n"
    assert (pages / "answers.txt").read_text().splitlines()[1:] == ["1: ", "3: "]
    order = json.loads(key.read_text())["order"]
    answers = folders / "answers.txt"
    answers.write_text(f"1: {'AB'[order['1'].index(1)]}\n\n# the night is dark\n3: =\n")
    other = folders / "other.txt"
    other.write_text(f"1:{'ab'[order['1'].index(1)]}\n")
    assert look.main(["score", str(answers), str(other), "--key", str(key)]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[2:5] == [
        "| all | 3 | 0.5 | 2.5 | 17 % |",
        "| photo: face | 2 | 0 | 2 | 0 % |",
        "| photo: night | 1 | 0.5 | 0.5 | 50 % |",
    ]
    assert shown.err == f"{other}: no answer for 3\n"
    with pytest.raises(SystemExit, match=r"answers\.txt exists"):
        look.main(command)


def test_the_order_is_the_seeds_and_no_matter_which_pairs_are_shown(look):
    orders = [look.order_of(seed, range(1, 33)) for seed in range(20)]
    assert orders[3] == look.order_of(3, range(1, 33))
    assert look.order_of(3, [7, 9]) == {7: orders[3][7], 9: orders[3][9]}
    for number in range(1, 33):
        assert {order[number] for order in orders} == {(0, 1), (1, 0)}


def test_lines_that_are_no_answers_are_named(look, tmp_path):
    path = tmp_path / "answers.txt"
    path.write_text("1: A\n3:\n3: C\n7: B\n1: =\n")
    with pytest.raises(SystemExit) as stop:
        look.read_answers(path, {1: (0, 1), 3: (1, 0)})
    assert str(stop.value).splitlines() == [
        f"{path}, line 2: '3:' is not as '1: A', '1: B' or '1: ='",
        f"{path}, line 3: '3: C' is not as '1: A', '1: B' or '1: ='",
        f"{path}, line 4: the pages have no pair 7",
        f"{path}, line 5: pair 1 has an answer already",
    ]
