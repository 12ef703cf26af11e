import ssl

context = ssl.create_default_context(cafile="/etc/ssl/certs/ca-certificates.crt")
print(len(context.get_ca_certs()) > 0)
