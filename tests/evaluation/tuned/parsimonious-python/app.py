from parsimonious.grammar import Grammar

print(Grammar('price = ~"[0-9]+" " EUR"').parse("42 EUR").text)
