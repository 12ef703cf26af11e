"""Checks that an image's export becomes the tree that a container of it would have, whatever the layers hold."""

import gzip
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors import INSIDE
from envparity_agent.collectors.containers import streams, tree
from envparity_agent.collectors.containers.engine import connect
from envparity_agent.collectors.containers.export import exported
from envparity_agent.collectors.interface import Options, wanted
from envparity_agent.collectors.reads import Reads, Wanted
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root
from tests.agent.collectors.answers import CONFIG_DIGEST, Engine, image, running_engine
from tests.agent.collectors.archives import Entry, diff_id, entry, oci, saved, tar, tar_of
from tests.agent.roots import fingerprint_of, whole_root

EVERYTHING = Wanted([Reads(content=(".*",))])
DIRECTORY, SYMLINK, HARD_LINK = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
Layout: TypeAlias = Callable[..., bytes]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with running_engine() as started:
        yield started


def tree_of(engine: Engine, export: bytes, layers: Sequence[bytes], files: Wanted = EVERYTHING) -> dict[str, str]:
    """The files, links and empty directories of the tree that is made of an export, with what they hold."""
    engine.answers[f"/images/{CONFIG_DIGEST}/get"] = export
    found = {}
    described = image(RootFS={"Layers": [diff_id(layer) for layer in layers]})
    with connect(engine.url) as client, exported(client, described, files) as place:
        for directory, folders, names in os.walk(place):
            for name in (*folders, *names):
                path = os.path.join(directory, name)
                shown = os.path.relpath(path, place)
                if os.path.islink(path):
                    found[shown] = f"-> {os.readlink(path)}"
                elif os.path.isfile(path):
                    found[shown] = Path(path).read_text("utf-8")
                elif not os.listdir(path):
                    found[shown] = "directory"
    assert not os.path.exists(place)
    return found


def layered(engine: Engine, *layers: Sequence[Entry]) -> dict[str, str]:
    """The tree of layers of these entries, in the order of `docker save`."""
    made = [tar(*entries) for entries in layers]
    return tree_of(engine, saved(*made), made)


def refusal(engine: Engine, export: bytes, layers: Sequence[bytes]) -> str:
    with pytest.raises(Unreadable) as refused:
        tree_of(engine, export, layers)
    return refused.value.reason


def file(path: str, content: str = "x") -> Entry:
    return entry(path, content=content.encode())


@pytest.mark.parametrize("layout", [saved, oci])
def test_an_image_has_the_facts_of_the_root_that_it_is_of(engine: Engine, tmp_path: Path, layout: Layout) -> None:
    root = whole_root(tmp_path)
    layer, other = tar_of(root), tar(file("etc/motd"))
    engine.answers[f"/images/{CONFIG_DIGEST}/get"] = layout(layer, other)
    described = image(RootFS={"Layers": [diff_id(layer), diff_id(other)]})
    with connect(engine.url) as client, exported(client, described, wanted(INSIDE, Options())) as place:
        copy = fingerprint_of(Path(place))
    assert copy.root == fingerprint_of(root).root


def test_a_higher_layer_wins_whatever_the_order_of_the_export(engine: Engine) -> None:
    low, high = tar(file("srv/a", "1"), file("srv/b", "1")), tar(file("srv/a", "2"))
    assert tree_of(engine, saved(low, high), [low, high]) == {"srv/a": "2", "srv/b": "1"}
    assert tree_of(engine, saved(high, low), [low, high]) == {"srv/a": "2", "srv/b": "1"}


def test_a_layer_that_an_image_has_twice_is_laid_twice(engine: Engine) -> None:
    one, gone = tar(file("srv/a")), tar(file("srv/.wh.a"))
    assert tree_of(engine, saved(one, gone), [one, gone, one]) == {"srv/a": "x"}


def test_a_whiteout_takes_away_a_file_a_link_and_a_whole_directory(engine: Engine) -> None:
    below = (file("a/file"), file("a/dir/deep/x"), entry("a/link", SYMLINK, link="file"), file("a/kept"))
    above = (file("a/.wh.file"), file("a/.wh.dir"), file("a/.wh.link"), file("a/.wh.never-there"), file(".wh.gone"))
    assert layered(engine, below, above) == {"a/kept": "x"}


def test_a_whiteout_is_for_the_layers_below_only(engine: Engine) -> None:
    again = (file("a/x", "2"), file("a/.wh.x"), file("a/.wh.dir"), file("a/dir/new"))
    assert layered(engine, (file("a/x", "1"), file("a/dir/old")), again) == {"a/x": "2", "a/dir/new": "x"}


def test_an_opaque_directory_has_nothing_of_the_layers_below(engine: Engine) -> None:
    above = (file("a/new"), file("a/.wh..wh..opq"), file("a/.wh..wh.plnk"))
    assert layered(engine, (file("a/old"), file("a/dir/old"), file("b")), above) == {"a/new": "x", "b": "x"}


def test_the_whole_tree_may_be_opaque(engine: Engine) -> None:
    assert layered(engine, (file("a"),), (file(".wh..wh..opq"), file("b"))) == {"b": "x"}


