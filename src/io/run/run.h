// One run as a Dataset holds it: where it lives, what is known of its log, and the way to write to it.
//
// Everything that is shared between the verbs (append, scan, rebuild, ...) stands here. Each piece is a class
// of its own: RunLocation, Snapshot, Committer, TableSetup.
//
// Thread safety: all calls may be made from several threads. The snapshot is held for short reads of the log
// at most; the committer lets one thread at a time put commits, over their fsyncs. Locks are taken in this
// order: opening or committing, snapshot, location.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "io/base/guarded.h"
#include "io/run/committer.h"
#include "io/run/run_location.h"
#include "io/run/snapshot.h"
#include "io/run/sound_parts.h"
#include "io/run/table_setup.h"
#include "io/run/tables.h"
#include "io/run/trusted_folders.h"

namespace crv::io {

class Run : private RunLocation {
 public:
  Run(IoSettings settings, std::string run_id, DatasetOptions options);

  // Of the location. What it says of the run that was found is valid after open().
  using RunLocation::any_bucket;
  using RunLocation::bucket_size;
  using RunLocation::executor;
  using RunLocation::info;
  using RunLocation::log;
  using RunLocation::new_id;
  using RunLocation::now;
  using RunLocation::now_us;
  using RunLocation::paths;
  using RunLocation::prepare;  // enough for a rebuild, which must not trust what is on disk
  using RunLocation::require_log;
  using RunLocation::run_id;
  using RunLocation::settings;
  using RunLocation::shared_storage;
  using RunLocation::storage;
  using RunLocation::table_names;
  using RunLocation::threads;
  using RunLocation::use_durable_storage;
  using RunLocation::warn;

  // Finds the run; every other verb calls it first, each time. If another run has taken its place since: a
  // Dataset that has only read starts afresh with that one, one that has written throws IoRunReplaced.
  void open();
  // As open(). Makes the run where it is missing (with a warning if it was there before) and checks that the
  // settings fit it.
  void open_for_writing(Buckets buckets = Buckets::mean_loss);
  // After a rebuild by this Dataset has given the run a new log: reads it as if for the first time.
  void reopen_rebuilt();

  // The run as it was last found; nullptr where there is no run.json.
  std::shared_ptr<const FoundRun> current() const { return found(); }
  void require_in_place(const std::shared_ptr<const FoundRun>& run) { committer_.require_in_place(run); }
  // Whether that would not be thrown. False where the disk fails, too.
  bool is_in_place(const std::shared_ptr<const FoundRun>& run) noexcept;

  // What this Dataset knows of the run, locked as long as it is held.
  Guarded<Snapshot>::Held snapshot() { return snapshot_.hold(); }

  // See Committer.
  void require_writable() { committer_.require_writable(); }
  void stop_writing(const std::string& why) { committer_.stop_writing(why); }
  void sync_log() { committer_.sync_log(); }
  void sync_log(Log& log) { committer_.sync_log(log); }
  std::optional<Commit> commit(const std::shared_ptr<const FoundRun>& run, const Committer::Make& make,
                               bool* put = nullptr) {
    return committer_.commit(run, make, put);
  }

  void make_table_ready(std::string_view name, Buckets buckets = Buckets::mean_loss) {
    setup_.make_ready(name, buckets);
  }
  // Takes the parts that only a manifest of the older package lists into the log, so that it can be sealed.
  void adopt_older_parts(std::string_view name);

  Tables& tables() { return tables_; }

  TrustedFolders& trusted_folders() { return trusted_; }
  const std::shared_ptr<SoundParts>& sound_parts() const { return sound_; }

 private:
  std::string make_run();
  void accept_run();
  void require_no_history();
  void require_manifests();
  void check_legacy_bucket_sizes();
  void check_legacy_bucket_size(const TableState& state) const;
  void start_afresh();

  std::mutex open_mutex_;  // one thread at a time finds, makes or leaves a run
  // Under open_mutex_: this Dataset has found the run before it was gone; and has put commits into it.
  bool was_there_ = false, was_written_ = false;
  Guarded<Snapshot> snapshot_;
  Tables tables_;
  TrustedFolders trusted_;
  Committer committer_;
  TableSetup setup_;
  const std::shared_ptr<SoundParts> sound_ = std::make_shared<SoundParts>();
};

}  // namespace crv::io
