"""Checks the entries of sys.path and the code that runs at the start, which is never run here."""

import os
from pathlib import Path

from envparity_agent.collectors.python.search import Environment
from envparity_agent.collectors.python.syspath import SearchPath, search_path
from envparity_agent.fingerprint import Reason, Status
from envparity_agent.root import Root
from tests.agent.roots import fingerprint_of
from tests.agent.trees import interpreter, put, venv


def found(root: Path, abi: str = "3.11", base: Environment | None = None, system_site: bool = False) -> SearchPath:
    with Root(str(root)) as opened:
        return search_path(opened, Environment("app", f"lib/python{abi}", "venv"), base, system_site)


def told(path: SearchPath) -> tuple[str, ...]:
    assert not path.reasons
    return path.told({})


def hooks(path: SearchPath) -> dict[str, str]:
    """The names of the hooks, each with its hash."""
    return dict(one.split("=") for one in path.told_hooks("app"))


def test_path_lines_of_pth_files_are_followed_and_import_lines_never_executed(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    site = venv(tmp_path, "app")
    for name in ("absolute", "app/inside", "app/lib/python3.11/site-packages/relative", "beside"):
        (tmp_path / name).mkdir(parents=True)
    put(
        site,
        "a.pth",
        f"# comment\n/absolute\nimport os; open({str(canary)!r}, 'w')\nimport\tos\n"
        "relative\n\n../../../../beside\nnowhere\n/app/inside\n/absolute\n",
    )
    put(site, "b.pth", b"\xef\xbb\xbf/absolute/../../../beside\n")
    put(site, ".hidden.pth", "/absolute\n")
    put(site, "sitecustomize.py", f"open({str(canary)!r}, 'w')\n")
    path = found(tmp_path)
    assert told(path) == (
        "00 lib/python3.11/site-packages (site)",
        "01 /absolute (pth a.pth)",
        "02 lib/python3.11/site-packages/relative (pth a.pth)",
        "03 /beside (pth a.pth)",
        "04 inside (pth a.pth)",
    )
    assert set(hooks(path)) == {"a.pth", "sitecustomize.py"}
    assert not canary.exists()


def test_a_directory_under_two_names_is_one_entry(tmp_path: Path) -> None:
    site = venv(tmp_path, "app")
    (tmp_path / "src").mkdir()
    (tmp_path / "link").symlink_to("src")
    put(site, "a.pth", "/src\n/link\n")
    assert len(told(found(tmp_path))) == 2


def test_eggs_are_entries_and_other_files_are_not(tmp_path: Path) -> None:
    site = venv(tmp_path, "app")
    for name in ("one.egg", "two.zip", "three.txt"):
        put(site, name)
    put(site, "easy-install.pth", "./one.egg\n./two.zip\n./three.txt\n./gone.egg\n")
    assert [one.place.rpartition("/")[2] for one in found(tmp_path).entries[1:]] == ["one.egg", "two.zip"]


def test_the_base_interpreters_entries_are_told_relative_to_its_own_prefix(tmp_path: Path) -> None:
    interpreter(tmp_path, "opt/python")
    put(tmp_path, "opt/python/lib/python3.11/site-packages/x.pth", "/srv\n")
    (tmp_path / "srv").mkdir()
    venv(tmp_path, "app")
    base = Environment("opt/python", "lib/python3.11", "interpreter")
    assert told(found(tmp_path, base=base)) == (
        "00 lib/python3.11 (stdlib)",
        "01 lib/python3.11/site-packages (site)",
    )
    assert told(found(tmp_path, base=base, system_site=True))[2:] == (
        "02 lib/python3.11/site-packages (system site)",
        "03 /srv (pth x.pth)",
    )


def test_a_users_site_is_told_as_such(tmp_path: Path) -> None:
    place = "home/ann/.local/lib/python3.11/site-packages"
    put(tmp_path, f"{place}/tool-1.0.dist-info/METADATA", "Name: tool\nVersion: 1.0\n")
    section = fingerprint_of(tmp_path).sections[f"python/{place}"]
    assert section.items["@python"]["path"] == ("00 lib/python3.11/site-packages (user site)",)


def test_a_hook_is_told_by_the_lines_that_execute(tmp_path: Path) -> None:
    site = venv(tmp_path, "app")
    put(site, "a.pth", "import os\n# words\n/nowhere\n")
    first = hooks(found(tmp_path))
    put(site, "a.pth", "# other words\nimport os\n")
    assert hooks(found(tmp_path)) == first
    put(site, "a.pth", "import os; os.fork()\n")
    assert hooks(found(tmp_path)).keys() == first.keys()
    assert hooks(found(tmp_path)) != first


def test_the_prefix_in_a_hook_makes_no_difference(tmp_path: Path) -> None:
    for prefix in ("srv/app", "opt/elsewhere/app"):
        put(venv(tmp_path, prefix), "a.pth", f"import sys; sys.path.insert(0, '/{prefix}/plugins')\n")
    one, other = (fingerprint_of(tmp_path).sections[f"python/{name}"] for name in ("srv/app", "opt/elsewhere/app"))
    assert one.items["@python"]["hooks"]
    assert one.hash == other.hash


def test_what_virtualenv_and_uv_put_everywhere_is_no_hook_unless_it_says_more(tmp_path: Path) -> None:
    site = venv(tmp_path, "app")
    put(site, "_virtualenv.pth", "import _virtualenv")
    assert hooks(found(tmp_path)) == {}
    put(site, "_virtualenv.pth", "import _virtualenv; import os")
    assert set(hooks(found(tmp_path))) == {"_virtualenv.pth"}


def test_start_files_replace_import_lines_where_the_interpreter_knows_them(tmp_path: Path) -> None:
    for abi in ("3.14", "3.15"):
        site = venv(tmp_path, "app", abi=abi)
        put(site, "a.pth", "import old\n/src\n")
        put(site, "a.start", "# words\nnew:main\n")
        put(site, "b.pth", "import old\n")
    (tmp_path / "src").mkdir()
    assert set(hooks(found(tmp_path, "3.14"))) == {"a.pth", "b.pth"}
    assert set(hooks(found(tmp_path, "3.15"))) == {"a.start", "b.pth"}
    assert told(found(tmp_path, "3.15"))[1:] == ("01 /src (pth a.pth)",)


def test_the_first_sitecustomize_is_the_one_that_runs(tmp_path: Path) -> None:
    interpreter(tmp_path)
    base = Environment("usr", "lib/python3.11", "interpreter")
    site = venv(tmp_path, "app")
    put(site, "sitecustomize.py", "late")
    put(site, "usercustomize/__init__.py", "package")
    alone = hooks(found(tmp_path))
    put(tmp_path, "usr/lib/python3.11/sitecustomize.py", "early")
    both = hooks(found(tmp_path, base=base))
    assert both["usercustomize.py"] == alone["usercustomize.py"]
    assert both["sitecustomize.py"] != alone["sitecustomize.py"]


def test_a_pth_file_that_cannot_be_read_adds_nothing_and_that_is_said(tmp_path: Path) -> None:
    site = venv(tmp_path, "app")
    (tmp_path / "more").mkdir()
    os.mkfifo(site / "a.pth")
    put(site, "b.pth", b"\xff\xfe\n/more\n")
    path = found(tmp_path)
    assert path.told({})[1:] == ("01 /more (pth b.pth)",)
    assert path.reasons == {Reason.NOT_REGULAR}


def test_a_path_without_end_is_read_up_to_a_cap_and_that_is_said(tmp_path: Path) -> None:
    site = venv(tmp_path, "app")
    for number in range(1005):
        (tmp_path / f"src/{number}").mkdir(parents=True)
    put(site, "a.pth", "".join(f"/src/{number}\n" for number in range(1005)))
    path = found(tmp_path)
    assert (len(path.entries), path.reasons) == (1000, {Reason.CAP})


def test_a_link_to_code_that_leads_nowhere_is_no_code_and_no_gap(tmp_path: Path) -> None:
    library = interpreter(tmp_path)
    (library / "sitecustomize.py").symlink_to("/etc/python3.11/sitecustomize.py")
    [section] = [one for one in fingerprint_of(tmp_path).sections.values() if one.kind == "python"]
    assert (section.status, section.items["@python"]["hooks"]) == (Status.OK, ())
