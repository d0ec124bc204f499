#include "crv/core/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <bit>
#include <cmath>
#include <limits>

#include "core/data.h"
#include "crv/core/error.h"

namespace crv {
namespace {

using testing::at;
using ::testing::HasSubstr;
using testing::items;
using testing::load_data;
using testing::text;

std::string refusal(std::string_view json) {
  try {
    parse_json(json);
  } catch (const SchemaError& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_json);
    return error.what();
  }
  return "accepted";
}

TEST(JsonVectors, CanonicalTextIsThatOfTheOlderPackage) {
  const Json vectors = load_data("hash_vectors.json");
  for (const Json& vector : items(at(vectors, "canonical_json"))) {
    const Json value = parse_json(text(at(vector, "input_json")));
    EXPECT_EQ(write_json(value, {.sort_keys = true}), text(at(vector, "canonical")));
  }
}

TEST(JsonVectors, FloatsAreWrittenAsPythonWritesThem) {
  const Json vectors = load_data("hash_vectors.json");
  std::size_t seen = 0;
  for (const Json& vector : items(at(vectors, "float_repr"))) {
    const std::uint64_t bits = std::stoull(text(at(vector, "hex")), nullptr, 16);
    EXPECT_EQ(format_double(std::bit_cast<double>(bits)), text(at(vector, "canonical")))
        << text(at(vector, "hex"));
    ++seen;
  }
  EXPECT_GT(seen, 600u);
}

TEST(JsonParse, ReadsEveryKindOfValue) {
  const Json value =
      parse_json(R"( {"n":null,"t":true,"f":false,"i":-7,"d":1.5e2,"s":"a\u00e9\n","a":[[],{}]} )");
  EXPECT_TRUE(at(value, "n").is_null());
  EXPECT_EQ(at(value, "t"), Json(true));
  EXPECT_EQ(at(value, "f"), Json(false));
  EXPECT_EQ(at(value, "i"), Json(-7));
  EXPECT_EQ(at(value, "d"), Json(150.0));
  EXPECT_EQ(at(value, "s"), Json("a\xc3\xa9\n"));
  EXPECT_EQ(at(value, "a"), Json(JsonArray{Json(JsonArray{}), Json(JsonObject{})}));
}

TEST(JsonParse, ReadsALoneScalar) {
  EXPECT_EQ(parse_json(" 12 "), Json(12));
  EXPECT_EQ(parse_json("\"x\""), Json("x"));
  EXPECT_TRUE(parse_json("null").is_null());
}

TEST(JsonParse, KeepsIntegersApartFromFloatsAndLosesNoDigit) {
  EXPECT_EQ(parse_json("1"), Json(1));
  EXPECT_NE(parse_json("1.0"), Json(1));
  EXPECT_EQ(parse_json("-9223372036854775808"), Json(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(parse_json("9223372036854775808"), Json(BigInt{"9223372036854775808"}));
  EXPECT_EQ(parse_json("-0"), Json(0));
  EXPECT_TRUE(std::signbit(*parse_json("-0.0").get_if<double>()));
}

TEST(JsonParse, ReadsWhatPythonWritesForNumbersThatAreNone) {
  EXPECT_TRUE(std::isnan(*parse_json("NaN").get_if<double>()));
  EXPECT_EQ(parse_json("[Infinity,-Infinity]"), Json(JsonArray{Json(HUGE_VAL), Json(-HUGE_VAL)}));
}

TEST(JsonParse, FloatsTooBigAreRefusedAndFloatsTooSmallAreZero) {
  for (const char* big : {"1e999", "-1e999", "0.5e309", "1e309", "1.8e308", "[1, 2e400]"}) {
    EXPECT_THAT(refusal(big), HasSubstr("Not valid JSON")) << big;
  }
  EXPECT_EQ(parse_json("1e-999"), Json(0.0));
  EXPECT_TRUE(std::signbit(*parse_json("-1.5e-999").get_if<double>()));
  EXPECT_EQ(parse_json("0." + std::string(400, '0') + "1"), Json(0.0));
  EXPECT_EQ(parse_json("5e-324"), Json(5e-324));
  EXPECT_EQ(parse_json("1.7976931348623157e308"), Json(std::numeric_limits<double>::max()));
}

TEST(JsonParse, OfARepeatedKeyTheLastValueCountsInTheFirstPlace) {
  EXPECT_EQ(write_json(parse_json(R"({"a":1,"b":2,"a":3,"c":4,"a":5})")), R"({"a":5,"b":2,"c":4})");
}

TEST(JsonParse, KeysThatRepeatAreFoundInObjectsOfAnySizeAndDepth) {
  for (const int keys : {2, 15, 16, 17, 40}) {
    std::string text = "{", expected;
    for (int i = 0; i < keys; ++i) text += '"' + std::to_string(i) + R"(":[)" + std::to_string(i) + "],";
    expected = text;
    text += R"("0":{"in":1,"in":[2,{"in":3}]}})";
    expected.replace(expected.find("[0]"), 3, R"({"in":[2,{"in":3}]})");
    expected.back() = '}';
    EXPECT_EQ(write_json(parse_json(text)), expected);
  }
}

TEST(JsonParse, BytesThatAreNotUtf8AreFoundWhereverTheyStand) {
  const std::string padding(100, 'x');
  for (const std::string before : {"", "x", "1234567", "12345678", padding.c_str()})
    for (const std::string after : {"", "x", padding.c_str()}) {
      EXPECT_THROW(parse_json("[\"" + before + "\xff" + after + "\"]"), SchemaError);
      EXPECT_THROW(parse_json("{\"" + before + "\xc3" + after + "\":1}"), SchemaError);
      EXPECT_EQ(write_json(parse_json("[\"" + before + "\xc3\xa9" + after + "\"]")),
                "[\"" + before + "\xc3\xa9" + after + "\"]");
    }
}

TEST(JsonParse, RefusesWhatIsNotJson) {
  for (const char* bad :
       {"",         "  ",         "{",          "[",           "]",          "[1",
        "[1,",      "[1,]",       "[,1]",       "[,]",         "[1 2]",      "{\"a\"}",
        "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}",  "{a:1}",       "{1:2}",      "tru",
        "truex",    "nul",        "01",         "-",           "+1",         "1.",
        ".5",       "1e",         "1e+",        "0x1",         "1_0",        "\"a",
        "'a'",      "\"\\x\"",    "\"\\u12\"",  "\"\\ud800\"", "\"a\nb\"",   "[1]]",
        "[1] 2",    "1 2",        "1,2",        "1],[2",       "\"a\"\"b\"", "[\"a\"\"b\"]",
        "[\"a\"1]", "[1\"a\"]",   "{\"a\":1}{", "[}",          "{]",         "[1}",
        "nan",      "inf",        "\xff",       "\"\xff\"",    "[\"\xc3\"]", "{\"a\":1 \"b\":2}",
        "[1:2]",    "[[]",        "{\"a\":[}",  "//x",         "[1]//x",     "1\n2"}) {
    EXPECT_NE(refusal(bad), "accepted") << bad;
  }
}

TEST(JsonParse, SaysWhereTheTextIsWrong) {
  EXPECT_THAT(refusal("{\"a\": 01}"), HasSubstr("(at byte 7)"));
  EXPECT_THAT(refusal("xyz"), HasSubstr("Invalid value. (at byte 0)"));
  EXPECT_THAT(refusal("[1 2]"), HasSubstr("Missing a comma or ']' after an array element. (at byte 3)"));
  EXPECT_THAT(refusal("[1] 2"), HasSubstr("must not be followed by other values. (at byte 4)"));
  EXPECT_THAT(refusal(std::string_view("1\0", 2)), HasSubstr("NUL character (at byte 1)"));
  EXPECT_THAT(refusal("[Inf]"), HasSubstr("`Inf` is not a JSON number"));
}

TEST(JsonParse, NestingIsLimited) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(write_json(parse_json(nested(512))), nested(512));
  EXPECT_THAT(refusal(nested(513)), HasSubstr("nested deeper than 512"));
  EXPECT_THAT(refusal(nested(100000)), HasSubstr("Not valid JSON"));
  EXPECT_NE(refusal(std::string(100000, '[')), "accepted");
}

const Json sample(JsonObject{
    {"b", JsonArray{1, 2.0, nullptr}}, {"a", JsonObject{{"x", true}}}, {"e", JsonArray{}}});

TEST(JsonWrite, OneLineKeepsTheOrderOfKeys) {
  EXPECT_EQ(write_json(sample), R"({"b":[1,2.0,null],"a":{"x":true},"e":[]})");
  EXPECT_EQ(write_json(sample, {.spaces = true}), R"({"b": [1, 2.0, null], "a": {"x": true}, "e": []})");
}

TEST(JsonWrite, IndentedAsPythonDoesIt) {
  EXPECT_EQ(
      write_json(sample, {.sort_keys = true, .indent = 2}),
      "{\n  \"a\": {\n    \"x\": true\n  },\n  \"b\": [\n    1,\n    2.0,\n    null\n  ],\n  \"e\": []\n}");
}

TEST(JsonWrite, AsciiEscapesAllElse) {
  const Json value("\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82\x01/");
  EXPECT_EQ(write_json(value, {.ascii = true}), R"("\u007f\u00e9\u20ac\ud83d\ude42\u0001/")");
  EXPECT_EQ(write_json(value), "\"\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82\\u0001/\"");
}

TEST(JsonWrite, NumbersThatAreNoneCanBeRefused) {
  const Json value(JsonArray{std::nan(""), HUGE_VAL, -HUGE_VAL});
  EXPECT_EQ(write_json(value), "[NaN,Infinity,-Infinity]");
  EXPECT_THROW(write_json(value, {.refuse_nonfinite = true}), SchemaError);
}

TEST(JsonWrite, TextThatIsNotUtf8IsRefused) {
  EXPECT_THROW(write_json(Json(std::string("\xff"))), SchemaError);
  EXPECT_THROW(write_json(Json(JsonObject{{"\xc3", 1}})), SchemaError);
}

TEST(JsonObjects, AreEqualInAnyOrder) {
  EXPECT_EQ(parse_json(R"({"a":1,"b":2})"), parse_json(R"({"b":2,"a":1})"));
  EXPECT_NE(parse_json(R"({"a":1,"b":2})"), parse_json(R"({"b":1,"a":2})"));
  EXPECT_NE(parse_json(R"({"a":1})"), parse_json(R"({"a":1,"b":2})"));
}

TEST(JsonObjects, SettingAKeyAgainKeepsItsPlace) {
  JsonObject object{{"a", 1}, {"b", 2}};
  object["a"] = 3;
  object["c"];
  EXPECT_EQ(write_json(object), R"({"a":3,"b":2,"c":null})");
}

TEST(Json, ARepeatedKeyCountsLastOrIsRefusedWithItsPath) {
  EXPECT_EQ(write_json(parse_json(R"({"a":1,"b":2,"a":3})")), R"({"a":3,"b":2})");
  const auto path_of = [](const char* json) {
    try {
      parse_json(json, RepeatedKeys::refused);
    } catch (const IoSchemaError& error) {
      EXPECT_EQ(error.code(), ErrorCode::duplicate_column);
      EXPECT_THAT(error.what(), HasSubstr("\"" + error.facts().column + "\""));
      return error.facts().column;
    }
    return std::string("accepted");
  };
  EXPECT_EQ(path_of(R"({"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]})"), "accepted");
  EXPECT_EQ(path_of(R"({"a":1,"b":2,"a":1})"), "a");
  EXPECT_EQ(path_of(R"({"a":{"b":[1,{"c":1,"d":2,"c":null}]}})"), "a.b[].c");
  EXPECT_EQ(path_of(R"([{"a":1},{"\u0061":1,"a":2}])"), "[].a");
  EXPECT_EQ(path_of(R"({"x":{"":1,"":2}})"), "x.");
  EXPECT_EQ(path_of(R"({"a":1,"a":[{"b":1,"b":2}]})"), "a[].b");
}

}  // namespace
}  // namespace crv
