// What a scan's reader does when reading fails: a Status, always the same, with the error in it.
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <new>
#include <stdexcept>

#include "crv/core/error.h"
#include "crv/io/frame.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;

Disk run_of_one() {
  auto disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({1, 2}, 0));
  return disk;
}

TEST(ScanErrors, ReadNextAfterAnErrorIsThatErrorAgain) {
  Disk disk = run_of_one();
  Dataset dataset = sim_dataset(disk);
  auto reader = dataset.scan("holdings").reader();
  disk->erase(part_files(*disk)[0]);
  std::shared_ptr<arrow::RecordBatch> batch;
  const arrow::Status first = reader->ReadNext(&batch);
  ASSERT_FALSE(first.ok());
  arrow::Status second;
  EXPECT_NO_THROW(second = reader->ReadNext(&batch));
  EXPECT_EQ(first, second);
  try {
    rethrow(second);
  } catch (const IoReadError& e) {
    EXPECT_EQ(e.code(), ErrorCode::part_missing);
  }
}

TEST(ScanErrors, ExceptionsOfAnyKindAreStatuses) {
  for (int kind = 0; kind < 3; ++kind) {
    Disk disk = run_of_one();
    Dataset dataset = sim_dataset(disk);
    const Scan scan = dataset.scan("holdings");
    disk->set_hook([&](const SimOp& op) -> int {
      if (op.call != OsCall::pread) return 0;
      if (kind == 0) throw std::runtime_error("something else");
      if (kind == 1) throw std::bad_alloc();
      throw 7;
    });
    auto reader = scan.reader();
    std::shared_ptr<arrow::RecordBatch> batch;
    arrow::Status status;
    EXPECT_NO_THROW(status = reader->ReadNext(&batch)) << kind;
    EXPECT_FALSE(status.ok()) << kind;
    ArrowArrayStream stream;
    scan.export_to(&stream);
    ArrowArray array;
    EXPECT_NE(stream.get_next(&stream, &array), 0) << kind;
    stream.release(&stream);
    disk->set_hook({});
  }
}

TEST(ScanErrors, ALackOfMemoryOrOfFileHandlesIsNoDamage) {
  Disk disk = run_of_one();
  Dataset dataset = sim_dataset(disk);
  disk->set_hook([](const SimOp& op) -> int {
    if (op.call == OsCall::pread && op.path.ends_with(".parquet")) throw std::bad_alloc();
    return 0;
  });
  try {
    dataset.read("holdings");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::out_of_memory) << e.what();
  }
  disk->set_hook([](const SimOp& op) {
    return op.call == OsCall::open_to_read && op.path.ends_with(".parquet") ? EMFILE : 0;
  });
  try {
    dataset.read("holdings");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::read_failed) << e.what();
    EXPECT_EQ(e.facts().os_error, EMFILE);
  }
}

TEST(ScanErrors, AnAppendOfAScanTellsWhichPartIsDamaged) {
  Disk disk = run_of_one();
  Dataset source = sim_dataset(disk);
  const Scan scan = source.scan("holdings");
  const std::string part = part_files(*disk)[0];
  std::string bytes = disk->files().at(part);
  bytes.replace(4, 40, std::string(40, '\x5a'));
  disk->put(part, bytes);
  Disk other = std::make_shared<SimOs>();
  Dataset target = sim_dataset(other);
  try {
    target.append("holdings", Frame(std::shared_ptr<arrow::RecordBatchReader>(scan.reader())));
    FAIL();
  } catch (const IoReadError& e) {
    EXPECT_EQ(e.code(), ErrorCode::part_damaged) << e.what();
    EXPECT_EQ(e.facts().path, part);
  }
  EXPECT_TRUE(other->files().empty());
}

}  // namespace
}  // namespace crv::io
