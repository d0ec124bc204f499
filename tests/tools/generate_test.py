"""The generator: what is stale is found, and a catalog that contradicts itself is refused."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent


class Generate(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        for name in ("catalog", "tools", "include/crv/core", "src/core", "docs", "python/crv"):
            shutil.copytree(TOP / name, self.top / name)

    def run_it(self, *arguments):
        command = [sys.executable, self.top / "tools/generate.py", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    def edit(self, name, old, new):
        path = self.top / name
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def test_a_changed_catalog_makes_files_stale_until_they_are_written(self):
        self.assertEqual(self.run_it("--check").returncode, 0)
        self.edit("catalog/tables.toml", "Where it happened.", "At which venue it happened.")
        before = (self.top / "docs/tables.md").read_text(encoding="utf-8")
        check = self.run_it("--check")
        self.assertEqual(check.returncode, 1)
        self.assertEqual(
            sorted(check.stdout.split("\n")),
            ["", "stale: docs/tables.md", "stale: include/crv/core/rows.h", "stale: python/crv/core/schema.py",
             "stale: python/crv/core/tables/exchange.py", "stale: src/core/tables.cc"])
        self.assertEqual((self.top / "docs/tables.md").read_text(encoding="utf-8"), before)
        self.assertEqual(self.run_it().returncode, 0)
        self.assertIn("At which venue", (self.top / "docs/tables.md").read_text(encoding="utf-8"))
        self.assertEqual(self.run_it("--check").returncode, 0)

    def test_an_edited_or_missing_output_is_stale(self):
        self.edit("src/core/error_codes.cc", "namespace crv {", "namespace crv {  // by hand")
        (self.top / "src/core/rows.cc").unlink()
        check = self.run_it("--check")
        self.assertEqual(check.returncode, 1)
        self.assertEqual(check.stdout, "stale: src/core/error_codes.cc\nstale: src/core/rows.cc\n")

    def test_a_catalog_that_contradicts_itself_is_refused(self):
        cases = [
            ("errors.toml", 'class = "GrammarError"', 'class = "NoSuchError"', "no class NoSuchError"),
            ("errors.toml", '"KeyError"', '"Keyerror"', "no Python error Keyerror"),
            ("errors.toml", 'errno = "ENOENT"', 'errno = "ENOTHING"', "no errno ENOTHING"),
            ("errors.toml", 'name = "bad_where"', 'name = "bad_limit"', "error codes twice: bad_limit"),
            ("tables.toml", 'name = "venue_id", type = "str"', 'name = "venue_id", type = "text"', "no type text"),
            ("tables.toml", 'name = "bucket"', 'name = "part"', "bucket and tick must come first"),
            ("tables.toml", 'name = "side", ', 'name = "side", enum = "Sides", ', "exchange.side: no enum Sides"),
            ("tables.toml", 'elements = "ActionCandidate"', 'elements = "Candidate"', "no model Candidate"),
            ("tables.toml", 'name = "venue_id", type', 'name = "venue_id", min = 0, type', "min is no rule of a str"),
            ("tables.toml", 'name = "quarantine"', 'name = "holdings"', "tables twice: holdings"),
            ("enums.toml", 'value = "gift_token"', 'value = "Gift"', "Gift is not lower_snake"),
            ("models.toml", 'enum = "PatchOp"', 'enum = "PatchOps"', "no enum PatchOps"),
            ("models.toml", 'name = "act", ', 'name = "act", python_null = "", ', "python_null, but no rule"),
            ("models.toml", 'name = "venue_id"', 'name = "venue"', "must be the columns but bucket"),
            ("models.toml", "self_to_object = [", "self_to_nothing = [", "needs must list each value"),
        ]
        for name, old, new, message in cases:
            with self.subTest(message):
                original = (self.top / "catalog" / name).read_text(encoding="utf-8")
                self.edit(f"catalog/{name}", old, new)
                run = self.run_it("--check")
                self.assertEqual(run.returncode, 2, run.stderr)
                self.assertIn(message, run.stderr)
                (self.top / "catalog" / name).write_text(original, encoding="utf-8")


if __name__ == "__main__":
    unittest.main()
