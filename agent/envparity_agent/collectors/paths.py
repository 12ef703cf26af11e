"""Paths below a root as text: relative to it, where the root itself is the empty path."""


def join(*parts: str) -> str:
    """The parts as one path; an empty part is the root, and adds nothing."""
    return "/".join(part for part in parts if part)


def normal(path: str) -> str:
    """A path without `.` and `..`, relative to the root; `..` at the root stays there."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def within(path: str, directory: str) -> bool:
    """Whether a normalised path lies in a directory, or is it."""
    return not directory or path == directory or path.startswith(f"{directory}/")


def relative(path: str, prefix: str) -> str:
    """A path as it is told: relative where it is below the prefix, else absolute."""
    return path.removeprefix(f"{prefix}/") if prefix and path.startswith(f"{prefix}/") else f"/{path}"
