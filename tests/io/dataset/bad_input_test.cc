// Bad input and damaged files: a typed error that names what, where and the value, and nothing changed on
// disk.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>

#include "crv/core/error.h"
#include "io/storage/local_storage.h"
#include "io/storage/paths.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;
using testing::HasSubstr;

RunPaths paths() {
  return {"out", sim_run_id};
}

Disk run_of_two() {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({1, 15}, 0));
  return disk;
}

// A holdings row with one cell changed; with a null value for `without` the column is left out.
JsonObject row_with(const std::string& column, Json value, bool without = false) {
  JsonObject row;
  row.push_back("tick", 3);
  row.push_back("agent_id", "a");
  row.push_back("token_id", "t");
  row.push_back("quantity", 1);
  if (!without) row[column] = std::move(value);
  JsonObject kept;
  for (const auto& [key, cell] : row)
    if (!without || key != column) kept.push_back(key, cell);
  return kept;
}

struct BadFrame {
  std::string name;
  std::string column;
  Json value;
  ErrorCode code;
  bool without = false;
};

void PrintTo(const BadFrame& bad, std::ostream* out) {
  *out << bad.name;
}

class BadFrames : public testing::TestWithParam<BadFrame> {};

TEST_P(BadFrames, AreRefusedAndLeaveTheDiskAsItWas) {
  const BadFrame& bad = GetParam();
  Frame frame =
      frame_from_json(std::vector{row_with("quantity", 1), row_with(bad.column, bad.value, bad.without)});
  if (bad.without) frame = frame_from_json(std::vector{row_with(bad.column, bad.value, true)});
  for (const Disk& disk : {std::make_shared<SimOs>(), run_of_two()}) {
    auto before = disk->files();
    auto folders = disk->folders();
    Dataset dataset = sim_dataset(disk);
    try {
      dataset.append("holdings", frame);
      FAIL() << "it was taken";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), bad.code) << e.what();
      EXPECT_EQ(e.facts().table, "holdings") << e.what();
      EXPECT_EQ(e.facts().column, bad.column) << e.what();
      EXPECT_THAT(e.what(), HasSubstr(bad.column));
      EXPECT_THAT(e.what(), HasSubstr("holdings"));
      if (bad.code == ErrorCode::lossy_cast || bad.code == ErrorCode::null_value) {
        EXPECT_EQ(e.facts().row, 1);
      }
      if (bad.code == ErrorCode::lossy_cast) {
        EXPECT_THAT(e.what(), HasSubstr(e.facts().value));
      }
    }
    EXPECT_EQ(disk->files(), before);
    EXPECT_EQ(disk->folders(), folders);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Append, BadFrames,
    testing::Values(BadFrame{"MissingColumn", "agent_id", {}, ErrorCode::missing_column, true},
                    BadFrame{"MissingTick", "tick", {}, ErrorCode::missing_column, true},
                    BadFrame{"UnknownColumn", "colour", "red", ErrorCode::unknown_column},
                    BadFrame{"StructForText", "agent_id2", JsonObject{{"x", 1}}, ErrorCode::unknown_column},
                    BadFrame{"NullRequired", "token_id", nullptr, ErrorCode::null_value},
                    BadFrame{"FractionForInteger", "quantity", 1.9, ErrorCode::lossy_cast},
                    BadFrame{"NanForInteger", "quantity", std::nan(""), ErrorCode::lossy_cast},
                    BadFrame{"HugeForInteger", "quantity", 9223372036854775808.0, ErrorCode::lossy_cast},
                    BadFrame{"NullTick", "tick", nullptr, ErrorCode::bad_tick},
                    BadFrame{"NegativeTick", "tick", -1, ErrorCode::bad_tick},
                    BadFrame{"FractionalTick", "tick", 1.5, ErrorCode::bad_tick}),
    [](const auto& bad) { return bad.param.name; });

