"""What we do not want in the cluster."""

from collections.abc import Iterator

import jsonschema

SHAPE = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata"],
    "properties": {"metadata": {"type": "object", "required": ["name"]}},
}


def complaints(document: dict) -> Iterator[tuple[str, str]]:
    for problem in jsonschema.Draft7Validator(SHAPE).iter_errors(document):
        yield "error", problem.message
    for container in _containers(document):
        image = container["image"]
        if ":" not in image or image.endswith(":latest"):
            yield "error", f"{container['name']}: image {image} is not pinned"
        if "limits" not in container.get("resources", {}):
            yield "warning", f"{container['name']}: no limits"


def _containers(document: dict) -> list[dict]:
    pod = document.get("spec", {}).get("template", {}).get("spec", {})
    return [*pod.get("initContainers", ()), *pod.get("containers", ())]
