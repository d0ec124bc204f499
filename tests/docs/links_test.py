"""The README tells of every public header, and links lead somewhere."""

import pathlib
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]


class Links(unittest.TestCase):
    def test_every_public_header_is_told_of_and_no_other(self):
        readme = (TOP / "README.md").read_text(encoding="utf-8")
        listed = {line.split("](")[1].split(")")[0] for line in readme.splitlines() if line.startswith("| [crv/")}
        headers = {str(path.relative_to(TOP)) for path in (TOP / "include").rglob("*.h")}
        self.assertEqual(sorted(listed), sorted(headers))

    def test_links_lead_somewhere(self):
        for document in [TOP / "README.md", *(TOP / "docs").glob("*.md")]:
            for piece in document.read_text(encoding="utf-8").split("](")[1:]:
                target = piece.split(")")[0].split("#")[0]
                if target and "://" not in target:
                    self.assertTrue((document.parent / target).exists(), f"{document.name}: {target}")


if __name__ == "__main__":
    unittest.main()