void expect_refused(const Disk& disk, ErrorCode code, const std::function<void(Dataset&)>& job,
                    const std::string& says) {
  auto before = disk->files();
  Dataset dataset = sim_dataset(disk);
  try {
    job(dataset);
    ADD_FAILURE() << "it was taken";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    EXPECT_THAT(e.what(), HasSubstr(says));
  }
  EXPECT_EQ(disk->files(), before);
}

TEST(BadInput, TextThatIsNoNumberAndStructsForText) {
  expect_refused(
      run_of_two(), ErrorCode::lossy_cast,
      [](Dataset& d) { d.append("holdings", frame_from_json(std::vector{row_with("quantity", "ten")})); },
      "ten");
  expect_refused(
      run_of_two(), ErrorCode::wrong_type,
      [](Dataset& d) {
        d.append("holdings", frame_from_json(std::vector{row_with("agent_id", JsonObject{{"x", 1}})}));
      },
      "agent_id");
}

TEST(BadInput, AnUnknownTable) {
  Disk disk = run_of_two();
  expect_refused(
      disk, ErrorCode::unknown_table, [](Dataset& d) { d.append("trades", holdings({1})); }, "trades");
  expect_refused(
      disk, ErrorCode::unknown_table_in_scan, [](Dataset& d) { d.read("../holdings"); }, "../holdings");
  expect_refused(
      disk, ErrorCode::table_missing, [](Dataset& d) { d.read("exchange"); }, "exchange");
  EXPECT_FALSE(sim_dataset(disk).manifest("trades").has_value());
}

