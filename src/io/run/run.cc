// Opening a run, to read it and to write to it.
#include "io/run/run.h"

#include <utility>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "io/log/manifest_file.h"

namespace crv::io {
namespace {

[[noreturn]] void refuse_bucket_size(const std::string& run_id, std::int64_t ours, std::int64_t runs) {
  raise(ErrorCode::bucket_size_mismatch,
        "The settings say tick_bucket_size = " + std::to_string(ours) + ", but run " + run_id +
            " keeps buckets of " + std::to_string(runs) + ". Use the run's size, or record into a new run.",
        {.run_id = run_id, .key = "tick_bucket_size", .value = std::to_string(ours)});
}

// Another folder below tables/ may look like that of a table.
bool is_manifest_of(const std::string& text, const std::string& table, const std::string& path) {
  try {
    static_cast<void>(decode_manifest(text, table, path));
    return true;
  } catch (
      const IoManifestError&) {  // where there is no log, nothing tells a damaged one from one that is none
    return false;
  }
}

}  // namespace

Run::Run(IoSettings given_settings, std::string id, DatasetOptions options)
    : RunLocation(std::move(given_settings), std::move(id), std::move(options)),
      snapshot_(static_cast<RunLocation&>(*this)),
      tables_(*this, snapshot_),
      committer_(*this, snapshot_),
      setup_(*this, snapshot_, committer_, trusted_) {}

// ---- to read ----

// A run that was removed, or replaced by another of the same name, is told from the one that was found by
// run.json, by the log's folder, which is held open, and by the last commit that was read: a backup may have
// been copied over its files, folder by folder. Rows that this Dataset wrote must not seem to be there while
// another run answers, so after the first commit such a change is an error for good.
void Run::open() {
  prepare();
  std::lock_guard one_at_a_time(open_mutex_);
  if (const std::shared_ptr<FoundRun> known = found(); known && !was_written_) {
    Standing standing = standing_of(*known);
    if (standing == Standing::same) {
      if (snapshot()->still_holds_position(*known)) return;
      standing = Standing::another;
    }
    if (standing == Standing::another && known->written)
      refuse_replaced("another run, or another log, has taken its place");
    was_written_ = was_written_ || known->written;
    start_afresh();
  }
  look();
  if (was_written_ && info()) refuse_replaced("it was removed, and another has made it again");
  if (info() || storage().list(paths().log()).empty()) return;
  look();  // made meanwhile, if all is well: run.json comes before the first commit
  if (!info())
    raise(ErrorCode::run_damaged,
          "Run " + run_id + " has a log but no run.json (" + paths().run_json() + "). Rebuild the run.",
          {.run_id = run_id, .path = paths().run_json()});
}

// As one step for everybody who looks at the snapshot: a commit of the run that is forgotten must not be folded
// into the snapshot of the next one, and what holds the snapshot may rely on the run's log.
void Run::start_afresh() {
  const auto held = snapshot();
  held->forget();
  trusted_.clear();
  was_there_ = forget() || was_there_;
}

void Run::reopen_rebuilt() {
  std::lock_guard one_at_a_time(open_mutex_);
  start_afresh();
  was_there_ = was_written_ = false;
  look();
}

bool Run::is_in_place(const std::shared_ptr<const FoundRun>& run) noexcept {
  try {
    require_in_place(run);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// ---- to write ----

void Run::open_for_writing(Buckets buckets) {
  open();
  std::string warning;
  {
    std::lock_guard one_at_a_time(open_mutex_);
    if (const auto run = found(); run && run->accepted) return;
    if (!info()) {
      check_legacy_bucket_sizes();
      if (buckets == Buckets::mean_loss) require_manifests();
      warning = make_run();
    }
    accept_run();
  }
  if (!warning.empty()) warn(warning);  // without the lock: its handler may use this Dataset
}

// Its folders, and run.json where it is missing. Returns what the caller should warn of, or "".
std::string Run::make_run() {
  std::string warning;
  if (was_there_)
    warning = "Run " + run_id + " is gone from " + paths().run() +
              ", with the rows that were recorded before. It is made again, empty.";
  storage().make_folder(paths().run());
  storage().require_put_if_absent(paths().run());
  storage().make_folder(paths().log());
  storage().make_folder(paths().tables());
  RunInfo made;
  made.run_id = run_id;
  made.id = new_id();
  made.created_at = now();
  made.tick_bucket_size = settings.tick_bucket_size;
  made.durability = settings.durability;
  put_once(paths().run_json(), encode_run(made));
  look();  // it is perhaps another writer's
  if (!info())
    raise(ErrorCode::run_damaged, paths().run_json() + " is gone right after it was written.",
          {.run_id = run_id, .path = paths().run_json()});
  if (was_written_ && info()->id != made.id) refuse_replaced("it was removed, and another has made it again");
  was_there_ = was_written_ = false;
  return warning;
}

// The settings must fit the run. Its folders are relied on from here on.
void Run::accept_run() {
  const RunInfo run = *info();
  if (run.tick_bucket_size != settings.tick_bucket_size)
    refuse_bucket_size(run_id, settings.tick_bucket_size, run.tick_bucket_size);
  if (run.durability == Durability::none && settings.durability == Durability::commit)
    raise(ErrorCode::config_value,
          "Run " + run_id +
              " was made with durability \"none\" and cannot become durable. Open it with durability = "
              "\"none\", or record into a new run.",
          {.run_id = run_id, .key = "durability", .value = "commit"});
  if (!found()->folder) {
    require_no_history();
    storage().make_folder(paths().log());
    start_afresh();
    was_there_ = false;
    look();
  }
  const std::shared_ptr<FoundRun> ready = found();
  if (!ready || !ready->folder) refuse_replaced("its log/ is gone right after it was made");
  trusted_.trust(paths().log(), storage());
  ready->accepted = true;
}

// Where log/ is missing: no manifest may name a commit.
void Run::require_no_history() {
  for (const std::string& name : table_names()) {
    const std::string path = paths().manifest(name);
    const std::optional<std::string> text = read_all(storage(), path);
    if (text && (core::find_stored_table(name) || is_manifest_of(*text, name, path)) &&
        decode_manifest(*text, name, path).position > 0)
      raise(ErrorCode::log_damaged,
            "Run " + run_id + " has lost its log (" + paths().log() + "), which " + path +
                " refers to. Rebuild the run.",
            {.run_id = run_id, .table = name, .path = paths().log()});
  }
  require_manifests();
}

// Where there is no log, or no run: a table with buckets has lost its manifest, and so its history.
void Run::require_manifests() {
  for (const Entry& table : storage().list(paths().tables())) {
    if (!table.is_folder || !core::is_table_name(table.name)) continue;
    if (storage().exists(paths().manifest(table.name))) continue;
    if (const std::optional<std::string> bucket = any_bucket(table.name))
      raise(ErrorCode::table_missing,
            "Table " + table.name + " of run " + run_id + " has lost its manifest (" +
                paths().manifest(table.name) + "), and the run its log, though " + *bucket +
                " is there. Rebuild the run.",
            {.run_id = run_id, .table = table.name, .path = paths().manifest(table.name)});
  }
}

// A run of the older package has no run.json: what its buckets hold must fit the settings, which become the
// run's.
void Run::check_legacy_bucket_sizes() {
  for (const std::string& name : table_names()) {
    const std::string path = paths().manifest(name);
    const std::optional<std::string> text = read_all(storage(), path);
    if (!text || (!core::find_stored_table(name) && !is_manifest_of(*text, name, path))) continue;
    const TableState state = decode_manifest(*text, name, path);
    if (state.manifest_position >= 0) look();  // made meanwhile, if all is well
    if (info()) return;
    if (state.manifest_position >= 0)
      raise(ErrorCode::run_damaged,
            "Run " + run_id + " has no run.json, yet " + path + " was written by crv. Rebuild the run.",
            {.run_id = run_id, .table = name, .path = paths().run_json()});
    check_legacy_bucket_size(state);
  }
}

void Run::check_legacy_bucket_size(const TableState& state) const {
  const std::string size = std::to_string(settings.tick_bucket_size);
  for (const auto& [bucket, parts] : state.buckets())
    for (const PartRecord& part : parts)
      if (!lie_in_bucket(part.meta.tick_min, part.meta.tick_max, bucket, settings.tick_bucket_size))
        raise(ErrorCode::bucket_size_mismatch,
              "The settings say tick_bucket_size = " + size + ", but table " + state.table + " of run " +
                  run_id + " keeps ticks " + std::to_string(part.meta.tick_min) + " to " +
                  std::to_string(part.meta.tick_max) + " in bucket " + std::to_string(bucket) + ".",
              {.run_id = run_id,
               .table = state.table,
               .key = "tick_bucket_size",
               .value = size,
               .bucket = bucket});
}

void Run::adopt_older_parts(std::string_view name) {
  if (!setup_.has_unadopted_parts(name, Buckets::mean_loss)) return;
  require_writable();
  open_for_writing();
  make_table_ready(name);
}

}  // namespace crv::io
