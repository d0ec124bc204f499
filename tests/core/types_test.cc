#include "crv/core/types.h"

#include <gtest/gtest.h>

#include "crv/core/error.h"

namespace crv::core {
namespace {

using Kind = Type::Kind;

TEST(Types, AreTheSameAfterTheyWereTextOnce) {
  for (const char* text : {"null",
                           "bool",
                           "i64",
                           "i64!",
                           "f64",
                           "str",
                           "binary",
                           "timestamp[us, tz=UTC]",
                           "decimal128(10, 2)",
                           "fixed_size_binary[16]",
                           "list[f64]",
                           "list[list[str]]",
                           "list[timestamp[us, tz=UTC]]",
                           "struct",
                           "struct{}",
                           "struct{...}",
                           "list[struct]",
                           "struct{x: f64, y: f64}",
                           "struct{x: f64, ...}",
                           "list[struct{when: timestamp[us, tz=UTC], what: list[i64]}]",
                           R"(struct{"Trade Volume": i64})",
                           R"(struct{"a\"}": i64, "": str, "é": f64})"}) {
    const std::string expected = std::string(text) == "struct{...}" ? "struct" : text;
    EXPECT_EQ(text_of(parse_type(text)), expected);
    EXPECT_EQ(parse_type(text_of(parse_type(text))), parse_type(text)) << text;
  }
}

TEST(Types, OfTextAreWhatTheySay) {
  EXPECT_EQ(parse_type(" list[ struct{ x:f64 , ... } ] "),
            list_of(open_struct({{"x", plain_type(Kind::f64)}})));
  EXPECT_EQ(parse_type("struct{}"), struct_of({}));
  EXPECT_EQ(parse_type("struct"), open_struct());
  EXPECT_EQ(parse_type("timestamp"), other_type("timestamp[us, tz=UTC]"));
  EXPECT_TRUE(parse_type("i64!").exact);
  EXPECT_EQ(parse_type(R"(struct{"a b": str})").fields.front().name, "a b");
}

TEST(Types, ThatAreNoneAreRefusedWithTheirText) {
  for (const char* text : {"",
                           " ",
                           "list[",
                           "list[]",
                           "list[i64",
                           "list[i64]]",
                           "struct{",
                           "struct{x}",
                           "struct{x:}",
                           "struct{x: i64",
                           "struct{x: i64,}",
                           "struct{x: i64, x: f64}",
                           "struct{: i64}",
                           "struct{..., x: i64}",
                           R"(struct{"x: i64})",
                           R"(struct{"\x": i64})",
                           R"(struct{"x\)",
                           "i64 i64]",
                           "i64, f64",
                           "i64}"}) {
    try {
      parse_type(text);
      ADD_FAILURE() << text << " was taken for a type";
    } catch (const IoSchemaError& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_definition);
      EXPECT_EQ(error.facts().value, text);
    }
  }
}

TEST(Types, NestedTooDeepAreRefused) {
  const auto lists = [](int levels) {
    std::string text = "i64";
    for (int i = 1; i < levels; ++i) text = "list[" + text + "]";
    return text;
  };
  EXPECT_EQ(text_of(parse_type(lists(kMaxTypeDepth))), lists(kMaxTypeDepth));
  EXPECT_THROW(parse_type(lists(kMaxTypeDepth + 1)), IoSchemaError);
  EXPECT_THROW(parse_type(lists(100'000)), IoSchemaError);
}

}  // namespace
}  // namespace crv::core