TEST(BadInput, NamesThatAreNearAreTold) {
  Disk disk = run_of_two();
  const auto told = [&](const auto& call) {
    Dataset dataset = sim_dataset(disk);
    try {
      call(dataset);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  using testing::HasSubstr;
  EXPECT_THAT(told([](Dataset& d) { d.append("holdigns", holdings({1})); }),
              HasSubstr("did you mean \"holdings\""));
  EXPECT_THAT(told([](Dataset& d) { d.read("holdigns"); }), HasSubstr("did you mean \"holdings\""));
  EXPECT_THAT(told([](Dataset& d) { d.read("holdings", {.columns = {{"quantty"}}}); }),
              HasSubstr("did you mean \"quantity\""));
  EXPECT_THAT(told([](Dataset& d) {
                d.append("holdings", frame_from_json(std::vector{row_with("agent", Json("a"))}));
              }),
              HasSubstr("did you mean \"agent_id\""));
  EXPECT_THAT(told([](Dataset&) {
                parse_where(JsonObject{{"tick_mn", 1}});
              }),
              HasSubstr("did you mean \"tick_min\""));
}

TEST(BadInput, ARunThatIsNotThere) {
  Disk disk = run_of_two();
  const auto files = disk->files();
  const auto storage = sim_options(disk).storage;
  const IoSettings settings = sim_dataset(disk).settings();
  const std::string run = sim_dataset(disk).run_id();
  const std::string near = run + "x";
  EXPECT_NO_THROW(require_run(settings, run, storage));
  Dataset other(settings, near, sim_options(disk));
  for (const auto& job : {std::function<void()>([&] { other.read("holdings"); }),
                          std::function<void()>([&] { require_run(settings, near, storage); })}) {
    try {
      job();
      ADD_FAILURE() << "it was taken for a run";
    } catch (const IoManifestError& error) {
      EXPECT_EQ(error.code(), ErrorCode::run_missing);
      EXPECT_EQ(error.facts().run_id, near);
      EXPECT_THAT(error.what(), testing::HasSubstr("did you mean \"" + run + "\"?"));
    }
  }
  EXPECT_EQ(disk->files(), files);
  EXPECT_EQ(list_runs(settings, storage), std::vector{run});
}

TEST(BadInput, NestingWithoutEnd) {
  Json deep = 1;
  for (int i = 0; i < 3000; ++i)
    deep = i % 2 == 0 ? Json(JsonArray{std::move(deep)}) : Json(JsonObject{{"a", std::move(deep)}});
  try {
    frame_from_json(std::vector{row_with("agent_id", nullptr), row_with("agent_id", std::move(deep))});
    ADD_FAILURE() << "was taken";
  } catch (const IoSchemaError& error) {
    EXPECT_EQ(error.code(), ErrorCode::wrong_type);
    EXPECT_EQ(error.facts().row, 1);
    EXPECT_TRUE(error.facts().column.starts_with("agent_id"));
    EXPECT_LT(std::string(error.what()).size(), 500U);
  }
}

TEST(BadInput, ARunIdThatWouldLeaveTheRoot) {
  for (std::string id : {"", ".", "..", "../x", "/abs", "a/b", "a\\b", "a\n", "a\x7f"}) {
    Disk disk = std::make_shared<SimOs>();
    IoSettings settings;
    Dataset dataset(settings, id, sim_options(disk));
    for (const auto& job : {std::function<void()>([&] { dataset.append("holdings", holdings({1})); }),
                            std::function<void()>([&] { dataset.read("holdings"); }),
                            std::function<void()>([&] { dataset.rebuild_manifest("holdings"); })}) {
      try {
        job();
        ADD_FAILURE() << '"' << id << "\" was taken";
      } catch (const IoArgumentError& e) {
        EXPECT_EQ(e.code(), ErrorCode::bad_run_id);
      }
    }
    EXPECT_TRUE(disk->files().empty());
  }
  Disk disk = std::make_shared<SimOs>();
  Dataset spaced(IoSettings{}, "my run: 2", sim_options(disk));
  EXPECT_EQ(spaced.append("holdings", holdings({1})).rows, 1);
}

TEST(BadInput, RangesLimitsAndColumnsThatMakeNoSense) {
  auto scan = [](auto change) {
    return [change](Dataset& d) {
      ScanOptions options;
      change(options);
      d.read("holdings", options);
    };
  };
  Disk disk = run_of_two();
  expect_refused(disk, ErrorCode::bad_limit, scan([](ScanOptions& o) { o.limit = -1; }), "-1");
  expect_refused(disk, ErrorCode::bad_projection, scan([](ScanOptions& o) { o.columns = {{"price"}}; }),
                 "price");
  expect_refused(disk, ErrorCode::bad_projection, scan([](ScanOptions& o) {
                   o.columns = {{"tick", "tick"}};
                 }),
                 "tick");
  for (const char* where : {R"({"ticks": 1})", R"({"tick_min": 1.5})", R"({"tick_min": "x"})"})
    EXPECT_THROW(parse_where(parse_json(where)), IoArgumentError) << where;
  TickRange range = parse_where(parse_json(R"({"tick_min": "7", "tick_max": 9.0})"));
  EXPECT_EQ(range.min, 7);
  EXPECT_EQ(range.max, 9);
}

TEST(BadInput, ATornOrEditedManifest) {
  std::string path = paths().manifest("holdings");
  std::string good = run_of_two()->files().at(path);
  std::string edited = good;
  edited[edited.find("\"rows\": 1") + 8] = '7';
  std::string moved = good;
  moved.replace(moved.find("part-"), 5, "../p-");
  for (const std::string& bad :
       {std::string(), good.substr(0, good.size() / 2), edited, moved, std::string("[]")}) {
    Disk disk = run_of_two();
    disk->put(path, bad);
    for (const auto& job :
         {std::function<void(Dataset&)>([](Dataset& d) { d.read("holdings"); }),
          std::function<void(Dataset&)>([](Dataset& d) { d.append("holdings", holdings({2})); })})
      expect_refused(disk, ErrorCode::manifest_damaged, job, path);
  }
}

TEST(BadInput, AManifestOfTheOlderPackageThatNamesAFileElsewhere) {
  Disk disk = std::make_shared<SimOs>();
  disk->put(
      paths().manifest("holdings"),
      R"({"table": "holdings", "version": 1, "created_at": "x", "updated_at": "x", "partitions": {"000000":
            {"bucket_id": 0, "state": "ready", "tick_min": 1, "tick_max": 1, "row_count": 1, "byte_size": 9, "parts":
            [{"path": "../../../../etc/passwd", "rows": 1, "bytes": 9, "tick_min": 1, "tick_max": 1, "created_at": "x"}]}}})");
  expect_refused(
      disk, ErrorCode::manifest_damaged, [](Dataset& d) { d.read("holdings"); }, "passwd");
}

