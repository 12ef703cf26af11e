"""Runs jobs side by side, and keeps the order of their results."""

from gevent.pool import Pool


def run_all(size, job, arguments):
    return Pool(size).map(job, arguments)
