// Random histories, random damage to any of their files: what a rebuild brings back, against a model that
// knows what was acknowledged and which evidence of it is left.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "crv/core/error.h"
#include "io/log/commit.h"
#include "io/log/manifest_file.h"
#include "io/storage/paths.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;
using Random = std::mt19937_64;

constexpr std::int64_t per_fold = 3;

RunPaths paths() {
  return {"out", sim_run_id};
}

std::int64_t below(Random& random, std::int64_t end) {
  return std::uniform_int_distribution<std::int64_t>(0, end - 1)(random);
}

std::string text_of(const std::map<std::string, std::string>& files, const std::string& path) {
  const auto found = files.find(path);
  return found == files.end() ? "" : found->second;
}

// A history with first tries that were never committed, retries, removals, folds and manifests of any age.
class History {
 public:
  History(Disk disk, std::uint64_t seed) : disk_(std::move(disk)), random_(seed) {
    put_run(*disk_, per_fold);
    for (std::int64_t step = 0, steps = 3 + below(random_, 10); step < steps; ++step) {
      const std::int64_t what = below(random_, 10);
      if (what < 6)
        append(false);
      else if (what < 8)
        append(true);
      else if (what == 8)
        remove();
      else
        sim_dataset(disk_).refresh_manifests();
    }
  }

 private:
  // Each row has a quantity of its own; a retry has those of its first try.
  void append(bool killed_first) {
    const std::int64_t number = ++appends_;
    std::vector<std::int64_t> ticks;
    for (std::int64_t i = 0, rows = 1 + below(random_, 3); i < rows; ++i) ticks.push_back(below(random_, 30));
    AppendOptions options;
    if (killed_first || below(random_, 2) == 0) options.token = Token{"engine", number};
    const auto rows = holdings(ticks, number * 10);
    if (killed_first) kill_before_commit(rows, options);
    sim_dataset(disk_).append("holdings", rows, options);
  }

  void kill_before_commit(const std::vector<core::HoldingsRow>& rows, const AppendOptions& options) {
    bool dead = false;
    disk_->set_hook([&](const SimOp& op) {
      dead = dead || (op.call == OsCall::link && op.to.find("/log/") != std::string::npos);
      return dead ? EIO : 0;
    });
    std::vector<std::string> warnings;
    try {
      sim_dataset(disk_, &warnings).append("holdings", rows, options);
    } catch (const Error&) {
    }
    disk_->set_hook({});
  }

  void remove() {
    Dataset dataset = sim_dataset(disk_);
    std::optional<TableManifest> manifest = dataset.manifest("holdings");
    if (!manifest || manifest->partitions.empty()) return;
    PartitionMeta& partition =
        manifest->partitions[static_cast<std::size_t>(below(random_, std::ssize(manifest->partitions)))];
    partition.parts.erase(partition.parts.begin());
    if (partition.parts.empty())
      std::erase_if(manifest->partitions, [](const PartitionMeta& p) { return p.parts.empty(); });
    dataset.write_manifest(*manifest);
  }

  Disk disk_;
  Random random_;
  std::int64_t appends_ = 0;
};

// What all commits say, and which of it still stands somewhere after the damage.
struct Truth {
  struct Part {
    std::int64_t seq = 0, rows = 0;
    std::int64_t removed_at = 0;  // 0: never
  };
  std::map<std::string, Part> parts;          // by path
  std::map<std::int64_t, std::string> lines;  // of commits, with their newline
  std::map<std::int64_t, std::string> files;  // that hold them
};

Truth truth_of(const SimOs& disk) {
  Truth truth;
  const auto files = disk.files();
  for (const auto& [path, text] : files) {
    if (parent_of(path) != paths().log()) continue;
    std::istringstream lines(text);
    const auto fold = parse_fold_file(base_name_of(path));
    const auto single = parse_commit_file(base_name_of(path));
    if (!fold && !single) continue;
    std::int64_t seq = fold ? fold->first : *single;
    for (std::string line; std::getline(lines, line) && (single || seq <= fold->last); ++seq) {
      if (single && truth.lines.contains(seq)) continue;
      truth.lines[seq] = line + '\n';
      truth.files[seq] = path;
    }
  }
  for (const auto& [seq, line] : truth.lines) {
    const Commit commit = decode_commit(line, truth.files[seq], seq);
    for (const TableChange& change : commit.tables) {
      for (const PartRecord& part : change.added)
        truth.parts[paths().part(change.table, part.bucket, part.meta.path)] = {seq, part.meta.rows, 0};
      for (const PartName& name : change.removed)
        truth.parts[paths().part(change.table, name.bucket, name.file)].removed_at = seq;
    }
  }
  return truth;
}

void damage(SimOs& disk, Random& random) {
  std::vector<std::string> all;
  for (const auto& [path, text] : disk.files())
    if (!path.ends_with(".tmp")) all.push_back(path);
  std::shuffle(all.begin(), all.end(), random);
  const auto some = static_cast<std::size_t>(1 + below(random, std::min<std::int64_t>(4, std::ssize(all))));
  for (std::size_t i = 0; i < some; ++i) {
    std::string text = disk.files().at(all[i]);
    switch (below(random, 4)) {
      case 0:
        disk.erase(all[i]);
        continue;
      case 1:
        text.resize(text.size() / 2);
        break;
      case 2:
        text = "torn";
        break;
      default:
        text[static_cast<std::size_t>(below(random, std::ssize(text)))] ^= 4;
    }
    disk.put(all[i], text);
  }
}

