import imghdr

PIXEL = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
print(imghdr.what(None, h=PIXEL))
