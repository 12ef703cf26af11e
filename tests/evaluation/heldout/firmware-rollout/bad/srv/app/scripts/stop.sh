#!/bin/sh
exec mosquitto_pub -t "rollout/$1/stop" -m 1
