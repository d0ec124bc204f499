// Manifests that a caller keeps: what they list more or less than the run becomes a commit, or nothing does.
#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/io/memory.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "crv/core/error.h"
#include "io/storage/paths.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;
using testing::HasSubstr;
using testing::SizeIs;

RunPaths paths() {
  return {"out", sim_run_id};
}

std::shared_ptr<arrow::Array> numbers(const std::vector<std::int64_t>& values) {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return builder.Finish().ValueOrDie();
}

// A Parquet file that knows nothing of crv, with these ticks and quantities, as `id` in `bucket`.
PartMeta put_part(SimOs& disk, std::int64_t bucket, const std::string& id,
                  const std::vector<std::int64_t>& ticks, const std::shared_ptr<arrow::Array>& quantities) {
  const auto table = arrow::Table::Make(
      arrow::schema({arrow::field("bucket", arrow::int64()), arrow::field("tick", arrow::int64()),
                     arrow::field("quantity", quantities->type())}),
      {numbers(std::vector<std::int64_t>(ticks.size(), bucket)), numbers(ticks), quantities});
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink).ok());
  const std::string bytes = sink->Finish().ValueOrDie()->ToString();
  PartMeta part;
  part.path = part_file(id);
  part.rows = static_cast<std::int64_t>(ticks.size());
  part.bytes = static_cast<std::int64_t>(bytes.size());
  part.tick_min = *std::min_element(ticks.begin(), ticks.end());
  part.tick_max = *std::max_element(ticks.begin(), ticks.end());
  disk.put(paths().part("holdings", bucket, part.path), bytes);
  return part;
}

const std::string id_a(32, 'a'), id_b(32, 'b');

void add(TableManifest& manifest, std::int64_t bucket, const PartMeta& part) {
  for (PartitionMeta& partition : manifest.partitions)
    if (partition.bucket_id == bucket) return partition.parts.push_back(part);
  PartitionMeta partition;
  partition.bucket_id = bucket;
  partition.parts.push_back(part);
  manifest.partitions.push_back(partition);
}

Disk run_of_two() {
  auto disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({1, 12}));
  dataset.append("holdings", holdings({2}, 10));
  return disk;
}

TEST(WriteManifest, TakesInPartsAndLetsPartsGoInOneCommit) {
  Disk disk = run_of_two();
  Dataset dataset = sim_dataset(disk);
  TableManifest manifest = *dataset.manifest("holdings");
  manifest.partitions[0].parts.pop_back();  // tick 2
  add(manifest, 3, put_part(*disk, 3, id_a, {31, 30}, numbers({70, 71})));
  dataset.write_manifest(manifest);
  const Seen expected{{"holdings", {{1, 0}, {12, 1}, {31, 70}, {30, 71}}}};
  EXPECT_EQ(seen(dataset), expected);
  EXPECT_EQ(seen_on(disk), expected);
  EXPECT_EQ(seen_on(disk->after_power_cut(PowerCut::all_lost())), expected);
  const std::vector<CommitInfo> log = dataset.log();
  ASSERT_THAT(log, SizeIs(3));
  EXPECT_EQ(log[2].kind, "adopt");
  EXPECT_EQ(log[2].tables[0].parts_added, 1);
  EXPECT_EQ(log[2].tables[0].parts_removed, 1);
  EXPECT_THAT(disk->files().at(paths().manifest("holdings")), HasSubstr(part_file(id_a)));
  dataset.write_manifest(*dataset.manifest("holdings"));
  EXPECT_THAT(dataset.log(), SizeIs(3)) << "nothing to commit";
}

TEST(WriteManifest, LetsGoOnlyWhatTheCallerHasSeen) {
  Disk disk = run_of_two();
  Dataset dataset = sim_dataset(disk);
  TableManifest old = *dataset.manifest("holdings");
  dataset.append("holdings", holdings({3}, 20));
  old.partitions.clear();
  dataset.write_manifest(old);
  EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{3, 20}}}}));
  TableManifest own;
  own.table = "holdings";
  add(own, 0, put_part(*disk, 0, id_a, {4}, numbers({5})));
  dataset.write_manifest(own);
  EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{3, 20}, {4, 5}}}}));
}

TEST(WriteManifest, MakesTheRunAndTheTableWhereTheyAreMissing) {
  auto disk = std::make_shared<SimOs>();
  TableManifest own;
  own.table = "holdings";
  add(own, 1, put_part(*disk, 1, id_a, {10}, numbers({5})));
  {
    Dataset dataset = sim_dataset(disk);
    dataset.write_manifest(own);
  }
  EXPECT_EQ(seen_on(disk->after_power_cut(PowerCut::all_lost())), (Seen{{"holdings", {{10, 5}}}}));
}

