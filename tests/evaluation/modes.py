"""What may be known of a failure when its cause is asked for: less or more of it."""

from enum import StrEnum


class Mode(StrEnum):
    """From what the causes are ranked."""

    LISTS = "lists"
    LISTS_TRACEBACK = "lists+tb"
    BUILT = "built"
    BUILT_TRACEBACK = "built+tb"
    BUILT_SOURCE = "built+src"
    BUILT_SOURCE_TRACEBACK = "built+src+tb"

    @property
    def lists(self) -> bool:
        """Whether only the two lists of packages are given."""
        return self.value.startswith("lists")

    @property
    def traceback(self) -> bool:
        """Whether what the failing run printed is given."""
        return self.value.endswith("tb")

    @property
    def source(self) -> bool:
        """Whether the application's source is given."""
        return "src" in self.value
