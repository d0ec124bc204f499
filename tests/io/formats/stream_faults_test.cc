// What a failing disk leaves of a file that is written, and how that is told.
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crv/core/error.h"
#include "io/arrow/arrow_types.h"
#include "io/formats/streams.h"
#include "io/support/sim_os.h"

namespace crv::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Files = std::map<std::string, std::string>;

constexpr const char* kPath = "out/rows.csv";
constexpr const char* kOld = "old";
constexpr const char* kNew = "all of the new";

std::shared_ptr<SimOs> disk_with_old_file() {
  auto disk = std::make_shared<SimOs>();
  disk->put(kPath, kOld);
  return disk;
}

void put(Output& output, const std::string& text) {
  check(output.Write(text.data(), static_cast<std::int64_t>(text.size())), ErrorCode::write_failed);
}

void replace(const std::shared_ptr<SimOs>& disk) {
  const auto output = open_output(kPath, disk);
  put(*output, "all of ");
  put(*output, "the new");
  output->finish();
}

// What replace() throws, if it throws.
std::optional<IoWriteError> refusal(const std::shared_ptr<SimOs>& disk) {
  try {
    replace(disk);
  } catch (const IoWriteError& error) {
    EXPECT_EQ(error.code(), ErrorCode::write_failed);
    return error;
  }
  return std::nullopt;
}

// The calls of a replace() that nothing disturbs.
std::vector<SimOp> calls_of_replace() {
  const auto disk = disk_with_old_file();
  replace(disk);
  return disk->ops();
}

// The place among those calls, from 1, of the `nth` one of a kind.
std::int64_t place_of(OsCall call, int nth = 1) {
  std::int64_t place = 0;
  for (const SimOp& op : calls_of_replace()) {
    ++place;
    if (op.call == call && --nth == 0) return place;
  }
  ADD_FAILURE() << "no such call: " << name_of(call);
  return 0;
}

struct Fault {
  OsCall call;
  int nth;  // of the calls of that kind
  std::string said;
  std::string path;  // that the error is about
  const char* left;  // what stands under the name afterwards
};
void PrintTo(const Fault& fault, std::ostream* out) {
  *out << name_of(fault.call) << " " << fault.nth;
}

class FaultOfAReplacedFile : public testing::TestWithParam<Fault> {};

