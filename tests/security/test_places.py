"""Rules 19 and 23: places that others could have prepared are not used; answers without end have one."""

from __future__ import annotations

import http.server
import tempfile
import threading
from pathlib import Path

import pytest

from kubetour import curl
from kubetour.embedded.clusterstate import ClusterDirectory
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.paths import private_directory


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterDirectory:
    """Return a cluster whose path is too long for a socket, so that it has one where temporary files are."""
    place = tmp_path / "t"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", f"{place}")
    return ClusterDirectory("c", tmp_path / ("long" * 30))


def test_a_link_where_sockets_would_be_is_not_followed(far: ClusterDirectory, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    place = far.kubelet_socket("n").parent
    place.symlink_to(theirs)
    with pytest.raises(EmbeddedError, match="belongs to another user"):
        far.make_socket_directory("n")
    place.unlink()
    far.make_socket_directory("n")
    assert place.stat().st_mode & 0o777 == 0o700
    far.remove()


def test_every_directory_on_the_way_is_for_its_owner_alone(tmp_path: Path) -> None:
    private_directory(tmp_path / "a" / "b" / "c")
    for path in ("a", "a/b", "a/b/c"):
        assert (tmp_path / path).stat().st_mode & 0o777 == 0o700


def test_of_an_answer_a_mebibyte_is_read(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    class Endless(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                return

        def log_message(self, format: str, *args: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        status = curl.main(["-sS", "-H", "Connection: close", f"http://127.0.0.1:{server.server_port}/"])
        server.shutdown()
        thread.join()
    assert status == 0
    assert len(capfdbinary.readouterr().out) == curl.LARGEST
