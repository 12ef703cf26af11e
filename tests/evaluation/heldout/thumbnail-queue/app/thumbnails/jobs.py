"""What is asked of a worker."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    product: str
    size: tuple[int, int]

    def scaled(self, longest: int) -> tuple[int, int]:
        factor = longest / max(self.size)
        width, height = self.size
        return round(width * factor), round(height * factor)
