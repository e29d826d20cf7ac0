"""Requests as they lie in files: Markdown and JSON, and every bad input as one line that names the file."""

import io
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.models import MAX_REQUEST_BYTES
from tui_orch.request.document import MAX_FILE_BYTES, RequestDocument, load_file, load_stream, load_text
from tui_orch.request.errors import RequestError
from tui_orch.request.limits import Config

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(data: bytes | str, name: str = "plan.md") -> Path:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return make


def error_of(path: Path) -> str:
    with pytest.raises(RequestError) as caught:
        load_file(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_markdown_without_front_matter_is_all_request(write: Write) -> None:
    path = write("# Build it\n\n1. a\n2. b\n")
    assert load_file(path) == RequestDocument("# Build it\n\n1. a\n2. b", Config(), str(path))
    assert load_file(str(path)) == load_file(path)


def test_front_matter_is_the_config(write: Write) -> None:
    found = load_file(write("---\nmax_workers: 3\nmax_depth: 2\n---\n\n大規模プロジェクトを構築\n"))
    assert found.request == "大規模プロジェクトを構築"
    assert found.config == Config(max_workers=3, max_depth=2)


def test_json_holds_request_and_config(write: Write) -> None:
    text = json.dumps({"request": "Build it\r\nnow", "config": {"max_workers": 3, "max_recursion_depth": 2}})
    found = load_file(write(text, "plan.JSON"))
    assert (found.request, found.config) == ("Build it\nnow", Config(max_workers=3, max_depth=2))
    assert load_text(f"\n {text}", "-").config == found.config
    assert load_text('{"request": "x"}', "-").config == Config()
    assert load_text('{"request": "x", "config": null}', "-").config == Config()


@pytest.mark.parametrize("text", ['{"task": "x"}', "{not json", "{}", '{"request": "x"} and more', "{" * 5000])
def test_text_that_only_looks_like_json_is_a_request(text: str) -> None:
    assert load_text(text, "-").request == text


def test_a_bom_and_crlf_are_no_part_of_the_request(write: Write) -> None:
    found = load_file(write(b"\xef\xbb\xbf---\r\nmax_depth: 1\r\n---\r\n\r\nBuild\r\nit\r\n"))
    assert (found.request, found.config.max_depth) == ("Build\nit", 1)
    assert load_file(write(b'\xef\xbb\xbf{"request": "x"}', "bom.json")).request == "x"


def test_blank_lines_around_the_request_go_and_its_indentation_stays() -> None:
    assert load_text("\n  \n    1. a\n    2. b\n\n", "-").request == "    1. a\n    2. b"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "can not be read (No such file or directory)" in error_of(tmp_path / "none.md")
    assert "can not be read (Is a directory)" in error_of(tmp_path)
    assert "is no name of a file" in error_of_name("a\0b")


def error_of_name(name: str) -> str:
    with pytest.raises(RequestError) as caught:
        load_file(name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "byte"),
    [(b"ok \xff", "byte 3 (0xff)"), (b"\xff\xfea\0", "byte 0 (0xff)"), ("日本".encode()[:-1], "byte 3 (0xe6)")],
)
def test_other_bytes_than_utf8_are_refused_with_their_offset(write: Write, data: bytes, byte: str) -> None:
    assert f"{byte} is not UTF-8; save the file as UTF-8" in error_of(write(data))


@pytest.mark.parametrize("text", ["", " \n\t\n", "\u3000\n", "\ufeff", "---\nmax_depth: 1\n---\n \n"])
def test_an_empty_request_is_refused(write: Write, text: str) -> None:
    assert "the request is empty" in error_of(write(text))


def test_a_nul_byte_is_refused_with_its_line(write: Write) -> None:
    assert "line 2 of the request holds a NUL byte" in error_of(write(b"a\nb\0c"))
    assert "line 1 of the request holds a NUL byte" in error_of(write('{"request": "a\\u0000"}', "nul.json"))


def test_half_a_utf16_pair_is_refused(write: Write) -> None:
    assert "character 1 of the request is half a UTF-16 pair" in error_of(write('{"request": "a\\ud800"}', "x.json"))
    with pytest.raises(RequestError, match="--request: character 0"):
        load_text(os.fsdecode(b"\xff"), "--request")


