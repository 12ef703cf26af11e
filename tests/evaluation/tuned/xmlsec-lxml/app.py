import xmlsec

print(xmlsec.constants.NodeSignature)
