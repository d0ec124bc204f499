// From the put of a commit on nothing undoes it, whatever fails; before the put, nothing claims that it
// stands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "crv/core/error.h"
#include "io/log/commit.h"
#include "io/log/log.h"
#include "io/log/manifest_file.h"
#include "io/storage/local_storage.h"
#include "io/storage/paths.h"
#include "io/support/sim_run.h"
#include "io/support/text_reader.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;
using testing::HasSubstr;
using testing::IsEmpty;
using Rows = std::vector<std::pair<std::int64_t, std::int64_t>>;

RunPaths paths() {
  return {"out", sim_run_id};
}

void append(Dataset& dataset, std::int64_t tick, std::int64_t quantity) {
  dataset.append("holdings", holdings({tick}, quantity));
}

Rows rows_on(const Disk& disk) {
  Seen all = seen_on(disk);
  return all["holdings"];
}

void fold_on(const Disk& disk, std::int64_t per_fold, FoldRange range) {
  auto storage = local_storage(Durability::commit, disk, counting_ids(1ULL << 60));
  const RunPaths names = paths();
  EXPECT_TRUE(Log(*storage, names, per_fold).fold(range));
}

// Whatever is thrown out of any system call of an append: a commit in the log has its parts, and an append
// that returned is there.
template <class Exception>
void expect_whole_after(const Exception& thrown) {
  Disk base = std::make_shared<SimOs>();
  put_run(*base, 2);
  {
    Dataset dataset = sim_dataset(base);
    append(dataset, 1, 0);
  }
  for (std::size_t n = 0;; ++n) {
    Disk disk = base->clone();
    bool hit = false, acknowledged = true;
    {
      DatasetOptions options = sim_options(disk);
      options.on_warning = [](const std::string&) { throw std::runtime_error("a handler that throws"); };
      Dataset dataset = [&] {
        IoSettings settings;
        settings.tick_bucket_size = 10;
        return Dataset(settings, sim_run_id, options);
      }();
      std::size_t calls = 0;
      const auto me = std::this_thread::get_id();
      disk->set_hook([&](const SimOp& op) {
        if (std::this_thread::get_id() != me || op.call == OsCall::close) return 0;
        if (calls++ != n) return 0;
        hit = true;
        throw thrown;
      });
      try {
        append(dataset, 2, 1);
      } catch (const std::exception&) {
        acknowledged = false;
      }
      disk->set_hook({});
    }
    Rows rows;
    ASSERT_NO_THROW(rows = rows_on(disk)) << "call " << n;
    const Rows with{{1, 0}, {2, 1}}, without{{1, 0}};
    EXPECT_TRUE(rows == with || (!acknowledged && rows == without)) << "call " << n;
    const VerifyReport report = sim_dataset(disk).verify();
    EXPECT_TRUE(report.ok) << "call " << n << ": " << write_json(to_json(report));
    if (!hit) break;
  }
}

TEST(DurableCommit, OutOfMemoryAtAnyCallUndoesNoCommit) {
  expect_whole_after(std::bad_alloc());
}

TEST(DurableCommit, AnExceptionOfAnyKindAtAnyCallUndoesNoCommit) {
  expect_whole_after(std::runtime_error("something else"));
}

TEST(DurableCommit, AFailedRefreshIsAWarningEvenIfTheHandlerThrows) {
  Disk disk = std::make_shared<SimOs>();
  std::vector<std::string> warnings;
  {
    DatasetOptions options = sim_options(disk);
    options.on_warning = [&](const std::string& text) {
      warnings.push_back(text);
      throw std::runtime_error("warnings are errors");
    };
    IoSettings settings;
    settings.tick_bucket_size = 10;
    Dataset dataset(settings, sim_run_id, options);
    append(dataset, 1, 0);
    disk->set_hook([](const SimOp& op) {
      return op.call == OsCall::rename && op.to == paths().manifest("holdings") ? ENOSPC : 0;
    });
    append(dataset, 2, 1);
    append(dataset, 3, 2);
    EXPECT_NO_THROW(dataset.close());
    EXPECT_THROW(append(dataset, 4, 3), IoWriteError) << "it is closed";
  }
  disk->set_hook({});
  EXPECT_THAT(warnings, Not(IsEmpty()));
  EXPECT_EQ(rows_on(disk), (Rows{{1, 0}, {2, 1}, {3, 2}}));
}

