import io

import cairocffi

label = cairocffi.ImageSurface(cairocffi.FORMAT_A8, 200, 80)
with cairocffi.Context(label) as page:
    page.rectangle(10, 10, 180, 60)
    page.fill()
file = io.BytesIO()
label.write_to_png(file)
print(file.getvalue()[:8])
