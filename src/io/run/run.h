// One run as a Dataset holds it: its files' names, its log, and a snapshot of the tables it has touched.
//
// Everything that is shared between the verbs (append, scan, rebuild, ...) stands here, and every commit goes
// through commit(): the protocol of docs/impl.md, numbered there as in the code.
//
// Thread safety: all calls may be made from several threads. `mutex_` guards the snapshot and is held for
// short reads of the log at most; `commit_mutex_` lets one thread at a time put commits, and is held over
// their fsyncs. Taken in this order: open_mutex_ or commit_mutex_, mutex_, info_mutex_.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "crv/core/descriptor.h"
#include "crv/io/options.h"
#include "io/base/once.h"
#include "io/log/log.h"
#include "io/log/run_file.h"
#include "io/log/table_state.h"
#include "io/storage/paths.h"
#include "io/storage/storage.h"

namespace crv::io {

class Upkeep;

// Parts whose bytes were found to be those that were written. A part never changes, so once is enough. Safe
// for several threads.
class SoundParts {
 public:
  bool holds(const std::string& path) const {
    const std::lock_guard held(mutex_);
    return paths_.contains(path);
  }
  void add(const std::string& path) {
    const std::lock_guard held(mutex_);
    paths_.insert(path);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_set<std::string> paths_;
};

// A run as it was found under its name: run.json, and the log's folder held open. Never changed; another run
// under the same name is another object.
struct FoundRun {
  FoundRun(RunInfo run, std::string run_json, std::unique_ptr<Folder> log_folder, Storage& by_path,
           const RunPaths& paths)
      : info(std::move(run)),
        text(std::move(run_json)),
        folder(std::move(log_folder)),
        log(folder ? folder->storage() : by_path, paths, info.commits_per_fold) {}

  const RunInfo info;
  const std::string text;                // of run.json
  const std::unique_ptr<Folder> folder;  // of the log; nullptr where it was not there
  Log log;
  std::atomic<bool> accepted = false;  // the settings fit it, and its folders are relied on
  std::atomic<bool> written = false;   // this Dataset has put commits into it
};

class Run {
 public:
  Run(IoSettings settings, std::string run_id, DatasetOptions options);
  ~Run();

  const IoSettings settings;
  const std::string run_id;

  // Checks run id and settings, once. Enough for a rebuild, which must not trust what is on disk.
  void prepare();
  // Finds the run; every other verb calls it first, each time. If another run has taken its place since: a
  // Dataset that has only read starts afresh with that one, one that has written throws IoRunReplaced.
  void open();
  // As open(). Makes the run where it is missing (with a warning if it was there before) and checks that the
  // settings fit it.
  enum class Buckets { mean_loss, are_known };
  void open_for_writing(Buckets buckets = Buckets::mean_loss);
  // After a rebuild by this Dataset has given the run a new log: reads it as if for the first time.
  void reopen_rebuilt();
  // What is written from now on survives a power cut, whatever the settings say: the run may be one that
  // does.
  void use_durable_storage();
  // The run as it was last found; nullptr where there is no run.json. Valid after open().
  std::shared_ptr<const FoundRun> current() const { return found(); }
  // Whether that would not be thrown. False where the disk fails, too.
  bool is_in_place(const std::shared_ptr<const FoundRun>& run) noexcept;
  // Throws IoRunReplaced where `run` is not the run under this name any more: before anything that was made
  // from it is written for others to read.
  void require_in_place(const std::shared_ptr<const FoundRun>& run);
  // nullopt where the run has no run.json (older package, or no run at all). Valid after open().
  std::optional<RunInfo> info() const;
  std::int64_t bucket_size() const;

  Storage& storage() const { return *active_.load(std::memory_order_acquire); }
  std::shared_ptr<Storage> shared_storage() const;
  const RunPaths& paths() const { return *paths_; }
  // The log of the run as it was last found; nullptr where there is no run.json.
  std::shared_ptr<Log> log() const;
  // Everything in the log so far survives a power cut. A failure ends this Dataset's writing.
  void sync_log();
  void sync_log(Log& log);
  std::string new_id() { return new_id_(); }
  std::int64_t now_us() { return now_us_(); }
  std::string now();  // ISO 8601, UTC
  // Never throws, whatever the caller's handler does.
  void warn(const std::string& text) noexcept;
  // Throws dataset_closed after close() or a commit of unknown outcome.
  void require_writable() const;
  void stop_writing(const std::string& why);

  // Names of the folders below tables/ that have a manifest, sorted.
  std::vector<std::string> table_names();