def test_a_request_has_at_most_256_kib(write: Write) -> None:
    assert len(load_file(write("x" * MAX_REQUEST_BYTES)).request) == MAX_REQUEST_BYTES
    assert "has 262145 bytes and is too large; a request may hold 262144 bytes" in error_of(
        write("x" * (MAX_REQUEST_BYTES + 1))
    )
    assert "has 262146 bytes" in error_of(write("あ" * (MAX_REQUEST_BYTES // 3 + 1)))


def test_the_largest_request_may_be_written_in_escapes(write: Write) -> None:
    text = '{"request": "' + "\\u0041" * MAX_REQUEST_BYTES + '"}'
    assert load_file(write(text, "x.json")).request == "A" * MAX_REQUEST_BYTES


def test_no_more_of_a_file_is_read_than_a_request_may_hold(tmp_path: Path) -> None:
    path = tmp_path / "huge.md"
    with path.open("wb") as file:
        file.truncate(10 * 1024**3)
    assert "the file is too large" in error_of(path)

    class Endless(io.RawIOBase):
        served = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            view = memoryview(buffer)
            view[:] = b"x" * len(view)
            self.served += len(view)
            return len(view)

    endless = Endless()
    with pytest.raises(RequestError, match="-: the file is too large"):
        load_stream(io.BufferedReader(endless), "-")
    assert endless.served < MAX_FILE_BYTES + 100_000


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"x" * 200_000,))
    writer.start()
    assert len(load_file(path).request) == 200_000
    writer.join()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON: Expecting property name enclosed in double quotes (line 1, column 2)"),
        ("[1]", 'must be an object {"request": ..., "config": {...}}, not [1]'),
        ("null", 'must be an object {"request": ..., "config": {...}}, not null'),
        ("{}", '"request" must be text, not null'),
        ('{"request": 3}', '"request" must be text, not 3'),
        ('{"request": "x", "limits": {}}', "unknown key 'limits'; allowed: request, config"),
        ('{"request": "x", "config": []}', "the config must be a mapping of keys to values, not []"),
        ('{"request": "x", "config": {"max_depth": 6}}', "max_depth must be a whole number from 0 to 5, not 6"),
        ('{"request": "x", "request": "y"}', "the key 'request' is given twice"),
        ('{"request": "x", "config": {"a": 1, "a": 2}}', "the key 'a' is given twice"),
        ('{"request": "x", "config": {"budget": NaN}}', "NaN is no number of JSON"),
        ('{"request": "x", "config": {"max_jobs": ' + "9" * 5000 + "}}", "is not JSON that can be read"),
        ('{"request": ' + "[" * 100_000, "is not JSON that can be read"),
    ],
)
def test_json_that_is_no_request_is_refused(write: Write, text: str, problem: str) -> None:
    assert problem in error_of(write(text, "plan.json"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("---\nmax_depth: 6\n---\nx", "max_depth must be a whole number from 0 to 5, not 6"),
        ("---\nmax_depth: two\n---\nx", "max_depth must be a whole number from 0 to 5, not 'two'"),
        ("---\nmax_dept: 2\n---\nx", "unknown key 'max_dept' (did you mean max_depth?)"),
        ("---\ntitle: no\n---\nx", "title must be one line of text (in quotes where YAML"),
        ("---\nmax_depth: 1\nmax_recursion_depth: 1\n---\nx", "max_recursion_depth and max_depth are the same"),
        ("---\nx", "line 1 opens front matter; close it"),
    ],
)
def test_bad_front_matter_names_file_and_key(write: Write, text: str, problem: str) -> None:
    assert problem in error_of(write(text))


def outcome_of(load: Callable[[], RequestDocument]) -> RequestDocument | str:
    try:
        return load()
    except RequestError as error:
        return str(error)


@given(st.text(max_size=200), st.sampled_from(["-", "x.json", "x.md"]))
def test_any_text_is_a_document_or_one_line_of_error(text: str, source: str) -> None:
    found = outcome_of(lambda: load_text(text, source))
    if isinstance(found, str):
        assert found.startswith(f"{source}: ")
        assert found.isprintable()
    else:
        assert found.request.strip()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_one_line_of_error(data: bytes) -> None:
    found = outcome_of(lambda: load_stream(io.BytesIO(b"---\n" + data + b"\n---\nx"), "-"))
    assert isinstance(found, RequestDocument) or found.isprintable()
