from webob import Request

request = Request.blank("/orders?sku=a-1")
print(request.params["sku"])