TEST(BadInput, APartThatIsMissingTruncatedOrOfAnotherTable) {
  Disk base = run_of_two();
  {
    Dataset dataset = sim_dataset(base);
    core::ExchangeRow trade;
    trade.tick = 2;
    trade.venue_id = trade.token_id = "x";
    trade.exchange_event_type = "trade";
    dataset.append("exchange", std::vector{trade});
  }
  std::string part, other;
  for (const std::string& path : part_files(*base))
    (path.find("holdings") != std::string::npos && path.find("bucket=000000") != std::string::npos ? part
                                                                                                   : other) =
        path;
  std::string bytes = base->files().at(part);
  auto read = [](Dataset& d) { d.read("holdings"); };
  Disk gone = base->clone();
  gone->erase(part);
  expect_refused(gone, ErrorCode::part_missing, read, part);
  Disk torn = base->clone();
  torn->put(part, bytes.substr(0, bytes.size() - 7));
  expect_refused(torn, ErrorCode::part_damaged, read, part);
  Disk foreign = base->clone();
  for (const std::string& path : part_files(*base))
    if (path.find("exchange") != std::string::npos) foreign->put(part, base->files().at(path));
  auto before = foreign->files();
  Dataset dataset = sim_dataset(foreign);
  EXPECT_THROW(dataset.read("holdings"), IoReadError);
  EXPECT_EQ(foreign->files(), before);
  for (const Disk& disk : {gone, torn, foreign}) EXPECT_FALSE(sim_dataset(disk).verify().ok);
}

TEST(BadInput, AFolderThatMayNotBeWritten) {
  Disk disk = run_of_two();
  auto before = disk->files();
  Dataset dataset = sim_dataset(disk);
  disk->set_hook(
      [](const SimOp& op) { return op.call == OsCall::open_new || op.call == OsCall::mkdir ? EACCES : 0; });
  try {
    dataset.append("holdings", holdings({31}));
    FAIL();
  } catch (const IoWriteError& e) {
    EXPECT_EQ(e.facts().os_error, EACCES);
    EXPECT_THAT(e.facts().path, HasSubstr("holdings"));
  }
  disk->set_hook({});
  EXPECT_EQ(disk->files(), before);
  EXPECT_EQ(dataset.append("holdings", holdings({31})).rows, 1);
}

TEST(BadInput, AnotherBucketSizeThanTheRuns) {
  Disk disk = run_of_two();
  auto before = disk->files();
  IoSettings settings;
  settings.tick_bucket_size = 64;
  Dataset dataset(settings, sim_run_id, sim_options(disk));
  try {
    dataset.append("holdings", holdings({1}));
    FAIL();
  } catch (const IoConfigError& e) {
    EXPECT_EQ(e.code(), ErrorCode::bucket_size_mismatch);
    EXPECT_THAT(e.what(), HasSubstr("64"));
    EXPECT_THAT(e.what(), HasSubstr("10"));
  }
  EXPECT_EQ(disk->files(), before);
  EXPECT_EQ(dataset.read("holdings")->num_rows(), 2);
}

TEST(BadInput, AFrameWithoutRowsWritesNothingAndIsStillChecked) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  AppendSummary none = dataset.append("holdings", std::vector<core::HoldingsRow>{});
  EXPECT_EQ(write_json(to_json(none)),
            R"({"table":"holdings","run_id":"run_sim","parts":[],"rows":0,"buckets":[]})");
  auto schema = arrow::schema({arrow::field("colour", arrow::utf8())});
  EXPECT_THROW(dataset.append("holdings", arrow::Table::MakeEmpty(schema).ValueOrDie()), IoSchemaError);
  EXPECT_EQ(dataset.append("holdings", arrow::Table::MakeEmpty(arrow::schema({})).ValueOrDie()).rows, 0);
  EXPECT_TRUE(disk->files().empty());
}

}  // namespace
}  // namespace crv::io
