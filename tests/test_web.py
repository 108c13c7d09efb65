"""The page on a real port: who is let in, what may be uploaded, and that it ends and begins again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_cases import ANNA, BEN, RED, assistant, told

from socratic.errors import BadInput
from socratic.web import MOST_BYTES, Served, is_loopback, running, users_of
from socratic.web.guard import COOKIE
from socratic.web.routes import picture_path
from socratic.web.sessions import Sessions


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with assistant(tmp_path_factory.mktemp("home")) as one, running(one, Served(port=0)) as address:
        yield address


def browser(url: str, token: str = "") -> httpx.Client:
    return httpx.Client(base_url=url, cookies={COOKIE: token} if token else {}, timeout=60)


def sent(client: httpx.Client, content: bytes, name: str = "scene.png") -> httpx.Response:
    return client.post("/gradio_api/upload", files={"files": (name, content, "image/png")})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "my-machine", "example.com", ""])
def test_no_password_no_way_in_from_other_machines(host: str) -> None:
    with pytest.raises(BadInput, match="no password is set") as refused:
        Served(host)
    assert "--auth" in refused.value.hint
    assert Served(host, users=(("anna", "secret"),)).hosts is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8", "[::1]"])
def test_this_machine_needs_none(host: str) -> None:
    assert Served(host).hosts is not None


@given(st.ip_addresses())
def test_loopback_is_what_the_address_says(address: Any) -> None:
    assert is_loopback(str(address)) is address.is_loopback


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_is_a_port(port: int) -> None:
    with pytest.raises(BadInput, match="65535"):
        Served(port=port)


def test_users_come_from_the_line_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("# those who may\nanna:a:b\n\nben:c\n")
    assert users_of("anna:secret") == (("anna", "secret"),)
    assert users_of(str(file)) == (("anna", "a:b"), ("ben", "c"))
    file.write_text("anna\n")
    for wrong in ("anna", ":x", "anna:", str(file), str(tmp_path / "missing")):
        with pytest.raises(BadInput, match="NAME:PASSWORD"):
            users_of(wrong)


def test_a_port_that_is_taken_is_told(url: str, tmp_path: Path) -> None:
    with assistant(tmp_path) as one, pytest.raises(BadInput, match="cannot listen") as refused, running(one, Served(port=int(url.rsplit(":", 1)[1]))):  # fmt: skip
        pass
    assert "--port" in refused.value.hint


def test_an_upload_is_its_browsers_own(url: str) -> None:
    anna, ben = browser(url, ANNA), browser(url, BEN)
    [path] = sent(anna, RED.png()).json()
    assert anna.get(f"/gradio_api/file={path}").content == RED.png()
    assert ben.get(f"/gradio_api/file={path}").status_code == 404
    assert Path(path).stat().st_size and Path(path).parents[1].stat().st_mode & 0o077 == 0


def test_too_much_is_refused(url: str) -> None:
    client = browser(url, ANNA)
    assert sent(client, b"x" * (MOST_BYTES + 1)).status_code == 413
    assert sent(client, b"x" * (MOST_BYTES // 2)).status_code == 200


def test_no_file_of_the_machine_is_served(url: str) -> None:
    client = browser(url, ANNA)
    for path in ("/gradio_api/file=/etc/hostname", "/gradio_api/file=pyproject.toml", "/file=/etc/hostname"):
        assert client.get(path).status_code == 404


def test_with_passwords_only_users_see_the_page(tmp_path: Path) -> None:
    with assistant(tmp_path) as one, running(one, Served(port=0, users=(("anna", "secret"),))) as address:
        client = browser(address)
        assert client.get("/config").status_code == 401
        assert sent(client, RED.png()).status_code == 401
        assert client.post("/login", data={"username": "anna", "password": "wrong"}).status_code == 400
        assert client.post("/login", data={"username": "anna", "password": "secret"}).status_code == 200
        assert client.get("/config").status_code == 200


def test_pictures_are_there_again_after_a_restart_and_for_their_browser_only(tmp_path: Path) -> None:
    with assistant(tmp_path) as one, running(one, Served(port=0)) as address:
        session = told(Sessions(one), ANNA, "hello", [RED])
        assert browser(address, ANNA).get(picture_path(session, RED.handle)).status_code == 200
    with pytest.raises(httpx.ConnectError):
        browser(address).get("/")
    with assistant(tmp_path) as one, running(one, Served(port=0)) as address:
        codes = [browser(address, token).get(picture_path(session, RED.handle)).status_code for token in (ANNA, BEN, "")]  # fmt: skip
        assert codes == [200, 404, 404]


def test_the_server_calls_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    connect = socket.socket.connect

    def noted(self: socket.socket, where: Any) -> None:
        called.append(where)
        connect(self, where)

    monkeypatch.setattr(socket.socket, "connect", noted)
    with assistant(tmp_path) as one, running(one, Served(port=0)) as address:
        client = browser(address)
        for path in ("/", "/config", "/gradio_api/startup-events", "/theme.css"):
            assert client.get(path).status_code == 200
        told(Sessions(one), ANNA, "find the dog", [RED])
    assert {where[0] for where in called} <= {"127.0.0.1", "::1"}
