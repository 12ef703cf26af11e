from packaging.version import parse

tags = ["1.4.0", "1.10.0", "1.9.2-hotfix-web"]
print(max(tags, key=parse))
