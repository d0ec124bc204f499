// Tables of the user's own: defined, grown, read, and refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <arrow/api.h>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "crv/io/record.h"
#include "io/conform/own_columns.h"
#include "io/storage/paths.h"
#include "io/support/arrow_json.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

RunPaths paths() {
  return {"out", sim_run_id};
}

// `columns`: {"name": .., "type": .., ...}, ... after tick.
core::TableDescriptor definition(const std::string& columns, const std::string& name = "sheep") {
  const std::string rest = columns.empty() ? "" : "," + columns;
  return core::table_from_json(
      parse_json(R"({"name":")" + name + R"(","columns":[{"name":"tick","type":"i64"})" + rest + "]}"));
}

struct Column {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::string json;
};

Frame frame(const std::vector<Column>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const Column& column : columns) {
    fields.push_back(arrow::field(column.name, column.type));
    arrays.push_back(array_of(column.type, column.json));
  }
  return Frame(arrow::Table::Make(arrow::schema(fields), arrays));
}

Frame one(const std::string& name, const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  const std::int64_t rows = array_of(type, json)->length();
  std::string ticks = "[";
  for (std::int64_t i = 0; i < rows; ++i) ticks += (i > 0 ? "," : "") + std::to_string(i);
  return frame({{"tick", arrow::int64(), ticks + "]"}, {name, type, json}});
}

AppendOptions creating() {
  AppendOptions options;
  options.create = true;
  return options;
}

std::string columns_of(const std::shared_ptr<const core::TableDescriptor>& table) {
  std::string text = table->version.text().substr(0, 3);
  for (const core::ColumnDescriptor& column : table->columns) {
    if (column.name == "bucket") continue;
    text += " " + column.name + ":" + text_of(column.type);
    if (column.required) text += "!";
    if (column.inferred) text += "~";
  }
  return text;
}

// A column as rows of JSON.
std::string values(Dataset& dataset, const std::string& table, const std::string& column) {
  const std::shared_ptr<arrow::Table> rows = dataset.read(table);
  const auto found = rows->GetColumnByName(column);
  if (!found) return "no column";
  std::string text;
  for (std::int64_t i = 0; i < rows->num_rows(); ++i)
    text += (i > 0 ? " " : "") + found->GetScalar(i).ValueOrDie()->ToString();
  return text;
}

template <class Call>
Error refused(ErrorCode code, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(name_of(error.code()), std::string(name_of(code))) << error.what();
    return error;
  }
  ADD_FAILURE() << "was accepted";
  return {ErrorCode::interrupted, "was accepted"};
}

// Nothing on disk changes where `call` is refused.
template <class Call>
Error refused_on(const Disk& disk, ErrorCode code, const Call& call) {
  const auto files = disk->files();
  const auto folders = disk->folders();
  Error error = refused(code, call);
  EXPECT_EQ(disk->files(), files);
  EXPECT_EQ(disk->folders(), folders);
  return error;
}

std::vector<std::string> kinds(Dataset& dataset) {
  std::vector<std::string> all;
  for (const CommitInfo& commit : dataset.log()) all.push_back(commit.kind);
  return all;
}

// ---- one commit, seen by all ----

TEST(OwnTable, IsDefinedAndFilledInOneCommit) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const AppendSummary summary = append_own(dataset, "sheep", own_rows({1, 12}, 5));
  EXPECT_THAT(summary.defined, ElementsAre("tick: i64", "quantity: i64"));
  EXPECT_EQ(summary.rows, 2);
  const std::vector<CommitInfo> log = dataset.log();
  ASSERT_THAT(log, SizeIs(1));
  EXPECT_EQ(log[0].kind, "define");
  ASSERT_THAT(log[0].tables, SizeIs(1));
  EXPECT_EQ(log[0].tables[0].rows_added, 2);
  EXPECT_EQ(log[0].tables[0].defined.substr(0, 4), "1.0@");
  EXPECT_EQ(seen_on(disk), (Seen{{"sheep", {{1, 5}, {12, 6}}}}));
  Dataset other = sim_dataset(disk);
  EXPECT_EQ(columns_of(other.find_table("sheep")), "1.0 tick:i64! quantity:i64~");
  EXPECT_TRUE(other.verify().ok);
  EXPECT_THAT(append_own(other, "sheep", own_rows({3}, 7)).defined, IsEmpty());
  EXPECT_THAT(kinds(other), ElementsAre("define", "append"));
}

