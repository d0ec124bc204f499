#include "crv/io/row_columns.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "crv/core/error.h"
#include "io/support/arrow_json.h"
#include "io/support/conform_support.h"

namespace crv::io {
namespace {

// As many bytes as no test has: the column is told that they are behind it.
TEST(RowColumn, EndsBeyond32BitsAreWide) {
  const std::string table = "t";
  const core::Type type = core::plain_type(core::Type::Kind::str);
  detail::Column texts(table, "text", type, nullptr, 3);
  texts.last = std::numeric_limits<std::int32_t>::max() - 4;
  const auto append = [&](const std::vector<std::string>& values) {
    detail::fill<std::string>(texts, detail::RowsOf<std::string>{values},
                              static_cast<std::int64_t>(values.size()));
  };
  append({"abcd"});
  EXPECT_FALSE(texts.wide);
  append({"", "e", "fg"});
  ASSERT_TRUE(texts.wide);
  ASSERT_EQ(texts.ends.size(), 5 * 8);
  const auto* ends = reinterpret_cast<const std::int64_t*>(texts.ends.data());
  EXPECT_EQ((std::vector<std::int64_t>(ends, ends + 5)),
            (std::vector<std::int64_t>{0, 2147483647, 2147483647, 2147483648, 2147483650}));
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(texts.values.data()), 7), "abcdefg");
  EXPECT_EQ(texts.length, 4);
}

TEST(RowColumn, WideColumnsAreArrowsLargeTypes) {
  const std::string table = "t";
  const auto finished = [&]<class T>(const core::Type& type, const std::vector<T>& values) {
    detail::Column column(table, "c", type, nullptr, 0);
    column.widen();
    if (!column.parts.empty() && column.parts[0]->type.kind == core::Type::Kind::str)
      column.parts[0]->widen();
    detail::fill<T>(column, detail::RowsOf<T>{values}, static_cast<std::int64_t>(values.size()));
    return column.finish();
  };
  using Strings = std::vector<std::string>;
  expect_array(finished(detail::type_of<std::string>(), Strings{"a", "", "bc"}),
               array_of(arrow::large_utf8(), R"(["a", "", "bc"])"));
  expect_array(finished(detail::type_of<std::vector<std::byte>>(),
                        std::vector<std::vector<std::byte>>{{std::byte{'a'}}, {}}),
               array_of(arrow::large_binary(), R"(["a", ""])"));
  expect_array(finished(detail::type_of<Strings>(), std::vector<Strings>{{"a", "b"}, {}, {"c"}}),
               array_of(arrow::large_list(arrow::field("element", arrow::large_utf8())),
                        R"([["a", "b"], [], ["c"]])"));
  const Error error = refusal([&] {
    finished(detail::type_of<Strings>(), std::vector<Strings>{{"a", "b"}, {}, {"c", "\xff"}});
  });
  EXPECT_EQ(error.facts().row, 2);
  EXPECT_STREQ(error.what(), "table \"t\", column \"c[]\", row 2: this text is not UTF-8");
}

}  // namespace
}  // namespace crv::io
