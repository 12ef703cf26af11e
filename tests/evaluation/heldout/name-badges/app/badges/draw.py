"""One badge: name, company, and a code that the scanner at the door reads."""

from functools import cache

import qrcode
from badges.guests import Guest
from PIL import Image, ImageDraw, ImageFont

SIZE = (1004, 638)  # 85 x 54 mm at 300 dpi
BLACK, RED = (0, 0, 0), (190, 20, 40)


@cache
def font(points: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf", points)


class Badge:
    def __init__(self, guest: Guest, host: str) -> None:
        self._guest = guest
        self._host = host

    def image(self) -> Image.Image:
        badge = Image.new("RGB", SIZE, "white")
        badge.paste(self._code(), (SIZE[0] - 330, SIZE[1] - 330))
        draw = ImageDraw.Draw(badge)
        draw.text((50, 60), self._guest.name, fill=BLACK, font=self._fitting(self._guest.name))
        draw.text((50, 180), self._guest.company, fill=BLACK, font=font(44))
        if self._guest.speaks:
            draw.text((50, 540), "SPEAKER", fill=RED, font=font(52, bold=True))
        return badge

    def _fitting(self, text: str) -> ImageFont.FreeTypeFont:
        return next(one for size in range(88, 20, -4) if (one := font(size, bold=True)).getlength(text) < SIZE[0] - 100)

    def _code(self) -> Image.Image:
        code = qrcode.QRCode(border=1, error_correction=qrcode.constants.ERROR_CORRECT_M)
        code.add_data(f"https://{self._host}/g/{self._guest.number}")
        return code.make_image().get_image().resize((300, 300))