TEST(OwnTable, IsKnownToADatasetThatHadTheRunOpen) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset early = sim_dataset(disk);
  early.append("holdings", holdings({1}));
  EXPECT_EQ(early.find_table("sheep"), nullptr);
  Dataset other = sim_dataset(disk);
  other.create_table(definition(R"({"name":"energy","type":"f64"})"));
  EXPECT_EQ(columns_of(early.find_table("sheep")), "1.0 tick:i64! energy:f64");
  early.append("sheep", one("energy", arrow::int32(), "[3]"));
  EXPECT_EQ(values(other, "sheep", "energy"), "3");
}

TEST(OwnTable, WithoutRowsIsReadAsItIsDefined) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.create_table(definition(
      R"({"name":"at","type":"list[f64]"},{"name":"home","type":"struct{x: f64}"},{"name":"on","type":"bool"},{"name":"when","type":"timestamp"})"));
  const auto schema = dataset.scan("sheep").schema();
  EXPECT_EQ(schema->ToString(),
            "bucket: int64\ntick: int64\nat: list<element: double>\n"
            "home: struct<x: double>\non: bool\nwhen: timestamp[us, tz=UTC]");
  EXPECT_EQ(dataset.read("sheep")->num_rows(), 0);
  EXPECT_THAT(dataset.tables(), SizeIs(1));
}

TEST(OwnTable, DefinedAgainAsItIsWritesNothing) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const auto wanted = definition(R"({"name":"energy","type":"f64","min":0})");
  dataset.create_table(wanted);
  const auto files = disk->files();
  EXPECT_EQ(columns_of(dataset.create_table(wanted)), "1.0 tick:i64! energy:f64");
  EXPECT_EQ(
      columns_of(sim_dataset(disk).create_table(definition(R"({"name":"energy","type":"i64","min":3})"))),
      "1.0 tick:i64! energy:f64");
  EXPECT_EQ(disk->files(), files);
  EXPECT_EQ(columns_of(dataset.create_table(definition(R"({"name":"born","type":"timestamp"})"))),
            "1.1 tick:i64! energy:f64 born:timestamp[us, tz=UTC]");
  EXPECT_THAT(kinds(dataset), ElementsAre("define", "define"));
}

TEST(OwnTable, AFrameWithoutRowsDefinesNothing) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  EXPECT_THAT(append_own(dataset, "sheep", one("x", arrow::int64(), "[]")).defined, IsEmpty());
  EXPECT_THAT(disk->files(), IsEmpty());
}

// ---- widening ----

TEST(OwnTable, InferredColumnsWidenAndAllRowsAreReadAlike) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  append_own(dataset, "sheep", one("x", arrow::null(), "[null]"));
  EXPECT_EQ(columns_of(dataset.find_table("sheep")), "1.0 tick:i64! x:null~");
  append_own(dataset, "sheep", one("x", arrow::int64(), "[7]"));
  // An append that defines nothing new by itself widens all the same.
  EXPECT_THAT(dataset.append("sheep", one("x", arrow::float64(), "[0.5]")).defined, ElementsAre("x: f64"));
  EXPECT_EQ(columns_of(dataset.find_table("sheep")), "1.2 tick:i64! x:f64~");
  EXPECT_THAT(dataset.append("sheep", one("x", arrow::int64(), "[8]")).defined, IsEmpty());
  EXPECT_EQ(values(dataset, "sheep", "x"), "null 7 0.5 8");
  EXPECT_THAT(kinds(dataset), ElementsAre("define", "define", "define", "append"));
  EXPECT_TRUE(dataset.verify().ok);
}

TEST(OwnTable, IntegersThatNoFloatIsEqualToNeverWiden) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  append_own(dataset, "sheep", one("x", arrow::int64(), "[9007199254740993]"));
  refused_on(disk, ErrorCode::type_conflict,
             [&] { append_own(dataset, "sheep", one("x", arrow::float64(), "[0.5]")); });
  refused_on(disk, ErrorCode::definition_conflict,
             [&] { dataset.create_table(definition(R"({"name":"x","type":"f64"})")); });
  dataset.create_table(definition(R"({"name":"y","type":"i64"})", "wolf"));
  dataset.append("wolf", one("y", arrow::int64(), "[9007199254740993]"));
  refused_on(disk, ErrorCode::definition_conflict,
             [&] { dataset.create_table(definition(R"({"name":"y","type":"f64"})", "wolf")); });
  EXPECT_EQ(values(dataset, "wolf", "y"), "9007199254740993");
}

TEST(OwnTable, DeclaredColumnsGrowByDefinitionAlone) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.create_table(definition(R"({"name":"x","type":"i64"})"));
  dataset.append("sheep", one("x", arrow::int64(), "[1]"));
  refused_on(disk, ErrorCode::lossy_cast,
             [&] { append_own(dataset, "sheep", one("x", arrow::float64(), "[0.5]")); });
  dataset.create_table(definition(R"({"name":"x","type":"f64"})"));
  dataset.append("sheep", one("x", arrow::float64(), "[0.5]"));
  EXPECT_EQ(values(dataset, "sheep", "x"), "1 0.5");
  EXPECT_TRUE(dataset.verify().ok);
}

