from m2r import convert

print(convert("# Title\n\nSome *words*.\n"))
