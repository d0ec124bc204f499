// Tables whose rows are structs: defined by the first append, and read back as they were.
#include "crv/io/table_of.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/refusal.h"
#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "crv/io/json_rows.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using crv::testing::refusal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Disk = std::shared_ptr<SimOs>;

enum class Kind { sheep, wolf };
CRV_ENUM(Kind, sheep, wolf)

struct Position {
  double x, y;
};
CRV_ROW(Position, x, y)

struct Animal {
  std::int64_t tick = 0;
  std::string id{};
  std::optional<double> age{};
  Kind kind = Kind::sheep;
  std::array<double, 2> at{};
  std::vector<std::int64_t> lambs{};
  std::optional<Position> home{};
  std::vector<Position> path{};
  std::chrono::sys_time<std::chrono::milliseconds> seen{};
  std::vector<std::byte> genes{};
  bool wild = false;
};
CRV_ROW(Animal, tick, id, age, kind, at, lambs, home, path, seen, genes, wild)

// A struct, what became of it, and one that does not meet it.
struct Early {
  std::int64_t tick;
  std::optional<std::string> id;
};
CRV_ROW(Early, tick, id)
struct Grown {
  std::int64_t tick;
  std::optional<std::string> id;
  std::optional<double> age;
};
CRV_ROW(Grown, tick, id, age)
struct Other {
  std::int64_t tick;
  std::optional<double> id;
};
CRV_ROW(Other, tick, id)

std::vector<std::string> rows_in(Dataset& dataset, const std::string& table) {
  std::vector<std::string> rows;
  for (const JsonObject& row : rows_to_json(*dataset.read(table))) rows.push_back(write_json(row));
  return rows;
}

std::vector<std::string> kinds(Dataset& dataset) {
  std::vector<std::string> kinds;
  for (const CommitInfo& commit : dataset.log()) kinds.push_back(commit.kind);
  return kinds;
}

TEST(TableOf, DefinesItsTableByTheFirstAppendAndIsReadBack) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const TableOf<Animal> animals = dataset.table<Animal>("animals");
  EXPECT_EQ(animals.name(), "animals");
  EXPECT_THAT(kinds(dataset), IsEmpty());
  const Animal dolly = {
      .tick = 3,
      .id = "dolly",
      .age = 6.5,
      .at = {1, 2},
      .lambs = {4, 5},
      .home = Position{.x = 6, .y = 7},
      .path = {{.x = 8, .y = 9}},
      .seen = std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(1500)),
      .genes = {std::byte{'g'}},
      .wild = true};
  const AppendSummary summary =
      animals.append(std::vector<Animal>{dolly, {.tick = 4, .id = "akela", .kind = Kind::wolf}});
  EXPECT_EQ(summary.table, "animals");
  EXPECT_EQ(summary.rows, 2);
  animals.append(std::array<Animal, 1>{dolly});
  EXPECT_THAT(kinds(dataset), ElementsAre("define", "append", "append"));
  EXPECT_EQ(dataset.scan("animals").schema()->ToString(), animals.scan().schema()->ToString());
  const auto table = animals.scan().collect();
  EXPECT_TRUE(table->schema()->GetFieldByName("seen")->type()->Equals(
      arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")));
  EXPECT_TRUE(table->schema()->GetFieldByName("genes")->type()->Equals(arrow::binary()));
  EXPECT_EQ(animals.scan({.ticks = {4, 4}}).collect()->num_rows(), 1);
  const auto kept = table->SelectColumns({1, 2, 3, 4, 5, 6, 7, 8, 11}).ValueOrDie();
  std::vector<std::string> rows;
  for (const JsonObject& row : rows_to_json(*kept)) rows.push_back(write_json(row));
  const std::string first = R"({"tick":3,"id":"dolly","age":6.5,"kind":"sheep","at":[1.0,2.0],"lambs":[4,5],)"
                            R"("home":{"x":6.0,"y":7.0},"path":[{"x":8.0,"y":9.0}],"wild":true})";
  EXPECT_THAT(rows,
              ElementsAre(first,
                          R"({"tick":4,"id":"akela","age":null,"kind":"wolf","at":[0.0,0.0],"lambs":[],)"
                          R"("home":null,"path":[],"wild":false})",
                          first));
  EXPECT_TRUE(dataset.verify().ok);
}

TEST(TableOf, ItsDescriptorIsTheRunsOnceThereIsOne) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const TableOf<Animal> animals = dataset.table<Animal>("animals");
  EXPECT_TRUE(core::same_definition(*animals.descriptor(), describe_row<Animal>("animals")));
  EXPECT_THAT(kinds(dataset), IsEmpty());
  animals.append(std::vector<Animal>());
  EXPECT_THAT(kinds(dataset), ElementsAre("define"));
  EXPECT_EQ(animals.descriptor(), dataset.find_table("animals"));
  EXPECT_TRUE(core::same_definition(*animals.descriptor(), describe_row<Animal>("animals")));
}