TEST(OwnTable, ColumnsThatComeLaterAreNullBefore) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  append_own(dataset, "sheep", one("x", arrow::int64(), "[1]"));
  refused_on(disk, ErrorCode::unknown_column,
             [&] { dataset.append("sheep", one("y", arrow::utf8(), R"(["a"])")); });
  append_own(dataset, "sheep", one("y", arrow::utf8(), R"(["a"])"));
  EXPECT_EQ(values(dataset, "sheep", "y"), "null a");
  EXPECT_EQ(values(dataset, "sheep", "x"), "1 null");
}

TEST(OwnTable, NestedInferredColumnsKeepTheirFieldsInTheLog) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  append_own(dataset, "sheep", one("p", arrow::struct_({arrow::field("a", arrow::int64())}), R"([{"a":1}])"));
  append_own(dataset, "sheep",
             one("p", arrow::struct_({arrow::field("b", arrow::utf8()), arrow::field("a", arrow::float64())}),
                 R"([{"b":"x","a":0.5}])"));
  EXPECT_EQ(columns_of(dataset.find_table("sheep")), "1.0 tick:i64! p:struct~");
  EXPECT_EQ(write_json(Json(dataset.columns("sheep"))),
            R"({"bucket":"i64","tick":"i64","p":{"struct":{"a":"f64","b":"str"}}})");
  append_own(dataset, "sheep", one("l", arrow::list(arrow::int64()), "[[1,2]]"));
  refused_on(disk, ErrorCode::type_conflict,
             [&] { append_own(dataset, "sheep", one("l", arrow::list(arrow::utf8()), R"([["a"]])")); });
}

// ---- declared types ----

TEST(OwnTable, HoldsWhatIsDeclaredAndRefusesTheRest) {
  struct Case {
    const char* type;
    std::shared_ptr<arrow::DataType> given;
    const char* json;
    const char* expected;  // as read; nullptr: refused
    ErrorCode code = ErrorCode::wrong_type;
  };
  const auto us = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  for (const Case& c : std::vector<Case>{
           {"bool", arrow::boolean(), "[true]", "true"},
           {"bool", arrow::int64(), "[1]", nullptr},
           {"bool", arrow::utf8(), R"(["true"])", nullptr},
           {"timestamp", us, "[1000000]", "1970-01-01 00:00:01.000000Z"},
           {"timestamp", arrow::timestamp(arrow::TimeUnit::NANO, "Europe/Berlin"), "[5000]",
            "1970-01-01 00:00:00.000005Z"},
           {"timestamp", arrow::timestamp(arrow::TimeUnit::NANO, "UTC"), "[5001]", nullptr,
            ErrorCode::lossy_cast},
           {"timestamp", arrow::timestamp(arrow::TimeUnit::SECOND, "UTC"), "[9223372036854775807]", nullptr,
            ErrorCode::wrong_type},
           {"timestamp", arrow::timestamp(arrow::TimeUnit::MICRO), "[1]", nullptr, ErrorCode::type_conflict},
           {"timestamp", arrow::utf8(), R"(["2026-01-31T12:00:00Z"])", "2026-01-31 12:00:00.000000Z"},
           {"timestamp", arrow::utf8(), R"(["2026-01-31T12:00:00.0000001Z"])", nullptr,
            ErrorCode::lossy_cast},
           {"timestamp", arrow::utf8(), R"(["2026-01-31T12:00:00"])", nullptr, ErrorCode::lossy_cast},
           {"timestamp", arrow::utf8(), R"(["soon"])", nullptr, ErrorCode::lossy_cast},
           {"timestamp", arrow::int64(), "[1]", nullptr, ErrorCode::type_conflict},
           {"date32[day]", arrow::date32(), "[1]", "1970-01-02"},
           {"date32[day]", arrow::utf8(), R"(["2026-02-30"])", nullptr, ErrorCode::lossy_cast},
           {"time64[us]", arrow::time64(arrow::TimeUnit::NANO), "[5000]", "00:00:00.000005"},
           {"time64[us]", arrow::time64(arrow::TimeUnit::NANO), "[5001]", nullptr, ErrorCode::lossy_cast},
           {"time64[ns]", arrow::time32(arrow::TimeUnit::MILLI), "[5]", "00:00:00.005000000"},
           {"list[struct{key: str, value: i64}]", arrow::map(arrow::utf8(), arrow::int64()), R"([[["a",1]]])",
            "{key:string = a, value:int64 = 1}"},
           {"list[str]", arrow::map(arrow::utf8(), arrow::int64()), R"([[["a",1]]])", nullptr},
           {"binary", arrow::binary(), R"(["ab"])", "ab"},
           {"list[f64]", arrow::list(arrow::int32()), "[[1,2]]", "list<element: double>[1, 2]"},
           {"list[f64]", arrow::fixed_size_list(arrow::float32(), 2), "[[1,2]]",
            "list<element: double>[1, 2]"},
           {"list[f64]", arrow::list(arrow::utf8()), R"([["a"]])", nullptr, ErrorCode::type_conflict},
           {"list[i64]", arrow::list(arrow::float64()), "[[0.5]]", nullptr},
           {"list[f64]", arrow::float64(), "[1]", nullptr},
           {"struct{x: f64}", arrow::struct_({arrow::field("x", arrow::int64())}), R"([{"x":1}])",
            "{x:double = 1}"},
           {"struct{x: f64}", arrow::struct_({arrow::field("y", arrow::int64())}), R"([{"y":1}])", nullptr,
            ErrorCode::unknown_column},
           {"struct{x: f64, ...}", arrow::struct_({arrow::field("y", arrow::int64())}), R"([{"y":1}])",
            "{x:double = null, y:int64 = 1}"},
           {"struct{x: str}", arrow::struct_({arrow::field("x", arrow::int64())}), R"([{"x":1}])",
            "{x:string = 1}"},
           {"struct{x: f64}", arrow::utf8(), R"(["{}"])", nullptr},
           {"str", arrow::int64(), "[12]", "12"},
           {"i64", arrow::utf8(), R"(["12"])", "12"},
       }) {
    SCOPED_TRACE(std::string(c.type) + " of " + c.given->ToString() + " " + c.json);
    const Disk disk = std::make_shared<SimOs>();
    Dataset dataset = sim_dataset(disk);
    dataset.create_table(definition(R"({"name":"x","type":")" + std::string(c.type) + "\"}"));
    const auto append = [&] { dataset.append("sheep", one("x", c.given, c.json)); };
    if (!c.expected) {
      EXPECT_EQ(refused_on(disk, c.code, append).facts().table, "sheep");
      continue;
    }
    EXPECT_NO_THROW(append());
    EXPECT_THAT(values(dataset, "sheep", "x"), HasSubstr(c.expected));
    dataset.append("sheep", one("x", c.given, "[null]"));
    EXPECT_TRUE(dataset.verify().ok);
  }
}

