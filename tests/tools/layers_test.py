"""The layers: an include that breaks them is found, whichever way it breaks them."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("src", "include", "apps", "examples", "bench", "tests", "python/native")


def sources(folder, names):
    return [n for n in names if not (Path(folder) / n).is_dir() and not n.endswith((".h", ".cc"))]


class Layers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.top = Path(cls.folder.name)
        for name in FOLDERS:
            shutil.copytree(TOP / name, cls.top / name, ignore=sources)

    def run_it(self):
        command = [sys.executable, TOP / "tools/layers.py", "--top", self.top]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines()

    def with_line(self, name, line):
        """What is said of the tree with one more line at the top of a file."""
        path = self.top / name
        text = path.read_text(encoding="utf-8")
        path.write_text(line + "\n" + text, encoding="utf-8")
        try:
            return self.run_it()
        finally:
            path.write_text(text, encoding="utf-8")

    def test_the_tree_as_it_is_keeps_them(self):
        status, lines = self.run_it()
        self.assertEqual((status, len(lines)), (0, 1), lines)

    def test_an_include_that_breaks_them_is_told_with_file_line_and_reason(self):
        cases = [
            ("src/io/run/run.cc", '#include "io/dataset/verbs.h"', "run/ stands below dataset/"),
            ("src/io/run/run.h", '#include "crv/io/dataset.h"', "run/ stands below dataset/"),
            ("src/io/rules/lower_case.cc", '#include "io/conform/cast.h"', "rules/ stands below conform/"),
            ("src/io/arrow/adapt.cc", '#include "io/conform/normalize.h"', "arrow/ stands below conform/"),
            ("src/io/log/log.cc", '#include "io/part/part.h"', "log/ stands below part/"),
            ("src/io/log/commit.h", '#include "io/run/run.h"', "log/ stands below run/"),
            ("src/io/part/part_read.cc", '#include "io/run/snapshot.h"', "part/ stands below run/"),
            ("src/io/storage/paths.cc", '#include "io/log/log.h"', "storage/ stands below log/"),
            ("src/io/base/hex.cc", '#include "io/schema/types.h"', "base/ stands below schema/"),
            ("src/io/dataset/scan.cc", '#include "io/formats/streams.h"', "dataset/ stands below formats/"),
            ("src/core/json.cc", '#include "io/base/hex.h"', "the core stands below io"),
            ("src/core/json.cc", '#include "crv/io/settings.h"', "the core stands below io"),
            ("src/core/json.cc", "#include <arrow/type.h>", "may include arrow"),
            ("include/crv/io/manifest.h", '#include "crv/io/dataset.h"', "log/ stands below dataset/"),
            ("include/crv/io/dataset.h", '#include "io/run/run.h"', "a public header includes public headers only"),
            ("include/crv/core/json.h", '#include "crv/io/frame.h"', "the core stands below io"),
            ("src/io/run/survey.cc", "#include <parquet/metadata.h>", "may include parquet"),
            ("src/io/dataset/artifacts.cc", "#include <parquet/arrow/writer.h>", "may include parquet"),
            ("src/io/log/commit.cc", "#include <xxhash.h>", "may include xxhash.h"),
            ("src/io/run/run.cc", "#include <toml++/toml.h>", "may include toml++"),
            ("src/io/formats/streams.cc", "#include <unistd.h>", "system calls stand in src/io/base/os.cc"),
            ("src/io/storage/local_storage.cc", "#include <sys/stat.h>", "system calls stand in src/io/base/os.cc"),
            ("src/io/settings/settings_toml.cc", "#include <filesystem>", "system calls stand in src/io/base/os.cc"),
            ("src/io/dataset/bundle.cc", "#include <fstream>", "system calls stand in src/io/base/os.cc"),
            ("apps/crv/commands/scan.cc", '#include "io/run/run.h"', "apps see public headers only"),
            ("apps/crv/commands/scan.cc", '#include "core/utf8.h"', "apps see public headers only"),
            ("apps/crv/output/words.cc", '#include "shell/shell.h"', "output/ stands below shell/"),
            ("apps/crv/shell/shell.cc", '#include "commands/row_options.h"', "shell/ stands below commands/"),
            ("src/io/run/run.cc", '#include "../dataset/verbs.h"', "headers are named from the include path"),
            ("src/io/run/run.cc", '#include "verbs.h"', "there is no such header of crv"),
            ("src/io/run/run.cc", "#include <io/dataset/verbs.h>", "headers of crv stand in quotes"),
            ("src/io/run/run.cc", "#include <crv/io/dataset.h>", "headers of crv stand in quotes"),
            ("src/io/run/run.cc", "#include VERBS", "what it includes must stand there"),
            ("apps/crv/commands/scan.cc", '#include "../../../src/io/run/run.h"', "headers are named from the include path"),
            ("examples/market/market.cc", '#include "io/log/log.h"', "examples see public headers only"),
        ]
        for name, line, why in cases:
            with self.subTest(name=name, line=line):
                status, lines = self.with_line(name, line)
                self.assertEqual((status, len(lines)), (1, 2), lines)
                self.assertTrue(lines[0].startswith(name + ":1: includes "), lines[0])
                self.assertIn(why, lines[0])

    def test_a_file_without_a_room_and_a_room_without_a_folder_are_told(self):
        stray = self.top / "src/io/stray.cc"
        stray.write_text("// nothing\n", encoding="utf-8")
        self.addCleanup(stray.unlink)
        self.assertEqual(self.run_it()[1][0], "src/io/stray.cc: belongs to no room of tools/layers.py")
        header = self.top / "include/crv/io/stray.h"
        header.write_text("#pragma once\n", encoding="utf-8")
        self.addCleanup(header.unlink)
        self.assertIn("include/crv/io/stray.h: belongs to no room of tools/layers.py", self.run_it()[1])
        other = self.top / "src/io/run/run.inc"
        other.write_text('#include "io/dataset/verbs.h"\n', encoding="utf-8")
        self.addCleanup(other.unlink)
        self.assertIn("src/io/run/run.inc: C++ files end in .h and .cc", self.run_it()[1])
        moved = self.top / "moved"
        (self.top / "src/io/rules").rename(moved)
        self.addCleanup(moved.rename, self.top / "src/io/rules")
        self.assertIn("src/io/rules: is a room of tools/layers.py, but no folder", self.run_it()[1])


if __name__ == "__main__":
    unittest.main()
