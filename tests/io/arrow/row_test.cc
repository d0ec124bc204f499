#include "crv/io/row.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "crv/core/json.h"
#include "io/support/arrow_json.h"
#include "io/support/conform_support.h"

namespace elsewhere {

struct Position {
  double x, y;
};
enum class Kind { sheep, wolf };
CRV_ENUM(Kind, sheep, wolf)
CRV_ROW(Position, x, y)

struct Sheep {
  std::int64_t tick;
  std::string id;
  double energy;
  std::optional<double> age;
  Kind kind;
  std::array<double, 3> at;
  std::vector<std::int64_t> lambs;
  Position home;
};
CRV_ROW(Sheep, tick, id, energy, age, kind, at, lambs, home)

// Not described, though what it derives from is.
struct Ram : Sheep {};

struct Outer {
  enum class Inner : signed char { low = -1, high = 1 };
};
CRV_ENUM(Outer::Inner, low, high)

}  // namespace elsewhere

namespace crv::io {
namespace {

using arrow::field;
using elsewhere::Kind;
using elsewhere::Outer;
using elsewhere::Position;
using elsewhere::Sheep;

using std::chrono::sys_time;
using Micros = sys_time<std::chrono::microseconds>;
using Seconds = sys_time<std::chrono::seconds>;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

const auto kTimestamp = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");

std::shared_ptr<arrow::DataType> list_type(const std::shared_ptr<arrow::DataType>& elements) {
  return arrow::list(field("element", elements));
}

// The column of one chunk, or of none where there are no rows.
void expect_column(const Frame& frame, const std::string& name, const std::shared_ptr<arrow::DataType>& type,
                   const std::string& json) {
  SCOPED_TRACE(name);
  const auto column = frame.table()->GetColumnByName(name);
  ASSERT_NE(column, nullptr);
  ASSERT_EQ(column->num_chunks(), 1);
  expect_array(column->chunk(0), array_of(type, json));
}

template <class T>
std::string described(const std::string& table) {
  return write_json(core::to_json(describe_row<T>(table)));
}

Sheep dolly() {
  return {.tick = 7,
          .id = "dolly",
          .energy = 0.5,
          .age = 6.5,
          .kind = Kind::sheep,
          .at = {1, 2, 3},
          .lambs = {4, 5},
          .home = {.x = 6, .y = 7}};
}

TEST(Row, IsDescribedByItsMembers) {
  EXPECT_EQ(described<Sheep>("sheep"),
            R"({"name":"sheep","columns":[)"
            R"({"name":"bucket","type":"i64","required":true,)"
            R"("doc":"tick div tick_bucket_size; crv computes it."},)"
            R"({"name":"tick","type":"i64","required":true,"min":0},)"
            R"({"name":"id","type":"str","required":true},)"
            R"({"name":"energy","type":"f64","required":true},)"
            R"({"name":"age","type":"f64"},)"
            R"({"name":"kind","type":"str","required":true,"one_of":["sheep","wolf"]},)"
            R"({"name":"at","type":"list[f64]","required":true,"length":3},)"
            R"({"name":"lambs","type":"list[i64]","required":true},)"
            R"({"name":"home","type":"struct{x: f64, y: f64}","required":true}]})");
  EXPECT_EQ(describe_row<Sheep>("sheep", "Sheep of the farm.").doc, "Sheep of the farm.");
  EXPECT_EQ(refusal([] { describe_row<Sheep>("Not a name"); }).code(), ErrorCode::bad_definition);
  EXPECT_EQ(refusal([] { describe_row<Sheep>("holdings"); }).code(), ErrorCode::reserved_name);
}

TEST(Row, BecomesAFrameOfItsMembers) {
  Sheep wolf = dolly();
  wolf.tick = 8;
  wolf.id = "";
  wolf.age.reset();
  wolf.kind = Kind::wolf;
  wolf.lambs.clear();
  const Frame frame = std::vector<Sheep>{dolly(), wolf};
  EXPECT_EQ(frame.table()->num_rows(), 2);
  EXPECT_EQ(frame.table()->num_columns(), 8);
  EXPECT_TRUE(frame.table()->ValidateFull().ok());
  expect_column(frame, "tick", arrow::int64(), "[7, 8]");
  expect_column(frame, "id", arrow::utf8(), R"(["dolly", ""])");
  expect_column(frame, "energy", arrow::float64(), "[0.5, 0.5]");
  expect_column(frame, "age", arrow::float64(), "[6.5, null]");
  expect_column(frame, "kind", arrow::utf8(), R"(["sheep", "wolf"])");
  expect_column(frame, "at", list_type(arrow::float64()), "[[1, 2, 3], [1, 2, 3]]");
  expect_column(frame, "lambs", list_type(arrow::int64()), "[[4, 5], []]");
  expect_column(frame, "home", arrow::struct_({field("x", arrow::float64()), field("y", arrow::float64())}),
                R"([{"x": 6, "y": 7}, {"x": 6, "y": 7}])");
}

TEST(Row, AnyContiguousRangeOfItIsAFrame) {
  const Sheep rows[] = {dolly(), dolly()};
  const std::array<Sheep, 2> array = {dolly(), dolly()};
  for (const Frame& frame : {Frame(rows), Frame(array), Frame(std::span(rows)), Frame(std::span(array)),
                             Frame(std::vector<Sheep>(2, dolly()))})
    expect_column(frame, "tick", arrow::int64(), "[7, 7]");
  static_assert(IsRow<Sheep> && IsRow<Position> && !IsRow<elsewhere::Ram> && !IsRow<int>);
  static_assert(!IsRow<core::HoldingsRow>);
}

TEST(Row, NoRowsHaveTheirTypesAllTheSame) {
  const Frame frame = std::vector<Sheep>();
  EXPECT_EQ(frame.table()->num_rows(), 0);
  EXPECT_TRUE(frame.table()->ValidateFull().ok());
  EXPECT_EQ(frame.table()->schema()->ToString(),
            "tick: int64\nid: string\nenergy: double\nage: double\nkind: string\n"
            "at: list<element: double>\nlambs: list<element: int64>\nhome: struct<x: double, y: double>");
  expect_column(frame, "lambs", list_type(arrow::int64()), "[]");
}

// ---- members ----

struct Numbers {
  int tick;
  std::int8_t i8;
  std::int16_t i16;
  long long i64;
  std::uint8_t u8;
  std::uint16_t u16;
  std::uint32_t u32;
  std::uint64_t u64;
  bool flag;
  float f32;
  double f64;
};
CRV_ROW(Numbers, tick, i8, i16, i64, u8, u16, u32, u64, flag, f32, f64)

TEST(Row, IntegersAreI64AndFloatsF64) {
  const Numbers rows[] = {{2147483647, -128, -32768, kLeast, 255, 65535, 4294967295,
                           static_cast<std::uint64_t>(kMost), true, 0.1F, 0.1},
                          {0, 127, 32767, kMost, 0, 0, 0, 0, false, -0.5F, -1e300}};
  const Frame frame = rows;
  expect_column(frame, "tick", arrow::int64(), "[2147483647, 0]");
  expect_column(frame, "i8", arrow::int64(), "[-128, 127]");
  expect_column(frame, "i16", arrow::int64(), "[-32768, 32767]");
  expect_column(frame, "i64", arrow::int64(), "[-9223372036854775808, 9223372036854775807]");
  expect_column(frame, "u8", arrow::int64(), "[255, 0]");
  expect_column(frame, "u16", arrow::int64(), "[65535, 0]");
  expect_column(frame, "u32", arrow::int64(), "[4294967295, 0]");
  expect_column(frame, "u64", arrow::int64(), "[9223372036854775807, 0]");
  expect_column(frame, "flag", arrow::boolean(), "[true, false]");
  expect_column(frame, "f32", arrow::float64(), "[0.10000000149011612, -0.5]");
  expect_column(frame, "f64", arrow::float64(), "[0.1, -1e300]");
  EXPECT_THAT(described<Numbers>("numbers"), testing::HasSubstr(R"({"name":"flag","type":"bool")"));
}

TEST(Row, AnIntegerBeyondI64IsRefusedWithItsRow) {
  std::vector<Numbers> rows(5000);
  rows[4711].u64 = 9223372036854775808U;
  rows[4712].u64 = 18446744073709551615U;
  const Error error = refusal([&] { Frame{rows}; });
  EXPECT_EQ(error.code(), ErrorCode::lossy_cast);
  EXPECT_STREQ(error.what(),
               "column \"u64\", row 4711, value 9223372036854775808: this integer is beyond 2^63 - 1");
  EXPECT_EQ(error.facts().column, "u64");
  EXPECT_EQ(error.facts().row, 4711);
  EXPECT_EQ(error.facts().value, "9223372036854775808");
}

struct Texts {
  std::int64_t tick;
  std::string_view view;
  std::optional<std::string> maybe;
  std::vector<std::byte> raw;
  std::vector<std::vector<std::string>> nested;
};
CRV_ROW(Texts, tick, view, maybe, raw, nested)

TEST(Row, TextAndBinary) {
  const std::string zero("a\0b", 3);
  const Texts rows[] = {{1, zero, "\xc3\xa9", {std::byte{0xff}, std::byte{0}}, {{"x", ""}, {}}},
                        {2, "", std::nullopt, {}, {}},
                        {3, "plain", "", {std::byte{'z'}}, {{}, {"y"}}}};
  const Frame frame = rows;
  expect_column(frame, "view", arrow::utf8(), R"(["a\u0000b", "", "plain"])");
  expect_column(frame, "maybe", arrow::utf8(), R"(["\u00e9", null, ""])");
  expect_column(frame, "nested", list_type(list_type(arrow::utf8())),
                R"([[["x", ""], []], [], [[], ["y"]]])");
  const auto raw = frame.table()->GetColumnByName("raw")->chunk(0);
  ASSERT_TRUE(raw->type()->Equals(arrow::binary()));
  EXPECT_EQ(static_cast<const arrow::BinaryArray&>(*raw).GetString(0), std::string("\xff\0", 2));
  EXPECT_EQ(static_cast<const arrow::BinaryArray&>(*raw).GetString(1), "");
  EXPECT_EQ(static_cast<const arrow::BinaryArray&>(*raw).GetString(2), "z");
  EXPECT_THAT(described<Texts>("texts"),
              testing::HasSubstr(R"({"name":"raw","type":"binary","required":true})"));
}

TEST(Row, TextOfAnyLength) {
  const std::string all = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::vector<Texts> rows;
  for (std::size_t size = 0; size <= all.size(); ++size)
    rows.push_back(
        {.tick = 1, .view = std::string_view(all).substr(0, size), .maybe = {}, .raw = {}, .nested = {}});
  const auto texts = Frame(rows).table()->GetColumnByName("view")->chunk(0);
  for (std::size_t size = 0; size <= all.size(); ++size)
    EXPECT_EQ(static_cast<const arrow::StringArray&>(*texts).GetString(static_cast<std::int64_t>(size)),
              all.substr(0, size));
}

TEST(Row, TextThatIsNotUtf8IsRefusedWithColumnAndRow) {
  const auto refused = [](const std::vector<Texts>& rows) { return refusal([&] { Frame{rows}; }); };
  std::vector<Texts> rows(3000, Texts{.tick = 1, .view = "\xc3\xa9", .maybe = {}, .raw = {}, .nested = {}});
  rows[2500].view = "caf\xe9";
  Error error = refused(rows);
  EXPECT_EQ(error.code(), ErrorCode::wrong_type);
  EXPECT_STREQ(error.what(), "column \"view\", row 2500: this text is not UTF-8");
  EXPECT_EQ(error.facts().column, "view");
  EXPECT_EQ(error.facts().row, 2500);
  EXPECT_EQ(error.facts().value, "caf\xe9");
  // Each text by itself: together these two are UTF-8.
  rows[2500].view = "\xc3";
  rows[2501].view = "\xa9";
  EXPECT_EQ(refused(rows).facts().row, 2500);
  rows[2500].view = rows[2501].view = "";
  rows[2999].maybe = "\xff";
  EXPECT_EQ(refused(rows).facts().column, "maybe");
  rows[2999].maybe = std::nullopt;
  rows[2].nested = {{"a", "b"}, {"c"}};
  rows[2100].nested = {{}, {"a"}, {"b", "c\x80"}, {"d"}};
  error = refused(rows);
  EXPECT_EQ(error.facts().column, "nested[][]");
  EXPECT_EQ(error.facts().row, 2100);
  EXPECT_EQ(error.facts().value, "c\x80");
}

enum Signal : int { red = 4, green = 2, amber = 7 };
CRV_ENUM(Signal, red, green)

struct Words {
  std::int64_t tick;
  Kind kind;
  std::optional<Signal> signal;
  Outer::Inner inner;
  std::vector<Kind> kinds;
};
CRV_ROW(Words, tick, kind, signal, inner, kinds)

TEST(Row, EnumsAreTheirNames) {
  const Words rows[] = {{1, Kind::wolf, red, Outer::Inner::low, {Kind::wolf, Kind::sheep}},
                        {2, Kind::sheep, std::nullopt, Outer::Inner::high, {}},
                        {3, Kind::sheep, green, Outer::Inner::high, {}}};
  const Frame frame = rows;
  expect_column(frame, "kind", arrow::utf8(), R"(["wolf", "sheep", "sheep"])");
  expect_column(frame, "signal", arrow::utf8(), R"(["red", null, "green"])");
  expect_column(frame, "inner", arrow::utf8(), R"(["low", "high", "high"])");
  expect_column(frame, "kinds", list_type(arrow::utf8()), R"([["wolf", "sheep"], [], []])");
  EXPECT_EQ(describe_row<Words>("words").find("signal")->rule.allowed,
            (std::vector<std::string>{"red", "green"}));
  EXPECT_FALSE(describe_row<Words>("words").find("signal")->required);
}

TEST(Row, AnEnumsValueOutsideIsRefusedWithItsRow) {
  std::vector<Words> rows(100, Words{1, Kind::wolf, red, Outer::Inner::low, {}});
  const auto refused = [&] { return refusal([&] { Frame{rows}; }); };
  rows[42].kind = static_cast<Kind>(2);
  Error error = refused();
  EXPECT_EQ(error.code(), ErrorCode::wrong_type);
  EXPECT_STREQ(
      error.what(),
      "column \"kind\", row 42, value 2: the enum has no enumerator of this value; it has sheep, wolf");
  EXPECT_EQ(error.facts().row, 42);
  EXPECT_EQ(error.facts().value, "2");
  rows[42].kind = static_cast<Kind>(-1);
  EXPECT_EQ(refused().facts().value, "-1");
  rows[42].kind = Kind::sheep;
  rows[43].signal = amber;  // an enumerator that CRV_ENUM does not name
  EXPECT_EQ(refused().facts().column, "signal");
  rows[43].signal = std::nullopt;
  rows[44].inner = static_cast<Outer::Inner>(0);
  EXPECT_EQ(refused().facts().value, "0");
  rows[44].inner = Outer::Inner::high;
  rows[7].kinds = {Kind::wolf, Kind::wolf};
  rows[45].kinds = {static_cast<Kind>(9), Kind::wolf};  // right behind those of another row
  error = refused();
  EXPECT_EQ(error.facts().column, "kinds[]");
  EXPECT_EQ(error.facts().row, 45);
}

struct Moments {
  std::int64_t tick;
  Micros micros;
  sys_time<std::chrono::milliseconds> millis;
  std::optional<Seconds> seconds;
  std::chrono::sys_days days;
};
CRV_ROW(Moments, tick, micros, millis, seconds, days)

Moments moments(std::int64_t micros, std::int64_t millis, std::int64_t seconds, int days) {
  return {1, Micros(std::chrono::microseconds(micros)),
          sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(millis)),
          Seconds(std::chrono::seconds(seconds)), std::chrono::sys_days(std::chrono::days(days))};
}

TEST(Row, TimePointsAreMicroseconds) {
  std::vector<Moments> rows = {moments(1, 2, 3, 4), moments(kMost, kMost / 1000, kMost / 1000000, 106751991),
                               moments(kLeast, kLeast / 1000, kLeast / 1000000, -106751991),
                               moments(0, 0, 0, 0)};
  rows[3].seconds.reset();
  const Frame frame = rows;
  expect_column(frame, "micros", kTimestamp, "[1, 9223372036854775807, -9223372036854775808, 0]");
  expect_column(frame, "millis", kTimestamp, "[2000, 9223372036854775000, -9223372036854775000, 0]");
  expect_column(frame, "seconds", kTimestamp, "[3000000, 9223372036854000000, -9223372036854000000, null]");
  expect_column(frame, "days", kTimestamp, "[345600000000, 9223372022400000000, -9223372022400000000, 0]");
  EXPECT_EQ(text_of(describe_row<Moments>("moments").find("days")->type), "timestamp[us, tz=UTC]");
}

TEST(Row, ATimePointThatDoesNotFitIsRefusedWithItsRow) {
  for (const std::int64_t seconds : {kMost / 1000000 + 1, kLeast / 1000000 - 1, kMost, kLeast}) {
    const std::vector<Moments> rows = {moments(0, 0, 0, 0), moments(0, 0, seconds, 0)};
    const Error error = refusal([&] { Frame{rows}; });
    EXPECT_EQ(error.code(), ErrorCode::wrong_type);
    EXPECT_EQ(error.what(), "column \"seconds\", row 1, value " + std::to_string(seconds) +
                                ": so far from 1970, this time does not fit into microseconds of 64 bits");
    EXPECT_EQ(error.facts().row, 1);
  }
}

// ---- lists, structs and nulls, at will ----

struct Leaf {
  std::optional<std::int64_t> n;
  std::optional<bool> flag;
  std::string text;
  std::vector<bool> bits;
};
CRV_ROW(Leaf, n, flag, text, bits)

struct Tree {
  std::int64_t tick;
  std::optional<Leaf> maybe;
  std::vector<Leaf> leaves;
  std::vector<std::optional<Leaf>> gaps;
  std::optional<std::vector<std::optional<double>>> numbers;
  std::optional<std::array<std::optional<bool>, 2>> pair;
  std::array<Position, 1> one;
};
CRV_ROW(Tree, tick, maybe, leaves, gaps, numbers, pair, one)

const auto kLeaf = arrow::struct_({field("n", arrow::int64()), field("flag", arrow::boolean()),
                                   field("text", arrow::utf8()), field("bits", list_type(arrow::boolean()))});

TEST(Row, NullsAtAllLevels) {
  const Leaf full = {.n = 1, .flag = true, .text = "a", .bits = {true, false, true}};
  const Leaf bare = {.n = {}, .flag = {}, .text = "", .bits = {}};
  std::vector<Tree> rows(4);
  rows[0] = {
      1, full, {full, bare}, {std::nullopt, full}, {{0.5, std::nullopt}}, {{true, std::nullopt}}, {{{1, 2}}}};
  rows[1] = {2, std::nullopt, {}, {}, std::nullopt, std::nullopt, {{{3, 4}}}};
  rows[2] = {3, bare, {bare}, {std::nullopt}, {{}}, {{std::nullopt, false}}, {{{5, 6}}}};
  rows[3] = {4,
             std::nullopt,
             {full, full, full},
             {full, std::nullopt, bare},
             std::vector<std::optional<double>>(1),
             std::nullopt,
             {}};
  const Frame frame = rows;
  EXPECT_TRUE(frame.table()->ValidateFull().ok());
  const std::string full_json = R"({"n": 1, "flag": true, "text": "a", "bits": [true, false, true]})";
  const std::string bare_json = R"({"n": null, "flag": null, "text": "", "bits": []})";
  expect_column(frame, "maybe", kLeaf, "[" + full_json + ", null, " + bare_json + ", null]");
  expect_column(frame, "leaves", list_type(kLeaf),
                "[[" + full_json + ", " + bare_json + "], [], [" + bare_json + "], [" + full_json + ", " +
                    full_json + ", " + full_json + "]]");
  expect_column(frame, "gaps", list_type(kLeaf),
                "[[null, " + full_json + "], [], [null], [" + full_json + ", null, " + bare_json + "]]");
  expect_column(frame, "numbers", list_type(arrow::float64()), "[[0.5, null], null, [], [null]]");
  expect_column(frame, "pair", list_type(arrow::boolean()), "[[true, null], null, [null, false], null]");
  expect_column(frame, "one",
                list_type(arrow::struct_({field("x", arrow::float64()), field("y", arrow::float64())})),
                R"([[{"x": 1, "y": 2}], [{"x": 3, "y": 4}], [{"x": 5, "y": 6}], [{"x": 0, "y": 0}]])");
}

TEST(Row, NestedTypesAndRulesInItsDescription) {
  const core::TableDescriptor table = describe_row<Tree>("tree");
  const std::string leaf = "struct{n: i64, flag: bool, text: str, bits: list[bool]}";
  const auto expect = [&](const std::string& column, const std::string& type, bool required) {
    EXPECT_EQ(text_of(table.find(column)->type), type);
    EXPECT_EQ(table.find(column)->required, required) << column;
  };
  expect("maybe", leaf, false);
  expect("leaves", "list[" + leaf + "]", true);
  expect("gaps", "list[" + leaf + "]", true);
  expect("numbers", "list[f64]", false);
  expect("pair", "list[bool]", false);
  expect("one", "list[struct{x: f64, y: f64}]", true);
  EXPECT_EQ(table.find("pair")->rule.length, 2);
  EXPECT_EQ(table.find("one")->rule.length, 1);
  EXPECT_FALSE(table.find("leaves")->rule.length.has_value());
}

// Many rows, so that columns grow, and bits of one block end within a byte of the next.
TEST(Row, ManyNestedRowsKeepTheirOrder) {
  std::vector<Tree> rows(20000);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto n = static_cast<std::int64_t>(i);
    rows[i].tick = n;
    if (i % 3 == 0) rows[i].maybe = Leaf{.n = n, .flag = i % 2 == 0, .text = std::to_string(i), .bits = {}};
    for (std::size_t k = 0; k < i % 5; ++k)
      rows[i].leaves.push_back({.n = n, .flag = k % 2 == 0, .text = std::string(k, 'x'), .bits = {k == 1}});
  }
  const Frame frame = rows;
  EXPECT_TRUE(frame.table()->ValidateFull().ok());
  const auto& maybe =
      static_cast<const arrow::StructArray&>(*frame.table()->GetColumnByName("maybe")->chunk(0));
  const auto& leaves =
      static_cast<const arrow::ListArray&>(*frame.table()->GetColumnByName("leaves")->chunk(0));
  const auto& items = static_cast<const arrow::StructArray&>(*leaves.values());
  const auto& numbers = static_cast<const arrow::Int64Array&>(*items.field(0));
  const auto& flags = static_cast<const arrow::BooleanArray&>(*items.field(1));
  const auto& texts = static_cast<const arrow::StringArray&>(*items.field(2));
  const auto& bits = static_cast<const arrow::ListArray&>(*items.field(3));
  EXPECT_EQ(maybe.null_count(), 20000 - 6667);
  for (std::int64_t i = 0; i < 20000; ++i) {
    ASSERT_EQ(maybe.IsValid(i), i % 3 == 0) << i;
    if (i % 3 == 0) {
      ASSERT_EQ(static_cast<const arrow::Int64Array&>(*maybe.field(0)).Value(i), i);
      ASSERT_EQ(static_cast<const arrow::StringArray&>(*maybe.field(2)).GetString(i), std::to_string(i));
    }
    ASSERT_EQ(leaves.value_length(i), i % 5);
    for (std::int64_t k = 0; k < i % 5; ++k) {
      const std::int64_t at = leaves.value_offset(i) + k;
      ASSERT_EQ(numbers.Value(at), i);
      ASSERT_EQ(flags.Value(at), k % 2 == 0) << i;
      ASSERT_EQ(texts.GetString(at), std::string(static_cast<std::size_t>(k), 'x'));
      ASSERT_EQ(bits.value_length(at), 1);
      ASSERT_EQ(static_cast<const arrow::BooleanArray&>(*bits.values()).Value(at), k == 1) << i;
    }
  }
}

