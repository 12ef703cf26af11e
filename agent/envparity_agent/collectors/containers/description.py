"""What an image says of itself: base, layers and history for people, and how a container of it is configured."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from envparity_agent.collectors.containers import configuration
from envparity_agent.collectors.containers.images import identity, is_id, normal_reference
from envparity_agent.collectors.interface import Options
from envparity_agent.fingerprint import Section, Value

MAX_STEPS = 1000
HIDDEN = "…"

# https://github.com/opencontainers/image-spec/blob/main/annotations.md
_BASE_NAME = "org.opencontainers.image.base.name"
_BASE_DIGEST = "org.opencontainers.image.base.digest"

_INSTRUCTIONS = frozenset({
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
    "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
})  # fmt: skip
# the words of a command that are told: any other may be a password, an address with one, or a build argument's value
_PROGRAMS = frozenset({
    "addgroup", "adduser", "apk", "apt", "apt-get", "bundle", "cargo", "chmod", "chown", "conda", "cp", "curl", "dnf",
    "dpkg", "gem", "git", "go", "groupadd", "ldconfig", "ln", "locale-gen", "make", "mamba", "microdnf", "micromamba",
    "mkdir", "mv", "npm", "pip", "pip3", "pipenv", "pipx", "pnpm", "poetry", "python", "python3", "rm", "rpm", "sed",
    "tar", "touch", "useradd", "uv", "wget", "yarn", "yum",
})  # fmt: skip
_VERBS = frozenset({
    "-m", "-y", "add", "autoremove", "build", "clean", "clone", "create", "dist-upgrade", "download", "install",
    "purge", "remove", "sync", "uninstall", "update", "upgrade", "venv",
})  # fmt: skip
_SEPARATORS = re.compile(r"&&|\|\||[;|\n]")
_MAX_STEP = 4096  # characters of one step that are looked at
_MAX_COMMANDS = 8


def sections(
    image: Mapping[str, Any],
    store_kind: str,
    reference: str,
    history: Iterable[Mapping[str, Any]],
    options: Options,
) -> tuple[Section, Section]:
    """The sections `image` and `image/config` of an inspected image, of the kinds that a container's own have."""
    found: dict[str, Value] = {**identity(image, store_kind, None), **facts(image, history)}
    if not is_id(reference, str(image["Id"])):
        found["reference"] = normal_reference(reference)
    return (
        Section(
            "image", "container", 2, {"image": found}, observed={"id": str(image["Id"]).removeprefix("sha256:")[:12]}
        ),
        replace(configuration.of_image(image.get("Config") or {}, options), path="image/config"),
    )


def facts(image: Mapping[str, Any], history: Iterable[Mapping[str, Any]] = ()) -> dict[str, Value]:
    """What tells a person where an inspected image comes from; nothing of it is compared.

    `history` is the engine's, the newest step first.
    """
    steps = [step(str(one.get("CreatedBy") or "")) for one in history]
    found: dict[str, Value] = {
        "base": _base((image.get("Config") or {}).get("Labels") or {}),
        "layers": numbered((image.get("RootFS") or {}).get("Layers") or ()),
        "history": numbered(steps[::-1][:MAX_STEPS]),
        "created": str(image.get("Created") or ""),
    }
    return {name: value for name, value in found.items() if value}


def numbered(values: Sequence[str]) -> tuple[str, ...]:
    """Values in their order as a set of texts: each with its number."""
    return tuple(f"{number:02} {value}" for number, value in enumerate(values))


def _base(labels: Mapping[str, str]) -> str:
    return "@".join(labels[name] for name in (_BASE_NAME, _BASE_DIGEST) if labels.get(name))


def step(created_by: str) -> str:
    """One step of a build as it may be told: the instruction, and of RUN the words of its commands that are known.

    It comes as `RUN |1 TOKEN=x /bin/sh -c make # buildkit`, `/bin/sh -c #(nop) ENV A=b` or `/bin/sh -c make`.
    """
    text = created_by[:_MAX_STEP].strip()
    _, not_run, instruction = text.partition("#(nop)")
    first = (instruction if not_run else text).split(maxsplit=1)[:1]
    if first and first[0] in _INSTRUCTIONS - {"RUN"}:
        return first[0]
    if not_run or not (first == ["RUN"] or first == ["|"] or re.match(r"/\S+ -c |\|\d+ ", text)):
        return HIDDEN
    commands = [_told(command.split()) for command in _SEPARATORS.split(text.partition(" -c ")[2])]
    known = list(dict.fromkeys(filter(None, commands)))[:_MAX_COMMANDS]
    return f"RUN {' && '.join(known) or HIDDEN}"


def _told(words: Sequence[str]) -> str:
    """The words at the beginning of a command up to the first that is not known."""
    told: list[str] = []
    for word in words:
        if word not in (_PROGRAMS if not told or told[-1] == "-m" else _VERBS):
            break
        told.append(word)
    return " ".join(told)
