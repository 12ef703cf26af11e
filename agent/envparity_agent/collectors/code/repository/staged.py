"""Compares the tree of a commit with the index: what is staged."""

from collections.abc import Iterator

from envparity_agent.collectors.code.files import Budget
from envparity_agent.collectors.code.repository.index import TREE, Directory, Entry, Index, below
from envparity_agent.collectors.code.repository.objects import Member, Objects

_WRITABLE_BY_GROUP = 0o100664  # the mode of files in trees of the first years


def staged(objects: Objects, index: Index, commit: bytes | None, budget: Budget) -> Iterator[bytes]:
    """The paths that differ between a commit and the index; before the first commit, all of them.

    Raises Unreadable where an object is not to be had. Trees that the index knows to be unchanged are not opened.
    """
    pending: list[tuple[bytes, bytes | None, Directory]] = [
        (b"", objects.tree_of(commit) if commit else None, index.top)
    ]
    while pending:
        path, tree, directory = pending.pop()
        if tree is not None and index.trees.get(path) == tree:
            continue
        members = objects.tree(tree) if tree else {}
        budget.spend("", files=len(members) + len(directory.children))
        for name in members.keys() | directory.children.keys():
            inner = below(path, name)
            member, child = members.get(name), directory.children.get(name)
            subtree = member.id if member and member.mode == TREE and not isinstance(child, Entry) else None
            if subtree is not None or isinstance(child, Directory):
                pending.append((inner, subtree, child if isinstance(child, Directory) else Directory()))
            if _differs(member, child, subtree):
                yield inner


def _differs(member: Member | None, child: Entry | Directory | None, subtree: bytes | None) -> bool:
    if isinstance(child, Entry):
        if child.merging or child.intended or member is None:
            return True
        mode = member.mode if member.mode != _WRITABLE_BY_GROUP else 0o100644
        return (mode, member.id) != (child.mode, child.id)
    return member is not None and subtree is None  # a file, where the index has none
