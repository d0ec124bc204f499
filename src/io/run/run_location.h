// Where a run lives: its settings and names, the storage that holds it, and the run that was last found there.
//
// Everything of a run that does not depend on what its log says. Safe for several threads, but for prepare()
// and forget(), which Run calls one at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crv/io/options.h"
#include "crv/io/settings.h"
#include "io/base/once.h"
#include "io/log/log.h"
#include "io/log/run_file.h"
#include "io/storage/paths.h"
#include "io/storage/storage.h"

namespace crv::io {

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
  mutable Log log;                       // safe for several threads, and changes nothing of this
  std::atomic<bool> accepted = false;    // the settings fit it, and its folders are relied on
  std::atomic<bool> written = false;     // this Dataset has put commits into it
};

class RunLocation {
 public:
  RunLocation(IoSettings settings, std::string run_id, DatasetOptions options);

  const IoSettings settings;
  const std::string run_id;

  // Checks run id and settings, once. Everything else that needs paths() comes after it.
  void prepare();
  const RunPaths& paths() const { return *paths_; }
  Storage& storage() const { return *active_.load(std::memory_order_acquire); }
  std::shared_ptr<Storage> shared_storage() const;
  // What is written from now on survives a power cut, whatever the settings say: the run may be one that
  // does.
  void use_durable_storage();

  // The run as it was last found; nullptr where there is no run.json.
  std::shared_ptr<FoundRun> found() const;
  // Reads run.json where the run is not known yet: somebody may have made it since the last look.
  void look();
  // True where there was a run to forget.
  bool forget();
  // Whether the run under this name is still the one that was found: the same run.json, and the same folder
  // of the log.
  enum class Standing { same, gone, another };
  Standing standing_of(const FoundRun& found);
  [[noreturn]] void refuse_replaced(const std::string& why) const;

  std::shared_ptr<Log> log() const;  // of the run that was found; nullptr without one
  // The same. Throws IoRunReplaced where another thread has just seen that the run is gone.
  std::shared_ptr<Log> require_log() const;
  std::optional<RunInfo> info() const;  // the same
  std::int64_t bucket_size() const;     // of the run, else of the settings
  // Of the folders below tables/ that have a table's name and a manifest, sorted.
  std::vector<std::string> table_names();
  // The folder of a bucket of the table, whichever; nothing where it has none.
  std::optional<std::string> any_bucket(std::string_view table);
  // Puts a file that means the same whoever puts it.
  void put_once(const std::string& path, const std::string& text);

  const std::string& writer_id() const { return writer_id_; }
  std::string new_id() { return options_.new_id(); }
  std::int64_t now_us() { return options_.now_us(); }
  std::string now();  // ISO 8601, UTC
  Executor& executor() const { return *options_.executor; }
  std::size_t threads() const;  // that one call may use, from 1 to 1,024, whatever the executor says
  // Never throws, whatever the caller's handler does.
  void warn(const std::string& text) noexcept;

 private:
  void know(const RunInfo& info, std::string text);
  void upgrade_storage();

  DatasetOptions options_;  // without an empty member, but for storage and on_warning
  std::string writer_id_;
  Once prepared_;
  std::optional<RunPaths> paths_;
  mutable std::mutex mutex_;  // guards found_ and storages_
  std::shared_ptr<FoundRun> found_;
  std::vector<std::shared_ptr<Storage>> storages_;  // all that were ever active: others may be using them
  std::atomic<Storage*> active_ = nullptr;
};

}  // namespace crv::io
