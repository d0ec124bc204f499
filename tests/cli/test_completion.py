"""Completion scripts and the man page: both come out of the command, so both know what it knows."""

import pathlib
import shutil
import subprocess
import unittest

from support import COMMANDS, CRV, CommandTest, environment, holdings

MAN_PAGE = pathlib.Path(__file__).parents[2] / "docs" / "crv.1"


class Bash(CommandTest):
    def complete(self, *words):
        script = (
            'source <(crv completion bash) || exit 1\n'
            'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _crv\n'
            'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(
            ["bash", "-uc", script, "bash", "crv", *words], capture_output=True, text=True, cwd=self.folder,
            env=environment() | {"PATH": f"{pathlib.Path(CRV).parent}:{environment()['PATH']}"})
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return [line for line in done.stdout.splitlines() if line]

    def test_commands_and_global_options(self):
        self.assertEqual(set(COMMANDS), {w for w in self.complete("") if not w.startswith("-")})
        self.assertEqual(["scan", "schema"], sorted(self.complete("sc")))
        self.assertIn("--root", self.complete("--"))

    def test_options_and_their_values(self):
        self.assertLessEqual({"--ticks", "--columns", "--limit", "--format", "-o", "--explain", "--json"},
                             set(self.complete("scan", "-")))
        self.assertEqual(["--format"], self.complete("append", "run", "holdings", "--f"))
        self.assertEqual(["table", "csv", "jsonl", "arrow", "parquet"], self.complete("scan", "r", "t", "--format", ""))
        self.assertEqual(["csv"], self.complete("append", "r", "t", "f", "--format", "c"))
        self.assertEqual(["bash", "zsh"], self.complete("completion", ""))

    def test_runs_tables_and_files(self):
        self.append("run1", "holdings", holdings([0]))
        self.crv("append", "other", "holdings", "-", "--root", "r", stdin='{"tick":0,"agent_id":"a","token_id":"t","quantity":1}')
        (self.folder / "data.csv").touch()
        self.assertEqual(["run1"], self.complete("scan", ""))
        self.assertEqual(["other"], self.complete("--root", "r", "tables", ""))
        self.assertEqual(["holdings", "holdings_valuation"], self.complete("scan", "run1", "ho"))
        self.assertEqual(["data.csv"], self.complete("append", "run1", "holdings", "da"))
        self.assertEqual(["data.csv"], self.complete("append", "run1", "holdings", "x.csv", "--format", "csv", "da"))
        self.assertEqual(["run1"], self.complete("schema", "--run", ""))
        self.assertEqual(["run1"], self.complete("--json", "tables", ""))
        self.assertEqual(["holdings", "holdings_valuation"], self.complete("append", "--validate-rows", "run1", "ho"))


class Zsh(CommandTest):
    def test_script_knows_every_command(self):
        text = self.out("completion", "zsh")
        self.assertTrue(text.startswith("#compdef crv\n"))
        for command in COMMANDS:
            self.assertIn(f"    '{command}:", text)
            self.assertIn(f"    {command})", text)
        zsh = shutil.which("zsh")
        if zsh:
            done = subprocess.run([zsh, "-fc", 'autoload -U compinit; compinit -D -u; eval "$(cat)"; whence _crv'],
                                  input=text, capture_output=True, text=True, env=environment())
            self.assertEqual((0, "", "_crv\n"), (done.returncode, done.stderr, done.stdout))


class Man(CommandTest):
    def test_the_page_in_docs_is_what_the_command_prints(self):
        self.assertEqual(self.out("man"), MAN_PAGE.read_text(), "stale: run crv man > docs/crv.1")

    def test_it_tells_of_every_command(self):
        text = MAN_PAGE.read_text()
        for command in COMMANDS:
            self.assertIn(f".SS crv {command}", text)


if __name__ == "__main__":
    unittest.main()
