#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a payload tries, in every kind of sandbox there is: `make escape`.
exec bash "$(dirname "$0")/../escape/run" all
