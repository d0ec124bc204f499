#include "crv/core/definition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "crv/core/error.h"
#include "refusal.h"

namespace crv::core {
namespace {

using crv::testing::refusal;
using ::testing::HasSubstr;

// `columns`: JSON objects, after a column tick.
std::string definition(const std::string& columns, const std::string& name = "sheep") {
  const std::string rest = columns.empty() ? "" : "," + columns;
  return R"({"name":")" + name + R"(","columns":[{"name":"tick","type":"i64"})" + rest + "]}";
}

TableDescriptor table(const std::string& columns) {
  return table_from_json(parse_json(definition(columns)));
}

std::string refused(ErrorCode code, const std::string& json, ErrorFacts* facts = nullptr) {
  return refusal<IoSchemaError>(
      code, [&] { table_from_json(parse_json(json)); }, facts);
}

std::string column(const std::string& type, const std::string& rules = "") {
  return R"({"name":"x","type":")" + type + '"' + (rules.empty() ? "" : "," + rules) + "}";
}

TEST(Definition, IsTheSameAfterItWasJsonOnce) {
  const std::string text =
      R"({"name":"sheep","version":"1.3@2026-01-31","doc":"A sheep","columns":[)"
      R"({"name":"bucket","type":"i64","required":true,"doc":"tick div tick_bucket_size; crv computes it."},)"
      R"({"name":"tick","type":"i64","required":true,"min":0},)"
      R"({"name":"Trade Volume","type":"i64","required":true,"doc":"How much","unit":"kg","min":-3,"max":9007199254740992,"unique":true},)"
      R"({"name":"energy","type":"f64","unit":"J","finite":true,"min":0.5,"max":1},)"
      R"({"name":"kind","type":"str","not_empty":true,"one_of":["a","b c"]},)"
      R"({"name":"at","type":"list[f64]","length":3},)"
      R"({"name":"home","type":"struct{x: f64, \"y z\": list[str], ...}"},)"
      R"({"name":"seen","type":"null","inferred":true}]})";
  EXPECT_EQ(write_json(to_json(table_from_json(parse_json(text)))), text);
}

TEST(Definition, PutsBucketAndTickFirstAndMakesTickRequired) {
  const TableDescriptor made = table_from_json(parse_json(
      R"({"name":"a","columns":[{"name":"x","type":"f64"},{"name":"bucket","type":"i64"},{"name":"tick","type":"i64","min":5}]})"));
  ASSERT_EQ(made.columns.size(), 3U);
  EXPECT_EQ(made.columns[0].name, "bucket");
  EXPECT_EQ(made.columns[1].name, "tick");
  EXPECT_TRUE(made.columns[1].required);
  EXPECT_EQ(made.columns[1].rule.min, 5);
  EXPECT_EQ(made.required_order, (std::vector<std::string>{"bucket", "tick"}));
  EXPECT_EQ(made.version.date, "");
}

TEST(Definition, OfANameThatNoTableCanHaveIsRefused) {
  const std::string longest(kMaxTableName, 'a');
  EXPECT_NO_THROW(table_from_json(parse_json(definition("", longest))));
  for (const std::string& name :
       {std::string(""), longest + "a", std::string("Sheep"), std::string("a__b"), std::string("a/b"),
        std::string(".."), std::string("é"), std::string("a b")})
    EXPECT_NE(refused(ErrorCode::bad_definition, definition("", name)), "accepted") << name;
  for (const char* name : {"holdings", "exchange", "quarantine"})
    EXPECT_THAT(
        refusal<IoSchemaError>(ErrorCode::reserved_name,
                               [&] { define_table(table_from_json(parse_json(definition("", name)))); }),
        HasSubstr("built in"));
}

TEST(Definition, NeedsATickOfIntegers) {
  EXPECT_THAT(refused(ErrorCode::bad_definition, R"({"name":"a","columns":[]})"), HasSubstr("lacks it"));
  for (const char* name : {"tick", "bucket"})
    EXPECT_THAT(refused(ErrorCode::bad_definition,
                        R"({"name":"a","columns":[{"name":")" + std::string(name) + R"(","type":"str"}]})"),
                HasSubstr("i64 in every table, not str"));
}

