#!/bin/sh
# The Node of the package system, as in the unit: another one in the PATH may be too old.
exec /usr/bin/node /usr/lib/gatewarden/bin/gatewarden.js "$@"
