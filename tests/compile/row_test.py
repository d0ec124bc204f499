"""What a row cannot be does not compile, and the compiler says why in crv's words: nothing else is an error then."""

import argparse
import collections
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include"
OPTIONS = argparse.Namespace()

UNSUPPORTED = "CRV_ROW: this member has a type that no column can hold. Supported are bool; integers up to 64 bits"
FINE = (
    "CRV_ROW: this member is a std::chrono::time_point finer than microseconds, which is what a column holds. Let it be "
    "a std::chrono::sys_time<std::chrono::microseconds> and cast to it: std::chrono::time_point_cast<"
    "std::chrono::microseconds>("
)
TOO_DEEP = "CRV_ROW: this member is nested deeper than the 32 levels of a column; no struct can hold itself"
TWICE = "CRV_ROW: this member is a std::optional of a std::optional"
NO_TICK = "CRV_ROW: a row of a table needs a member `tick` that is an integer and no std::optional"
NOT_DESCRIBED = "a Frame is made of structs of crv/core/rows.h, or of your own, each described by CRV_ROW"

BEGIN = """
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>
#include "crv/io/row.h"
enum class Plain { a, b };
struct Undescribed { int x; };
struct Node { std::vector<Node> children; };
CRV_ROW(Node, children)
struct Fine { std::chrono::system_clock::time_point at; };
CRV_ROW(Fine, at)
"""
FRAME = "crv::io::Frame use(const std::vector<Row>& rows) { return rows; }"
DESCRIPTION = 'crv::core::TableDescriptor use() { return crv::io::describe_row<Row>("rows"); }'

TICK = "std::int64_t tick"
GOOD = [
    [TICK],
    [TICK, "const bool member"],
    ["unsigned char tick", "std::optional<std::vector<std::array<std::string, 2>>> member"],
    [TICK, "std::chrono::sys_time<std::chrono::microseconds> member"],
    [TICK, "std::chrono::sys_days member"],
]
BAD = [
    (FINE, [TICK, "std::chrono::system_clock::time_point member"]),
    (FINE, [TICK, "std::optional<std::chrono::sys_time<std::chrono::nanoseconds>> member"]),
    (FINE, [TICK, "std::vector<Fine> member"]),
    (UNSUPPORTED, [TICK, "char member"]),
    (UNSUPPORTED, [TICK, "const char* member"]),
    (UNSUPPORTED, [TICK, "long double member"]),
    (UNSUPPORTED, [TICK, "Plain member"]),
    (UNSUPPORTED, [TICK, "std::byte member"]),
    (UNSUPPORTED, [TICK, "Undescribed member"]),
    (UNSUPPORTED, [TICK, "std::vector<Undescribed> member"]),
    (UNSUPPORTED, [TICK, "std::optional<int*> member"]),
    (UNSUPPORTED, [TICK, "std::map<int, int> member"]),
    (UNSUPPORTED, [TICK, "std::array<int, 0> member"]),
    (UNSUPPORTED, [TICK, "std::chrono::steady_clock::time_point member"]),
    (TOO_DEEP, [TICK, "Node member"]),
    (TWICE, [TICK, "std::optional<std::optional<int>> member"]),
    (NO_TICK, ["int member"]),
    (NO_TICK, ["std::optional<int> tick"]),
    (NO_TICK, ["double tick"]),
    (NO_TICK, ["bool tick"]),
]


def struct_of(number, members, use):
    names = ", ".join(member.split()[-1] for member in members)
    body = "; ".join(members)
    return f"namespace n{number} {{ struct Row {{ {body}; }}; CRV_ROW(Row, {names}) {use} }}\n"


class Rows(unittest.TestCase):
    def errors_of(self, text):
        """How often the compiler complains of what."""
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "rows.cc"
            source.write_text(BEGIN + text, encoding="utf-8")
            command = [OPTIONS.compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                       f"-I{INCLUDE}", *(f"-isystem{folder}" for folder in OPTIONS.system), str(source)]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        errors = re.findall(r"error: (.*)", done.stderr)
        self.assertEqual(done.returncode != 0, bool(errors), done.stderr)
        return errors

    def test_what_is_supported_compiles(self):
        for use in (FRAME, DESCRIPTION):
            text = "".join(struct_of(i, members, use) for i, members in enumerate(GOOD))
            self.assertEqual(self.errors_of(text), [])

    def test_what_is_not_is_refused_once_each(self):
        known = sorted({message for message, _ in BAD})
        for use in (FRAME, DESCRIPTION):
            for some in (BAD[:10], BAD[10:]):  # compilers stop after some number of errors
                told = collections.Counter()
                for error in self.errors_of("".join(struct_of(i, row[1], use) for i, row in enumerate(some))):
                    messages = [message for message in known if message in error]
                    self.assertEqual(len(messages), 1, error)
                    told[messages[0]] += 1
                self.assertEqual(told, collections.Counter(message for message, _ in some))

    def test_a_struct_that_nothing_describes(self):
        errors = self.errors_of("crv::io::Frame use(const std::vector<Undescribed>& rows) { return rows; }\n")
        self.assertEqual(len(errors), 1, errors)
        self.assertIn(NOT_DESCRIBED, errors[0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--system", action="append", default=[], help="a folder of headers that are not crv's")
    OPTIONS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest])