// The commits that can still be read, each from a file that holds its line as it was.
std::set<std::int64_t> readable(const Truth& truth, const std::map<std::string, std::string>& after) {
  std::set<std::int64_t> seqs;
  for (const auto& [seq, line] : truth.lines) {
    const std::string text = text_of(after, truth.files.at(seq));
    const std::size_t at = text.find(line);
    if (at == 0 || (at != std::string::npos && text[at - 1] == '\n')) seqs.insert(seq);
  }
  return seqs;
}

class OfSeed : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(RebuildRandom, OfSeed, testing::Range<std::uint64_t>(0, 150));

std::map<std::int64_t, int> quantities(const Seen& seen) {
  std::map<std::int64_t, int> times;
  for (const auto& [table, rows] : seen)
    for (const auto& [tick, quantity] : rows) ++times[quantity];
  return times;
}

TEST_P(OfSeed, NothingThatEvidenceNamesIsLostAndNothingIsDoubled) {
  const std::uint64_t seed = test_seed() * 1000 + GetParam();
  Random random(seed);
  const Disk made = std::make_shared<SimOs>();
  const History history(made, seed);
  // else names that were removed may come back
  const Disk disk = made->after_power_cut(PowerCut::all_kept());
  const Truth truth = truth_of(*disk);
  if (truth.parts.empty()) return;
  const auto before = disk->files();
  damage(*disk, random);
  const auto after = disk->files();
  const std::set<std::int64_t> sound = readable(truth, after);
  const std::string manifest_path = paths().manifest("holdings");
  std::optional<TableState> manifest;
  if (after.contains(manifest_path) && after.at(manifest_path) == text_of(before, manifest_path))
    manifest = decode_manifest(after.at(manifest_path), "holdings", manifest_path);

  const Disk damaged = disk->clone();
  RebuildReport report;
  try {
    report = sim_dataset(disk).rebuild_manifest("holdings");
  } catch (const IoManifestError& e) {
    ADD_FAILURE() << "seed " << seed << ": " << e.what();
    return;
  }
  const std::string told = "seed " + std::to_string(seed) + ": " + write_json(to_json(report));
  std::set<std::string> listed;
  for (const PartitionMeta& partition : report.manifest.partitions)
    for (const PartMeta& part : partition.parts)
      listed.insert(paths().part("holdings", partition.bucket_id, part.path));

  const bool log_stands = sound.size() == truth.lines.size();
  for (const auto& [path, part] : truth.parts) {
    const bool intact = text_of(after, path) == text_of(before, path) && after.contains(path);
    const bool named =
        sound.contains(part.seq) || (manifest && manifest->position >= part.seq &&
                                     (part.removed_at == 0 || part.removed_at > manifest->position));
    const bool told_gone = part.removed_at > 0 && (sound.contains(part.removed_at) ||
                                                   (manifest && manifest->position >= part.removed_at));
    if (told_gone) {
      EXPECT_FALSE(listed.contains(path)) << told << "\nremoved: " << path;
    }
    if (named && intact && part.removed_at == 0) {
      EXPECT_TRUE(listed.contains(path)) << told << "\nlost: " << path;
    }
  }
  for (const std::string& path : listed)
    EXPECT_TRUE(!log_stands || (truth.parts.contains(path) && truth.parts.at(path).removed_at == 0))
        << told << "\nadopted: " << path;

  bool readable_parts = true;  // a standing log goes on naming parts that are damaged
  for (const std::string& path : listed) readable_parts &= text_of(after, path) == text_of(before, path);
  if (!readable_parts) return;
  Seen there;
  ASSERT_NO_THROW(there = seen_on(disk)) << told;
  for (const auto& [quantity, count] : quantities(there))
    EXPECT_EQ(count, 1) << told << "\ndoubled: " << quantity;
  sim_dataset(disk).rebuild_manifest("holdings");
  EXPECT_EQ(seen_on(disk), there) << told;
  const VerifyReport verified = sim_dataset(disk).verify();
  EXPECT_TRUE(verified.ok || (report.from_log && !report.damaged.empty()))
      << told << write_json(to_json(verified));
  EXPECT_NO_THROW(sim_dataset(disk).append("holdings", holdings({1}, 9000))) << told;

  // Stopped somewhere, perhaps with a power cut, and done again.
  const Disk whole = damaged->clone();
  sim_dataset(whole).rebuild_manifest("holdings");
  const Disk stopped = damaged->clone();
  stopped->stop_after(below(random, std::ssize(whole->ops())));
  try {
    sim_dataset(stopped).rebuild_manifest("holdings");
  } catch (const Error&) {
  }
  stopped->clear_faults();
  const Disk later = below(random, 2) == 0 ? stopped : stopped->after_power_cut(PowerCut::by_chance(seed));
  const std::string left = later->dump();
  const RebuildReport second = sim_dataset(later).rebuild_manifest("holdings");
  EXPECT_EQ(seen_on(later), there) << told << "\nstopped:\n" << left << write_json(to_json(second));
}

}  // namespace
}  // namespace crv::io
