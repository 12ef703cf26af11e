"""The language of the rules: comparisons of metrics and numbers, joined by `and` and `or`."""

from collections.abc import Callable, Mapping

from ply import lex, yacc

Condition = Callable[[Mapping[str, float]], bool]

_WORDS = {"and": "AND", "or": "OR"}
_COMPARE = {
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "=": lambda left, right: left == right,
}
tokens = ("NUMBER", "METRIC", "COMPARE", "AND", "OR")
precedence = (("left", "OR"), ("left", "AND"))
literals = "()"
t_COMPARE = r"[<>=]"
t_ignore = " \t"


def t_NUMBER(token):
    r"\d+(\.\d+)?"
    token.value = float(token.value)
    return token


def t_METRIC(token):
    r"[a-z_][a-z_.]*"
    token.type = _WORDS.get(token.value, "METRIC")
    return token


def t_error(token):
    raise ValueError(f"unexpected {token.value[0]!r} in a rule")


def p_both(made):
    "condition : condition AND condition"
    first, second = made[1], made[3]
    made[0] = lambda sample: first(sample) and second(sample)


def p_either(made):
    "condition : condition OR condition"
    first, second = made[1], made[3]
    made[0] = lambda sample: first(sample) or second(sample)


def p_group(made):
    "condition : '(' condition ')'"
    made[0] = made[2]


def p_comparison(made):
    "condition : METRIC COMPARE NUMBER"
    metric, compare, limit = made[1], _COMPARE[made[2]], made[3]
    made[0] = lambda sample: compare(sample.get(metric, 0.0), limit)


def p_error(token):
    raise ValueError(f"rule ends too early or goes on too long: {token}")


_lexer = lex.lex()
_parser = yacc.yacc(debug=False, write_tables=False)


def compiled(text: str) -> Condition:
    return _parser.parse(text, lexer=_lexer.clone())