TEST(DurableCommit, TheFirstTokenOfADatasetSkipsNoCommit) {
  Disk disk = std::make_shared<SimOs>();
  put_run(*disk, 2);
  Dataset slow = sim_dataset(disk);
  append(slow, 1, 0);
  bool done = false;
  const auto me = std::this_thread::get_id();
  std::size_t looks = 0;
  for (std::size_t at = 1; at <= 6; ++at) {
    done = false;
    looks = 0;
    disk->set_hook([&](const SimOp& op) {
      if (done || std::this_thread::get_id() != me) return 0;
      if (op.call != OsCall::open_to_read || !parse_fold_file(base_name_of(op.path)) || ++looks != at)
        return 0;
      done = true;
      Dataset quick = sim_dataset(disk);
      for (int i = 0; i < 3; ++i) append(quick, 20 + i, static_cast<std::int64_t>(100 * at) + i);
      const std::int64_t last = static_cast<std::int64_t>(quick.log().size()) / 2 * 2;
      fold_on(disk, 2, {last - 1, last});
      return 0;
    });
    Dataset fresh = sim_dataset(disk);
    fresh.read("holdings");
    AppendOptions options;
    options.token = Token{"engine" + std::to_string(at), 1};
    fresh.append("holdings", holdings({5}, static_cast<std::int64_t>(at)), options);
    disk->set_hook({});
    const Rows all = rows_on(disk);
    EXPECT_EQ(seen(fresh).at("holdings"), all) << at;
    fresh.refresh_manifests();
    EXPECT_EQ(rows_on(disk), all) << "a manifest must not hide rows; look " << at;
    std::int64_t logged = 0;
    for (const CommitInfo& commit : fresh.log())
      for (const auto& change : commit.tables) logged += change.rows_added;
    EXPECT_EQ(static_cast<std::int64_t>(all.size()), logged) << at;
  }
}

TEST(DurableCommit, AStateTakesOnlyTheNextCommit) {
  TableState state("holdings");
  Commit commit;
  commit.id = std::string(32, 'a');
  commit.seq = 2;
  EXPECT_THROW(state.apply(commit), IoManifestError);
  EXPECT_EQ(state.position, 0);
  commit.seq = 1;
  state.apply(commit);
  EXPECT_THROW(state.apply(commit), IoManifestError);
}

TEST(DurableCommit, AFailedFsyncOfTheLogIsTheEndOfThisDatasetsWriting) {
  for (const char* who : {"append", "refresh"}) {
    Disk disk = std::make_shared<SimOs>();
    {
      std::vector<std::string> warnings;
      Dataset dataset = sim_dataset(disk, &warnings);
      append(dataset, 1, 0);
      append(dataset, 2, 1);
      disk->set_hook(
          [](const SimOp& op) { return op.call == OsCall::fsync && op.path == paths().log() ? EIO : 0; });
      if (std::string(who) == "append")
        EXPECT_THROW(append(dataset, 3, 2), IoCommitUnknownError);
      else
        EXPECT_THROW(dataset.refresh_manifests(), IoWriteError);
      disk->set_hook({});
      EXPECT_THROW(append(dataset, 4, 3), IoWriteError) << who;
      EXPECT_THROW(dataset.refresh_manifests(), IoWriteError) << who;
      EXPECT_NO_THROW(dataset.close());
    }
    const Disk later = disk->after_power_cut(PowerCut::all_lost());
    EXPECT_EQ(rows_on(later), (Rows{{1, 0}, {2, 1}})) << who;
  }
}

