"""Reads direct_url.json and provenance_url.json: where a distribution was installed from.

https://packaging.python.org/en/latest/specifications/direct-url/ and https://peps.python.org/pep-0710/
"""

import json
import re
from typing import Any
from urllib.parse import unquote

from envparity_agent.collectors.paths import normal
from envparity_agent.collectors.redaction import url
from envparity_agent.fingerprint import Value

INVALID = {"problem": "direct_url.json: invalid"}

_WORD = re.compile(r"^[A-Za-z0-9_-]{1,20}$")
_HEX = re.compile(r"^[0-9a-fA-F]{8,128}$")


def read_direct_url(content: bytes) -> dict[str, Value]:
    """`source` without credentials, `commit`, `editable` and `archive`, its hashes; `problem` for what is none."""
    try:
        document = json.loads(content)
        facts: dict[str, Value] = {"source": url(_text(document["url"]))}
        commit = _table(document, "vcs_info").get("commit_id")
        if commit:
            facts["commit"] = _text(commit)
        if _table(document, "dir_info").get("editable") is True:
            facts["editable"] = True
        return facts | archive_hashes(document)
    except (ValueError, KeyError, TypeError, RecursionError):
        return dict(INVALID)


def read_provenance(content: bytes) -> dict[str, Value]:
    """The hashes of the archive that an index gave; nothing where the file cannot be parsed."""
    try:
        return archive_hashes(json.loads(content))
    except (ValueError, TypeError, RecursionError):
        return {}


def archive_hashes(document: Any) -> dict[str, Value]:
    """`archive`: each hash as `algorithm:hexadecimal`; raises TypeError for a document of another shape."""
    archive = _table(document, "archive_info")
    hashes = dict(_table(archive, "hashes"))
    if not hashes and "hash" in archive:  # the first form of the specification, deprecated since
        algorithm, _, digest = _text(archive["hash"]).partition("=")
        hashes[algorithm] = digest
    told = tuple(
        sorted(
            f"{algorithm.lower()}:{digest.lower()}"
            for algorithm, digest in hashes.items()
            if _WORD.match(algorithm) and _HEX.match(_text(digest))
        )
    )
    return {"archive": told} if told else {}


def local_directory(source: str) -> str | None:
    """The path below the root that a `file:` URL names; None for any other text."""
    scheme, _, path = source.partition("://")
    return normal(unquote(path)) if scheme == "file" and path.startswith("/") else None


def _table(document: Any, key: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise TypeError("no table")
    found = document.get(key, {})
    if not isinstance(found, dict):
        raise TypeError(f"{key} is no table")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
