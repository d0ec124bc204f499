// Every number that is kept on disk or computed from one, at the edges of what 32, 53 and 64 bits hold: what
// is written is read back, and what cannot be is told as damage.
#include <arrow/array.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "crv/core/error.h"
#include "io/base/checksum.h"
#include "io/base/clock.h"
#include "io/log/commit.h"
#include "io/log/manifest_file.h"
#include "io/log/run_file.h"
#include "io/run/run.h"
#include "io/storage/paths.h"
#include "io/support/sim_run.h"
#include "io/support/text_reader.h"

namespace crv::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string time_text = "2026-11-22T20:34:32.321421+00:00";
constexpr std::int64_t most = INT64_MAX;

// 0, 1, and the neighbours of 2^31, 2^32, 2^53 and 2^63, ascending.
const std::vector<std::int64_t>& edges() {
  static const std::vector<std::int64_t> all = {0,
                                                1,
                                                (1LL << 31) - 1,
                                                1LL << 31,
                                                (1LL << 31) + 1,
                                                (1LL << 32) - 1,
                                                1LL << 32,
                                                (1LL << 32) + 1,
                                                5'000'000'000,
                                                (1LL << 53) - 1,
                                                1LL << 53,
                                                (1LL << 53) + 1,
                                                most - 1,
                                                most};
  return all;
}

std::vector<std::int64_t> signed_edges() {
  std::vector<std::int64_t> all = edges();
  for (const std::int64_t n : edges())
    if (n > 0) all.push_back(-n);
  all.push_back(INT64_MIN);
  return all;
}

IoSettings buckets_of(std::int64_t size) {
  IoSettings settings;
  settings.tick_bucket_size = size;
  return settings;
}

PartRecord part(std::int64_t bucket, char digit) {
  PartRecord made;
  made.bucket = bucket;
  made.meta = {part_file(std::string(32, digit)), 1, 1, 0, 0, time_text};
  made.checksum = std::string(16, digit);
  made.schema = std::string(32, digit);
  made.seq = 1;
  return made;
}

// ---- files ----

TEST(NumberEdges, OfRunJson) {
  for (const std::int64_t n : edges()) {
    RunInfo info;
    info.run_id = "r";
    info.created_at = time_text;
    info.tick_bucket_size = n;
    info.commits_per_fold = 7;
    const std::string text = encode_run(info);
    if (n == 0) {
      EXPECT_THROW(decode_run(text, "run.json", "r"), IoManifestError);
      continue;
    }
    EXPECT_EQ(decode_run(text, "run.json", "r").tick_bucket_size, n);
    std::swap(info.tick_bucket_size, info.commits_per_fold);
    EXPECT_EQ(decode_run(encode_run(info), "run.json", "r").commits_per_fold, n);
  }
}

Commit commit_of(std::int64_t seq, PartRecord added) {
  Commit commit;
  commit.seq = seq;
  commit.id = std::string(32, 'e');
  commit.time = time_text;
  commit.tables.push_back({.table = "holdings",
                           .schemas = {},
                           .added = {std::move(added)},
                           .removed = {{3, part_file(std::string(32, 'b'))}},
                           .condemned = {}});
  return commit;
}

TEST(NumberEdges, OfACommit) {
  for (const std::int64_t n : edges()) {
    if (n > 0 && n < most) {
      EXPECT_EQ(decode_commit(encode(commit_of(n, part(0, 'a'))), "c", n).seq, n);
    }
    Commit commit = commit_of(1, part(n, 'a'));
    PartMeta& meta = commit.tables[0].added[0].meta;
    meta.rows = meta.bytes = std::max<std::int64_t>(n, 1);
    meta.tick_min = meta.tick_max = n;
    commit.tables[0].removed[0].bucket = n;
    const Commit read = decode_commit(encode(commit), "c", 1);
    EXPECT_EQ(read.tables[0].added[0].meta, meta);
    EXPECT_EQ(read.tables[0].added[0].bucket, n);
    EXPECT_EQ(read.tables[0].removed[0].bucket, n);
  }
  for (const std::int64_t n : signed_edges()) {
    Commit commit = commit_of(1, part(0, 'a'));
    commit.token = Token{"w", n};
    commit.complete_through = n;
    commit.tables[0].added[0].token = token_text(Token{"of a rebuild", n});
    const Commit read = decode_commit(encode(commit), "c", 1);
    EXPECT_EQ(read.token, commit.token);
    EXPECT_EQ(read.complete_through, n);
    EXPECT_THAT(tokens_of(read), ElementsAre(Token{"w", n}, Token{"of a rebuild", n}));
  }
}