// ---- the macros ----

class Private {
  CRV_ROW_MEMBERS(Private, tick_, secret, deeper)

 public:
  explicit Private(std::int64_t tick) : tick_(tick), secret(tick * 2) { deeper.hidden = tick * 3; }

 private:
  class Deeper {
   public:
    std::int64_t hidden = 0;
    CRV_ROW_MEMBERS(Deeper, hidden)
  };
  std::int64_t tick_;
  std::int64_t secret;
  Deeper deeper;
};

class Counter {
 public:
  Counter(std::int64_t at, std::string_view name) : tick(at), secret(name) {}
  CRV_ROW_MEMBERS(Counter, tick, secret)

 private:
  const std::int64_t tick;
  const std::string secret;
};

template <class Value>
struct Box {
  std::int64_t tick;
  Value value;
  CRV_ROW_MEMBERS(Box, tick, value)
};

TEST(Row, PrivateMembersAndTemplatesAreDescribedFromWithin) {
  const std::vector<Counter> counters = {Counter(3, "a"), Counter(4, "b")};
  const Frame frame = counters;
  expect_column(frame, "tick", arrow::int64(), "[3, 4]");
  expect_column(frame, "secret", arrow::utf8(), R"(["a", "b"])");
  EXPECT_EQ(describe_row<Counter>("counter").columns.size(), 3U);
  static_assert(IsRow<Private> && detail::kRowWidth<Private> == 3);
  expect_column(Frame(std::vector<Box<double>>{{1, 0.5}}), "value", arrow::float64(), "[0.5]");
  expect_column(Frame(std::vector<Box<std::string>>{{1, "x"}}), "value", arrow::utf8(), R"(["x"])");
}

