"""Checks that nothing outside a root is ever read, and that what cannot be read has its reason."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB, Root
from tests.agent.hanging import hanging_mount
from tests.agent.trees import put
from tests.agent.unprivileged import told_without_privileges

STEPS = 4_000
SECRET = b"the host's own"


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A directory that is a root, with a file of the host beside it."""
    put(tmp_path, "outside/secret", SECRET)
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture(params=["by the kernel", "step by step"])
def root(inside: Path, request: pytest.FixtureRequest) -> Iterator[Root]:
    """The root, by both ways in which paths are resolved."""
    with Root(str(inside), by_kernel=request.param == "by the kernel") as opened:
        yield opened


def reason(root: Root, path: str, cap: int = MIB) -> str:
    with pytest.raises(Unreadable) as refused:
        root.read(path, cap)
    return refused.value.reason


def test_a_file_is_read_whole(inside: Path, root: Root) -> None:
    put(inside, "etc/os-release", "ID=debian\n")
    assert root.read("etc/os-release") == root.read("/etc/os-release") == b"ID=debian\n"


def test_a_fifo_is_refused_without_waiting_for_a_writer(inside: Path, root: Root) -> None:
    os.mkfifo(inside / "METADATA")
    assert reason(root, "METADATA") == Reason.NOT_REGULAR


def test_opening_never_waits_also_where_a_fifo_took_the_place_of_a_file(inside: Path) -> None:
    """Between the check and the opening a file may be replaced."""
    os.mkfifo(inside / "METADATA")
    (inside / "METADATA").chmod(0o644)
    assert told_without_privileges(inside, "\nwith root.open('METADATA'): print('opened')") == "opened"


def test_a_socket_and_a_directory_are_refused(inside: Path, root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    (inside / "directory").mkdir()
    monkeypatch.chdir(inside)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    assert reason(root, "socket") == reason(root, "directory") == Reason.NOT_REGULAR


def test_a_device_is_refused_also_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "METADATA").symlink_to("/dev/zero")
    with Root("/") as system:
        assert reason(system, "dev/zero") == Reason.NOT_REGULAR
        assert reason(system, str(tmp_path / "METADATA")) == Reason.NOT_REGULAR


@pytest.mark.parametrize("up", ["", "../outside", "../../../../../../../../../.."], ids=["absolute", "near", "far"])
def test_a_link_leads_to_nothing_outside(inside: Path, root: Root, up: str) -> None:
    outside = inside.parent / "outside"
    (inside / "METADATA").symlink_to(f"{up}/secret" if up == "../outside" else f"{up}{outside}/secret")
    assert (inside / "METADATA").read_bytes() == SECRET or up.startswith("../../")
    assert reason(root, "METADATA") == Reason.VANISHED


def test_a_path_with_dots_leads_to_nothing_outside(inside: Path, root: Root) -> None:
    assert reason(root, "../outside/secret") == Reason.VANISHED
    assert root.names("../..") == root.names(".") == os.listdir(inside)


def test_an_absolute_link_leads_to_what_the_root_has_there(inside: Path, root: Root) -> None:
    put(inside, "etc/shadow", b"the container's own")
    (inside / "METADATA").symlink_to("/etc/shadow")
    (inside / "RECORD").symlink_to("../../../../etc/shadow")
    assert root.read("METADATA") == root.read("RECORD") == b"the container's own"


def test_a_magic_link_of_proc_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "secret", SECRET)
    (tmp_path / "METADATA").symlink_to(f"/proc/self/root{tmp_path}/secret")
    assert (tmp_path / "METADATA").read_bytes() == SECRET
    with Root("/") as system:
        assert reason(system, str(tmp_path / "METADATA")) == Reason.SYMLINKS
        assert reason(system, f"proc/self/cwd/{tmp_path}/secret") == Reason.SYMLINKS


def test_a_magic_link_leads_to_nothing_in_a_root_without_proc(inside: Path, root: Root) -> None:
    (inside / "METADATA").symlink_to(f"/proc/self/root{inside.parent}/outside/secret")
    assert reason(root, "METADATA") == Reason.VANISHED


def test_a_loop_of_links_and_a_chain_of_too_many_end(inside: Path, root: Root) -> None:
    (inside / "loop").symlink_to("loop")
    put(inside, "0", "the end")
    for number in range(1, 50):
        (inside / str(number)).symlink_to(str(number - 1))
    assert root.read("10") == b"the end"
    assert reason(root, "49") == reason(root, "loop") == Reason.SYMLINKS


def test_a_file_of_a_terabyte_is_not_read(inside: Path, root: Root) -> None:
    with (inside / "METADATA").open("wb") as file:
        file.truncate(2**40)
    assert reason(root, "METADATA") == Reason.CAP


def test_a_file_is_read_up_to_the_cap_and_not_beyond(inside: Path, root: Root) -> None:
    put(inside, "METADATA", b"x" * 100)
    assert root.read("METADATA", cap=100) == b"x" * 100
    assert reason(root, "METADATA", cap=99) == Reason.CAP


