"""Checks which services of systemd are told, and what of them."""

import os
from pathlib import Path

from envparity_agent.collectors.configuration.services import collect, executables
from envparity_agent.collectors.interface import Consent, Options, Subject
from envparity_agent.collectors.redaction import command
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.trees import put

KEYED = Disclosure(Key(b"k" * 32))
OPERATORS, VENDORS = "etc/systemd/system", "usr/lib/systemd/system"


def told(root: Path, disclosure: Disclosure = KEYED, consent: Consent = Consent.INSIDE) -> dict[str, Section]:
    """The sections of a root's services by path."""
    with Root(os.fspath(root)) as opened:
        options = Options(disclosure=disclosure, consent=consent)
        return {one.path: one for one in collect(Subject(opened, options))}


def names(root: Path) -> list[str]:
    """The names of the services that are told."""
    return [path.removeprefix("service/") for path in told(root) if path != "services"]


def service(root: Path, text: str, name: str = "shop", place: str = OPERATORS) -> None:
    """Write a unit file."""
    put(root, f"{place}/{name}.service", f"[Unit]\nDescription=words\n[Service]\n{text}\n")


def items(root: Path, name: str = "shop") -> dict[str, object]:
    """The items of a service that could be read in full."""
    found = told(root)[f"service/{name}"]
    assert (found.kind, found.status) == ("configuration", Status.OK)
    return dict(found.items)


def test_a_service_is_told_by_its_settings(tmp_path: Path) -> None:
    service(
        tmp_path,
        "ExecStart=/srv/shop/bin/gunicorn --workers 4 --token hunter2\nUser=shop\nWorkingDirectory=/srv/shop\n"
        'Environment=TZ=UTC "PASSWORD=a b"\nLimitNOFILE=1024\nMemoryMax=1G\nCPUQuota=50%%\nRestart=always\n',
    )
    assert items(tmp_path) == {
        "command": command(["/srv/shop/bin/gunicorn", "--workers", "4", "--token", "hunter2"], KEYED),
        "env:TZ": {"value": "UTC"},
        "env:PASSWORD": KEYED.of("PASSWORD", "a b"),
        "user": {"value": "shop"},
        "workdir": {"value": "/srv/shop"},
        "limit:nofile": {"value": "1024"},
        "limit:memory": {"value": "1G"},
        "limit:cpu": {"value": "50%"},
        "restart": {"value": "always"},
    }
    assert told(tmp_path)["services"].status == Status.OK


def test_only_what_an_operator_wrote_or_changed_is_told(tmp_path: Path) -> None:
    service(tmp_path, "ExecStart=/bin/a", "cron", VENDORS)
    service(tmp_path, "ExecStart=/bin/b", "nginx", VENDORS)
    service(tmp_path, "ExecStart=/bin/c", "shop")
    put(tmp_path, f"{OPERATORS}/nginx.service.d/limits.conf", "[Service]\nLimitNOFILE=9\n")
    put(tmp_path, f"{OPERATORS}/gone.service.d/limits.conf", "[Service]\nLimitNOFILE=9\n")
    put(tmp_path, f"{OPERATORS}/empty.service.d/readme", "")
    put(tmp_path, f"{OPERATORS}/shop.timer", "")
    put(tmp_path, "srv/linked/linked.service", "[Service]\nExecStart=/bin/d\n")
    (tmp_path / OPERATORS / "sshd.service").symlink_to(f"/{VENDORS}/cron.service")
    (tmp_path / OPERATORS / "alias.service").symlink_to("shop.service")
    (tmp_path / OPERATORS / "masked.service").symlink_to("/dev/null")
    (tmp_path / OPERATORS / "linked.service").symlink_to("/srv/linked/linked.service")
    assert names(tmp_path) == ["linked", "nginx", "shop"]
    assert items(tmp_path, "nginx") == {"command": {"command": "/bin/b"}, "limit:nofile": {"value": "9"}}


def test_drop_ins_change_what_the_unit_says_in_the_order_of_their_names(tmp_path: Path) -> None:
    service(tmp_path, "ExecStart=/bin/a\nEnvironment=TZ=A LANG=A\nUser=a")
    put(tmp_path, f"{VENDORS}/shop.service.d/20-x.conf", "[Service]\nUser=b\n")
    put(tmp_path, f"{VENDORS}/shop.service.d/10-x.conf", "[Service]\nUser=hidden by the operator's\n")
    put(tmp_path, f"{OPERATORS}/shop.service.d/10-x.conf", "[Service]\nExecStart=\nExecStart=/bin/c\nUser=c\n")
    put(tmp_path, f"{OPERATORS}/shop.service.d/30-x.conf", "[Service]\nEnvironment=TZ=B\n")
    assert items(tmp_path) == {
        "command": {"command": "/bin/c"},
        "env:TZ": {"value": "B"},
        "env:LANG": {"value": "A"},
        "user": {"value": "b"},
    }


