#include "crv/core/shown.h"

#include <gtest/gtest.h>

#include "crv/core/error.h"
#include "crv/core/json.h"

namespace crv {
namespace {

TEST(Printable, EscapesWhatNoLineCanShow) {
  EXPECT_EQ(printable("naïve 𝒳 \\ \""), "naïve 𝒳 \\ \"");
  EXPECT_EQ(printable(std::string_view("a\nb\r\tc\0\x1b[31m\x7f", 13)), "a\\nb\\r\\tc\\x00\\x1b[31m\\x7f");
  EXPECT_EQ(printable("\xc2\x85\xc2\x9b"), "\\x85\\x9b");              // control characters beyond ASCII
  EXPECT_EQ(printable("\xe2\x80\xa8\xe2\x80\xa9"), "\\u2028\\u2029");  // ends of lines and paragraphs
  EXPECT_EQ(printable_lines("a\n\x1b"), "a\n\\x1b");
}

TEST(Printable, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(printable("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(printable("\xc3"), "\\xc3");           // cut short
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");  // longer than need be
  EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\ud800");                   // half of a surrogate pair
  EXPECT_EQ(printable(printable("caf\xe9\n")), "caf\\xe9\\n");
}

TEST(Shortened, IsNeverCutWithinACharacter) {
  EXPECT_EQ(shortened("short", 5), "short");
  EXPECT_EQ(shortened("longer", 5), "longe...");
  EXPECT_EQ(shortened("äöüß", 4), "äöüß");
  EXPECT_EQ(shortened("äöüß", 3), "äöü...");
  EXPECT_EQ(shortened("𝒳𝒳𝒳", 2), "𝒳𝒳...");
  EXPECT_EQ(shortened("\xe9\xe9\xe9", 2), "\xe9\xe9...");  // no character: each byte counts
  EXPECT_EQ(shortened(std::string(kMostShown + 1, 'x')), std::string(kMostShown, 'x') + "...");
}

TEST(Errors, HaveAMessageOfPlainTextAndFactsAsTheyWere) {
  try {
    raise(ErrorCode::bad_argument, "no file caf\xe9\n\x1b[31m", {.path = "caf\xe9\n\x1b[31m"});
  } catch (const IoArgumentError& error) {
    EXPECT_STREQ(error.what(), "no file caf\\xe9\\n\\x1b[31m");
    EXPECT_EQ(error.facts().path, "caf\xe9\n\x1b[31m");
  }
}

TEST(Json, BytesThatAreNotUtf8AreRefusedOrShown) {
  const Json value(JsonArray{Json("caf\xe9"), Json("a\"b")});
  try {
    write_json(value);
    ADD_FAILURE() << "was written";
  } catch (const SchemaError& error) {
    EXPECT_EQ(error.facts().value, "caf\xe9");
    EXPECT_NE(std::string(error.what()).find("caf\\xe9"), std::string::npos);
  }
  EXPECT_EQ(write_json(value, {.any_bytes = true}), R"(["caf\\xe9","a\"b"])");
}

}  // namespace
}  // namespace crv
