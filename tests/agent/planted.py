"""Plants secrets wherever applications keep them: in a root directory, and in what a container engine answers."""

import json
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.agent.collectors.answers import CONFIG_DIGEST, Engine, compose, container, image
from tests.agent.trees import distribution, interpreter, put, system, venv

COUNT = 40

FILES = (
    "/srv/shop/.env", "/srv/shop/.env.prod", "/etc/shop.ini", "/etc/pip.conf", "/etc/shop.toml", "/etc/shop.yaml",
    "/etc/shop.json", "/etc/broken.json", "/etc/token",
)  # fmt: skip


def secret(number: int) -> str:
    """One of the secrets: a word as a person or a program would make it, and found nowhere else."""
    return f"hunter{number}x{sha256(f'planted {number}'.encode()).hexdigest()[:12]}"


def secrets() -> tuple[str, ...]:
    """All that are planted."""
    return tuple(map(secret, range(COUNT)))


def plant(root: Path) -> Engine:
    """Make a host with an application, and the answers of its engine, with each secret in one place or more."""
    waiting = iter(secrets())
    of: Callable[[], str] = partial(next, waiting)  # the next one
    system(root)
    interpreter(root)
    _environments(root, of)
    _files(root, of)
    _services(root, of)
    engine = Engine("")
    _containers(engine, of)
    left = list(waiting)
    assert not left, f"{len(left)} secrets are planted nowhere"
    return engine


def _environments(root: Path, of: Callable[[], str]) -> None:
    """URLs of direct installs, of an index, of a repository."""
    site = venv(root, "srv/shop/.venv")
    hosts = (f"ann:{of()}@x.example", f"{of()}@x.example",
             f"ann:pa/{of()}@x.example")  # fmt: skip
    for number, host in enumerate(hosts):
        built = distribution(site, f"direct{number}", "1.0")
        put(built, "direct_url.json", json.dumps({"url": f"https://{host}/a.whl?token={secret(number)}"}))
    token = of()
    put(root, "srv/shop/.git/HEAD", "ref: refs/heads/main\n")
    put(root, "srv/shop/.git/refs/heads/main", f"{'0' * 40}\n")
    put(root, "srv/shop/.git/config", f'[remote "origin"]\n\turl = https://ann:{token}@git.example/shop.git\n')
    put(root, "srv/shop/.git/FETCH_HEAD", f"{'0' * 40}\t\tbranch 'main' of https://ann:{token}@git.example/shop\n")
    put(root, "srv/shop/requirements.txt", f"six @ https://ann:{of()}@x.example/six-1.17.0.zip\n")
    put(root, "srv/shop/Dockerfile", f"FROM debian\nARG TOKEN={of()}\nENV PASSWORD={token}\n")
    put(root, "srv/shop/compose.yaml", f"services: {{web: {{environment: {{PASSWORD: {of()}}}}}}}\n")


def _files(root: Path, of: Callable[[], str]) -> None:
    """Values of configuration files, in each format."""
    put(root, "srv/shop/.env", f"# {of()}\nPASSWORD={of()}\nexport DSN='postgres://ann:{of()}@db/shop'\n")
    put(root, "srv/shop/.env.prod", f'KEY="one\n{of()}"\n')
    put(root, "etc/shop.ini", f"[db]\npassword = {of()}\nurl = redis://:{of()}@db\n  {of()}\n")
    put(root, "etc/pip.conf", f"[global]\nindex-url = https://ann:{of()}@pypi.example/simple\n")
    put(root, "etc/shop.toml", f'[db]\npassword = "{of()}"\nhosts = ["{of()}"]\n')
    put(
        root,
        "etc/shop.yaml",
        f"db: &db {{password: {of()}}}\nother:\n  <<: *db\n  list: [{of()}]\n  text: |\n    {of()}\n",
    )
    put(root, "etc/shop.json", json.dumps({"db": {"password": of(), "list": [of()]}}))
    put(root, "etc/broken.json", f'{{"password": "{of()}"')
    put(root, "etc/token", f"{of()}\n")


def _services(root: Path, of: Callable[[], str]) -> None:
    """Commands and variables of systemd's services."""
    one, two, three, four, five = (of() for _ in range(5))
    put(
        root,
        "etc/systemd/system/shop.service",
        f"[Service]\nExecStart=/srv/shop/.venv/bin/gunicorn --token {one} --dsn=postgres://ann:{two}@db/shop shop:app\n"
        f'Environment="PASSWORD={three}" TZ=UTC\nEnvironmentFile=/etc/shop.env\n',
    )
    put(root, "etc/shop.env", f"SECRET={four}\n")
    put(root, "etc/systemd/system/shop.service.d/10-more.conf", f"[Service]\nEnvironment=MORE={five}\n")


def _containers(engine: Engine, of: Callable[[], str]) -> None:
    """Variables, commands and labels of a container, and of its image with its history."""
    variables = [f"PASSWORD={of()}", f"DATABASE_URL=postgres://ann:{of()}@db/shop", f"AWS_SECRET_ACCESS_KEY={of()}"]
    words = ["--password", of(), f"--dsn=redis://:{of()}@db", f"-p{of()}", f"KEY={of()}", "--workers", "4"]
    marks = {"org.example.source": f"https://ann:{of()}@git.example/shop", "org.other.password": of()}
    entry = ["/bin/sh", "-c", f"exec app --token {of()}"]
    inspected: dict[str, Any] = {
        "Image": "registry.example:5000/shop/web:1.4", "Env": variables, "Cmd": words, "Entrypoint": entry,
        "Labels": {**marks, **compose("web")},
    }  # fmt: skip
    healthy = {"Test": ["CMD-SHELL", f"curl -H 'Authorization: Bearer {secret(0)}' localhost"]}
    web = container("a", "shop-web-1", Config={**inspected, "Healthcheck": healthy}, Path=entry[0], Args=entry[1:])
    built = image(Config={**inspected, "Healthcheck": healthy}, Author=secret(1), Comment=secret(2))
    engine.has(web)
    engine.answers |= {
        f"/images/{CONFIG_DIGEST}/json": built,
        "/images/registry.example:5000/shop/web:1.4/json": built,
        f"/images/{CONFIG_DIGEST}/history": [
            {"Id": CONFIG_DIGEST, "Created": 1, "Size": 1, "Tags": None, "Comment": "",
             "CreatedBy": f"RUN |1 TOKEN={of()} /bin/sh -c pip install -i https://ann:{secret(3)}@x.example shop"},
        ],
    }  # fmt: skip
