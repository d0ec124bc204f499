#include "io/formats/text_table.h"

#include <gtest/gtest.h>

namespace crv::io {
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

TEST(Printable, KeepsACellOnOneLine) {
  EXPECT_EQ(printable("a\nb\tc\x1b[1m"), "a\\nb\\tc\\x1b[1m");
  EXPECT_EQ(printable("äöü", 3), "äöü");
  EXPECT_EQ(printable("äöüß", 3), "äö…");
  EXPECT_EQ(width_of("äöü"), 3U);
}

TEST(Numbers, ForPeople) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(-1234567), "-1,234,567");
  EXPECT_EQ(with_commas(-123), "-123");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(std::int64_t{3} << 30), "3.0 GiB");
}

}  // namespace
}  // namespace crv::io
