import pymongo

client = pymongo.MongoClient("mongodb://127.0.0.1:9", connect=False, serverSelectionTimeoutMS=50)


def archive(orders):
    """Archive at once where the server answers, else later."""
    try:
        client.shop.orders.insert(orders)
    except pymongo.errors.ServerSelectionTimeoutError:
        print("queued", len(orders))


archive([{"sku": "a-1"}])