TEST(OwnTable, AListHasItsLengthWhateverIsAskedFor) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.create_table(definition(R"({"name":"at","type":"list[f64]","length":2})"));
  dataset.append("sheep", one("at", arrow::list(arrow::float64()), "[[1,2],null]"));
  AppendOptions unchecked;
  unchecked.validate_schema = false;
  const Error error = refused_on(disk, ErrorCode::wrong_type, [&] {
    dataset.append("sheep", one("at", arrow::list(arrow::float64()), "[[1,2],[1,2,3]]"), unchecked);
  });
  EXPECT_EQ(error.facts().row, 1);
}

TEST(OwnTable, RulesAreThoseOfTheDefinition) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.create_table(definition(
      R"({"name":"id","type":"str","unique":true,"not_empty":true},{"name":"kind","type":"str","one_of":["ram","ewe"]},)"
      R"({"name":"energy","type":"f64","min":0,"max":1,"finite":true},{"name":"at","type":"list[i64]","length":1})"));
  const Frame rows = frame({{"tick", arrow::int64(), "[0,1,2,3,4,5]"},
                            {"id", arrow::utf8(), R"(["a","b","a","","d","e"])"},
                            {"kind", arrow::utf8(), R"(["ram","ewe","ram","ram","goat",null])"},
                            {"energy", arrow::float64(), "[0,1,0.5,0.5,2,NaN]"},
                            {"at", arrow::list(arrow::int64()), "[[1],[1,2],[1],[1],[1],[1]]"}});
  AppendOptions options;
  options.validate_rows = true;
  const Error error = refused_on(disk, ErrorCode::row_rule, [&] { dataset.append("sheep", rows, options); });
  std::vector<std::string> broken;
  for (const Violation& v : error.facts().violations) {
    broken.push_back(v.column + " " + v.rule + " " + std::to_string(v.count));
    EXPECT_FALSE(v.first.empty());
  }
  EXPECT_THAT(broken,
              UnorderedElementsAre("id column.unique 1", "id column.not_empty 1", "kind column.one_of 1",
                                   "energy column.range 2", "energy column.finite 1", "at column.type 1"));
  options.on_invalid = OnInvalid::quarantine;
  const AppendSummary summary = dataset.append("sheep", rows, options);
  EXPECT_EQ(summary.quarantined, 5);
  EXPECT_EQ(values(dataset, "sheep", "id"), "a");
  EXPECT_EQ(dataset.read("quarantine")->num_rows(), 5);
  EXPECT_EQ(values(dataset, "quarantine", "source_table").substr(0, 5), "sheep");
}

