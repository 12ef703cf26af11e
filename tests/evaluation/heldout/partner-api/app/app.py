"""The warm-up of a release: asks the API in this process what partners asked it yesterday."""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path

import httpx
from partners.config import read
from partners.web import application

HERE = Path(__file__).parent
ROOT = Path(os.environ.get("ROOT", "/"))
log = logging.getLogger("warm-up")


async def answered(requests) -> int:
    config = read(ROOT / "etc/partners")
    logging.getLogger().setLevel(config["log"]["level"])
    transport = httpx.ASGITransport(app=application(config))
    good = 0
    async with httpx.AsyncClient(transport=transport, base_url="https://partners.shop.example") as client:
        for one in requests:
            answer = await client.get(one["path"], headers={"Authorization": f"Bearer {one['token']}"})
            log.info("%s %s", answer.status_code, one["path"])
            good += answer.is_success
    return good


def main() -> int:
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    requests = [json.loads(line) for line in (HERE / "recorded.jsonl").read_text().splitlines()]
    good = asyncio.run(answered(requests))
    if good < len(requests):
        log.critical("%d of %d requests were answered: not taken into service", good, len(requests))
        return 1
    print("ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
