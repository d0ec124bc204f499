"""The snippet tool must fail where a document is wrong: else it proves nothing."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import docs_snippets  # noqa: E402


class DocsSnippets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_document(self, text):
        document = self.folder / "doc.md"
        document.write_text(text, encoding="utf-8")
        return docs_snippets.run(document, self.folder, [], self.folder / "work")

    def fails(self, text):
        with self.assertRaises(docs_snippets.SnippetError) as caught:
            self.run_document(text)
        return str(caught.exception)

    def test_what_is_right_passes(self):
        self.assertEqual(self.run_document("```sh run\necho a\n```\n\n```text output\na\n```\n"), 1)
        self.assertEqual(self.run_document("```console\n$ true\n$ echo a b\na b\n```\n"), 1)

    def test_wrong_output_fails(self):
        self.assertIn("shows\nb", self.fails("```sh run\necho a\n```\n```text output\nb\n```\n"))
        self.assertIn("echo a", self.fails("```console\n$ echo a\nb\n```\n"))
        self.assertIn("echo a", self.fails("```console\n$ echo a\n$ echo b\nb\n```\n"))
        self.fails("```console\n$ printf 'a\\nb\\n'\na\n```\n")

    def test_a_failing_command_fails_wherever_it_stands(self):
        self.assertIn("status 3", self.fails("```sh run\n(exit 3)\necho a\n```\n"))
        self.assertIn("status 1", self.fails("```console\n$ false\n$ echo a\na\n```\n"))
        self.fails("```sh run\nfalse | cat\n```\n")
        self.assertIn("doc.md:4", self.fails("\n\n```sh run\nfalse\n```\n"))

    def test_a_program_that_fails_or_is_missing_fails(self):
        program = self.folder / "doc_1"
        program.write_text("#!/bin/sh\necho wrong\nexit 7\n", encoding="utf-8")
        program.chmod(0o755)
        self.assertIn("status 7", self.fails("```cpp\nint main() {}\n```\n"))

    def test_documents_that_cannot_mean_what_they_say_are_refused(self):
        self.assertIn("never closed", self.fails("```sh run\necho a\n"))
        self.assertIn("no snippet before", self.fails("```text output\na\n```\n"))
        self.assertIn("no kind of snippet", self.fails("```sh runn\necho a\n```\n"))

    def test_dots_match_within_a_line_or_whole_lines(self):
        self.assertTrue(docs_snippets.matches("a ... c\n", "a b c\n"))
        self.assertTrue(docs_snippets.matches("a\n...\nc\n", "a\nb\nb\nc\n"))
        self.assertTrue(docs_snippets.matches("a\n...\n", "a\n"))
        self.assertFalse(docs_snippets.matches("a ... c\n", "a\nc\n"))
        self.assertFalse(docs_snippets.matches("a\n...\nc\n", "a\nb\n"))

    def test_a_fragment_becomes_a_program_that_points_into_the_document(self):
        (snippet,) = docs_snippets.parse("\n```cpp\n#include <cstdio>\nputs(\"a\");\n```\n", "doc")
        source = docs_snippets.cpp_source(snippet, "doc.md")
        self.assertLess(source.index("#include"), source.index("int main()"))
        self.assertLess(source.index("int main()"), source.index("puts"))
        self.assertIn('#line 3 "doc.md"', source)


if __name__ == "__main__":
    unittest.main()
