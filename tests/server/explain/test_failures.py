"""Tests of reading what failing runs printed; the files beside were printed by real ones."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_server.explain.failures import MAX_FRAMES, MAX_MESSAGE, Frame, Raised, parse_failure

PRINTED = Path(__file__).parent / "printed"
TEXT = """Traceback (most recent call last):
  File "/srv/app/main.py", line 3, in <module>
    start(1)
    ~~~~~^^^
  File "/srv/app/.venv/lib/python3.11/site-packages/shop/web.py", line 40, in start
    return go()

RuntimeError: it broke
and this is why"""
FRAMES = (
    Frame("/srv/app/main.py", 3, "<module>", "start(1)"),
    Frame("/srv/app/.venv/lib/python3.11/site-packages/shop/web.py", 40, "start", "return go()"),
)
RAISED = Raised("RuntimeError", "it broke\nand this is why", FRAMES)


def printed(name: str) -> tuple[Raised, ...]:
    return parse_failure((PRINTED / f"{name}.txt").read_text()).raised


@pytest.mark.parametrize("version", ["3.8", "3.11", "3.13"])
def test_each_python_prints_the_same_facts(version: str) -> None:
    imported, failed = printed(f"{version}-cause")
    assert (imported.type, imported.message) == ("ModuleNotFoundError", "No module named 'nothing_there'")
    assert imported.leads
    assert not failed.leads
    (keyword,) = printed(f"{version}-keyword")
    assert keyword.message == "connect() got an unexpected keyword argument 'retries'"
    assert keyword.frames[-1].source.startswith("connect(")
    (syntax,) = printed(f"{version}-syntax")
    assert syntax.type == "SyntaxError"
    assert syntax.frames[-1] == Frame("new.py", 2, "", "match x")
    (deep,) = printed(f"{version}-deep")
    assert deep.type == "RecursionError"
    assert [frame.function for frame in deep.frames] == ["<module>", "f", "f", "f"]


def test_a_statement_of_several_lines_is_one_source() -> None:
    assert printed("3.13-keyword")[0].frames[-1].source == 'connect( "localhost", retries=3, )'


def test_the_exceptions_of_a_group_are_told_after_what_led_to_them() -> None:
    found = printed("3.13-group")
    assert [one.type for one in found] == [
        "ZeroDivisionError", "ExceptionGroup", "ValueError", "ExceptionGroup", "TypeError", "KeyError",
    ]  # fmt: skip
    assert all(one.leads for one in found[:-1])
    assert found[1].message == "two (3 sub-exceptions)"


@pytest.mark.parametrize("form", ["long", "short"])
def test_pytest_prints_frames_in_its_own_ways(form: str) -> None:
    (found,) = printed(f"pytest-{form}")
    assert (found.type, found.message) == ("ValueError", "bad\nsecond")
    assert [(frame.file, frame.line, frame.source) for frame in found.frames] == [
        ("test_a.py", 3, "f(1)"),
        ("helper.py", 2, "return g(x)"),
        ("helper.py", 4, 'raise ValueError("bad\\nsecond")'),
    ]


def test_a_box_of_rich_is_opened() -> None:
    (found,) = printed("rich")
    assert found.type == "JSONDecodeError"
    assert found.frames[0] == Frame("r.py", 5, "<module>", "f()")
    assert found.frames[2].source == "return _default_decoder.decode(s)"


def test_a_crash_lists_its_frames_the_other_way_round() -> None:
    (found,) = printed("crash")
    assert (found.type, found.message) == ("Fatal Python error", "Segmentation fault")
    assert [frame.function for frame in found.frames] == ["<module>", "outer", "inner", "string_at"]


@pytest.mark.parametrize(
    "prefix",
    [
        "web-1  | ",
        "2026-11-24 18:03:55,123 ERROR app: ",
        "Nov 24 18:03:55 web-1 gunicorn[812]: ",
        "2026-11-24T18:03:55.123456789Z stderr F ",
        "[   12.345] ",
        "shop.1.x7c@node-2    | ",
    ],
)
def test_what_a_log_writes_before_each_line_is_taken_away(prefix: str) -> None:
    moving = [prefix.replace("55", str(55 + number % 4)) for number in range(20)]
    text = "\n".join(before + line for before, line in zip(moving, TEXT.splitlines(), strict=False))
    assert parse_failure(f"{prefix}starting\n{text}\n").raised == (RAISED,)


def test_two_services_that_write_in_turns_are_told_apart() -> None:
    other = TEXT.replace("it broke", "so did this")
    pairs = zip(TEXT.splitlines(), other.splitlines(), strict=True)
    text = "\n".join(f"web-1  | {one}\ndb-1   | {two}" for one, two in pairs)
    assert [one.message.partition("\n")[0] for one in parse_failure(text).raised] == ["it broke", "so did this"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"time": "2026-11-24T18:03:55Z", "level": "error", "msg": "request failed", "exc_info": TEXT}),
        "\n".join(json.dumps({"log": f"{line}\n", "stream": "stderr"}) for line in TEXT.splitlines()),
        "\n".join(f"\x1b[31m{line}\x1b[0m" for line in TEXT.splitlines()),
        TEXT.replace("\n", "\r\n"),
        f"2026-11-24 18:03:55 ERROR cannot serve\n{TEXT}\n2026-11-24 18:03:56 INFO going on\n",
        TEXT + "\n\n\n\nwhat follows",
        'level=error exc="' + TEXT.replace("\n", "\\n").replace('"', '\\"'),
    ],
    ids=["json", "docker", "colours", "windows", "log", "blank", "escaped"],
)
def test_a_traceback_is_found_in_what_it_is_wrapped_in(text: str) -> None:
    (found,) = parse_failure(text).raised
    assert found.frames == FRAMES
    assert found.message.startswith("it broke\nand this is why")


def test_a_traceback_without_its_first_line_and_an_error_alone_are_read() -> None:
    assert parse_failure(TEXT.partition("\n")[2]).raised == (RAISED,)
    assert parse_failure("ModuleNotFoundError: No module named 'x'\nmore\n").raised == (
        Raised("ModuleNotFoundError", "No module named 'x'"),
    )


def test_several_tracebacks_are_in_the_order_in_which_they_end() -> None:
    text = f"(trapped)\n{TEXT.replace('it broke', 'first')}\n{TEXT}"
    assert [one.message.partition("\n")[0] for one in parse_failure(text).raised] == ["first", "it broke"]


def test_paths_of_windows_have_their_drive() -> None:
    path = r"C:\app\.venv\Lib\site-packages\shop\web.py"
    found = parse_failure(f'Traceback (most recent call last):\n  File "{path}", line 4, in go\nValueError').raised
    assert found == (Raised("ValueError", "", (Frame(path, 4, "go"),)),)


def test_what_is_no_traceback_has_none_and_keeps_its_text() -> None:
    text = "sh: 1: ffmpeg: not found"
    assert parse_failure(text).raised == ()
    assert parse_failure(text).text == text


def test_hostile_sizes_are_cut_off() -> None:
    frames = '  File "a.py", line 1, in f\n' * 50_000
    (found,) = parse_failure(f"Traceback (most recent call last):\n{frames}ValueError: {'x' * 100_000}").raised
    assert len(found.frames) == MAX_FRAMES
    assert len(found.message) <= MAX_MESSAGE
    assert parse_failure("Traceback (most recent call last):\n" * 100_000).raised == ()


parts = st.sampled_from(
    [
        *TEXT.splitlines(),
        *("", "E   x: y", "  | ", "+-- 1 --", "a.py:1: in f", "a.py:1: ", "> x", "│ x │", '{"a": {}}', "x Traceback ("),
        "During handling of the above exception, another exception occurred:",
    ]
)


@given(st.text() | st.lists(parts).map("\n".join))
def test_any_text_is_read(text: str) -> None:
    for one in parse_failure(text).raised:
        assert one.type or one.frames


names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
frames = st.builds(Frame, names.map("/srv/{}.py".format), st.integers(1, 9999), names, names.map("{}()".format))
raises = st.builds(Raised, names.map(str.capitalize), names, st.lists(frames, min_size=1).map(tuple))


@given(st.lists(raises, max_size=5), st.sampled_from(["", "web-1 | ", "12:30:01 E "]))
def test_what_is_written_as_python_writes_it_is_read_back(expected: list[Raised], prefix: str) -> None:
    text = "".join(
        "Traceback (most recent call last):\n"
        + "".join(f'  File "{one.file}", line {one.line}, in {one.function}\n    {one.source}\n' for one in each.frames)
        + f"{each.type}: {each.message}\n"
        for each in expected
    )
    assert parse_failure("".join(f"{prefix}{line}\n" for line in text.splitlines())).raised == tuple(expected)