TEST(Definition, RefusesColumnNamesThatNotEveryEngineReads) {
  const std::string longest(kMaxColumnName, 'x');
  EXPECT_NO_THROW(table(R"({"name":")" + longest + R"(","type":"i64"},{"name":"#Traders","type":"f64"})"));
  for (const std::string& name : {longest + "x", std::string(R"(a\nb)"), std::string(R"(\u007f)")})
    EXPECT_NE(refused(ErrorCode::bad_definition, definition(R"({"name":")" + name + R"(","type":"i64"})")),
              "accepted")
        << name;
  for (const char* name : {"", "_empty", "*", "^a$", R"(a\u0000)"})
    EXPECT_NE(refused(ErrorCode::reserved_name,
                      definition(R"({"name":")" + std::string(name) + R"(","type":"i64"})")),
              "accepted")
        << name;
  EXPECT_NE(refused(ErrorCode::duplicate_column, definition(column("i64") + "," + column("f64"))),
            "accepted");
  EXPECT_NE(refused(ErrorCode::duplicate_column, definition(R"({"name":"tick","type":"i64"})")), "accepted");
  EXPECT_THAT(refused(ErrorCode::reserved_name, definition(column("i64") + R"(,{"name":"X","type":"i64"})")),
              HasSubstr("only in case"));
  EXPECT_NE(refused(ErrorCode::reserved_name, definition(R"({"name":"Tick","type":"i64"})")), "accepted");
  EXPECT_NE(refused(ErrorCode::reserved_name, definition(column(R"(struct{\"*\": i64})"))), "accepted");
}

TEST(Definition, RefusesTypesAndRulesThatCannotBe) {
  struct Bad {
    const char* type;
    const char* rules;
    const char* key;
  };
  for (const Bad& bad : std::vector<Bad>{
           {"i65[", "", "type"},
           {"null", "", "type"},
           {"list[null]", "", "type"},
           {"i64!", "", "type"},
           {"str", R"("min":1)", "min"},
           {"list[f64]", R"("max":1)", "max"},
           {"i64", R"("finite":true)", "finite"},
           {"f64", R"("not_empty":true)", "not_empty"},
           {"i64", R"("one_of":["a"])", "one_of"},
           {"str", R"("one_of":[])", "one_of"},
           {"str", R"("one_of":["a","a"])", "one_of"},
           {"bool", R"("unique":true)", "unique"},
           {"f64", R"("length":3)", "length"},
           {"list[f64]", R"("length":0)", "length"},
           {"list[f64]", R"("length":2147483648)", "length"},
           {"list[f64]", R"("length":1.5)", "length"},
           {"f64", R"("min":2,"max":1)", "min"},
           {"f64", R"("min":NaN)", "min"},
           {"f64", R"("max":Infinity)", "max"},
           {"i64", R"("max":9007199254740993)", "max"},
           {"i64", R"("max":1e300)", "max"},
           {"i64", R"("required":true,"inferred":true)", "inferred"},
           {"i64", R"("required":1)", "required"},
           {"i64", R"("doc":7)", "doc"},
           {"i64", R"("dok":"x")", "dok"},
       }) {
    ErrorFacts facts;
    EXPECT_NE(refused(ErrorCode::bad_definition, definition(column(bad.type, bad.rules)), &facts), "accepted")
        << bad.type << ' ' << bad.rules;
    EXPECT_EQ(facts.key, bad.key) << bad.type << ' ' << bad.rules;
    EXPECT_EQ(facts.table, "sheep");
    EXPECT_EQ(facts.column, "x");
  }
}

TEST(Definition, RefusesWhatIsNoDefinition) {
  for (const char* text :
       {"[]", "7", "{}", R"({"name":7,"columns":[]})", R"({"name":"a","columns":{}})",
        R"({"name":"a","columns":[7]})", R"({"name":"a","columns":[{"type":"i64"}]})",
        R"({"name":"a","columns":[{"name":"tick"}]})", R"({"name":"a","columns":[{"name":"tick","type":7}]})",
        R"({"name":"a","kolumns":[]})",
        R"({"name":"a","version":"1","columns":[{"name":"tick","type":"i64"}]})",
        R"({"name":"a","version":"-1.0@2026-01-01","columns":[{"name":"tick","type":"i64"}]})",
        R"({"name":"a","version":"1.0@2026-13-01","columns":[{"name":"tick","type":"i64"}]})"})
    EXPECT_NE(refused(ErrorCode::bad_definition, text), "accepted") << text;
  EXPECT_THAT(refused(ErrorCode::bad_definition, R"({"name":"a","kolumns":[]})"),
              HasSubstr("did you mean \"columns\""));
}

TEST(Definition, IsNestedAsDeepAsAllReadersGo) {
  const auto nested = [](int levels) {
    std::string type = "i64";
    for (int i = 1; i < levels; ++i) type = "list[" + type + "]";
    return column(type);
  };
  EXPECT_NO_THROW(table(nested(kMaxAcceptedDepth)));
  EXPECT_THAT(refused(ErrorCode::bad_definition, definition(nested(kMaxAcceptedDepth + 1))),
              HasSubstr("deeper than"));
}

TEST(Definition, ColumnsOfTheCommandLineAreNameAndType) {
  const auto text = [](std::string_view given) {
    const ColumnDescriptor made = parse_column(given);
    return made.name + "|" + text_of(made.type) + (made.required ? "|required" : "");
  };
  EXPECT_EQ(text("tick:i64"), "tick|i64");
  EXPECT_EQ(text("energy:f64!"), "energy|f64|required");
  EXPECT_EQ(text("a:b: list[struct{x: f64}] !"), "a:b|list[struct{x: f64}]|required");
  EXPECT_EQ(text("Trade Volume:timestamp"), "Trade Volume|timestamp[us, tz=UTC]");
  for (const char* bad : {"", ":", "x", "x:", ":i64", "x:list[", "x:!", "x]:i64"})
    EXPECT_NE(refusal<IoSchemaError>(ErrorCode::bad_definition, [&] { parse_column(bad); }), "accepted")
        << bad;
}

// ---- growth ----

std::string grown(const std::string& held, const std::string& wanted) {
  const TableDescriptor result = grow(table(held), table(wanted));
  std::string text;
  for (std::size_t i = 2; i < result.columns.size(); ++i)
    text += write_json(*to_json(result)
                            .get_if<JsonObject>()
                            ->find("columns")
                            ->get_if<JsonArray>()
                            ->at(i)
                            .get_if<JsonObject>()) +
            "\n";
  return text;
}

TEST(Growth, OfWhatIsContainedChangesNothing) {
  const std::string held = column("f64", R"("min":0,"max":9,"finite":true)");
  for (const std::string& wanted :
       {held, column("i64", R"("min":1,"max":9)"),
        column("f64", R"("required":true,"min":2,"max":3,"finite":true)"), std::string()}) {
    const TableDescriptor before = table(held);
    const bool looser = wanted.find("finite") == std::string::npos && !wanted.empty();
    EXPECT_EQ(same_definition(grow(before, table(wanted)), before), !looser) << wanted;
  }
}

TEST(Growth, UnitesTypesAndLoosensRules) {
  const auto x = [](const std::string& rest) { return R"({"name":"x",)" + rest + "}\n"; };
  EXPECT_EQ(grown(column("i64"), column("f64")), x(R"("type":"f64")"));
  EXPECT_EQ(grown(column("f64"), column("i64")), x(R"("type":"f64")"));
  EXPECT_EQ(grown(column("i64", R"("required":true)"), column("i64")), x(R"("type":"i64")"));
  EXPECT_EQ(grown(column("struct{a: i64}"), column("struct{b: str, a: f64}")),
            x(R"("type":"struct{a: f64, b: str}")"));
  EXPECT_EQ(grown(column("struct{a: i64}"), column("struct")), x(R"("type":"struct{a: i64, ...}")"));
  EXPECT_EQ(grown(column("list[i64]", R"("length":2)"), column("list[f64]")), x(R"("type":"list[f64]")"));
  EXPECT_EQ(grown(column("i64", R"("min":0,"max":5)"), column("i64", R"("min":-1,"max":9)")),
            x(R"("type":"i64","min":-1,"max":9)"));
  EXPECT_EQ(grown(column("i64", R"("min":0,"unique":true)"), column("i64")), x(R"("type":"i64")"));
  EXPECT_EQ(
      grown(column("str", R"("one_of":["a","b"],"not_empty":true)"), column("str", R"("one_of":["b","c"])")),
      x(R"("type":"str","one_of":["a","b","c"])"));
  EXPECT_EQ(grown(column("i64", R"("doc":"old")"), column("i64", R"("doc":"new","unit":"m")")),
            x(R"("type":"i64","doc":"new","unit":"m")"));
  EXPECT_EQ(grown(column("i64"), column("i64") + R"(,{"name":"y","type":"str"})"),
            x(R"("type":"i64")") + "{\"name\":\"y\",\"type\":\"str\"}\n");
  EXPECT_EQ(grown(column("null", R"("inferred":true)"), column("str")), x(R"("type":"str","inferred":true)"));
}

TEST(Growth, RefusesWhatDoesNotMeetAndShowsBoth) {
  const auto conflict = [](const std::string& held, const std::string& wanted) {
    ErrorFacts facts;
    std::string text = refusal<IoSchemaError>(
        ErrorCode::definition_conflict, [&] { grow(table(held), table(wanted)); }, &facts);
    EXPECT_EQ(facts.table, "sheep");
    return text;
  };
  EXPECT_THAT(conflict(column("i64", R"("required":true)"), column("str")),
              HasSubstr("x is i64, required in the run and str here"));
  for (const char* wanted : {"bool", "str", "list[i64]", "struct{x: i64}", "binary"})
    EXPECT_NE(conflict(column("i64"), column(wanted)), "accepted") << wanted;
  EXPECT_NE(conflict(column("timestamp"), column("timestamp[ns, tz=UTC]")), "accepted");
  EXPECT_NE(conflict(column("list[struct{a: i64}]"), column("list[struct{a: str}]")), "accepted");
  EXPECT_NE(conflict(column("i64", R"("unit":"m")"), column("i64", R"("unit":"km")")), "accepted");
  EXPECT_NE(conflict(column("list[f64]", R"("length":2)"), column("list[f64]", R"("length":3)")), "accepted");
  EXPECT_THAT(conflict("", column("i64", R"("required":true)")), HasSubstr("cannot be required"));
  EXPECT_NE(
      refusal<IoSchemaError>(ErrorCode::reserved_name,
                             [&] { grow(table(column("i64")), table(R"({"name":"X","type":"i64"})")); }),
      "accepted");
}

// Whoever defines first: the run ends with the same, and defining again changes nothing.
TEST(Growth, OfManyComesToTheSameInAnyOrder) {
  const std::vector<std::string> pool = {
      column("i64"),
      column("f64"),
      column("f64", R"("min":0)"),
      column("i64", R"("min":-2,"max":7)"),
      R"({"name":"y","type":"struct{a: i64}"})",
      R"({"name":"y","type":"struct{a: f64}"})",
      R"({"name":"k","type":"str","one_of":["a","b"]})",
      R"({"name":"k","type":"str"})",
  };
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    const auto one = [&] { return table(pool[random() % pool.size()]); };
    const TableDescriptor a = one(), b = one(), c = one();
    const TableDescriptor first = grow(grow(a, b), c), second = grow(grow(a, c), b);
    for (const ColumnDescriptor& held : first.columns) {
      ASSERT_NE(second.find(held.name), nullptr);
      EXPECT_EQ(second.find(held.name)->type, held.type);
      EXPECT_EQ(second.find(held.name)->rule, held.rule);
    }
    for (const TableDescriptor& again : {a, b, c}) EXPECT_TRUE(same_definition(grow(first, again), first));
  }
}

}  // namespace
}  // namespace crv::core
