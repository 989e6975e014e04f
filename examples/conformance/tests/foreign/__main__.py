"""A client on the C++ Cap'n Proto runtime, for what a program of this library never sends.

    python foreign ADDRESS SCHEMA IMPORTS [PART]

Prints a line for each case whose name contains PART, then "N passed, N failed". Exits with 1 if one failed.
"""

import asyncio
import os
import sys
import traceback

import capnp

import errors  # noqa: F401, registers its cases
import objects  # noqa: F401
import threads  # noqa: F401
import values  # noqa: F401
from cases import CASES

PART = sys.argv[4] if len(sys.argv) > 4 else ""
DEADLINE = 30


HERE = os.path.dirname(os.path.abspath(__file__))


async def run():
    passed = failed = 0
    for function in CASES:
        name = function.__name__
        if PART not in name:
            continue
        try:
            await asyncio.wait_for(function(), DEADLINE)
            passed += 1
            print(f"ok   {name}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            line = traceback.extract_tb(error.__traceback__)
            where = " (lines " + ", ".join(str(one.lineno) for one in line if HERE in one.filename) + ")"
            text = " ".join(str(error).split("\nstack:")[0].split()) or type(error).__name__
            print(f"FAIL {name}{where}: {text}", flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return failed == 0 and passed > 0


sys.exit(0 if asyncio.run(capnp.run(run())) else 1)
