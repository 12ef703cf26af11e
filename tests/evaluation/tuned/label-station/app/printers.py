"""The label printers on this machine."""

from dataclasses import dataclass

import usb.core
import usb.util

VENDOR = 0x0A5F


@dataclass(frozen=True)
class Printer:
    product: int
    place: tuple


def attached():
    """All printers that are plugged in at the moment."""
    devices = usb.core.find(find_all=True, idVendor=VENDOR)
    return [Printer(one.idProduct, (one.bus, one.address)) for one in devices]


def send(printer, page):
    device = usb.core.find(idVendor=VENDOR, idProduct=printer.product)
    device.set_configuration()
    interface = device.get_active_configuration()[(0, 0)]
    out = usb.util.find_descriptor(
        interface,
        custom_match=lambda one: usb.util.endpoint_direction(one.bEndpointAddress) == usb.util.ENDPOINT_OUT,
    )
    out.write(page)
