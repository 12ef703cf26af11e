#!/bin/sh
rsync -a counts:/export/ data/
