#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a payload tries, in a selection of the sandboxes there are; `make escape` takes all of them.
exec bash "$(dirname "$0")/../escape/run" quick
