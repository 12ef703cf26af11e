from itsdangerous import URLSafeSerializer

ISSUED = "eyJ1c2VyIjowfQ.KB-WhfGNo-XrCYNTEeNkB_4e5P4"
print(URLSafeSerializer("the-key-of-this-shop", salt="session").loads(ISSUED))
