"""Looks whether the proxy would read a text: blocks that are closed, directives that it knows."""

import shlex

_KNOWN = frozenset(
    "upstream server server_name listen location proxy_pass add_header client_max_body_size keepalive".split()
)


class CheckFailed(Exception):
    """The proxy would not start with it."""


def check(text: str) -> int:
    """The number of directives; raises CheckFailed."""
    depth = count = 0
    lexer = shlex.shlex(text, posix=True, punctuation_chars="{};")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    for word in lexer:
        if word.strip("{};"):
            words.append(word)
            continue
        if words:
            if words[0] not in _KNOWN:
                raise CheckFailed(f'unknown directive "{words[0]}" in line {lexer.lineno}')
            count += 1
        words = []
        depth += word.count("{") - word.count("}")
    if depth or words:
        raise CheckFailed("unexpected end of file")
    return count