// The folders of parts: what their failed fsync lost is never claimed by a later one.
TEST(DurableCommit, AFailedFsyncOfAFolderIsNotTriedAgain) {
  for (const std::string& folder : {paths().bucket("holdings", 1), paths().table("holdings")}) {
    Disk disk = std::make_shared<SimOs>();
    std::vector<std::string> warnings;
    auto dataset = std::make_unique<Dataset>(sim_dataset(disk, &warnings));
    append(*dataset, 1, 0);
    disk->set_hook([&](const SimOp& op) { return op.call == OsCall::fsync && op.path == folder ? EIO : 0; });
    EXPECT_THROW(append(*dataset, 11, 1), IoWriteError);
    disk->set_hook({});
    bool acknowledged = true;
    try {
      append(*dataset, 12, 2);
    } catch (const IoWriteError&) {
      acknowledged = false;
    }
    EXPECT_FALSE(acknowledged) << folder;
    dataset.reset();
    const Disk later = disk->after_power_cut(PowerCut::all_lost());
    EXPECT_EQ(rows_on(later), (Rows{{1, 0}})) << folder;
  }
}

TEST(DurableCommit, AFailedFsyncBeforeThePutIsNoUnknownOutcome) {
  Disk disk = std::make_shared<SimOs>();
  std::vector<std::string> warnings;
  {
    Dataset dataset = sim_dataset(disk);
    append(dataset, 1, 0);
  }
  Dataset dataset = sim_dataset(disk, &warnings);
  disk->set_hook(
      [](const SimOp& op) { return op.call == OsCall::fsync && op.path == paths().log() ? EIO : 0; });
  const std::vector<core::ExchangeRow> trades{
      {.tick = 0, .venue_id = "market", .token_id = "grain", .exchange_event_type = "trade"}};
  try {
    dataset.append("exchange", trades);
    FAIL();
  } catch (const IoCommitUnknownError& e) {
    FAIL() << e.what();
  } catch (const IoWriteError& e) {
    EXPECT_EQ(e.code(), ErrorCode::write_failed);
  }
  disk->set_hook({});
  EXPECT_EQ(dataset.log().size(), 1U);
}

TEST(DurableCommit, ACommitWithoutItsNewlineIsFoldedWhole) {
  Disk disk = std::make_shared<SimOs>();
  put_run(*disk, 2);
  {
    Dataset dataset = sim_dataset(disk);
    append(dataset, 1, 0);
  }
  std::string text = disk->files().at(paths().commit(1));
  ASSERT_EQ(text.back(), '\n');
  text.pop_back();
  disk->put(paths().commit(1), text);
  {
    Dataset dataset = sim_dataset(disk);
    append(dataset, 2, 1);
    dataset.close();
  }
  EXPECT_TRUE(disk->files().at(paths().fold(1, 2)).starts_with(text + '\n'));
  {
    Dataset dataset = sim_dataset(disk);
    append(dataset, 3, 2);
  }
  EXPECT_EQ(rows_on(disk), (Rows{{1, 0}, {2, 1}, {3, 2}}));
}

TEST(DurableCommit, NoSingleCommitIsRemovedForAFoldThatIsDamaged) {
  Disk disk = std::make_shared<SimOs>();
  put_run(*disk, 2);
  std::vector<std::string> warnings;
  std::string first, second;
  {
    Dataset dataset = sim_dataset(disk, &warnings);
    append(dataset, 1, 0);
    // The fold arrives on the disk with one byte changed.
    disk->set_hook([&](const SimOp& op) {
      if (op.call != OsCall::open_to_read || op.path != paths().fold(1, 2)) return 0;
      auto files = disk->files();
      const auto fold = files.find(paths().fold(1, 2));
      if (fold == files.end()) return 0;
      std::string text = fold->second;
      text[text.size() / 2] ^= 1;
      disk->put(paths().fold(1, 2), text);
      return 0;
    });
    append(dataset, 2, 1);
    first = disk->files()[paths().commit(1)];
    dataset.close();
    disk->set_hook({});
  }
  EXPECT_TRUE(disk->files().contains(paths().commit(1)));
  EXPECT_TRUE(disk->files().contains(paths().commit(2)));
  EXPECT_THAT(warnings, Contains(HasSubstr("fold of the log")));
}