TEST(TableOf, ReadingDefinesNothing) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  EXPECT_THAT(refusal<IoManifestError>(ErrorCode::unknown_table_in_scan,
                                       [&] { dataset.table<Animal>("animals").scan(); }),
              HasSubstr("animals"));
  EXPECT_THAT(disk->files(), IsEmpty());
}

TEST(TableOf, AStructThatHasGrownMakesItsTableGrow) {
  const Disk disk = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(disk);
    dataset.table<Early>("animals").append(std::vector<Early>{{1, "a"}, {2, std::nullopt}});
  }
  Dataset dataset = sim_dataset(disk);
  dataset.table<Early>("animals").append(std::vector<Early>{{3, "b"}});
  EXPECT_THAT(kinds(dataset), ElementsAre("define", "append", "append"));
  dataset.table<Grown>("animals").append(std::vector<Grown>{{4, "c", 0.5}});
  EXPECT_THAT(kinds(dataset), ElementsAre("define", "append", "append", "define", "append"));
  EXPECT_EQ(rows_in(dataset, "animals").back(), R"({"bucket":0,"tick":4,"id":"c","age":0.5})");
  EXPECT_THAT(refusal<IoSchemaError>(ErrorCode::definition_conflict,
                                     [&] {
                                       dataset.table<Other>("animals").append(std::vector<Other>{{5, 1}});
                                     }),
              HasSubstr("id"));
  EXPECT_EQ(rows_in(dataset, "animals").size(), 4U);
}

TEST(TableOf, ErrorsOfItsRowsNameTheTableAndDefineNothing) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const TableOf<Early> early = dataset.table<Early>("animals");
  ErrorFacts facts;
  EXPECT_EQ(refusal<IoSchemaError>(
                ErrorCode::wrong_type,
                [&] {
                  early.append(std::vector<Early>{{1, "a"}, {2, "\xff"}});
                },
                &facts),
            "table \"animals\", column \"id\", row 1: this text is not UTF-8");
  EXPECT_EQ(facts.table, "animals");
  EXPECT_THAT(disk->files(), IsEmpty());
  refusal<IoSchemaError>(ErrorCode::reserved_name,
                         [&] { dataset.table<Early>("holdings").append(std::vector<Early>()); });
  EXPECT_THAT(disk->files(), IsEmpty());
}

TEST(TableOf, ADescribedStructIsAppendedByNameToo) {
  const Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.create_table(describe_row<Early>("animals"));
  dataset.append("animals", std::vector<Early>{{1, "a"}});
  EXPECT_THAT(rows_in(dataset, "animals"), ElementsAre(R"({"bucket":0,"tick":1,"id":"a"})"));
  EXPECT_THAT(refusal<IoSchemaError>(ErrorCode::bad_tick,
                                     [&] {
                                       dataset.append("animals", std::vector<Early>{{-1, "a"}});
                                     }),
              HasSubstr("row 0"));
}

}  // namespace
}  // namespace crv::io