  // The table at the end of the log, to look at while `lock` is held; nullptr where it has no manifest. Looks
  // each time whether manifest.json is still there, and reads only what is new in the log.
  using Lock = std::unique_lock<std::mutex>;
  Lock lock() { return Lock(mutex_); }
  TableState* table(const Lock& held, std::string_view name);
  // All tables that have a manifest, at one moment: manifests first, then the log.
  std::vector<TableState*> all_tables(const Lock& held);
  // As table(), without looking at the disk: the snapshot as it was last read.
  TableState* known_table(const Lock& held, std::string_view name);
  std::vector<std::string> known_tables(const Lock& held);
  // Parts that no commit names: of the older package, as its manifest lists them.
  static std::vector<PartRecord> unadopted_parts(const TableState& state);
  // Looks into parts of the older package whose columns are not known yet.
  void identify_parts(const Lock& held, TableState& state);
  // Makes the table's folder and empty manifest where they are missing, adopts what the older package wrote.
  // A folder that holds buckets but no manifest has lost it, unless the caller has put them there and knows.
  void table_for_writing(std::string_view name, Buckets buckets = Buckets::mean_loss);
  // Takes the parts that only a manifest of the older package lists into the log, so that it can be sealed.
  void adopt_older_parts(std::string_view name);

  // Makes the commit to put, seeing the snapshot under the lock; nullopt: there is nothing (more) to commit.
  // May throw to refuse. It is called again whenever commits of others were passed.
  using Make = std::function<std::optional<Commit>(const Lock&)>;
  // Puts a commit at the end of the log of `run`, for which it was made, and returns once it is durable.
  // nullopt if `make` returned that. IoRunReplaced where another run is known by then, or the log is not the
  // run's any more. `put` is set before the commit can be in the log: whatever is thrown after that
  // (IoCommitUnknownError, IoRunReplaced), its parts must stay.
  std::optional<Commit> commit(const std::shared_ptr<const FoundRun>& run, const Make& make,
                               bool* put = nullptr);

  // The commit that a token names which is below its writer's last. Reads the whole log once a writer.
  std::optional<std::int64_t> commit_of(const Lock& held, const Token& token);
  // Last number and seq of a token's writer. Reads the newest fold once.
  std::optional<std::pair<std::int64_t, std::int64_t>> last_token(const Lock& held,
                                                                  const std::string& writer);

  // fsyncs every folder from `folder` up, the first time that this Dataset relies on it; later nothing.
  void trust(const std::string& folder);
  bool trusts(const std::string& folder);
  void trust_as_synced(const std::string& folder);  // the caller has synced all that holds it

  Upkeep& upkeep() { return *upkeep_; }
  const std::shared_ptr<SoundParts>& sound_parts() const { return sound_; }

 private:
  enum class Standing { same, gone, another };

  std::shared_ptr<FoundRun> found() const;
  void look_for_run();
  void know(const RunInfo& info, std::string text);
  Standing standing_of(const FoundRun& found);
  bool still_holds_position(const Lock& held, const FoundRun& found);
  [[noreturn]] void refuse_replaced(const std::string& why) const;
  [[noreturn]] void refuse_fenced() const;
  std::string make_run();
  void accept_run();
  void upgrade_storage();
  void require_no_history();
  void require_manifests();
  void check_legacy_bucket_sizes();
  void adopt(std::string_view name);
  bool has_unadopted_parts(std::string_view name, Buckets buckets);
  void make_table(std::string_view name, Buckets buckets);
  void advance(const Lock& held);
  void apply(const Commit& commit);
  void put_once(const std::string& path, const std::string& text);
  static bool place(FoundRun& run, const Commit& commit, const std::string& line, bool& may_stand);
  void acknowledge(FoundRun& run, const Commit& commit);
  TableState* load(const Lock& held, std::string_view name);
  void check_not_ahead(const TableState& state);
  bool log_names(std::string_view table);
  void forget();
  void forget_snapshot(const Lock& held);

  DatasetOptions options_;
  std::function<std::int64_t()> now_us_;
  std::function<std::string()> new_id_;
  std::string writer_id_;

  Once prepared_;
  std::optional<RunPaths> paths_;
  mutable std::mutex info_mutex_;  // guards found_ and storages_
  std::shared_ptr<FoundRun> found_;
  std::vector<std::shared_ptr<Storage>> storages_;  // all that were ever active: others may be using them
  std::atomic<Storage*> active_ = nullptr;
  std::mutex open_mutex_;  // one thread at a time finds, makes or leaves a run
  // Under open_mutex_: this Dataset has found the run before it was gone; and has put commits into it.
  bool was_there_ = false, was_written_ = false;

  std::mutex mutex_;
  std::map<std::string, TableState, std::less<>> tables_;
  LogPosition position_;        // last commit that the snapshot knows
  std::int64_t fenced_at_ = 0;  // the first fence below it
  std::int64_t fold_seen_ = 0;  // position_ was found in the fold of its range
  std::int64_t durable_ = 0;    // the last commit that this Dataset made durable itself
  struct Tokens {
    TokenTable last;
    std::int64_t seq = 0;  // up to this commit
  };
  std::optional<Tokens> tokens_;
  struct Steps {
    std::string writer;
    std::map<std::int64_t, std::int64_t> commits;  // by number
    std::int64_t seq = 0;                          // up to this commit
  };
  Steps steps_;  // of the writer that commit_of() was asked for last
  std::set<std::string> trusted_;

  std::mutex commit_mutex_;
  mutable std::mutex stopped_mutex_;
  std::string stopped_;  // why this Dataset writes no more; empty: it does
  std::unique_ptr<Upkeep> upkeep_;
  const std::shared_ptr<SoundParts> sound_ = std::make_shared<SoundParts>();
};

}  // namespace crv::io
