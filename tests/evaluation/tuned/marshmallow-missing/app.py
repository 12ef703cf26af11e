from marshmallow import Schema, fields


class Order(Schema):
    sku = fields.Str(required=True)
    count = fields.Int(missing=1)


assert Order().load({"sku": "a-1"})["count"] == 1
