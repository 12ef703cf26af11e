print("purged")