def test_what_is_not_there_has_no_content(inside: Path, root: Root) -> None:
    put(inside, "file")
    assert root.read_if_there("nothing") is None
    assert root.read_if_there("file/below") is None
    assert root.read_if_there("file") == b""


def test_what_is_there_but_cannot_be_read_is_not_taken_as_absent(inside: Path, root: Root) -> None:
    os.mkfifo(inside / "METADATA")
    with pytest.raises(Unreadable):
        root.read_if_there("METADATA")


@pytest.mark.parametrize("path", ["a\0b", "a\ud800b"])
def test_a_path_that_no_file_can_have_is_invalid(inside: Path, root: Root, path: str) -> None:
    put(inside, "a", "another file")
    assert reason(root, path) == Reason.INVALID


def test_a_path_that_is_too_long_is_over_a_cap(root: Root) -> None:
    assert reason(root, "x" * 300) == Reason.CAP


def test_a_name_that_is_no_text_can_be_read_by_the_name_that_a_listing_gives(inside: Path, root: Root) -> None:
    with open(os.path.join(os.fsencode(inside), b"caf\xe9"), "wb") as file:
        file.write(b"content")
    [name] = root.names(".")
    assert root.read(name) == b"content"


def test_a_closed_directory_is_a_matter_of_permission(inside: Path) -> None:
    put(inside, "closed/METADATA").parent.chmod(0)
    put(inside, "METADATA").chmod(0)
    told = told_without_privileges(
        inside,
        "\nfor read, path in ((root.read, 'METADATA'), (root.read, 'closed/METADATA'), (root.names, 'closed')):"
        "\n    try: read(path)"
        "\n    except Exception as problem: print(problem.reason)",
    )
    assert told.split() == ["permission"] * 3


def test_a_status_is_that_of_what_a_link_leads_to_inside(inside: Path, root: Root) -> None:
    put(inside, "usr/lib/file")
    (inside / "lib").symlink_to("/usr/lib")
    (inside / "out").symlink_to(inside.parent / "outside")
    assert root.is_directory("lib")
    assert root.is_file("lib/file")
    assert not root.is_file("lib")
    assert not root.is_directory("out")
    assert root.stat("nothing") is None


@pytest.mark.parametrize("path", ["nothing", "file"])
def test_what_is_no_directory_is_no_root(tmp_path: Path, path: str) -> None:
    put(tmp_path, "file")
    with pytest.raises(UsageError, match="as a root"):
        Root(str(tmp_path / path))


def test_only_the_systems_own_root_is_live(root: Root) -> None:
    assert not root.live
    with Root("/") as system:
        assert system.live


def outcomes_during(steps: int, step: Callable[[int], None], root: Root, path: str) -> set[bytes]:
    """What readings of a path gave while a thread took so many steps: the content, or the reason why not.

    The steps are counted and not the readings: a busy disk holds up a rename for longer than thousands of readings.
    """

    def take() -> None:
        for number in range(steps):
            step(number)

    racer = threading.Thread(target=take)
    racer.start()
    seen = set()
    while racer.is_alive():
        try:
            seen.add(root.read(path))
        except Unreadable as problem:
            seen.add(problem.reason.encode())
    return seen


@pytest.mark.parametrize("steps", [STEPS, pytest.param(25 * STEPS, marks=pytest.mark.long)])
def test_no_race_of_links_leaks_a_file_of_the_host(inside: Path, root: Root, steps: int) -> None:
    """A check before the opening loses this race; the kernel's own resolution cannot."""
    put(inside, "real/secret", b"the container's own")
    (inside / "link").symlink_to("real")
    targets = [inside.parent / "outside", Path("real"), Path("../outside"), Path("/real")]

    def swap(number: int) -> None:
        (inside / "next").symlink_to(targets[number % len(targets)])
        os.replace(inside / "next", inside / "link")

    seen = outcomes_during(steps, swap, root, "link/secret")
    assert SECRET not in seen
    assert {b"the container's own", b"vanished"} <= seen


def test_a_file_that_is_renamed_elsewhere_keeps_no_other_from_being_read(inside: Path, root: Root) -> None:
    """The kernel gives up on `..` where anything at all is renamed meanwhile, and says: try again."""
    put(inside, "usr/lib/os-release", b"ID=debian")
    (inside / "etc").mkdir()
    (inside / "etc/os-release").symlink_to("../usr/lib/os-release")
    names = put(inside.parent, "elsewhere/0"), inside.parent / "elsewhere/1"

    def rename(number: int) -> None:
        os.rename(names[number % 2], names[1 - number % 2])

    assert outcomes_during(STEPS, rename, root, "etc/os-release") == {b"ID=debian"}


