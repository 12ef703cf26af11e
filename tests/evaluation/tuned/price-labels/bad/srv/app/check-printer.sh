#!/bin/sh
lpstat -p zebra-2