TEST(WriteManifest, RefusesWhatItDoesNotFindAsListed) {
  const Disk whole = run_of_two();
  const auto refused = [&](const std::string& why, auto&& spoil) {
    Disk disk = whole->clone();
    Dataset dataset = sim_dataset(disk);
    TableManifest manifest = *dataset.manifest("holdings");
    const PartMeta part = put_part(*disk, 3, id_a, {30, 31}, numbers({1, 2}));
    spoil(*disk, manifest, part);
    const auto files = disk->files();
    try {
      dataset.write_manifest(manifest);
      ADD_FAILURE() << "taken: " << why;
    } catch (const IoError& e) {
      EXPECT_THAT(e.what(), HasSubstr(why));
    }
    EXPECT_EQ(disk->files(), files) << why;
  };
  using Manifest = TableManifest;
  refused("no part's bare file name", [](SimOs&, Manifest& m, PartMeta p) {
    p.path = "../" + p.path;
    add(m, 3, p);
  });
  refused("listed twice", [](SimOs&, Manifest& m, const PartMeta& p) {
    add(m, 3, p);
    add(m, 3, p);
  });
  refused("the part is not there", [](SimOs&, Manifest& m, PartMeta p) {
    p.path = part_file(id_b);
    add(m, 3, p);
  });
  refused("do not belong to bucket 4", [](SimOs& disk, Manifest& m, const PartMeta&) {
    add(m, 4, put_part(disk, 4, id_b, {30}, numbers({1})));
  });
  refused("the manifest says 3 rows", [](SimOs&, Manifest& m, PartMeta p) {
    p.rows = 3;
    add(m, 3, p);
  });
  refused("the two do not meet", [](SimOs& disk, Manifest& m, const PartMeta&) {
    arrow::StringBuilder text;
    EXPECT_TRUE(text.Append("x").ok());
    add(m, 3, put_part(disk, 3, id_b, {30}, text.Finish().ValueOrDie()));
  });
  refused("There is no table", [](SimOs&, Manifest& m, const PartMeta&) { m.table = "nope"; });
}

TEST(WriteManifest, RefusesAPartThatACrvAppendWrote) {
  Disk disk = run_of_two();
  disk->set_hook(
      [](const SimOp& op) { return op.call == OsCall::link && op.to == paths().commit(3) ? 5 : 0; });
  {
    Dataset dataset = sim_dataset(disk);
    EXPECT_THROW(dataset.append("holdings", holdings({20}, 1)), IoWriteError);
  }
  disk->set_hook({});
  Dataset dataset = sim_dataset(disk);
  TableManifest found = *dataset.manifest("holdings");
  for (const std::string& path : part_files(*disk)) {
    if (path.find("bucket=000002") == std::string::npos) continue;
    PartMeta part;
    part.path = base_name_of(path);
    part.rows = 1;
    part.bytes = static_cast<std::int64_t>(disk->files().at(path).size());
    part.tick_min = part.tick_max = 20;
    add(found, 2, part);
  }
  ASSERT_THAT(found.partitions, SizeIs(3));
  EXPECT_THROW(dataset.write_manifest(found), IoArgumentError);
  EXPECT_THAT(dataset.log(), SizeIs(2));
}

TEST(WriteManifest, IsWholeOrAbsentAtEveryCall) {
  const Disk base = run_of_two();
  const PartMeta part = put_part(*base, 3, id_a, {30}, numbers({7}));
  const auto action = [&](const Disk& disk) {
    std::vector<std::string> warnings;  // of a manifest that could not be refreshed: no harm
    Dataset dataset = sim_dataset(disk, &warnings);
    TableManifest manifest = *dataset.manifest("holdings");
    manifest.partitions[0].parts.pop_back();
    add(manifest, 3, part);
    dataset.write_manifest(manifest);
  };
  const Seen before = seen_on(base->clone());
  Disk whole = base->clone();
  whole->clear_ops();
  action(whole);
  const Seen after = seen_on(whole);
  const auto calls = static_cast<std::int64_t>(whole->ops().size());
  ASSERT_GT(calls, 10);
  for (std::int64_t n = 0; n < calls; ++n) {
    Disk disk = base->clone();
    disk->stop_after(n);
    bool acknowledged = false;
    try {
      action(disk);
      acknowledged = true;
    } catch (const IoError&) {
    }
    for (const PowerCut& cut :
         {PowerCut::all_lost(), PowerCut::all_kept(), PowerCut::names_kept_bytes_lost()}) {
      Disk left = disk->after_power_cut(cut);
      const Seen now = seen_on(left);
      EXPECT_TRUE(now == after || (!acknowledged && now == before)) << "stopped after call " << n;
    }
  }
}

TEST(LookForParts, IsWhatARebuildWouldWriteAndWritesNothing) {
  for (const bool lost_log : {false, true}) {
    Disk disk = run_of_two();
    disk->erase(paths().manifest("holdings"));
    if (lost_log) disk->erase(paths().commit(1));
    const auto files = disk->files();
    Dataset dataset = sim_dataset(disk);
    const TableManifest found = dataset.look_for_parts("holdings");
    EXPECT_EQ(disk->files(), files);
    const TableManifest rebuilt = dataset.rebuild_manifest("holdings").manifest;
    ASSERT_EQ(found.partitions.size(), rebuilt.partitions.size());
    for (std::size_t i = 0; i < found.partitions.size(); ++i)
      EXPECT_EQ(found.partitions[i].parts, rebuilt.partitions[i].parts);
  }
  EXPECT_THROW(sim_dataset(run_of_two()).look_for_parts("nope"), IoSchemaError);
}

}  // namespace
}  // namespace crv::io
