from captcha.image import ImageCaptcha

picture = ImageCaptcha(width=160, height=60).generate("4821")
print(len(picture.getvalue()) > 0)