struct Holder {
  std::int64_t tick;
  std::vector<Private> inside;
};
CRV_ROW(Holder, tick, inside)

TEST(Row, APrivateStructInsideAnother) {
  expect_column(
      Frame(std::vector<Holder>{{1, {Private(5)}}}), "inside",
      list_type(arrow::struct_({field("tick_", arrow::int64()), field("secret", arrow::int64()),
                                field("deeper", arrow::struct_({field("hidden", arrow::int64())}))})),
      R"([[{"tick_": 5, "secret": 10, "deeper": {"hidden": 15}}]])");
}

struct Wide {
  std::int64_t tick, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19,
      c20, c21, c22, c23, c24, c25, c26, c27, c28, c29, c30, c31, c32, c33, c34, c35, c36, c37, c38, c39, c40,
      c41, c42, c43, c44, c45, c46, c47, c48, c49, c50, c51, c52, c53, c54, c55, c56, c57, c58, c59, c60, c61,
      c62, c63;
};
CRV_ROW(Wide, tick, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20,
        c21, c22, c23, c24, c25, c26, c27, c28, c29, c30, c31, c32, c33, c34, c35, c36, c37, c38, c39, c40,
        c41, c42, c43, c44, c45, c46, c47, c48, c49, c50, c51, c52, c53, c54, c55, c56, c57, c58, c59, c60,
        c61, c62, c63)

TEST(Row, SixtyFourMembers) {
  Wide row{};
  row.c1 = 1;
  row.c63 = 63;
  const Frame frame = std::vector<Wide>(1, row);
  EXPECT_EQ(frame.table()->num_columns(), 64);
  expect_column(frame, "c1", arrow::int64(), "[1]");
  expect_column(frame, "c62", arrow::int64(), "[0]");
  expect_column(frame, "c63", arrow::int64(), "[63]");
  EXPECT_EQ(describe_row<Wide>("wide").columns.size(), 65U);  // with bucket
}

struct Short {
  std::int64_t tick;
  std::int64_t left_out;
};
CRV_ROW(Short, tick)

TEST(Row, AMemberThatIsNotNamedIsLeftOut) {
  EXPECT_EQ(Frame(std::vector<Short>{{1, 2}}).table()->schema()->ToString(), "tick: int64");
}

}  // namespace
}  // namespace crv::io