TEST(OwnTable, RequiredColumnsMustBeGivenWithoutNulls) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.create_table(definition(R"({"name":"id","type":"str","required":true})"));
  refused_on(disk, ErrorCode::missing_column, [&] {
    dataset.append("sheep", frame({{"tick", arrow::int64(), "[0]"}}));
  });
  refused_on(disk, ErrorCode::null_value,
             [&] { dataset.append("sheep", one("id", arrow::utf8(), R"(["a",null])")); });
}

// ---- refused, and nothing changes ----

TEST(OwnTable, WhatCannotBeDefinedLeavesNoTrace) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  refused_on(disk, ErrorCode::unknown_table, [&] { dataset.append("sheep", own_rows({1})); });
  refused_on(disk, ErrorCode::unknown_table_in_scan, [&] { dataset.scan("sheep"); });
  refused_on(disk, ErrorCode::unknown_table, [&] { dataset.columns("sheep"); });
  refused_on(disk, ErrorCode::unknown_table, [&] { append_own(dataset, "quarantine", own_rows({1})); });
  refused_on(disk, ErrorCode::bad_definition, [&] { append_own(dataset, "Sheep", own_rows({1})); });
  refused_on(disk, ErrorCode::bad_definition, [&] { append_own(dataset, "../x", own_rows({1})); });
  refused_on(disk, ErrorCode::bad_definition, [&] { append_own(dataset, "", own_rows({1})); });
  refused_on(disk, ErrorCode::bad_definition,
             [&] { append_own(dataset, "sheep", one("a\nb", arrow::int64(), "[1]")); });
  refused_on(disk, ErrorCode::reserved_name,
             [&] { append_own(dataset, "sheep", one("^a$", arrow::int64(), "[1]")); });
  refused_on(disk, ErrorCode::reserved_name,
             [&] { append_own(dataset, "sheep", one("TICK", arrow::int64(), "[1]")); });
  refused_on(disk, ErrorCode::bad_tick, [&] {
    append_own(dataset, "sheep", frame({{"tick", arrow::int64(), "[-1]"}}));
  });
  refused_on(disk, ErrorCode::missing_column, [&] {
    append_own(dataset, "sheep", frame({{"x", arrow::int64(), "[1]"}}));
  });
  refused_on(disk, ErrorCode::wrong_type, [&] {
    append_own(dataset, "sheep", one("x", arrow::duration(arrow::TimeUnit::SECOND), "[1]"));
  });
  refused_on(disk, ErrorCode::bad_definition,
             [&] { dataset.create_table(definition(R"({"name":"x","type":"foo"})")); });
  refused_on(disk, ErrorCode::bad_definition,
             [&] { dataset.create_table(definition(R"({"name":"x","type":"list[duration[s]]"})")); });
  refused_on(disk, ErrorCode::reserved_name, [&] { dataset.create_table(definition("", "holdings")); });
  EXPECT_THAT(disk->files(), IsEmpty());
}

TEST(OwnTable, OneFrameThatIsRefusedKeepsAllTablesAsTheyWere) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({1}));
  const std::vector<TableFrame> frames{{"sheep", own_rows({1})},
                                       {"holdings", holdings({2})},
                                       {"sheep", one("quantity", arrow::utf8(), R"(["x"])")}};
  refused_on(disk, ErrorCode::type_conflict, [&] { dataset.append(frames, creating()); });
}

TEST(OwnTable, FramesOfOneTableDefineItTogether) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const std::vector<TableFrame> frames{{"sheep", own_rows({1}, 4)}, {"sheep", own_rows({2}, 5, true)}};
  const auto summaries = dataset.append(frames, creating());
  EXPECT_EQ(columns_of(dataset.find_table("sheep")), "1.0 tick:i64! quantity:f64~");
  EXPECT_EQ(values(dataset, "sheep", "quantity"), "4 5.5");
  EXPECT_THAT(kinds(dataset), ElementsAre("define"));
  EXPECT_TRUE(dataset.verify().ok);
}

TEST(OwnTable, ATokenNamesTheAppendThatDefined) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  AppendOptions options = creating();
  options.token = Token{"engine", 1};
  EXPECT_FALSE(dataset.append("sheep", own_rows({1}), options).repeated);
  const AppendSummary again = sim_dataset(disk).append("sheep", own_rows({1}), options);
  EXPECT_TRUE(again.repeated);
  EXPECT_THAT(again.defined, IsEmpty());
  EXPECT_THAT(kinds(dataset), ElementsAre("define"));
}