def test_a_file_system_that_hangs_is_never_entered(inside: Path) -> None:
    with hanging_mount(inside / "mnt/share"):
        (inside / "srv").mkdir()
        (inside / "srv/app").symlink_to("/mnt/share/app")
        (inside / "srv/other").symlink_to("../mnt/./share")
        put(inside, "mnt/beside", "here")
        for by_kernel in (True, False):
            with Root(str(inside), by_kernel=by_kernel) as root:
                for path in ("mnt/share/app/METADATA", "srv/app/METADATA", "srv/other/x", "/mnt/../mnt/share/."):
                    assert reason(root, path) == Reason.UNSUPPORTED
                assert root.read("mnt/beside") == b"here"


def test_an_entry_that_hangs_is_not_entered_either(inside: Path) -> None:
    put(inside, "site/beside", "here")
    put(inside, "site/folder/inner", "there")
    with hanging_mount(inside / "site/share"), Root(str(inside)) as root, root.directory("site") as folder:
        with pytest.raises(Unreadable), folder.directory("share"):
            pass
        with pytest.raises(Unreadable):
            folder.stat("share")
        assert folder.read("beside") == b"here"
        with folder.directory("folder") as inner:
            assert inner.read("inner") == b"there"


def test_a_mount_of_a_local_file_system_is_entered_beside_one_that_hangs(inside: Path) -> None:
    with hanging_mount(inside / "mnt/share"), Root("/") as root:
        assert root.read("proc/self/status")
        assert reason(root, f"{inside}/mnt/share/x") == Reason.UNSUPPORTED


def test_the_text_of_a_link_is_told_and_nothing_is_followed(inside: Path, root: Root) -> None:
    (inside / "python").symlink_to("/usr/bin/python3")
    put(inside, "file")
    assert root.link("python") == "/usr/bin/python3"
    assert root.link("file") is root.link("nothing") is root.link("no/thing") is None


def test_parts_are_read_of_regular_files_only(inside: Path, root: Root) -> None:
    put(inside, "file", "0123456789")
    with root.regular("file") as descriptor:
        assert os.pread(descriptor, 3, 4) == b"456"
    os.mkfifo(inside / "fifo")
    with pytest.raises(Unreadable) as refused, root.regular("fifo"):
        pass
    assert refused.value.reason == Reason.NOT_REGULAR
    with pytest.raises(Unreadable) as failed, root.regular("file") as descriptor:
        os.pread(descriptor, 3, -1)
    assert failed.value.reason == Reason.ERROR


def entry_reason(root: Root, name: str, cap: int = MIB) -> str:
    with root.directory("site") as folder, pytest.raises(Unreadable) as refused:
        folder.read(name, cap)
    return refused.value.reason


def test_the_entries_of_an_open_directory_are_read_by_their_names(inside: Path, root: Root) -> None:
    put(inside, "site/b/METADATA", "Name: b\n")
    put(inside, "site/a", "text")
    put(inside, "site/empty")
    with root.directory("site") as folder:
        assert folder.names() == ["a", "b", "empty"]
        assert (folder.read("a"), folder.read("a", 4), folder.read("empty")) == (b"text", b"text", b"")
        status = folder.stat("a")
        assert status
        assert status.st_size == 4
        assert folder.stat("gone") is None
        with folder.directory("b") as inner:
            assert inner.read("METADATA") == b"Name: b\n"
    assert entry_reason(root, "a", 3) == Reason.CAP
    assert entry_reason(root, "gone") == Reason.VANISHED
    assert entry_reason(root, "b") == Reason.NOT_REGULAR


def test_an_entry_that_is_a_link_is_followed_inside_the_root_only(inside: Path, root: Root) -> None:
    put(inside, "etc/secret", "the root's own")
    (inside / "site").mkdir()
    (inside / "site/file").symlink_to("/etc/secret")
    (inside / "site/folder").symlink_to("/etc")
    (inside / "site/up").symlink_to("../../outside/secret")
    (inside / "site/loop").symlink_to("loop")
    with root.directory("site") as folder:
        assert folder.read("file") == b"the root's own"
        status = folder.stat("file")
        assert status
        assert status.st_size == len("the root's own")
        with folder.directory("folder") as linked:
            assert linked.read("secret") == b"the root's own"
    assert entry_reason(root, "up") == Reason.VANISHED
    assert entry_reason(root, "loop") == Reason.SYMLINKS


def test_an_entry_that_is_no_regular_file_is_refused_without_opening_it(inside: Path, root: Root) -> None:
    (inside / "site").mkdir()
    os.mkfifo(inside / "site/fifo")
    assert entry_reason(root, "fifo") == Reason.NOT_REGULAR
    with root.directory("site") as folder, pytest.raises(Unreadable), folder.directory("fifo"):
        pass


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "../outside/secret", "/etc", "a\0b"])
def test_what_is_no_name_is_no_entry(inside: Path, root: Root, name: str) -> None:
    (inside / "site").mkdir()
    with root.directory("site") as folder:
        with pytest.raises(ValueError, match="no name of an entry"):
            folder.read(name)
        with pytest.raises(ValueError, match="no name of an entry"), folder.directory(name):
            pass
