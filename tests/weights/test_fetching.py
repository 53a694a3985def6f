"""Fetching weights, VGG-19's for one, from a server on this machine, with everything that can go wrong on the way."""

import hashlib
import threading
from dataclasses import replace
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler

import pytest
import torch

from vidstyle.errors import WeightsError
from vidstyle.files import cache_folder
from vidstyle.method.features.vgg19 import Vgg19Features, weight_shapes
from vidstyle.weights.fetching import fetched
from vidstyle.weights.loading import load_network


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Returns (what is published, file) of a `.pth` with VGG-19's keys, named as torch.hub names files."""
    shapes = weight_shapes("relu1_2")  # two small layers stand for sixteen
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "served"
    folder.mkdir()
    state = {name: torch.rand(shape) for name, shape in shapes.items()}
    # As old as the published file, which is no archive.
    state["classifier.0.weight"] = torch.rand(100, 100)
    torch.save(state, folder / "vgg19.pth", _use_new_zipfile_serialization=False)
    digest = hashlib.sha256((folder / "vgg19.pth").read_bytes()).hexdigest()
    file = (folder / "vgg19.pth").rename(folder / f"vgg19-{digest[:8]}.pth")
    server = HTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield replace(Vgg19Features.published, url=f"http://127.0.0.1:{server.server_port}/{file.name}"), file
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(published, on_download=None):
    return fetched(published, weight_shapes("relu1_2"), on_download)


def cached_files():
    return [path.name for path in cache_folder().iterdir()]


def test_weights_are_fetched_once_trimmed_and_used(published):
    vgg19, file = published
    seen = []
    path = fetch(vgg19, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (file.stat().st_size, file.stat().st_size)
    assert path.stat().st_size < file.stat().st_size  # the classifier is gone
    assert cached_files() == [path.name]
    assert load_network("vgg19", ["relu1_2"], path).layer_names == ("relu1_1", "relu1_2")
    file.unlink()
    assert fetch(vgg19) == path


def test_a_file_with_another_hash_is_refused_and_not_kept(published):
    vgg19, file = published
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(WeightsError, match="SHA-256"):
        fetch(vgg19)
    assert cached_files() == []


def test_offline_the_error_says_what_to_download_where(published):
    vgg19, file = published
    file.unlink()
    with pytest.raises(WeightsError, match=r"--weights FILE.*--network compact"):
        fetch(vgg19)
    assert cached_files() == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(WeightsError, match="cache"):
        fetch(replace(Vgg19Features.published, url="http://127.0.0.1:9/vgg19-00000000.pth"))


def test_the_published_name_is_torchvisions():
    assert Vgg19Features.published.url.endswith("/vgg19-dcbb9e9d.pth")