// ---- side by side ----

// Another Dataset acts right before the first commit of `disk` is linked.
void before_commit(const Disk& disk, std::int64_t seq, const std::function<void()>& action) {
  auto done = std::make_shared<bool>(false);
  disk->set_hook([=](const SimOp& op) {
    if (!*done && op.call == OsCall::link && op.to == paths().commit(seq)) {
      *done = true;
      action();
    }
    return 0;
  });
}

TEST(OwnTable, TwoThatDefineAtOnceGetWhatOneAfterTheOtherWould) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset first = sim_dataset(disk), second = sim_dataset(disk);
  before_commit(disk, 1, [&] { second.create_table(definition(R"({"name":"b","type":"i64"})")); });
  const auto made = first.create_table(definition(R"({"name":"a","type":"f64"})"));
  disk->set_hook({});
  EXPECT_EQ(columns_of(made), "1.1 tick:i64! b:i64 a:f64");
  EXPECT_EQ(columns_of(second.find_table("sheep")), "1.1 tick:i64! b:i64 a:f64");
  EXPECT_THAT(kinds(first), ElementsAre("define", "define"));
}

TEST(OwnTable, OneThatDefinesWhatAnotherRefusesIsRefused) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset first = sim_dataset(disk), second = sim_dataset(disk);
  before_commit(disk, 1, [&] { second.create_table(definition(R"({"name":"a","type":"str"})")); });
  refused(ErrorCode::definition_conflict,
          [&] { first.create_table(definition(R"({"name":"a","type":"f64"})")); });
  disk->set_hook({});
  EXPECT_THAT(kinds(second), ElementsAre("define"));
  EXPECT_TRUE(second.verify().ok);
}

TEST(OwnTable, AnAppendIsCheckedAgainAgainstADefinitionThatCameMeanwhile) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset first = sim_dataset(disk), second = sim_dataset(disk);
  before_commit(disk, 1, [&] { append_own(second, "sheep", own_rows({1}, 7, true)); });
  append_own(first, "sheep", own_rows({2}, 3));
  disk->set_hook({});
  EXPECT_EQ(values(first, "sheep", "quantity"), "7.5 3");
  EXPECT_EQ(columns_of(first.find_table("sheep")), "1.0 tick:i64! quantity:f64~");
  EXPECT_THAT(kinds(first), ElementsAre("define", "append"));
  EXPECT_THAT(part_files(*disk), SizeIs(2));
  EXPECT_TRUE(first.verify().ok);
}

TEST(OwnTable, AnAppendThatADeclarationMeanwhileForbidsIsRefused) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset first = sim_dataset(disk), second = sim_dataset(disk);
  before_commit(disk, 1, [&] {
    second.create_table(
        definition(R"({"name":"quantity","type":"str"},{"name":"id","type":"str","required":true})"));
  });
  refused(ErrorCode::missing_column, [&] { append_own(first, "sheep", own_rows({2}, 3)); });
  disk->set_hook({});
  EXPECT_THAT(part_files(*disk), IsEmpty());
  EXPECT_THAT(kinds(second), ElementsAre("define"));
}

// ---- folders that are none ----

TEST(OwnTable, AFolderWithoutADefinitionIsNoTable) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  append_own(dataset, "sheep", own_rows({1}));
  disk->put(join(paths().table("notes"), "readme.txt"), "mine");
  disk->put(paths().manifest("sheep_old"),
            disk->files().at(paths().manifest("sheep")));  // a copy of the folder
  disk->put(paths().manifest("torn"), "{");
  disk->put(join(paths().bucket("stray", 0), "part-" + std::string(32, 'a') + ".parquet"), "PAR1");
  Dataset other = sim_dataset(disk);
  EXPECT_EQ(other.find_table("notes"), nullptr);
  EXPECT_THAT(other.tables(), SizeIs(1));
  EXPECT_TRUE(other.verify().ok) << write_json(to_json(other.verify()));
  refused(ErrorCode::unknown_table_in_scan, [&] { other.scan("notes"); });
  refused(ErrorCode::unknown_table, [&] { other.rebuild_manifest("notes"); });
  refused(ErrorCode::table_missing, [&] { other.scan("stray"); });
  EXPECT_EQ(other.manifest("notes"), std::nullopt);
  EXPECT_EQ(other.find_table("sheep_old"), nullptr);
  refused(ErrorCode::unknown_table, [&] { other.columns("torn"); });
  other.write_bundle();
  other.refresh_manifests();
  append_own(other, "notes", own_rows({4}, 9));
  EXPECT_EQ(seen_on(disk), (Seen{{"sheep", {{1, 0}}}, {"notes", {{4, 9}}}}));
}

