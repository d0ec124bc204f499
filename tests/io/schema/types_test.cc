#include "io/schema/types.h"

#include <gtest/gtest.h>

#include "crv/core/error.h"

namespace crv::io {
namespace {

using Kind = Type::Kind;

Type exact_i64() {
  Type type = core::plain_type(Kind::i64);
  type.exact = true;
  return type;
}
const Type kNull = core::plain_type(Kind::null), kBool = core::plain_type(Kind::boolean),
           kI64 = core::plain_type(Kind::i64), kExact = exact_i64(), kF64 = core::plain_type(Kind::f64),
           kStr = core::plain_type(Kind::str);

// What unite() makes of two types, with the conflicts as "path: held/offered;".
std::string united(const Type& held, const Type& offered) {
  std::vector<TypeConflict> conflicts;
  std::string text = text_of(unite(held, offered, "p", conflicts));
  for (const TypeConflict& conflict : conflicts) {
    text += " | " + conflict.path + ": " + text_of(conflict.held) + "/" + text_of(conflict.offered);
  }
  return text;
}

ErrorCode code_of_parsing(const Json& json) {
  try {
    columns_from_json(json);
  } catch (const IoManifestError& error) {
    EXPECT_FALSE(std::string(error.what()).empty());
    return error.code();
  }
  ADD_FAILURE() << "was taken: " << write_json(json);
  return ErrorCode::bad_json;
}

TEST(Types, JsonTextOfEveryKind) {
  const Columns columns = {{"tick", kI64},
                           {"big", kExact},
                           {"price", kF64},
                           {"name", kStr},
                           {"ok", kBool},
                           {"unknown", kNull},
                           {"at", core::other_type("timestamp[us, tz=UTC]")},
                           {"items", list_of(struct_of({{"z", kI64}, {"a", list_of(kNull)}}))},
                           {"nothing", struct_of({})}};
  const std::string text =
      R"({"tick":"i64","big":"i64!","price":"f64","name":"str","ok":"bool","unknown":"null",)"
      R"("at":{"other":"timestamp[us, tz=UTC]"},"items":{"list":{"struct":{"z":"i64","a":{"list":"null"}}}},)"
      R"("nothing":{"struct":{}}})";
  EXPECT_EQ(write_json(columns_to_json(columns)), text);
  EXPECT_EQ(columns_from_json(parse_json(text)), columns);
  EXPECT_EQ(text_of(columns[7].type), "list[struct{z: i64, a: list[null]}]");
  EXPECT_EQ(text_of(columns[6].type), "timestamp[us, tz=UTC]");
  EXPECT_EQ(text_of(columns[8].type), "struct{}");
}

TEST(Types, SchemaIdIsThatOfTheJsonText) {
  // XXH3-128 of {"tick":"i64","name":"str"}.
  EXPECT_EQ(schema_id({{"tick", kI64}, {"name", kStr}}), "a909c2381c5a166246d6fd97486862eb");
  EXPECT_NE(schema_id({{"name", kStr}, {"tick", kI64}}), schema_id({{"tick", kI64}, {"name", kStr}}));
  EXPECT_NE(schema_id({{"tick", kExact}}), schema_id({{"tick", kI64}}));
}

TEST(Types, DamagedJsonIsAnErrorThatSaysWhere) {
  for (const char* text : {R"("i64")", "[]", "null", R"({"a":"int"})", R"({"a":1})", R"({"a":null})",
                           R"({"a":["i64"]})", R"({"a":{}})", R"({"a":{"list":"i64","struct":{}}})",
                           R"({"a":{"struct":[]}})", R"({"a":{"map":"i64"}})", R"({"a":{"other":7}})",
                           R"({"a":{"other":""}})", R"({"a":{"list":null}})"}) {
    EXPECT_EQ(code_of_parsing(parse_json(text)), ErrorCode::log_damaged) << text;
  }
  JsonObject twice;
  twice.push_back("a", "i64");
  twice.push_back("a", "str");
  EXPECT_EQ(code_of_parsing(twice), ErrorCode::log_damaged);
  try {
    columns_from_json(parse_json(R"({"a":{"list":{"struct":{"b":"text"}}}})"));
    FAIL();
  } catch (const IoManifestError& error) {
    EXPECT_EQ(error.facts().column, "a[].b");
    EXPECT_EQ(error.facts().value, "\"text\"");
  }
}

TEST(Types, DepthIsLimited) {
  Json deepest = "i64";
  for (int i = 1; i < kMaxTypeDepth; ++i) deepest = JsonObject{{"list", deepest}};
  EXPECT_EQ(write_json(columns_to_json(columns_from_json(JsonObject{{"a", deepest}}))),
            write_json(JsonObject{{"a", deepest}}));
  EXPECT_EQ(code_of_parsing(JsonObject{{"a", JsonObject{{"list", deepest}}}}), ErrorCode::log_damaged);
}

TEST(Types, UniteOfPlainTypes) {
  for (const Type& type :
       {kBool, kI64, kExact, kF64, kStr, core::other_type("binary"), list_of(kI64), struct_of({})}) {
    EXPECT_EQ(united(type, type), text_of(type));
    EXPECT_EQ(united(kNull, type), text_of(type));
    EXPECT_EQ(united(type, kNull), text_of(type));
  }
  EXPECT_EQ(united(kI64, kF64), "f64");
  EXPECT_EQ(united(kF64, kI64), "f64");
  EXPECT_EQ(united(kI64, kExact), "i64!");
  EXPECT_EQ(united(kExact, kI64), "i64!");
  EXPECT_EQ(united(kExact, kF64), "i64! | p: i64!/f64");
  EXPECT_EQ(united(kF64, kExact), "f64 | p: f64/i64!");
  EXPECT_EQ(united(kStr, kI64), "str | p: str/i64");
  EXPECT_EQ(united(kBool, kI64), "bool | p: bool/i64");
  EXPECT_EQ(united(core::other_type("date32[day]"), core::other_type("binary")),
            "date32[day] | p: date32[day]/binary");
  EXPECT_EQ(united(list_of(kI64), kI64), "list[i64] | p: list[i64]/i64");
  EXPECT_EQ(united(struct_of({}), list_of(kI64)), "struct{} | p: struct{}/list[i64]");
}

TEST(Types, UniteGoesIntoStructsAndLists) {
  const Type held = struct_of({{"a", kI64}, {"b", list_of(kNull)}});
  const Type offered = struct_of({{"c", kBool}, {"b", list_of(struct_of({{"x", kStr}}))}, {"a", kF64}});
  EXPECT_EQ(united(held, offered), "struct{a: f64, b: list[struct{x: str}], c: bool}");
  EXPECT_EQ(united(held, struct_of({})), text_of(held));
  // Each conflict is told by itself, and what meets beside it is united all the same.
  const Type deep = list_of(struct_of({{"x", kStr}, {"y", kStr}, {"z", kNull}}));
  const Type against = list_of(struct_of({{"z", kBool}, {"y", kF64}, {"x", kI64}}));
  EXPECT_EQ(united(deep, against), "list[struct{x: str, y: str, z: bool}] | p[].y: str/f64 | p[].x: str/i64");
}

TEST(Types, UniteOfColumnsKeepsTheOrderHeld) {
  std::vector<TypeConflict> conflicts;
  const Columns held = {{"tick", kI64}, {"price", kI64}};
  const Columns offered = {{"extra", kStr}, {"price", kF64}, {"tick", kI64}};
  const Columns expected = {{"tick", kI64}, {"price", kF64}, {"extra", kStr}};
  EXPECT_EQ(unite(held, offered, conflicts), expected);
  EXPECT_TRUE(conflicts.empty());
  EXPECT_EQ(unite(expected, {{"extra", list_of(kI64)}}, conflicts), expected);
  ASSERT_EQ(conflicts.size(), 1U);
  EXPECT_EQ(conflicts[0].path, "extra");
}

}  // namespace
}  // namespace crv::io