TEST(NumberEdges, OfAFold) {
  for (const std::int64_t n : edges()) {
    if (n == 0 || n == most) continue;
    std::string line = encode(commit_of(n, part(0, 'a')));
    line.pop_back();
    for (const std::int64_t number : signed_edges()) {
      Fold fold;
      fold.first = fold.last = n;
      fold.lines = {line};
      fold.tokens = {{"w", {number, n}}};
      const std::string text = encode(fold);
      const Fold read = decode_fold(text, "f", n, n);
      EXPECT_EQ(read.tokens.at("w"), std::pair(number, n));
    }
    EXPECT_THROW(decode_fold(line + '\n', "f", n, most), IoManifestError)
        << "it is not reserved for that many";
  }
}

TableState decoded(const std::string& text) {
  return decode_manifest(text, "holdings", "manifest.json");
}

TEST(NumberEdges, OfAManifest) {
  for (const std::int64_t n : edges()) {
    SCOPED_TRACE(n);
    TableState state("holdings");
    PartRecord listed = part(n, 'a');
    listed.meta.rows = listed.meta.bytes = std::max<std::int64_t>(n, 1);
    listed.meta.tick_min = listed.meta.tick_max = n;
    listed.seq = n;
    state.add(listed);
    state.learn({std::string(32, 'a'), n, {}});
    state.position = std::min(n, most - 1);
    const std::string text = encode_manifest(state);
    TextReader file(text);
    for (const TableState& read : {decoded(text), open_manifest(file, "holdings", "manifest.json", 1)}) {
      EXPECT_EQ(encode_manifest(read), text);
      EXPECT_EQ(read.buckets().at(n).at(0).meta, listed.meta);
      EXPECT_EQ(read.buckets().at(n).at(0).seq, n);
      EXPECT_EQ(read.position, state.position);
      EXPECT_EQ(read.schemas().at(0).seq, n);
      EXPECT_EQ(read.manifest().rows(), listed.meta.rows);
    }
    const std::string digits = std::to_string(n), counted = std::to_string(listed.meta.rows);
    const std::string key(6 - std::min<std::size_t>(digits.size(), 6), '0');
    const std::string older =
        R"({"table": "holdings", "version": )" + digits + R"(, "created_at": null,
      "updated_at": null, "unknown": [)" +
        digits + R"(], "partitions": {")" + key + digits + R"(": {"bucket_id": )" + digits +
        R"(, "state": "ready", "tick_min": )" + digits + R"(, "tick_max": )" + digits + R"(, "row_count": )" +
        counted + R"(, "byte_size": )" + counted +
        R"(, "parts": [{"path": "part-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.parquet", "rows": )" + counted +
        R"(, "bytes": )" + counted + R"(, "tick_min": )" + digits + R"(, "tick_max": )" + digits +
        R"(, "created_at": ""}]}}})";
    EXPECT_EQ(decoded(older).buckets().at(n).at(0).meta.tick_max, n);
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("nothing to replace: " + from);
  return text.replace(at, from.size(), to);
}

TEST(NumberEdges, BeyondSixtyFourBitsAreDamage) {
  TableState state("holdings");
  state.add(part(0, 'a'));
  std::string text = encode_manifest(state);
  text.resize(text.find(",\n  \"checksum\""));
  for (const char* key :
       {"bucket_id", "rows", "bytes", "tick_min", "tick_max", "row_count", "byte_size", "last_seq"})
    for (const char* number : {"9223372036854775808", "18446744073709551615", "18446744073709551616", "1e3",
                               "-1", "-9223372036854775808", "-9223372036854775809", "5000000000.0"}) {
      const std::size_t at = text.rfind('"' + std::string(key) + "\": ") + std::string(key).size() + 4;
      std::string forged = text;
      forged.replace(at, forged.find_first_of(",\n", at) - at, number);
      forged += ",\n  \"checksum\": \"" + checksum_text(forged) + "\"\n}";
      try {
        decoded(forged);
        ADD_FAILURE() << key << ": " << number;
      } catch (const IoManifestError& e) {
        EXPECT_EQ(e.code(), ErrorCode::manifest_damaged);
        EXPECT_EQ(e.facts().key, key) << e.what();
      }
    }
}

// ---- sums ----

TEST(NumberEdges, SumsOfAManifestThatAreBeyondSixtyFourBitsAreDamage) {
  const auto partition = [](std::int64_t bucket, const std::string& counts, const std::string& parts) {
    return "\"00000" + std::to_string(bucket) + R"(": {"bucket_id": )" + std::to_string(bucket) +
           R"(, "state": "ready", "tick_min": 0, "tick_max": 0, )" + counts + R"(, "parts": [)" + parts +
           "]}";
  };
  const auto listed = [](char digit, std::int64_t bucket, std::int64_t rows, std::int64_t bytes) {
    return R"({"path": ")" + part_file(std::string(32, digit)) + R"(", "rows": )" + std::to_string(rows) +
           R"(, "bytes": )" + std::to_string(bytes) + R"(, "tick_min": )" + std::to_string(bucket) +
           R"(, "tick_max": )" + std::to_string(bucket) + R"(, "created_at": ""})";
  };
  const auto manifest = [](const std::string& partitions) {
    return R"({"table": "holdings", "version": 1, "partitions": {)" + partitions + "}}";
  };
  const std::string many = std::to_string(most);
  struct Case {
    std::string partitions, key;
  };
  const std::vector<Case> cases = {
      // As an addition that wraps would have it.
      {partition(0, R"("row_count": -9223372036854775808, "byte_size": 2)",
                 listed('a', 0, most, 1) + ", " + listed('b', 0, 1, 1)),
       "row_count"},
      {partition(0, R"("row_count": 2, "byte_size": -9223372036854775808)",
                 listed('a', 0, 1, most) + ", " + listed('b', 0, 1, 1)),
       "byte_size"},
      {partition(0, R"("row_count": )" + many + R"(, "byte_size": 1)", listed('a', 0, most, 1)) + ", " +
           partition(1, R"("row_count": 1, "byte_size": 1)", listed('b', 1, 1, 1)),
       "row_count"},
      {partition(0, R"("row_count": 1, "byte_size": )" + many, listed('a', 0, 1, most)) + ", " +
           partition(1, R"("row_count": 1, "byte_size": 1)", listed('b', 1, 1, 1)),
       "byte_size"},
  };
  const RunPaths paths("out", sim_run_id);
  for (const Case& one : cases) {
    try {
      decoded(manifest(one.partitions));
      ADD_FAILURE() << one.partitions;
    } catch (const IoManifestError& e) {
      EXPECT_EQ(e.code(), ErrorCode::manifest_damaged);
      EXPECT_EQ(e.facts().key, one.key) << e.what();
    }
    // A run of the older package, by every call that looks at it.
    auto disk = std::make_shared<SimOs>();
    disk->put(paths.manifest("holdings"), manifest(one.partitions));
    const auto before = disk->files();
    Dataset dataset(buckets_of(1), sim_run_id, sim_options(disk));
    EXPECT_THROW(dataset.scan("holdings"), IoManifestError);
    EXPECT_THROW(dataset.manifest("holdings"), IoManifestError);
    EXPECT_THROW(dataset.tables(), IoManifestError);
    EXPECT_THROW(dataset.write_bundle(), IoManifestError);
    EXPECT_THROW(dataset.append("holdings", holdings({0})), IoManifestError);
    EXPECT_FALSE(dataset.verify().ok);
    EXPECT_EQ(disk->files(), before);
  }
  // The largest sums that there are.
  const TableState read = decoded(manifest(
      partition(0, R"("row_count": )" + many + R"(, "byte_size": )" + many, listed('a', 0, most, most))));
  EXPECT_EQ(read.manifest().rows(), most);
  EXPECT_EQ(read.manifest().bytes(), most);
}

TEST(NumberEdges, SumsOfACommitThatAreBeyondSixtyFourBitsAreDamage) {
  for (const bool rows : {true, false}) {
    Commit commit = commit_of(1, part(0, 'a'));
    commit.tables.push_back(
        {.table = "exchange", .schemas = {}, .added = {part(0, 'b')}, .removed = {}, .condemned = {}});
    PartMeta& meta = commit.tables[0].added[0].meta;
    (rows ? meta.rows : meta.bytes) = most - 1;
    EXPECT_NO_THROW(decode_commit(encode(commit), "c", 1));
    (rows ? meta.rows : meta.bytes) = most;
    try {
      decode_commit(encode(commit), "c", 1);
      ADD_FAILURE();
    } catch (const IoManifestError& e) {
      EXPECT_EQ(e.code(), ErrorCode::log_damaged);
      EXPECT_EQ(e.facts().key, rows ? "rows" : "bytes");
      EXPECT_EQ(e.facts().seq, 1);
    }
  }
}

TEST(NumberEdges, SumsOverSoundCommitsThatAreBeyondSixtyFourBitsAreDamage) {
  for (const std::int64_t bucket : {0, 7}) {
    TableState state("holdings");
    for (const char digit : {'a', 'b'}) {
      PartRecord added = part(digit == 'a' ? 0 : bucket, digit);
      added.meta.rows = most / 2 + 1;
      state.add(added);
    }
    EXPECT_THROW(state.manifest(), IoManifestError) << bucket;
  }
}

// ---- runs ----

std::vector<std::int64_t> ticks_of(const Scan& scan) {
  std::vector<std::int64_t> all;
  const auto column = scan.collect()->GetColumnByName("tick");
  for (const auto& chunk : column->chunks()) {
    const auto& values = static_cast<const arrow::Int64Array&>(*chunk);
    for (std::int64_t i = 0; i < values.length(); ++i) all.push_back(values.Value(i));
  }
  return all;
}

Dataset of_size(const std::shared_ptr<SimOs>& disk, std::int64_t bucket_size,
                std::vector<std::string>* warnings = nullptr) {
  return Dataset(buckets_of(bucket_size), sim_run_id, sim_options(disk, warnings));
}

// Scans by every pair of edges() as a range.
void expect_ranges(Dataset& dataset) {
  const std::vector<std::int64_t> read = ticks_of(dataset.scan("holdings"));
  for (const std::int64_t low : edges())
    for (const std::int64_t high : edges()) {
      const Scan scan = dataset.scan("holdings", {.ticks = {low, high}});
      std::vector<std::int64_t> wanted;
      std::copy_if(read.begin(), read.end(), std::back_inserter(wanted),
                   [&](std::int64_t t) { return t >= low && t <= high; });
      EXPECT_EQ(ticks_of(scan), wanted) << low << ".." << high;
      for (const TickRange& range : scan.ticks()) {
        EXPECT_LE(low, *range.min);
        EXPECT_LE(*range.min, *range.max);
        EXPECT_LE(*range.max, high);
      }
      // As a caller does that filters by itself.
      const std::vector<TickRange> asked{{low, high}};
      const std::vector<std::int64_t> kept = ticks_of(dataset.scan("holdings").prune(asked));
      for (const std::int64_t tick : wanted) EXPECT_THAT(kept, testing::Contains(tick));
    }
  for (const std::int64_t limit : edges()) {
    const auto rows = std::min<std::size_t>(read.size(), static_cast<std::size_t>(limit));
    const std::vector<std::int64_t> first(read.begin(), read.begin() + static_cast<std::ptrdiff_t>(rows));
    EXPECT_EQ(ticks_of(dataset.scan("holdings", {.limit = limit})), first);
    EXPECT_EQ(ticks_of(dataset.scan("holdings").head(limit)), first);
    if (limit > 0) {
      EXPECT_EQ(ticks_of(dataset.scan("holdings", {.batch_rows = limit})), read);
    }
  }
}

// What every other call says of a run that holds one row of each of edges(), in two commits.
void expect_all_there(Dataset& dataset, std::int64_t size) {
  const std::vector<std::int64_t>& all = edges();
  const std::vector<std::int64_t> read = ticks_of(dataset.scan("holdings"));
  EXPECT_THAT(read, testing::UnorderedElementsAreArray(all));
  std::vector<std::int64_t> buckets;  // rows come by bucket, then by commit
  for (const std::int64_t tick : read) buckets.push_back(tick / size);
  EXPECT_TRUE(std::is_sorted(buckets.begin(), buckets.end()));
  EXPECT_THAT(ticks_of(dataset.scan("holdings", {.ticks = {most, most}})), ElementsAre(most));
  EXPECT_THAT(ticks_of(dataset.scan("holdings", {.ticks = {{}, 0}})), ElementsAre(0));
  const TableManifest manifest = *dataset.manifest("holdings");
  EXPECT_EQ(manifest.rows(), std::ssize(all));
  for (const PartitionMeta& partition : manifest.partitions) {
    EXPECT_EQ(partition.tick_min / size, partition.bucket_id);
    EXPECT_EQ(partition.tick_max / size, partition.bucket_id);
  }
  const TableInfo table = dataset.tables().at(0);
  EXPECT_EQ(table.tick_min, 0);
  EXPECT_EQ(table.tick_max, most);
  EXPECT_EQ(table.buckets.back(), most / size);
  const VerifyReport report = dataset.verify();
  EXPECT_TRUE(report.ok) << write_json(to_json(report));
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(write_json(dataset.write_bundle()), HasSubstr(std::to_string(most)));
}

TEST(NumberEdges, ARunHoldsAnyTickInBucketsOfAnySize) {
  for (const std::int64_t size : edges()) {
    if (size == 0) {
      auto disk = std::make_shared<SimOs>();
      EXPECT_THROW(of_size(disk, 0).append("holdings", holdings({1})), IoConfigError);
      EXPECT_THAT(disk->files(), IsEmpty());
      continue;
    }
    SCOPED_TRACE("buckets of " + std::to_string(size));
    auto disk = std::make_shared<SimOs>();
    {
      Dataset dataset = of_size(disk, size);
      std::vector<std::int64_t> some = edges(), rest(some.begin() + 5, some.end());
      some.resize(5);
      std::reverse(rest.begin(), rest.end());
      dataset.append("holdings", holdings(some));
      const AppendSummary summary = dataset.append("holdings", holdings(rest));
      EXPECT_EQ(summary.buckets.back(), most / size);
      EXPECT_TRUE(disk->files().contains(summary.parts.back().path));
      expect_ranges(dataset);
      expect_all_there(dataset, size);
    }
    {
      Dataset dataset = of_size(disk, size);
      expect_all_there(dataset, size);
      dataset.refresh_manifests();
    }
    {
      Dataset dataset = of_size(disk, size);  // from the manifest alone
      expect_all_there(dataset, size);
      dataset.rebuild_manifest("holdings");
      expect_all_there(dataset, size);
      EXPECT_EQ(dataset.look_for_parts("holdings").rows(), std::ssize(edges()));
      TableManifest manifest = *dataset.manifest("holdings");
      dataset.write_manifest(manifest);
      expect_all_there(dataset, size);
    }
    const RunPaths paths("out", sim_run_id);
    disk->erase(paths.log());
    of_size(disk, size).rebuild_manifest("holdings");  // from the footers
    Dataset rebuilt = of_size(disk, size);
    expect_all_there(rebuilt, size);
  }
}

TEST(NumberEdges, ATokenMayHaveAnyNumber) {
  std::vector<std::int64_t> numbers = signed_edges();
  std::sort(numbers.begin(), numbers.end());
  auto disk = std::make_shared<SimOs>();
  put_run(*disk, 4);  // folds hold tokens, too
  for (const bool anew : {false, true}) {
    Dataset dataset = sim_dataset(disk);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const AppendOptions options{.token = Token{anew ? "other" : "w", numbers[i]},
                                  .complete_through = numbers[i]};
      const AppendSummary first = dataset.append("holdings", holdings({5}), options);
      const AppendSummary again = sim_dataset(disk).append("holdings", holdings({5}), options);
      EXPECT_EQ(again.parts.at(0).path, first.parts.at(0).path) << numbers[i];
      if (i == 0) continue;
      const AppendOptions below{.token = Token{anew ? "other" : "w", numbers[i - 1]}};
      EXPECT_THROW(dataset.append("holdings", holdings({5}), below), IoArgumentError) << numbers[i];
    }
  }
  const std::vector<CommitInfo> log = sim_dataset(disk).log();
  ASSERT_EQ(log.size(), 2 * numbers.size());
  for (std::size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i].token->number, numbers[i % numbers.size()]);
    EXPECT_EQ(log[i].complete_through, numbers[i % numbers.size()]);
  }
}