TEST_P(FaultOfAReplacedFile, IsToldAndLeavesOneWholeFile) {
  const Fault& fault = GetParam();
  const auto disk = disk_with_old_file();
  disk->fail_at(place_of(fault.call, fault.nth), EIO);
  const auto error = refusal(disk);
  ASSERT_TRUE(error.has_value());
  EXPECT_THAT(error->what(), StartsWith(fault.said + ": "));
  EXPECT_EQ(error->facts().os_error, EIO);
  EXPECT_EQ(error->facts().path, fault.path);
  EXPECT_EQ(disk->files(), (Files{{kPath, fault.left}}));
  EXPECT_EQ(disk->open_files(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Output, FaultOfAReplacedFile,
    testing::Values(Fault{OsCall::open_new, 1, "cannot write out/rows.csv", kPath, kOld},
                    Fault{OsCall::fchmod, 1, "cannot set the mode of out/rows.csv", kPath, kOld},
                    Fault{OsCall::write, 1, "cannot write to out/rows.csv", kPath, kOld},
                    Fault{OsCall::write, 2, "cannot write to out/rows.csv", kPath, kOld},
                    Fault{OsCall::fsync, 1, "cannot make out/rows.csv durable", kPath, kOld},
                    Fault{OsCall::close, 1, "cannot close out/rows.csv", kPath, kOld},
                    Fault{OsCall::rename, 1, "cannot put out/rows.csv in place", kPath, kOld},
                    // The new file has its name by now: only a power cut could take it away again.
                    Fault{OsCall::open_folder, 1, "cannot open folder out", "out", kNew},
                    Fault{OsCall::fsync, 2, "cannot make out/rows.csv durable", kPath, kNew}),
    [](const auto& tried) {
      return std::string(name_of(tried.param.call)) + "_" + std::to_string(tried.param.nth);
    });

// The table above has them all.
TEST(OutputFaults, TheCallsOfAReplacedFileAreKnown) {
  std::vector<std::string> calls;
  for (const SimOp& op : calls_of_replace()) calls.emplace_back(name_of(op.call));
  EXPECT_THAT(calls, ElementsAre("stat", "real_path", "open_new", "fchmod", "write", "write", "fsync",
                                 "close", "rename", "open_folder", "fsync", "close"));
}

TEST(OutputFaults, AShortWriteGoesOnUntilTheDiskIsFull) {
  const auto full = disk_with_old_file();
  full->fail_at(place_of(OsCall::write), ENOSPC, SimFault::short_write);
  const auto error = refusal(full);
  ASSERT_TRUE(error.has_value());
  EXPECT_THAT(error->what(), HasSubstr("No space left on device"));
  EXPECT_EQ(error->facts().os_error, ENOSPC);
  EXPECT_EQ(full->files(), (Files{{kPath, kOld}}));

  const auto slow = disk_with_old_file();
  slow->fail_at(place_of(OsCall::write), 0, SimFault::short_write);
  replace(slow);
  EXPECT_EQ(slow->files(), (Files{{kPath, kNew}}));
}

TEST(OutputFaults, ASignalDuringAWriteIsNoError) {
  const auto disk = disk_with_old_file();
  disk->fail_at(place_of(OsCall::write, 2), EINTR);
  replace(disk);
  EXPECT_EQ(disk->files(), (Files{{kPath, kNew}}));
}

// A reply that was lost: nobody knows whether the name was changed, so that is an error, too.
TEST(OutputFaults, ARenameWithoutAReplyLeavesOneWholeFile) {
  const auto disk = disk_with_old_file();
  disk->fail_at(place_of(OsCall::rename), EIO, SimFault::reply_lost);
  ASSERT_TRUE(refusal(disk).has_value());
  EXPECT_EQ(disk->files(), (Files{{kPath, kNew}}));
}

TEST(OutputFaults, TheFirstErrorIsToldWhereTheRestCannotBeRemoved) {
  const auto disk = disk_with_old_file();
  disk->set_hook([](const SimOp& op) {
    return op.call == OsCall::write ? ENOSPC : op.call == OsCall::unlink ? EROFS : 0;
  });
  const auto error = refusal(disk);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->facts().os_error, ENOSPC);
  EXPECT_EQ(disk->files().at(kPath), kOld);
  EXPECT_EQ(disk->files().size(), 2U);
}

TEST(OutputFaults, APowerCutAtAnyMomentLeavesTheOldFileOrTheNew) {
  const auto calls = static_cast<std::int64_t>(calls_of_replace().size());
  for (std::int64_t done = 0; done <= calls; ++done) {
    const auto disk = disk_with_old_file();
    disk->stop_after(done);
    const bool finished = !refusal(disk).has_value();
    std::vector<PowerCut> cuts{PowerCut::all_lost(), PowerCut::all_kept(), PowerCut::names_kept_bytes_lost()};
    for (std::uint64_t seed = 0; seed < 20; ++seed) cuts.push_back(PowerCut::by_chance(seed));
    for (const PowerCut& cut : cuts) {
      const auto left = disk->after_power_cut(cut)->files().at(kPath);
      EXPECT_TRUE(left == kNew || (left == kOld && !finished)) << left << " after " << done << " calls";
    }
  }
}

TEST(OutputFaults, ANewFileIsThereWholeOrNotAtAll) {
  for (const OsCall call : {OsCall::open_new, OsCall::write, OsCall::fsync, OsCall::close, OsCall::rename}) {
    const auto disk = std::make_shared<SimOs>();
    disk->put_folder("out");
    bool failed = false;
    disk->set_hook([&](const SimOp& op) {
      const bool fails = op.call == call && !failed;
      failed = failed || fails;
      return fails ? EIO : 0;
    });
    EXPECT_TRUE(refusal(disk).has_value()) << name_of(call);
    EXPECT_EQ(disk->files(), Files()) << name_of(call);
    EXPECT_EQ(disk->open_files(), 0U) << name_of(call);
  }
}

TEST(OutputFaults, TheNewFileHasTheModeOfTheOldOne) {
  const auto disk = disk_with_old_file();
  const int fd = disk->open_to_read(kPath);
  ASSERT_EQ(disk->fchmod(fd, 0640), 0);
  disk->close(fd);
  replace(disk);
  OsStat found;
  ASSERT_EQ(disk->stat(kPath, found), 0);
  EXPECT_EQ(found.mode, 0640U);
}

TEST(InputFaults, AnErrorInTheMiddleIsTold) {
  const auto disk = std::make_shared<SimOs>();
  disk->put("in", std::string(100, 'x'));
  const auto input = FdInput::open("in", {}, disk);
  char byte = 0;
  ASSERT_EQ(input->read_some(&byte, 1), 1);
  for (const OsCall call : {OsCall::wait_readable, OsCall::read}) {
    disk->set_hook([&](const SimOp& op) { return op.call == call ? EIO : 0; });
    try {
      input->read_some(&byte, 1);
      ADD_FAILURE() << name_of(call);
    } catch (const IoReadError& error) {
      EXPECT_THAT(error.what(), StartsWith("cannot read in: "));
      EXPECT_EQ(error.facts().os_error, EIO);
      EXPECT_EQ(error.facts().path, "in");
    }
  }
}

TEST(InputFaults, ASignalIsNoError) {
  const auto disk = std::make_shared<SimOs>();
  disk->put("in", "text");
  std::set<OsCall> interrupted;  // each kind of call once
  disk->set_hook([&](const SimOp& op) {
    const bool waits =
        op.call == OsCall::open_to_read || op.call == OsCall::wait_readable || op.call == OsCall::read;
    return waits && interrupted.insert(op.call).second ? EINTR : 0;
  });
  EXPECT_EQ(FdInput::open(
                "in", [] { return false; }, disk)
                ->read_all(),
            "text");
  EXPECT_EQ(interrupted.size(), 3U);
  EXPECT_EQ(disk->open_files(), 0U);
  interrupted.clear();
  try {
    FdInput::open(
        "in", [] { return true; }, disk);
    ADD_FAILURE();
  } catch (const IoError& error) {
    EXPECT_EQ(error.code(), ErrorCode::interrupted);
  }
}

}  // namespace
}  // namespace crv::io