TEST(OwnTable, ThatHasLostItsManifestIsNotCalledUnknown) {
  const Disk disk = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(disk);
    append_own(dataset, "sheep", own_rows({1}));
  }
  disk->erase(paths().manifest("sheep"));
  Dataset dataset = sim_dataset(disk);
  refused_on(disk, ErrorCode::table_missing, [&] { dataset.scan("sheep"); });
  refused_on(disk, ErrorCode::table_missing, [&] { dataset.append("sheep", own_rows({2})); });
  refused_on(disk, ErrorCode::table_missing, [&] { append_own(dataset, "sheep", own_rows({2})); });
  EXPECT_FALSE(dataset.verify().ok);
  EXPECT_TRUE(dataset.rebuild_manifest("sheep").from_log);
  EXPECT_EQ(seen_on(disk), (Seen{{"sheep", {{1, 0}}}}));
}

// ---- rebuilt ----

Disk run_with_history() {
  Disk disk = std::make_shared<SimOs>();
  put_run(*disk, 4);
  Dataset dataset = sim_dataset(disk);
  dataset.create_table(
      definition(R"({"name":"energy","type":"f64","unit":"J","doc":"Left","min":0})", "wolf"));
  append_own(dataset, "sheep", own_rows({1, 12}, 0));
  dataset.append("holdings", holdings({3}, 5));
  dataset.append("wolf", one("energy", arrow::float64(), "[1]"));
  append_own(dataset, "sheep", own_rows({2}, 3, true));
  append_own(dataset, "sheep", one("name", arrow::utf8(), R"(["x"])"));
  return disk;
}

// Without a commit or a manifest nothing tells in which order parts of a bucket came.
Seen sorted(Seen rows) {
  for (auto& [table, of_table] : rows) std::ranges::sort(of_table);
  return rows;
}

void expect_same_tables(const Disk& disk, const std::string& what) {
  SCOPED_TRACE(what);
  const Disk whole = run_with_history();
  Dataset dataset = sim_dataset(disk), expected = sim_dataset(whole);
  EXPECT_EQ(sorted(seen(dataset)), sorted(seen(expected)));
  for (const char* table : {"sheep", "wolf"}) {
    ASSERT_NE(dataset.find_table(table), nullptr);
    EXPECT_EQ(write_json(core::to_json(*dataset.find_table(table))),
              write_json(core::to_json(*expected.find_table(table))));
    EXPECT_EQ(write_json(Json(dataset.columns(table))), write_json(Json(expected.columns(table))));
  }
  const VerifyReport report = dataset.verify();
  EXPECT_TRUE(report.ok) << write_json(to_json(report));
}

TEST(OwnTableRebuilt, IsTheSameWhateverWasLost) {
  const Disk whole = run_with_history();
  sim_dataset(whole).refresh_manifests();
  const auto lose = [&](const std::string& what, const std::function<void(SimOs&)>& damage) {
    SCOPED_TRACE(what);
    const Disk disk = whole->clone();
    damage(*disk);
    sim_dataset(disk).rebuild_manifest("sheep");
    expect_same_tables(disk, what);
  };
  const auto manifests = [](SimOs& disk) {
    for (const char* table : {"sheep", "wolf", "holdings"}) disk.erase(paths().manifest(table));
  };
  lose("the log", [](SimOs& disk) { disk.erase(paths().log()); });
  lose("the log and all manifests", [&](SimOs& disk) {
    disk.erase(paths().log());
    manifests(disk);
  });
  lose("a manifest", [](SimOs& disk) { disk.erase(paths().manifest("sheep")); });
  lose("the last commit", [&](SimOs& disk) { disk.put(paths().commit(6), "{}"); });
  lose("run.json and a commit", [&](SimOs& disk) {
    disk.erase(paths().run_json());
    disk.erase(paths().commit(5));
  });
}

TEST(OwnTableRebuilt, WithoutRowsItIsStillDefined) {
  const Disk disk = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(disk);
    dataset.append("holdings", holdings({1}));
    dataset.create_table(definition(R"({"name":"energy","type":"f64"})"));
    dataset.append("holdings", holdings({2}));
  }
  disk->put(paths().commit(3), "{}");
  Dataset dataset = sim_dataset(disk);
  EXPECT_FALSE(dataset.rebuild_manifest("holdings").from_log);
  EXPECT_EQ(columns_of(sim_dataset(disk).find_table("sheep")), "1.0 tick:i64! energy:f64");
  EXPECT_TRUE(sim_dataset(disk).verify().ok);
}

