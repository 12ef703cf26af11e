"""Bytes that an engine sends, to be read forwards: its answers, the tar archives in them, compressed or not."""

import gzip
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from io import BufferedIOBase
from itertools import chain
from typing import IO
from urllib.parse import quote

import docker
import docker.errors
import requests.exceptions

from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB

MAX_BYTES = 32 * 1024 * MIB  # of one stream, unpacked
MAX_HEADER = MIB  # of one entry: its extended attributes are in it

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# what the standard library raises for bytes that are no archive; a chain of headers is read by recursion
INVALID = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError, RecursionError)


@contextmanager
def answer(
    client: docker.APIClient, path: str, seconds: float, parameters: Mapping[str, str] | None = None
) -> Iterator[Iterator[bytes]]:
    """What the engine sends for a GET of a path, in chunks; raises as the client does.

    `seconds` is how long it may say nothing: the client's own streams may be silent for ever.
    """
    url = f"{client.base_url}/v{client.api_version}{quote(path, safe='/:')}"
    with closing(client.get(url, params=parameters, stream=True, timeout=seconds)) as response:
        try:
            response.raise_for_status()
        except requests.exceptions.HTTPError as problem:
            docker.errors.create_api_error_from_http_exception(problem)
        yield response.iter_content(MIB)


@contextmanager
def faults_told(name: str) -> Iterator[None]:
    """Raise Unreadable for what an archive is not, or for a copy of it that has no room; the engine's faults stay."""
    try:
        yield
    except requests.exceptions.RequestException:
        raise  # an OSError as well
    except INVALID as problem:
        raise Unreadable(name, Reason.INVALID) from problem
    except OSError as problem:
        raise Unreadable(name, Reason.ERROR) from problem


class Forward(BufferedIOBase):
    """Chunks as a file that is read forwards, no further than it is allowed to at a time."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._chunk = b""
        self._at = 0
        self._position = 0
        self._allowed = MAX_HEADER
        self.last = b""

    def allow(self, size: int) -> None:
        """Let no more than so many bytes be read from here on, until the next call."""
        self._allowed = size

    def readable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """How many bytes were read or skipped."""
        return self._position

    def seek(self, position: int, whence: int = 0) -> int:
        """Skip what is before a position; raises ReadError for one that is behind."""
        if whence or position < self._position:
            raise tarfile.ReadError("a stream goes forwards only")
        for _ in self._parts(position - self._position):
            pass
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes, fewer at the end; raises ReadError for more than what is allowed."""
        if size is None or not 0 <= size <= self._allowed:
            raise tarfile.ReadError("longer than it may be")
        self._allowed -= size
        self.last = b"".join(self._parts(size))
        return self.last

    def _parts(self, size: int) -> Iterator[bytes]:
        while size > 0:
            if self._at == len(self._chunk):
                self._chunk, self._at = next(filter(None, self._chunks), b""), 0
                if not self._chunk:
                    return
            part = self._chunk[self._at : self._at + size]
            self._at += len(part)
            self._position += len(part)
            size -= len(part)
            yield part


def entries(chunks: Iterable[bytes]) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """Each entry of a tar archive, and of a regular file its content, to be read before the next entry is asked for.

    Raises what `faults_told` tells, also for an archive that is cut off, which `tarfile` takes for its end.
    """
    stream = Forward(chunks)
    with tarfile.open(fileobj=stream, mode="r:", encoding="utf-8", errors="surrogateescape") as archive:
        while (entry := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # not in the stub; it would hold every entry
            stream.allow(max(entry.size, 0))
            yield entry, archive.extractfile(entry) if entry.isreg() else None
            stream.allow(MAX_HEADER)
    if stream.last.strip(b"\0") or len(stream.last) not in (0, tarfile.BLOCKSIZE):
        raise tarfile.ReadError("the archive has no end")


def pieces(content: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    """A file's content in chunks."""
    return iter(lambda: content.read(MIB), b"")


def unpacked(content: IO[bytes]) -> Iterator[bytes]:
    """The chunks of a file that may be compressed; raises Unreadable where it is too large, or compressed by zstd."""
    beginning = content.read(len(_ZSTD))
    if beginning == _ZSTD:
        raise Unreadable("layer", Reason.UNSUPPORTED)
    whole = chain((beginning,), pieces(content))
    return _capped(_gunzipped(whole) if beginning.startswith(_GZIP) else whole)


def _gunzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    compressed = Forward(chunks)
    compressed.allow(MAX_BYTES)
    with gzip.GzipFile(fileobj=compressed, mode="rb") as file:
        yield from pieces(file)


def _capped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_BYTES:
            raise Unreadable("layer", Reason.CAP)
        yield chunk
