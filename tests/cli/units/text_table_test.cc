#include "output/text_table.h"

#include <gtest/gtest.h>

namespace crv::cli {
namespace {

TEST(TextTable, AlignsNumbersRightAndTextLeft) {
  TextTable table({{"name"}, {"rows", true}, {"note"}});
  table.add({"é", "1", ""});
  table.add({"longer", "12,345", "x"});
  EXPECT_EQ(table.take(),
            "name      rows  note\n"
            "------  ------  ----\n"
            "é            1\n"
            "longer  12,345  x\n");
}

TEST(TextTable, LaterRowsComeWithoutAHeaderAndOnlyWiden) {
  TextTable table({{"a"}, {"b", true}});
  table.add({"wide", "1"});
  EXPECT_EQ(table.take(), "a     b\n----  -\nwide  1\n");
  table.add({"x", "2"});
  EXPECT_EQ(table.take(), "x     2\n");
}

TEST(TextTable, WithoutRowsThereIsAHeader) {
  EXPECT_EQ(TextTable({{"a"}}).take(), "a\n-\n");
}

TEST(TextTable, ACellStaysOnOneLine) {
  EXPECT_EQ(cell_text("a\nb\tc\x1b[1m", 40), "a\\nb\\tc\\x1b[1m");
  EXPECT_EQ(cell_text("äöü", 3), "äöü");
  EXPECT_EQ(cell_text("äöüß", 3), "äö…");
  EXPECT_EQ(width_of("äöü"), 3U);
}

}  // namespace
}  // namespace crv::cli