TEST(OwnTableRebuilt, OfAPartThatWasNeverCommittedTheDefinitionDoesNotCount) {
  const Disk disk = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(disk);
    append_own(dataset, "sheep", own_rows({1}, 5));
  }
  {
    std::vector<std::string> warnings;
    Dataset dataset = sim_dataset(disk, &warnings);
    disk->set_hook(
        [](const SimOp& op) { return op.call == OsCall::link && op.to == paths().commit(2) ? 5 : 0; });
    EXPECT_THROW(append_own(dataset, "sheep", own_rows({2}, 6, true)), IoCommitUnknownError);
    disk->set_hook({});
  }
  ASSERT_THAT(part_files(*disk), SizeIs(2));
  disk->erase(paths().manifest("sheep"));
  sim_dataset(disk).rebuild_manifest("sheep");
  EXPECT_EQ(columns_of(sim_dataset(disk).find_table("sheep")), "1.0 tick:i64! quantity:i64~");
  EXPECT_EQ(seen_on(disk), (Seen{{"sheep", {{1, 5}}}}));
}

TEST(OwnTableRebuilt, PartsInAFolderThatNothingDefinesAreForeign) {
  const Disk disk = run_with_history();
  disk->put(join(paths().bucket("stray", 0), "part-" + std::string(32, 'a') + ".parquet"),
            disk->files().at(part_files(*disk).front()));
  disk->erase(paths().log());
  const RebuildReport report = sim_dataset(disk).rebuild_manifest("sheep");
  EXPECT_THAT(report.foreign, Contains(HasSubstr("stray")));
  EXPECT_EQ(sim_dataset(disk).find_table("stray"), nullptr);
  expect_same_tables(disk, "stray");
}

TEST(OwnTable, FoldsCarryTheDefinitions) {
  const Disk disk = run_with_history();
  Dataset dataset = sim_dataset(disk);
  for (int i = 0; i < 8; ++i) dataset.append("holdings", holdings({1}));
  dataset.close();
  const auto files = disk->files();
  const std::string fold = paths().fold(5, 8);
  ASSERT_TRUE(files.contains(fold));
  const std::string& text = files.at(fold);
  const std::string last = text.substr(text.rfind('\n', text.size() - 2) + 1);
  EXPECT_THAT(last, HasSubstr(R"("definitions":{"sheep":{"name":"sheep","version":"1.2@)"));
  EXPECT_THAT(last, HasSubstr(R"("wolf":{"name":"wolf","version":"1.0@)"));
}

// ---- damage ----

TEST(OwnTable, ADamagedDefinitionIsATypedError) {
  const Disk whole = std::make_shared<SimOs>();
  append_own(*std::make_unique<Dataset>(sim_dataset(whole)), "sheep", own_rows({1}));
  const std::string manifest = whole->files().at(paths().manifest("sheep"));
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"("type": "i64",)", R"("type": "i65",)"}, {R"("name": "sheep")", R"("name": "wolf")"}}) {
    const Disk disk = whole->clone();
    std::string changed = manifest;
    const std::size_t at = changed.rfind(from);
    if (at == std::string::npos) continue;
    changed.replace(at, from.size(), to);
    disk->put(paths().manifest("sheep"), changed);
    Dataset dataset = sim_dataset(disk);
    refused(ErrorCode::manifest_damaged, [&] { dataset.read("sheep"); });
    EXPECT_FALSE(dataset.verify().ok);
  }
}

TEST(OwnTable, TheBundleTellsWhatItIs) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  append_own(dataset, "sheep", own_rows({1}));
  dataset.append("holdings", holdings({1}));
  const std::string text = write_json(dataset.write_bundle());
  EXPECT_THAT(text, HasSubstr(R"("definition":)" + write_json(core::to_json(*dataset.find_table("sheep")))));
  EXPECT_EQ(text.find("definition"), text.rfind("definition"));
}

// ---- rows of JSON lines ----

TEST(OwnTable, IsRecordedFromJsonLines) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  RecordOptions options;
  options.append.create = true;
  JsonLinesRecorder recorder(dataset, options);
  recorder.add_line(R"({"table":"sheep","tick":0,"energy":1})");
  recorder.add_line(R"({"table":"wolf","tick":0,"name":"w"})");
  recorder.add_line(R"({"table":"sheep","tick":1,"energy":1.5})");
  recorder.finish();
  EXPECT_EQ(values(dataset, "sheep", "energy"), "1 1.5");
  EXPECT_THAT(kinds(dataset), ElementsAre("define", "define"));
  JsonLinesRecorder strict(dataset);
  EXPECT_EQ(refused(ErrorCode::unknown_table, [&] { strict.add_line(R"({"table":"newt","tick":2})"); })
                .facts()
                .line,
            1);
}

}  // namespace
}  // namespace crv::io
