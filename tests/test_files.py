"""Files that appear whole or not at all, and stay when the power goes."""

import errno
import os
import sys
from pathlib import Path

import pytest

from vidstyle import files
from vidstyle.errors import OutputError, SourceError
from vidstyle.files import cache_folder, check_writable, remedy, sha256_of, write_whole, written_whole


def test_a_file_appears_when_it_is_complete(tmp_path):
    target = tmp_path / "a.txt"
    with written_whole(target) as part:
        part.write_text("whole")
        assert not target.exists()
        assert part.suffix == ".txt"
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "whole")]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SourceError, ZeroDivisionError])
def test_what_goes_wrong_inside_leaves_the_old_file(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), written_whole(target) as part:
        part.write_text("half")
        raise error("stop")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_content_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "a.bin"
    write_whole(target, b"\r\nold")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.bin", b"\r\nold")]

    def full(path, content):
        with path.open("wb") as file:
            file.write(content[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="make room"):
        write_whole(target, b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.bin", b"\r\nold")]


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not synced there")
def test_content_reaches_the_disk_before_the_name_and_the_name_before_anything_else(tmp_path, monkeypatch):
    done, sync, rename, open_handle = [], os.fsync, Path.replace, os.open
    handles = {}

    def opening(path, *arguments):
        handle = open_handle(path, *arguments)
        handles[handle] = Path(path)
        return handle

    def syncing(handle):
        done.append("folder" if handles.get(handle) == tmp_path else "file")
        sync(handle)

    def renaming(self, target):
        done.append("name")
        return rename(self, target)

    monkeypatch.setattr(files.os, "open", opening)
    monkeypatch.setattr(files.os, "fsync", syncing)
    monkeypatch.setattr(Path, "replace", renaming)
    with written_whole(tmp_path / "a.txt") as part:
        part.write_text("whole")
    assert done == ["file", "name", "folder"]


def test_a_full_disk_is_told_from_a_closed_one():
    assert remedy(OSError(errno.ENOSPC, "")) == "make room, then run the same command again"
    assert remedy(PermissionError(errno.EACCES, "")) == "check the permissions, then run the same command again"
    assert "another place" in remedy(OSError(errno.EIO, ""))


def test_looking_whether_a_folder_can_be_written_leaves_nothing(tmp_path):
    check_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match="no such folder"):
        check_writable(tmp_path / "none")


def test_digests_are_those_of_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    assert sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_cache_is_where_the_user_or_the_system_says(monkeypatch, tmp_path):
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("VIDSTYLE_CACHE")
    if sys.platform.startswith("linux"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache_folder() == tmp_path / "vidstyle"
        monkeypatch.delenv("XDG_CACHE_HOME")
        assert cache_folder() == Path.home() / ".cache" / "vidstyle"