def test_the_instances_of_a_template_are_services(tmp_path: Path) -> None:
    service(tmp_path, "ExecStart=/bin/a /srv/%i.conf\nEnvironmentFile=/etc/shop/%i.env", "shop@")
    put(tmp_path, "etc/shop/one.env", "TZ=UTC\n")
    put(tmp_path, "etc/shop/two.env", "TZ=CET\n")
    wants = tmp_path / OPERATORS / "multi-user.target.wants"
    wants.mkdir()
    for name in ("one", "two"):
        (wants / f"shop@{name}.service").symlink_to(f"/{OPERATORS}/shop@.service")
    service(tmp_path, "ExecStart=/bin/b", "idle@")
    assert names(tmp_path) == ["idle@", "shop@one", "shop@two"]
    assert items(tmp_path, "shop@two") == {
        "command": {"command": "/bin/a /srv/two.conf"},
        "env:TZ": {"value": "CET"},
    }


def test_a_file_of_variables_says_more_than_the_unit(tmp_path: Path) -> None:
    service(tmp_path, "Environment=TZ=A LANG=A\nEnvironmentFile=/etc/shop.env\nEnvironmentFile=-/etc/gone.env")
    put(tmp_path, "etc/shop.env", "# words\r\nTZ='B'\r\n")
    assert items(tmp_path) == {"env:TZ": {"value": "B"}, "env:LANG": {"value": "A"}}


def test_a_file_of_variables_that_is_not_there_is_said(tmp_path: Path) -> None:
    service(tmp_path, "User=shop\nEnvironmentFile=/etc/gone.env")
    found = told(tmp_path)["service/shop"]
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.VANISHED,))
    assert found.items == {"user": {"value": "shop"}}


def test_what_follows_no_syntax_is_said(tmp_path: Path) -> None:
    service(tmp_path, 'ExecStart=/bin/a "b\nEnvironment="A=1\nEnvironmentFile=/etc/shop.env')
    put(tmp_path, "etc/shop.env", "some words\n")
    assert told(tmp_path)["service/shop"].reasons == (Reason.INVALID,)


def test_without_a_key_the_section_says_so(tmp_path: Path) -> None:
    service(tmp_path, "Environment=PASSWORD=hunter2")
    found = told(tmp_path, Disclosure())["service/shop"]
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.NO_KEY,))


def test_several_commands_and_their_prefixes(tmp_path: Path) -> None:
    service(tmp_path, "Type=oneshot\nExecStart=-+/bin/a /srv/x\nExecStart=@/bin/b other /srv/y\nExecStart=!!/bin/c")
    assert items(tmp_path) == {
        "command": {"command": "/bin/a /srv/x"},
        "command#2": {"command": "/bin/b /srv/y"},
        "command#3": {"command": "/bin/c"},
    }
    with Root(os.fspath(tmp_path)) as root:
        assert executables(root) == ("bin/a", "bin/b", "bin/c")


def test_one_unreadable_service_hides_no_other(tmp_path: Path) -> None:
    service(tmp_path, "ExecStart=/bin/a", "good")
    put(tmp_path, f"{OPERATORS}/large.service", b"#" * (1024 * 1024 + 1))
    (tmp_path / OPERATORS / "loop.service").symlink_to("loop.service")
    found = told(tmp_path)
    assert (found["service/large"].status, found["service/large"].reasons) == (Status.FAILED, (Reason.CAP,))
    assert found["service/good"].status == Status.OK
    assert (found["services"].status, found["services"].reasons) == (Status.PARTIAL, (Reason.SYMLINKS,))
    with Root(os.fspath(tmp_path)) as root:
        assert executables(root) == ("bin/a",)


def test_a_root_without_systemd_has_no_services(tmp_path: Path) -> None:
    found = told(tmp_path)
    assert {path: (one.status, one.reasons) for path, one in found.items()} == {
        "services": (Status.ABSENT, (Reason.NOT_INSTALLED,))
    }
    with Root(os.fspath(tmp_path)) as root:
        assert executables(root) == ()


def test_services_need_the_operators_consent(tmp_path: Path) -> None:
    service(tmp_path, "ExecStart=/bin/a")
    found = told(tmp_path, consent=Consent.IMAGES)
    assert {path: (one.status, one.reasons) for path, one in found.items()} == {
        "services": (Status.ABSENT, (Reason.CONSENT,))
    }
