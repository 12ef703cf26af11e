import flask
from werkzeug.urls import url_quote

print(flask.Flask("shop").name, url_quote("a b"))
