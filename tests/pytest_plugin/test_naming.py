"""Names of cassettes and sessions."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.proxy.names import NAME
from replayproxy.pytest_plugin.naming import cassette_folder, cassette_name, session_name


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("test_refund", "test_refund"),
        ("TestPay.test_refund", "TestPay.test_refund"),
        ("TestPay.TestInner.test_refund[eur]", "TestPay.TestInner.test_refund-eur"),
        ("test_model[gpt-4.1-mini]", "test_model-gpt-4.1-mini"),
        ("test_many[a-1]", "test_many-a-1"),
        ("test_path[a/b]", "test_path-a-b-cc5b2fe0"),
        ("test_path[a b]", "test_path-a-b-09220f87"),
        ("test_none[]", "test_none--6cef2c5d"),
        ("test_é", "test_--7761a4a7"),
        ("test_up[../../etc/passwd]", "test_up-..-..-etc-passwd-e042ea64"),
    ],
)
def test_a_cassette_is_called_like_its_test(name: str, file: str) -> None:
    """What cannot stand in a file's name is replaced, and a digest of the whole put behind."""
    assert cassette_name(name) == file


def test_a_cassettes_name_is_never_too_long() -> None:
    """File systems end at 255 bytes; what is cut leaves a digest."""
    one, other = cassette_name(f"test_x[{'a' * 300}]"), cassette_name(f"test_x[{'a' * 301}]")
    assert one != other
    assert max(len(one), len(other)) < 200


@given(st.lists(st.text(max_size=20), unique=True, min_size=2, max_size=10))
def test_parameters_never_share_a_name(identifiers: list[str]) -> None:
    """Whatever they are called, two of them have two cassettes and two sessions."""
    files = {cassette_name(f"test_x[{each}]") for each in identifiers}
    sessions = {session_name(f"tests/test_a.py::test_x[{each}]") for each in identifiers}
    assert len(files) == len(sessions) == len(identifiers)
    assert not any("/" in each or each.startswith(".") for each in files)


@given(st.text(max_size=300))
def test_every_test_has_a_session(name: str) -> None:
    """The proxy takes each name that comes out."""
    assert NAME.match(session_name(name))


def test_tests_of_one_name_in_two_files_have_two_sessions() -> None:
    """They may run on one proxy at the same time."""
    assert session_name("a/test_x.py::test_y") != session_name("b/test_x.py::test_y")
    assert session_name("a/test_x.py::test_y").startswith("test_y-")


def test_cassettes_are_beside_the_test_file() -> None:
    """In a folder for each file."""
    assert cassette_folder(Path("/p/tests/test_pay.py"), "cassettes") == Path("/p/tests/cassettes/test_pay")
