from humanize import intcomma

print(intcomma(1234.567, ndigits=1))
