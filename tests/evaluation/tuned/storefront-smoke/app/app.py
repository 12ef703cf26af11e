"""The pages of the shop; run as a program, it asks itself for one of them before it takes over the socket."""

import asyncio

from httpx import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from storefront.catalog import Catalog
from storefront.settings import Settings

settings = Settings()
catalog = Catalog(settings.catalog)


async def products(request):
    page = int(request.query_params.get("page", 1))
    found = await catalog.page(page, settings.page_size)
    return JSONResponse([product.model_dump() for product in found])


async def alive(request):
    return JSONResponse({"debug": settings.debug, "catalog": settings.catalog.url.host})


application = Starlette(debug=settings.debug, routes=[Route("/products", products), Route("/alive", alive)])


async def smoke() -> None:
    async with AsyncClient(transport=ASGITransport(app=application), base_url="http://self.test") as client:
        for path in ("/alive", "/products?page=2"):
            answer = await client.get(path)
            answer.raise_for_status()
            print(path, len(answer.content))


if __name__ == "__main__":
    asyncio.run(smoke())
