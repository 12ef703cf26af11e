#!/bin/sh
set -e
systemctl restart app
