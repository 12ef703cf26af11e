import asyncio

import websockets


async def echo(websocket, *_):
    async for message in websocket:
        await websocket.send(message.upper())


async def main():
    async with websockets.serve(echo, "127.0.0.1", 0) as server:
        port = list(server.sockets)[0].getsockname()[1]
        async with websockets.connect(f"ws://127.0.0.1:{port}", extra_headers={"X-Token": "t"}) as client:
            await client.send("ready")
            assert await client.recv() == "READY"


asyncio.run(main())
