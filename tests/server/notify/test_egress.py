"""Tests of the guard: nothing but the public internet, and what is allowed by name."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.errors import CannotTell
from envparity_server.notify.egress import Refused, check, vetted

INSIDE = [
    "0.0.0.0",  # noqa: S104  # nobody listens
    "127.0.0.1", "127.255.0.1", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::8.8.8.8", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00::1",
    "fe80::1", "fe80::1%1", "fec0::1", "ff02::1", "ff0e::1", "2606:4700::1%1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_the_public_internet_is_refused(address: str) -> None:
    with pytest.raises(Refused, match="may not go to"):
        check(address, ())


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"])
def test_the_public_internet_is_open(address: str) -> None:
    check(address, ())


ADDRESSES = st.one_of(
    st.integers(0, 2**32 - 1).map(IPv4Address),
    st.integers(0, 2**128 - 1).map(IPv6Address),
    st.sampled_from([ip_address(one) for one in INSIDE]),
)


@given(ADDRESSES)
def test_no_address_is_taken_that_python_does_not_call_global(address: IPv4Address | IPv6Address) -> None:
    try:
        check(str(address), ())
    except Refused:
        return
    assert address.is_global
    assert not address.is_multicast


@given(ADDRESSES)
def test_every_address_is_taken_in_a_network_that_is_allowed(address: IPv4Address | IPv6Address) -> None:
    plain = ip_address(str(address).partition("%")[0])
    check(str(plain), [ip_network(f"{plain}/{plain.max_prefixlen}")])


def test_an_allowed_network_opens_no_other_form_of_its_addresses() -> None:
    with pytest.raises(Refused):
        check("::ffff:10.0.0.1", [ip_network("10.0.0.0/8")])


def test_one_address_inside_refuses_the_whole_name() -> None:
    with pytest.raises(Refused, match=r"10\.0\.0\.1 \(both\.example\)"):
        vetted("both.example", 443, (), lambda _host, _port: ["8.8.8.8", "10.0.0.1"])
    assert vetted("two.example", 443, (), lambda _host, _port: ["8.8.8.8", "1.1.1.1"]) == ("8.8.8.8", "1.1.1.1")


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "localhost"])
def test_a_host_is_taken_as_the_resolver_takes_it(host: str) -> None:
    with pytest.raises(Refused):
        vetted(host, 80, ())


@pytest.mark.parametrize("host", ["no.such.name.invalid", "a" * 64 + ".example", "\ud800.example"])
def test_a_name_without_an_address_cannot_be_told(host: str) -> None:
    with pytest.raises(CannotTell, match="cannot find the address"):
        vetted(host, 80, ())
    with pytest.raises(CannotTell):
        vetted("none.example", 80, (), lambda _host, _port: [])