def test_what_gave_way_to_something_of_another_kind_is_gone(engine: Engine) -> None:
    below = (file("a/x"), entry("b", SYMLINK, link="a"), file("c"), file("d/x"))
    above = (file("a", "file"), file("b/x", "in a directory"), entry("c", DIRECTORY), entry("d", SYMLINK, link="b"))
    assert layered(engine, below, above) == {"a": "file", "b/x": "in a directory", "c": "directory", "d": "-> b"}


def test_hard_links_reach_into_lower_layers_and_outlive_their_source(engine: Engine) -> None:
    below = (file("a", "1"), entry("s", SYMLINK, link="a"))
    above = (entry("b", HARD_LINK, link="a"), entry("c", HARD_LINK, link="./b"), entry("t", HARD_LINK, link="s"))
    top = (file(".wh.a"), file("b", "2"))
    assert layered(engine, below, above, top) == {"b": "2", "c": "1", "s": "-> a", "t": "-> a"}


def test_a_hard_link_to_nothing_or_to_a_directory_or_outside_is_none(engine: Engine) -> None:
    links = [entry(name, HARD_LINK, link=to) for name, to in (("x", "no"), ("y", "d"), ("z", "../../etc/passwd"))]
    assert layered(engine, (entry("d", DIRECTORY), *links)) == {"d": "directory"}


def test_nothing_is_written_through_a_link_or_leaves_the_tree(engine: Engine, tmp_path: Path) -> None:
    outside = str(tmp_path)
    below = (entry("etc", SYMLINK, link=outside), entry("var", SYMLINK, link="/"), file("../up"), file("a/../../up"))
    found = layered(
        engine, below, (file("etc/shadow"), entry("var/lib", DIRECTORY), entry("etc/l", HARD_LINK, link="a"))
    )
    assert os.listdir(outside) == []
    assert found == {"etc/shadow": "x", "var/lib": "directory"}


def test_devices_and_fifos_are_never_made(engine: Engine) -> None:
    kinds = (tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE)
    assert layered(engine, [entry(f"x{number}", kind) for number, kind in enumerate(kinds)]) == {}


@pytest.mark.parametrize("name", ["bad\0name", "", "/", ".", "./"])
def test_an_entry_without_a_name_is_none(engine: Engine, name: str) -> None:
    odd, content = entry("x", content=b"x")
    odd.pax_headers = {"path": name}
    assert set(layered(engine, ((odd, content), file("y")))) <= {"y", "x"}


@pytest.mark.parametrize(
    "path", ["a/" * 2500 + "x", "d/" * 201 + "x", "x" * 256], ids=["a long path", "a deep one", "a long name"]
)
def test_a_path_that_no_directory_can_hold_is_told(engine: Engine, path: str) -> None:
    layer = tar(file(path))
    assert refusal(engine, saved(layer), [layer]) == Reason.CAP


@pytest.mark.parametrize("target", ["", "x" * 5000, "a\0b"])
def test_a_link_to_what_is_no_path_is_none(engine: Engine, target: str) -> None:
    odd, content = entry("l", SYMLINK, link="x")
    odd.pax_headers = {"linkpath": target}
    odd.linkname = ""
    layer = tar((odd, content), file("y"))
    assert tree_of(engine, saved(layer), [layer]) == {"y": "x"}


def test_layers_in_several_gzip_members_are_one(engine: Engine) -> None:
    """As seekable layers are: https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md."""
    layer = tar(file("a", "1" * 3000), file("b"))
    parts = b"".join(gzip.compress(layer[start : start + 700]) for start in range(0, len(layer), 700))
    assert tree_of(engine, oci(layer, compressed=[parts]), [layer]) == {"a": "1" * 3000, "b": "x"}


def test_a_layer_compressed_by_zstd_is_said_to_be_unsupported(engine: Engine) -> None:
    layer = tar(file("a"))
    assert refusal(engine, oci(layer, compressed=[b"\x28\xb5\x2f\xfd" + bytes(1000)]), [layer]) == Reason.UNSUPPORTED


def test_an_image_whose_layers_are_not_all_there_is_no_tree(engine: Engine) -> None:
    one, other = tar(file("a")), tar(file("b"))
    assert refusal(engine, saved(one), [one, other]) == Reason.INVALID


def test_a_layer_that_is_not_the_one_of_the_list_is_missed(engine: Engine) -> None:
    assert refusal(engine, saved(tar(file("a", "forged"))), [tar(file("a"))]) == Reason.INVALID


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("layout", [saved, oci])
def test_an_export_that_is_cut_off_is_told(engine: Engine, layout: Layout, share: float) -> None:
    layer = tar(entry("a", content=os.urandom(200_000)))  # large beside the padding at the end of an archive
    export = layout(layer)
    assert refusal(engine, export[: int(len(export) * share)], [layer]) == Reason.INVALID


