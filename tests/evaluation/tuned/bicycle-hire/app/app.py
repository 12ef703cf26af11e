"""The site of a bicycle hire."""

import os

from flask import Flask, jsonify
from rentals.bookings import Booking, free_bicycles, overdue
from rentals.customers import Customers

app = Flask("rentals")
app.config["DEPOSIT"] = int(os.environ.get("RENTALS_DEPOSIT", "30"))
customers = Customers.sample()


@app.get("/free")
def free():
    return jsonify([bicycle.number for bicycle in free_bicycles()])


@app.get("/overdue")
def late():
    return jsonify([f"{one.bicycle} {customers.name(one.customer)}" for one in overdue()])


@app.post("/hire/<int:bicycle>/<int:customer>")
def hire(bicycle, customer):
    booking = Booking.start(bicycle, customers.get(customer), app.config["DEPOSIT"])
    return jsonify(number=booking.number, deposit=booking.deposit)


if __name__ == "__main__":
    client = app.test_client()
    for method, path in ((client.get, "/free"), (client.get, "/overdue"), (client.post, "/hire/4/11")):
        answer = method(path)
        print(answer.status_code, path, answer.get_json())
        assert answer.status_code == 200
