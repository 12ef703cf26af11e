"""Signs receipts, so that a customer can prove where one came from."""

import json
import os

from nacl.encoding import HexEncoder
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

_DEMO = "7f" * 32


def key() -> SigningKey:
    return SigningKey(os.environ.get("RECEIPT_SEED", _DEMO).encode(), encoder=HexEncoder)


def canonical(receipt: dict) -> bytes:
    return json.dumps(receipt, sort_keys=True, separators=(",", ":")).encode()


def sign(receipt: dict) -> str:
    return key().sign(canonical(receipt)).signature.hex()


def genuine(receipt: dict, signature: str, public: VerifyKey) -> bool:
    try:
        public.verify(canonical(receipt), bytes.fromhex(signature))
    except BadSignatureError:
        return False
    return True
