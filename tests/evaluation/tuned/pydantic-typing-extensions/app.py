from pydantic import BaseModel


class Order(BaseModel):
    sku: str
    count: int = 1


print(Order.model_validate({"sku": "a-1"}))
