import jsonschema

jsonschema.validate({"port": 8080}, {"type": "object", "properties": {"port": {"type": "integer"}}})
print("valid")