TEST(NumberEdges, ATokenOfAnyNumberSurvivesTheLossOfTheLog) {
  for (const std::int64_t n : signed_edges()) {
    auto disk = std::make_shared<SimOs>();
    const AppendOptions options{.token = Token{"w", n}};
    const AppendSummary first = sim_dataset(disk).append("holdings", holdings({5}), options);
    disk->erase(RunPaths("out", sim_run_id).log());
    sim_dataset(disk).rebuild_manifest("holdings");
    const AppendSummary again = sim_dataset(disk).append("holdings", holdings({5}), options);
    EXPECT_EQ(again.parts.at(0).path, first.parts.at(0).path) << n;
    EXPECT_EQ(sim_dataset(disk).read("holdings")->num_rows(), 1);
  }
}

TEST(NumberEdges, AFormatBeyondOursIsTooNewWhateverItsNumber) {
  for (const std::int64_t n : edges()) {
    if (n < 3) continue;
    TableState state("holdings");
    state.format = n;
    Commit commit = commit_of(1, part(0, 'a'));
    std::string line = encode(commit);
    line.resize(line.find(",\"checksum\""));
    line = replaced(line, "\"format\":1", "\"format\":" + std::to_string(n)) + '}';
    seal(line);
    for (const auto& read : {std::function<void()>([&] { decoded(encode_manifest(state)); }),
                             std::function<void()>([&] { decode_commit(line, "c", 1); })})
      try {
        read();
        ADD_FAILURE() << n;
      } catch (const IoManifestError& e) {
        EXPECT_EQ(e.code(), ErrorCode::format_too_new) << e.what();
        EXPECT_EQ(e.facts().value, std::to_string(n));
      }
  }
}

