"""Tests of reading a checkout, with the real git as the oracle: the same commit, and dirty where its status says so."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from tests.agent.collectors.code.repositories import Work, committed, initialised
from tests.agent.trees import put
from tests.agent.unprivileged import told_without_privileges

State = Callable[[Work], object]


def _write(path: str, content: str | bytes) -> State:
    return lambda work: work.put(path, content)


def _git(*words: str) -> State:
    return lambda work: work.git(*words)


def _packed(work: Work) -> None:
    """Several commits of files that resemble each other, packed with deltas."""
    for number in range(12):
        work.put(f"lib/part{number}.py", "".join(f"LINE_{line} = {line * number}\n" for line in range(200)))
        work.put("lib/prices.py", "".join(f"PRICE_{line} = {line + number}\n" for line in range(200)))
        work.commit()
    work.git("gc", "-q", "--aggressive", "--prune=now")
    (work.top / ".git/index").unlink()
    work.git("read-tree", "HEAD")
    work.put("extra.py", "")
    work.git("add", "extra.py")  # so that trees are opened
    work.git("commit", "-q", "-m", "one that is not packed")


def _conflict(work: Work) -> None:
    work.git("checkout", "-q", "-b", "other")
    work.put("shop.py", "print('other')\n")
    work.commit()
    work.git("checkout", "-q", "main")
    work.put("shop.py", "print('main')\n")
    work.commit()
    work.git("merge", "other", check=False)


def _same_size(work: Work) -> None:
    """As long as before and within the same second as the index."""
    work.put("shop.py", "print('SHOP')\n")


def _nested(work: Work) -> None:
    inner = Work(work.root, f"{work.path}/vendor/theme")
    inner.top.mkdir(parents=True)
    inner.git("init", "-q")
    inner.put("theme.css", "")
    inner.commit()


def _submodule(work: Work) -> Work:
    algorithm = work.git("rev-parse", "--show-object-format").decode().strip()
    library = committed(work.root / "library", f"--object-format={algorithm}")
    work.git("submodule", "add", "-q", os.fspath(library.top), "modules/library")
    work.commit()
    return Work(work.root, f"{work.path}/modules/library")


def _submodule_at(*words: str) -> State:
    def make(work: Work) -> None:
        _submodule(work).git(*words)

    return make


def _submodule_with(path: str) -> State:
    def make(work: Work) -> None:
        _submodule(work).put(path, "another content\n")

    return make


def _crlf(setting: str, attributes: str, content: bytes = b"one\r\ntwo\r\n") -> State:
    """A text that is checked out with CRLF, of which git keeps LF, and of which times and size tell nothing."""

    def make(work: Work) -> None:
        work.git("config", "core.autocrlf", setting)
        work.put(".gitattributes", attributes)
        place = work.put("words.txt", content)
        work.commit()
        place.write_bytes(content)

    return make


def _sparse(*options: str) -> State:
    def make(work: Work) -> None:
        work.put("docs/guide/one.md", "one\n")
        work.put("docs/two.md", "two\n")
        work.commit()
        work.git("sparse-checkout", "set", *options, "lib")

    return make


def _sparse_but_there(work: Work) -> None:
    _sparse("--cone", "--sparse-index")(work)
    work.put("docs/guide/one.md", "another one\n")


def _both(*states: State) -> State:
    def make(work: Work) -> None:
        for state in states:
            state(work)

    return make


def _delete(path: str) -> State:
    return lambda work: (work.top / path).unlink()


def _chmod(path: str, mode: int) -> State:
    return lambda work: (work.top / path).chmod(mode)


def _link(path: str, target: str) -> State:
    def make(work: Work) -> None:
        (work.top / path).unlink(missing_ok=True)
        (work.top / path).symlink_to(target)

    return make


def _directory_for(path: str) -> State:
    def make(work: Work) -> None:
        (work.top / path).unlink()
        work.put(f"{path}/inside.py", "")

    return make


def _file_for_directory(work: Work) -> None:
    shutil.rmtree(work.top / "lib")
    work.put("lib", "a file now\n")


def _strange_names(work: Work) -> None:
    for name in (b"caf\xe9.py", b"new\nline.py", b'quo"te.py', b" blanks .py", "naïve.py".encode()):
        place = os.path.join(os.fsencode(work.top), name)
        with open(place, "wb") as file:
            file.write(name)
    work.commit()


def _fifo(path: str) -> State:
    def make(work: Work) -> None:
        (work.top / path).unlink(missing_ok=True)
        os.mkfifo(work.top / path)

    return make


STATES: dict[str, State] = {
    "nothing changed": lambda _: None,
    "times that changed and nothing else": lambda work: os.utime(work.top / "shop.py"),
    "an edit": _write("shop.py", "print('another shop')\n"),
    "an edit of the same size in the same second": _same_size,
    "a staged edit": _both(_write("shop.py", "staged\n"), _git("add", "-A")),
    "a staged edit that the file does not have any more": _both(
        _write("shop.py", "staged\n"), _git("add", "-A"), _write("shop.py", "print('shop')\n")
    ),
    "a staged file": _both(_write("lib/new.py", ""), _git("add", "-A")),
    "a staged directory": _both(_write("new/new.py", ""), _git("add", "-A")),
    "a staged deletion": _git("rm", "-q", "--cached", "shop.py"),
    "a staged deletion of a directory": _git("rm", "-q", "-r", "lib/deep"),
    "a deletion": _delete("lib/deep/er/names.py"),
    "a deletion of a directory": lambda work: shutil.rmtree(work.top / "lib"),
    "a rename": _git("mv", "shop.py", "lib/shop.py"),
    "an untracked file": _write("lib/new.py", ""),
    "an untracked directory": _write("new/deep/er/file.py", ""),
    "an empty directory": lambda work: (work.top / "empty/inner").mkdir(parents=True),
    "an ignored file": _write("lib/prices.pyc", "compiled"),
    "a file that is ignored but for an exception": _write("lib/kept.pyc", "compiled"),
    "an ignored directory": _write("build/kept.pyc", ""),
    "an untracked directory of ignored files": _write("new/a.pyc", ""),
    "a directory of an ignored name elsewhere": _write("lib/build/file.py", ""),
    "files that the repository's own list ignores": _both(
        _write(".git/info/exclude", "*.log\n"), _write("lib/a.log", "")
    ),
    "an ignored directory with a tracked file": _both(
        _write("build/tracked.py", ""), _git("add", "-f", "build/tracked.py"), _git("commit", "-q", "-m", "forced"),
        _write("build/other.py", ""),
    ),
    "rules of an inner directory": _both(
        _write("lib/.gitignore", "/*.tmp\n!important.tmp\n"), _git("add", "-A"), _git("commit", "-q", "-m", "rules"),
        _write("lib/a.tmp", ""),
    ),
    "a file that rules of an inner directory take in again": _both(
        _write(".gitignore", "*.tmp\n"), _write("lib/.gitignore", "!important.tmp\n"), _git("add", "-A"),
        _git("commit", "-q", "-m", "rules"), _write("lib/important.tmp", ""),
    ),
    "a program that may not be run any more": _chmod("run", 0o644),
    "a file that may be run": _chmod("shop.py", 0o755),
    "modes that do not count": _both(_git("config", "core.fileMode", "false"), _chmod("shop.py", 0o755)),
    "a symlink to somewhere else": _link("current", "shop.py"),
    "a symlink in the place of a file": _link("shop.py", "run"),
    "an untracked symlink": _link("latest", "nowhere"),
    "a FIFO that nobody tracks": _fifo("pipe"),
    "a FIFO in the place of a file": _fifo("shop.py"),
    "a directory in the place of a file": _directory_for("shop.py"),
    "a file in the place of a directory": _file_for_directory,
    "CRLF with autocrlf": _crlf("true", ""),
    "CRLF with autocrlf=input": _crlf("input", ""),
    "CRLF with text=auto": _crlf("false", "* text=auto\n"),
    "CRLF with eol": _crlf("false", "*.txt eol=crlf\n"),
    "CRLF in a binary file": _crlf("true", "", b"\0one\r\n"),
    "CRLF in a file that is no text": _crlf("true", "*.txt -text\n"),
    "CRLF under a macro": _crlf("false", "[attr]prose text\n*.txt prose\n"),
    "CRLF where none is configured": _both(_write("words.txt", "one\n"), _git("add", "-A"),
                                           _git("commit", "-q", "-m", "LF"), _write("words.txt", "one\r\n")),
    "CRLF where the file changed as well": _both(_crlf("true", ""), _write("words.txt", "ONE\r\ntwo\r\n")),
    "packs with deltas": _packed,
    "packs with deltas and something staged": _both(
        _packed, _write("lib/part3.py", ""), _git("add", "-A")
    ),
    "packed references": _git("pack-refs", "--all", "--prune"),
    "a detached HEAD": _git("checkout", "-q", "--detach"),
    "a branch with slashes": _git("checkout", "-q", "-b", "feature/of/mine"),
    "a merge with a conflict": _conflict,
    "index version 3": _both(_write("soon.py", ""), _git("add", "-N", "soon.py")),
    "index version 4": _git("update-index", "--index-version", "4"),
    "index version 4 and an edit": _both(_git("update-index", "--index-version", "4"), _write("lib/prices.py", "")),
    "no index": _delete(".git/index"),
    "an index without its list of trees": _both(_delete(".git/index"), _git("read-tree", "--empty"),
                                                _git("add", "-A")),
    "a file whose addition was only announced": _both(_write("new.py", "new\n"), _git("add", "-N", "new.py")),
    "an announced file that is gone": _both(_write("new.py", ""), _git("add", "-N", "new.py"), _delete("new.py")),
    "a sparse checkout": _sparse("--no-cone"),
    "a sparse checkout by cones": _sparse("--cone"),
    "a sparse index": _sparse("--cone", "--sparse-index"),
    "a sparse index and an edit": _both(_sparse("--cone", "--sparse-index"), _write("lib/prices.py", "")),
    "a sparse index whose directory is there": _sparse_but_there,
    "names of every kind": _strange_names,
    "names of every kind and an edit": _both(_strange_names, _write("naïve.py", "")),
    "a repository inside": _nested,
    "a submodule": _submodule,
    "a submodule with an edit": _submodule_with("shop.py"),
    "a submodule with an untracked file": _submodule_with("new.py"),
    "a submodule at another commit": _submodule_at("commit", "-q", "--allow-empty", "-m", "further"),
    "a submodule that is not initialised": _both(_submodule, _git("submodule", "deinit", "-q", "-f", "--all")),
    "configuration of the work tree alone": _both(
        _git("config", "extensions.worktreeConfig", "true"), _git("config", "--worktree", "core.fileMode", "false"),
        _chmod("shop.py", 0o755),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_commit_and_dirty_are_what_git_says_of(name: str, algorithm: str, tmp_path: Path) -> None:
    work = committed(tmp_path, f"--object-format={algorithm}")
    STATES[name](work)
    told, reasons = work.told()  # first: git's status writes the index anew
    assert (told.get("commit"), told.get("dirty"), reasons) == (work.head(), work.is_dirty(), set())
    assert ("changes" in told) == told["dirty"]


@pytest.mark.parametrize("name", ["nothing changed", "a sparse index", "packs with deltas", "names of every kind"])
def test_files_with_old_times_are_taken_as_the_index_has_them(name: str, work: Work) -> None:
    STATES[name](work)
    work.settle()
    told, reasons = work.told()
    assert (told.get("commit"), told.get("dirty"), reasons) == (work.head(), work.is_dirty(), set())


def test_an_edit_of_the_same_size_with_its_time_set_back_is_seen(work: Work) -> None:
    work.settle()
    place = work.put("shop.py", "print('SHOP')\n")
    os.utime(place, (1_600_000_000, 1_600_000_000))
    assert work.told()[0]["dirty"] is True  # by the time of the inode, of which git compares whole seconds


def test_a_repository_without_commits_has_none_and_what_is_in_it_is_a_change(tmp_path: Path) -> None:
    work = initialised(tmp_path)
    assert work.told() == ({"branch": "main", "dirty": False}, set())
    work.put("first.py", "")
    assert work.told()[0]["dirty"] is True
    work.git("add", "-A")
    told, _ = work.told()
    assert "commit" not in told
    assert told["dirty"] is True


def test_another_work_tree_of_a_repository_has_its_own_commit(work: Work) -> None:
    other = Work(work.root, "srv/other")
    work.git("worktree", "add", "-q", "-b", "other", os.fspath(other.top))
    # git writes where the repository is as a path of this machine; below the root it is another one
    link = other.top / ".git"
    link.write_text(link.read_text().replace(f"{work.root}/", "/"))
    assert other.told()[0] == {"commit": work.head(), "branch": "other", "dirty": False}
    other.put("shop.py", "another\n")
    assert other.told()[0]["dirty"] is True
    assert work.told()[0]["dirty"] is False


def test_a_shallow_clone_is_a_checkout_like_another(work: Work) -> None:
    work.put("second.py", "")
    work.commit()
    work.git("clone", "-q", "--depth", "1", f"file://{work.top}", os.fspath(work.root / "srv/shallow"))
    clone = Work(work.root, "srv/shallow")
    assert clone.told()[0] == {
        "commit": work.head(), "branch": "main", "dirty": False, "source": f"file://{work.top}",
    }  # fmt: skip


def test_objects_that_are_borrowed_are_found_below_the_root(work: Work) -> None:
    work.git("clone", "-q", "--shared", os.fspath(work.top), os.fspath(work.root / "srv/clone"))
    clone = Work(work.root, "srv/clone")
    clone.put("new.py", "")
    clone.git("add", "new.py")
    clone.git("commit", "-q", "-m", "own")
    clone.git("rm", "-q", "--cached", "lib/prices.py")  # trees must be opened
    put(clone.top, ".git/objects/info/alternates", "/srv/shop/.git/objects\n")
    assert clone.told()[0]["dirty"] is True
    assert clone.told()[1] == set()


def test_where_objects_are_not_to_be_had_it_is_unknown_whether_there_are_changes(work: Work) -> None:
    work.git("read-tree", "--empty")
    work.git("add", "-A")  # without the list of trees
    shutil.rmtree(work.top / ".git/objects")
    (work.top / ".git/objects").mkdir()
    assert work.told() == ({"commit": work.head(), "branch": "main"}, {Reason.VANISHED})
    work.put("shop.py", "a change that can be seen without them\n")
    told, reasons = work.told()
    assert (told["dirty"], "changes" in told, reasons) == (True, False, {Reason.VANISHED})


def test_a_directory_inside_is_of_the_whole_checkout_and_one_outside_of_none(work: Work) -> None:
    work.put("untracked/file.py", "")
    put(work.root, "srv/other/file.py")
    work.put("shop.py", "changed\n")
    assert Work(work.root, "srv/shop/lib").told() == work.told()
    assert Work(work.root, "srv/shop/untracked").told() == ({}, set())
    assert Work(work.root, "srv/other").told() == ({}, set())


def test_the_changes_tell_what_lies_there_and_not_whether_it_is_staged(tmp_path: Path) -> None:
    one, other, third = (committed(tmp_path / name) for name in ("one", "other", "third"))
    for work in (one, other):
        work.put("shop.py", "patched\n")
        work.put("new.py", "new\n")
        (work.top / "run").unlink()
    other.git("add", "-A")
    third.put("shop.py", "patched otherwise\n")
    assert one.told() == other.told()
    assert one.told()[0]["changes"] != third.told()[0]["changes"]


def test_a_change_that_the_index_asks_git_to_overlook_is_one_all_the_same(work: Work) -> None:
    work.git("update-index", "--skip-worktree", "shop.py")
    work.git("update-index", "--assume-unchanged", "lib/prices.py")
    assert work.told()[0]["dirty"] is False
    work.put("shop.py", "patched\n")
    assert work.told()[0]["dirty"] is True


def test_a_file_that_a_foreign_filter_made_is_unknown_and_the_filter_is_never_run(work: Work) -> None:
    canary = work.root / "canary"
    script = put(work.root, "bin/canary", f"#!/bin/sh\ntouch {canary}\ncat\n")
    script.chmod(0o755)
    work.put(".gitattributes", "*.secret filter=vault\n")
    work.put("a.secret", "locked\n")
    work.commit()
    for name in ("core.fsmonitor", "filter.vault.clean", "filter.vault.process", "core.sshCommand", "core.pager"):
        work.git("config", name, os.fspath(script))
    for hook in ("fsmonitor-watchman", "post-index-change", "pre-commit", "post-checkout"):
        shutil.copy(script, work.top / ".git/hooks" / hook)
    work.put("a.secret", "opened\n")
    assert work.told() == ({"commit": work.told()[0]["commit"], "branch": "main"}, {Reason.UNSUPPORTED})
    assert not canary.exists()


def test_a_file_in_lfs_is_compared_by_its_pointer(work: Work) -> None:
    content = b"\x89PNG" * 100
    oid = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"
    work.put("logo.png", pointer)
    work.commit()
    work.put(".gitattributes", "*.png filter=lfs diff=lfs merge=lfs -text\n")
    work.commit()
    work.put("logo.png", content)
    assert work.told()[0]["dirty"] is False
    work.put("logo.png", content + b"!")
    assert work.told()[0]["dirty"] is True


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://ann:secret@git.example/shop.git?token=secret#secret", "https://git.example/shop.git"),
        ("ssh://git@git.example:22/shop.git", "ssh://git.example:22/shop.git"),
        ("git@git.example:shop.git", "git@git.example:shop.git"),
        ("ann:secret@git.example:shop.git", "git.example:shop.git"),
        ("/srv/git/shop.git", "/srv/git/shop.git"),
        ("https://ann:se/cret@git.example/shop.git", "https://…"),
        ("https://[broken/shop.git", "https://…"),
    ],
)
def test_the_source_is_told_without_credentials(url: str, source: str, work: Work) -> None:
    work.git("config", "remote.origin.url", url)
    assert work.told()[0]["source"] == source


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        (".git/HEAD", "ref: ../../etc/shadow\n", Reason.INVALID),
        (".git/HEAD", "nonsense\n", Reason.INVALID),
        (".git/HEAD", "ref: refs/heads/main\n" * 1000, Reason.CAP),
        (".git/refs/heads/main", "ref: refs/heads/main\n", Reason.INVALID),
        (".git/refs/heads/main", "0123\n", Reason.INVALID),
        (".git/config", "[core\n", Reason.INVALID),
        (".git/config", "[core]\nbare = true\n", Reason.UNSUPPORTED),
        (".git/config", "[core]\nrepositoryformatversion = 2\n", Reason.UNSUPPORTED),
        (".git/config", "[core]\nrepositoryformatversion = 1\n[extensions]\nstrange = 1\n", Reason.UNSUPPORTED),
        (".git/config", "[core]\nrepositoryformatversion=1\n[extensions]\nrefstorage=reftable\n", Reason.UNSUPPORTED),
        (".git/config", "[core]\nworktree = /srv\n", Reason.UNSUPPORTED),
    ],
)
def test_a_repository_that_cannot_be_read_is_an_error_with_its_reason(
    path: str, content: str, reason: str, work: Work
) -> None:
    work.put(path, content)
    with pytest.raises(Unreadable) as caught:
        work.told()
    assert caught.value.reason == reason


def test_an_index_in_two_parts_is_said_to_be_unsupported(work: Work) -> None:
    work.git("update-index", "--split-index")
    told, reasons = work.told()
    assert (told, reasons) == ({"commit": work.head(), "branch": "main"}, {Reason.UNSUPPORTED})


def test_a_link_to_a_repository_that_is_elsewhere_is_not_taken_for_none(work: Work) -> None:
    put(work.root, "srv/container/.git", "gitdir: /not/here\n")
    with pytest.raises(Unreadable, match=Reason.VANISHED):
        Work(work.root, "srv/container").told()


def test_what_may_not_be_read_leaves_it_unknown(tmp_path: Path) -> None:
    work = committed(tmp_path / "root")
    (work.top / "lib").chmod(0o700)
    script = """
from envparity_agent.collectors.memory import Memory
reasons = set()
print(sorted(checkout(root, "srv/shop", Memory(), reasons)), *reasons)
"""
    assert told_without_privileges(work.root, script) == "['branch', 'commit'] permission"