// ---- names that never come back ----

TEST(GoneNames, AnAppendedPartThatWasRemovedIsNotTakenInAgain) {
  Disk disk = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(disk);
    append(dataset, 1, 0);
    append(dataset, 2, 1);
    const TableManifest both = *dataset.manifest("holdings");
    TableManifest one = both;
    one.partitions[0].parts.erase(one.partitions[0].parts.begin());
    dataset.write_manifest(one);
    EXPECT_EQ(rows_on(disk), (Rows{{2, 1}}));
    TableManifest again = *dataset.manifest("holdings");
    again.partitions = both.partitions;
    EXPECT_THROW(dataset.write_manifest(again), IoArgumentError);
  }
  // The manifest alone must tell, too.
  const TableState state = decode_manifest(disk->files().at(paths().manifest("holdings")), "holdings",
                                           paths().manifest("holdings"));
  EXPECT_EQ(state.gone().size(), 1U);
  EXPECT_EQ(rows_on(disk), (Rows{{2, 1}}));
}

TEST(GoneNames, ACommitThatAddsANameThatIsGoneAddsNothing) {
  for (bool fresh_manifest : {false, true}) {
    TableState state("holdings");
    auto commit = [&](CommitKind kind, TableChange change) {
      Commit c;
      c.kind = kind;
      c.seq = state.position + 1;
      c.id = std::string(31, 'a') + std::to_string(c.seq);
      c.prev = state.position_id.empty() ? std::string(32, '0') : state.position_id;
      change.table = "holdings";
      c.tables.push_back(std::move(change));
      state.apply(c);
    };
    PartRecord part;
    part.meta = {part_file(std::string(32, 'b')), 1, 10, 0, 0, ""};
    part.schema = std::string(32, 'c');
    part.checksum = std::string(16, 'd');
    PartRecord other = part;
    other.meta.path = part_file(std::string(32, 'e'));
    commit(CommitKind::append, {.table = "", .schemas = {}, .added = {part}, .removed = {}, .condemned = {}});
    commit(CommitKind::adopt,
           {.table = "", .schemas = {}, .added = {}, .removed = {{0, part.meta.path}}, .condemned = {}});
    commit(CommitKind::gc,
           {.table = "", .schemas = {}, .added = {}, .removed = {}, .condemned = {{0, other.meta.path}}});
    if (fresh_manifest) {
      state.created_at = state.updated_at = "2026-01-01T00:00:00+00:00";
      const std::string text = encode_manifest(state);
      TextReader file(text);
      state = open_manifest(file, "holdings", "manifest.json", 10);
    }
    commit(CommitKind::adopt,
           {.table = "", .schemas = {}, .added = {part, other}, .removed = {}, .condemned = {}});
    EXPECT_EQ(state.manifest().parts(), 0);
    EXPECT_TRUE(state.is_gone(part.meta.path) && state.is_gone(other.meta.path));
  }
}

TEST(GoneNames, AFoldCarriesThem) {
  Disk disk = std::make_shared<SimOs>();
  put_run(*disk, 4);
  std::string gone;
  {
    Dataset dataset = sim_dataset(disk);
    append(dataset, 1, 0);
    append(dataset, 2, 1);
    TableManifest manifest = *dataset.manifest("holdings");
    gone = manifest.partitions[0].parts[0].path;
    manifest.partitions[0].parts.erase(manifest.partitions[0].parts.begin());
    dataset.write_manifest(manifest);
    for (std::int64_t i = 3; i < 8; ++i) append(dataset, i, i);
    dataset.close();
  }
  for (const FoldRange range : {FoldRange{1, 4}, FoldRange{5, 8}}) {
    const std::string path = paths().fold(range.first, range.last);
    const Fold fold = decode_fold(disk->files().at(path), path, range.first, range.last);
    EXPECT_TRUE(fold.gone.at("holdings").contains(gone)) << path;
    EXPECT_EQ(fold.format, 2);
  }
}

}  // namespace
}  // namespace crv::io
