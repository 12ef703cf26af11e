"""What partners may ask: their orders, and what is in stock."""

from partners.auth import BearerTokens
from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route

ORDERS = {"northwind": [1180, 1204], "tailspin": [1199]}
STOCK = {"chair-oak": 18, "lamp": 240}


@requires("orders")
async def orders(request):
    return JSONResponse(ORDERS.get(request.user.username, []))


@requires("stock")
async def stock(request):
    shown = request.app.state.limits["stock_shown"]
    return JSONResponse({product: min(count, shown) for product, count in STOCK.items()})


def refused(conn, problem):
    return JSONResponse({"error": str(problem)}, status_code=401)


def application(config) -> Starlette:
    tokens = Middleware(AuthenticationMiddleware, backend=BearerTokens(config["tokens"]), on_error=refused)
    app = Starlette(routes=[Route("/orders", orders), Route("/stock", stock)], middleware=[tokens])
    app.state.limits = config["limits"]
    return app