TEST(NumberEdges, TimesAreText) {
  EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00+00:00");
  EXPECT_EQ(iso_time(-1), "1969-12-31T23:59:59.999999+00:00");
  EXPECT_EQ(iso_time(5'000'000'000), "1970-01-01T01:23:20+00:00");
  EXPECT_EQ(iso_time(INT64_MAX), "294247-01-10T04:00:54.775807+00:00");
  EXPECT_EQ(iso_time(INT64_MIN), "-290308-12-21T19:59:05.224192+00:00");
}

TEST(NumberEdges, TheLogIsReadAfterAnyNumber) {
  auto disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({1}));
  dataset.append("holdings", holdings({2}));
  for (const std::int64_t after : signed_edges())
    EXPECT_EQ(dataset.log(after).size(), after < 1 ? 2U : after == 1 ? 1U : 0U) << after;
}

TEST(NumberEdges, AManifestFoldedToTheHighestNumberIsDamage) {
  auto disk = std::make_shared<SimOs>();
  const RunPaths paths("out", sim_run_id);
  {
    Dataset dataset = sim_dataset(disk);
    dataset.append("holdings", holdings({1}));
  }
  const std::string path = paths.manifest("holdings");
  for (const std::int64_t n : edges()) {
    if (n < 2) continue;
    std::string text = disk->files().at(path);
    text = replaced(text, "\"last_seq\": 1,", "\"last_seq\": " + std::to_string(n) + ',');
    text.resize(text.find(",\n  \"checksum\""));
    text += ",\n  \"checksum\": \"" + checksum_text(text) + "\"\n}";
    auto forged = disk->clone();
    forged->put(path, text);
    Dataset dataset = sim_dataset(forged);
    EXPECT_THROW(dataset.scan("holdings"), IoManifestError) << n;
    EXPECT_THROW(dataset.append("holdings", holdings({1})), IoManifestError) << n;
    EXPECT_FALSE(sim_dataset(forged).verify().ok) << n;
  }
}

TEST(NumberEdges, OfFoldsMayBeAny) {
  for (const std::int64_t per_fold : edges()) {
    if (per_fold == 0) continue;
    auto disk = std::make_shared<SimOs>();
    put_run(*disk, per_fold);
    {
      Dataset dataset = sim_dataset(disk);
      for (std::int64_t i = 0; i < 3; ++i)
        dataset.append("holdings", holdings({i}), {.token = Token{"w", i}});
    }
    EXPECT_EQ(sim_dataset(disk).read("holdings")->num_rows(), 3) << per_fold;
    EXPECT_EQ(sim_dataset(disk).log(1).size(), 2U);
    EXPECT_TRUE(sim_dataset(disk).verify().ok);
  }
}

TEST(NumberEdges, SettingsMayBeAny) {
  for (const std::int64_t n : edges()) {
    if (n == 0) continue;
    auto disk = std::make_shared<SimOs>();
    IoSettings settings;
    settings.row_group_size = settings.write_manifest_every_n = n;
    Dataset dataset(settings, sim_run_id, sim_options(disk));
    dataset.append("holdings", holdings({1, 2, 3}));
    dataset.append("holdings", holdings({1, 2, 3}));
    EXPECT_THAT(ticks_of(dataset.scan("holdings")), ElementsAre(1, 2, 3, 1, 2, 3)) << n;
    EXPECT_TRUE(dataset.verify().ok);
    const IoSettings read = settings_from_json(to_json(settings));
    EXPECT_EQ(read.row_group_size, n);
    EXPECT_EQ(read.write_manifest_every_n, n);
  }
}

TEST(NumberEdges, WhereAndLimitTakeThemAsNumbersAndAsText) {
  for (const std::int64_t n : signed_edges()) {
    for (const Json& given : {Json(n), Json(std::to_string(n))}) {
      const TickRange range = parse_where(JsonObject{{"tick_min", given}, {"tick_max", given}});
      EXPECT_EQ(range.min, n);
      EXPECT_EQ(range.max, n);
      if (n < 0) {
        EXPECT_THROW(parse_limit(given), IoArgumentError) << n;
      } else {
        EXPECT_EQ(parse_limit(given), n);
      }
    }
  }
  for (const char* beyond : {"9223372036854775808", "-9223372036854775809", "18446744073709551616"}) {
    EXPECT_THROW(parse_where(JsonObject{{"tick_min", parse_json(beyond)}}), IoArgumentError);
    EXPECT_THROW(parse_where(JsonObject{{"tick_min", beyond}}), IoArgumentError);
    EXPECT_THROW(parse_limit(parse_json(beyond)), IoArgumentError);
  }
}

TEST(NumberEdges, BucketsAndTheirTicks) {
  for (const std::int64_t size : edges()) {
    if (size == 0) continue;
    for (const std::int64_t tick : edges()) {
      const std::int64_t bucket = bucket_id_for_tick(tick, size);
      const auto [first, last] = ticks_of_bucket(bucket, size);
      EXPECT_LE(first, tick) << size;
      EXPECT_GE(last, tick) << size;
      EXPECT_EQ(first / size, bucket);
      EXPECT_EQ(last / size, bucket);
      EXPECT_EQ(parse_bucket_folder(base_name_of(RunPaths("out", "r").bucket("holdings", bucket))), bucket);
    }
    const auto [first, last] = ticks_of_bucket(most, size);
    EXPECT_LE(first, last) << "no tick has this bucket, unless the size is 1";
  }
}

}  // namespace
}  // namespace crv::io