def test_what_is_beside_the_layers_is_no_matter(engine: Engine) -> None:
    layer = tar(file("a"))
    beside = (
        entry("x", content=b"signature" * 200),
        entry("y", content=b"\x1f\x8b" + bytes(1000)),
        entry("z", DIRECTORY),
    )
    assert tree_of(engine, tar(*beside, entry("blobs/l", content=layer)), [layer]) == {"a": "x"}


@pytest.mark.parametrize(("cap", "to"), [("MAX_ENTRIES", 10), ("MAX_KEPT", 10), ("MAX_TOTAL", 100)])
def test_an_image_beyond_a_cap_is_told(engine: Engine, monkeypatch: pytest.MonkeyPatch, cap: str, to: int) -> None:
    monkeypatch.setattr(tree, cap, to)
    layer = tar(*(file(f"a{number}", "x" * 20) for number in range(20)))
    assert refusal(engine, saved(layer), [layer]) == Reason.CAP


def test_a_layer_that_swells_is_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_BYTES", 50_000)
    layer = tar(file("a", "0" * 100_000))
    assert refusal(engine, oci(layer), [layer]) == Reason.CAP


def test_a_header_that_swells_is_not_read(engine: Engine) -> None:
    odd, content = entry("a", content=b"x")
    odd.pax_headers = {"comment": "x" * 2 * streams.MAX_HEADER}
    layer = tar((odd, content))
    assert refusal(engine, saved(layer), [layer]) == Reason.INVALID


def test_a_chain_of_headers_does_not_exhaust_the_stack(engine: Engine) -> None:
    layer = tar(*(entry("x", tarfile.XHDTYPE, content=b"9 path=x\n") for _ in range(5000)), file("a"))
    assert refusal(engine, saved(layer), [layer]) == Reason.INVALID


def test_a_file_that_is_too_large_to_copy_cannot_be_read(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not taken for one that holds something else."""
    monkeypatch.setattr(tree, "MAX_FILE", 3)
    layer = tar(file("a", "1234"), file("b", "123"))
    engine.answers[f"/images/{CONFIG_DIGEST}/get"] = saved(layer)
    described = image(RootFS={"Layers": [diff_id(layer)]})
    with connect(engine.url) as client, exported(client, described, EVERYTHING) as place, Root(place) as root:
        assert root.read("b") == b"123"
        with pytest.raises(Unreadable) as refused:
            root.read("a")
    assert refused.value.reason == Reason.CAP


@given(st.data())
def test_a_damaged_export_is_told_and_nothing_else(engine: Engine, data: st.DataObject) -> None:
    layer = tar(file("a", "1" * 600), entry("l", SYMLINK, link="a"), entry("h", HARD_LINK, link="a"), file("d/x"))
    export = bytearray(data.draw(st.sampled_from([saved(layer), oci(layer)])))
    for _ in range(data.draw(st.integers(1, 4))):
        export[data.draw(st.integers(0, len(export) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert tree_of(engine, bytes(export), [layer])["a"] == "1" * 600
    except Unreadable as problem:
        assert problem.reason in (Reason.INVALID, Reason.CAP, Reason.UNSUPPORTED)  # noqa: PT017  # any of them is right


PLACES = ("a", "a/b", "a/b/c", "d", "d/e")


def plain(kept: dict[str, str]) -> dict[str, str]:
    """Files, and the directories with nothing in them."""
    full = {path for one in kept for path in (one.rpartition("/")[0], one.rpartition("/")[0].rpartition("/")[0])}
    return {path: kind for path, kind in kept.items() if kind != "directory" or path not in full}


@given(
    st.lists(
        st.dictionaries(st.sampled_from(PLACES), st.sampled_from(["file", "directory", "gone", "opaque"]), max_size=4),
        min_size=1,
        max_size=4,
    )
)
def test_layers_make_what_laying_them_by_hand_makes(engine: Engine, layers: list[dict[str, str]]) -> None:
    """Held against a flat table of paths, with the rules of the OCI specification said once more."""
    model: dict[str, str] = {}
    made: list[list[Entry]] = []
    for number, layer in enumerate(layers):
        entries: list[Entry] = []
        added: dict[str, str] = {}
        for path, act in sorted(layer.items()):
            folder, _, name = path.rpartition("/")
            under = [one for one in model if one.startswith(f"{path}/")]
            if act == "gone":
                entries.append(file(f"{folder}/.wh.{name}"))
                for one in (path, *under):
                    model.pop(one, None)
            elif act == "opaque":
                entries.append(file(f"{path}/.wh..wh..opq"))
                for one in under:
                    model.pop(one, None)
            elif not any(path.startswith(f"{one}/") and kind != "directory" for one, kind in added.items()):
                kind = "directory" if act == "directory" else str(number)
                entries.append(entry(path, DIRECTORY) if kind == "directory" else file(path, kind))
                added[path] = kind
        for path, kind in added.items():
            above = [path.rpartition("/")[0], path.rpartition("/")[0].rpartition("/")[0]]
            model |= {one: "directory" for one in above if one}
            if kind != "directory":
                model = {one: what for one, what in model.items() if not one.startswith(f"{path}/")}
            model[path] = kind
        made.append(entries)
    assert layered(engine, *made) == plain(model)
