import arrow

ISSUED = arrow.get("2024-05-01T12:00:00+00:00")
print(ISSUED.timestamp + 3600)
