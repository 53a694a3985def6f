"""The command `vidstyle studio`."""

import pytest

from vidstyle.cli import studio as cli


def test_help_says_what_it_takes(capsys):
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    for word in ("FOLDER", "--host", "--port", "--max-upload-mib", "--password"):
        assert word in text


@pytest.mark.parametrize("words", [["--port", "70000"], ["--max-upload-mib", "0"], ["--unknown"]])
def test_wrong_usage_is_said(words, capsys):
    assert cli.main(words) == 2
    assert capsys.readouterr().err


def test_without_gradio_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    assert cli.main([]) == 1
    assert "pip install 'vidstyle[studio]'" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_said(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(cli, "find_spec", lambda name: True)
    assert cli.main([str(tmp_path / "nothing")]) == 1
    assert capsys.readouterr().err == f"vidstyle-studio: {tmp_path / 'nothing'}: no such folder\n"
    assert cli.main([str(tmp_path / "nothing")], "vidstyle studio") == 1
    assert capsys.readouterr().err.startswith("vidstyle studio: ")
