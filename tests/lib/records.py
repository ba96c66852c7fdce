#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""records.py compile SCHEMA OUT.pyc: make a checker of the schema, a Python module that is compiled, too
records.py check MODULE [--except NAME]... FOLDER...: every log below the folders by it

A log is a file named *.jsonl, or *.jsonl.SEQ, that begins as records do. Of one that is longer than
MOST lines as many are taken, evenly. Prints what does not fit, and how many records were checked.
"""
import importlib.util
import json
import os
import py_compile
import re
import sys

MOST = 2000
FALLBACK = """import json
import jsonschema
_check = jsonschema.Draft7Validator(json.loads({!r}))
def validate(record):
    for error in _check.iter_errors(record):
        raise ValueError(error.message)
"""


def compile_schema(schema_path, out_path):
    text = open(schema_path, encoding="utf-8").read()
    try:
        import fastjsonschema

        schema = json.loads(text)
        del schema["$id"]  # the function would be called after it
        code = fastjsonschema.compile_to_code(schema)
    except ImportError:  # the same answers, ten times slower
        code = FALLBACK.format(text)
    source = out_path.removesuffix("c")
    with open(source, "w", encoding="utf-8") as out:
        out.write(code)
    py_compile.compile(source, cfile=out_path, doraise=True)
    os.unlink(source)  # two megabytes, of which a second is made each time


def logs(folders, excepted):
    for folder in folders:
        for path, _, names in os.walk(folder):
            for name in sorted(names):
                full = os.path.join(path, name)
                if (re.search(r"\.jsonl(\.[0-9]+)?$", name) and name not in excepted
                        and os.path.isfile(full) and not os.path.islink(full)):
                    yield full


def lines_of(path):
    with open(path, "rb") as file:
        lines = file.read().splitlines()
    if not lines or not lines[0].startswith(b'{"v":1,"seq":'):
        return []
    step = max(1, (len(lines) + MOST - 1) // MOST)
    return list(enumerate(lines, 1))[::step]


def check(module_path, folders, excepted):
    spec = importlib.util.spec_from_file_location("checker", module_path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    bad = checked = 0
    for path in logs(folders, excepted):
        for number, line in lines_of(path):
            checked += 1
            try:
                module.validate(json.loads(line))
            except ValueError as error:  # JSON's and the checkers' are ValueErrors
                bad += 1
                if bad <= 20:
                    print(f"{path}, line {number}: {ascii(str(error))[:300]}")
                    print(f"  {ascii(line)[:600]}")
    print(f"{checked} records, {bad} do not fit")
    return 1 if bad else 0


def main():
    if sys.argv[1] == "compile":
        compile_schema(sys.argv[2], sys.argv[3])
        return 0
    rest, excepted, folders = sys.argv[3:], set(), []
    while rest:
        if rest[0] == "--except":
            excepted.add(rest[1])
            rest = rest[2:]
        else:
            folders.append(rest.pop(0))
    return check(sys.argv[2], folders, excepted)


sys.exit(main())
