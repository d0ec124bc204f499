#include "io/run/run.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <utility>

#include "crv/core/error.h"
#include "io/base/clock.h"
#include "io/log/manifest_file.h"
#include "io/part/part.h"
#include "io/run/upkeep.h"
#include "io/storage/local_storage.h"

namespace crv::io {
namespace {

[[noreturn]] void refuse_bucket_size(const std::string& run_id, std::int64_t ours, std::int64_t runs,
                                     const std::string& how) {
  raise(ErrorCode::bucket_size_mismatch,
        "The settings say tick_bucket_size = " + std::to_string(ours) + ", but run " + run_id + " " + how +
            std::to_string(runs) + ". Use the run's size, or record into a new run.",
        {.run_id = run_id, .key = "tick_bucket_size", .value = std::to_string(ours)});
}

}  // namespace

Run::Run(IoSettings given_settings, std::string id, DatasetOptions options)
    : settings(std::move(given_settings)),
      run_id(std::move(id)),
      options_(std::move(options)),
      now_us_(options_.now_us ? options_.now_us : system_now_us),
      new_id_(options_.new_id ? options_.new_id : random_id),
      upkeep_(std::make_unique<Upkeep>(*this)) {
  // Made here, since it takes relative paths from what is the working folder now.
  if (options_.working_folder.empty()) options_.working_folder = posix_os()->working_folder();
  storages_.push_back(options_.storage
                          ? options_.storage
                          : local_storage(settings.durability, posix_os(), new_id_, options_.working_folder));
  active_ = storages_.back().get();
}

Run::~Run() = default;

std::string Run::now() {
  return iso_time(now_us_());
}

void Run::warn(const std::string& text) noexcept {
  try {
    if (options_.on_warning)
      options_.on_warning(text);
    else
      std::cerr << "crv: " + text + "\n";
  } catch (...) {  // what is warned of has happened, and no caller can undo it
    std::fputs("crv: ", stderr);
    std::fputs(text.c_str(), stderr);
    std::fputs("\n", stderr);
  }
}

void Run::stop_writing(const std::string& why) {
  std::lock_guard held(stopped_mutex_);
  if (stopped_.empty()) stopped_ = why;
}

void Run::require_writable() const {
  std::lock_guard held(stopped_mutex_);
  if (!stopped_.empty()) raise(ErrorCode::dataset_closed, stopped_, {.run_id = run_id});
}

// ---- opening ----

void Run::prepare() {
  prepared_.run([&] {
    check_settings(settings);
    paths_.emplace(settings.root_dir, run_id);
    writer_id_ = new_id_();
  });
}

void Run::open() {
  prepare();
  std::lock_guard one_at_a_time(open_mutex_);
  if (const std::shared_ptr<FoundRun> known = found(); known && !was_written_) {
    Standing standing = standing_of(*known);
    if (standing == Standing::same) {
      Lock held = lock();
      if (still_holds_position(held, *known)) return;
      standing = Standing::another;
    }
    if (standing == Standing::another && known->written)
      refuse_replaced("another run, or another log, has taken its place");
    was_written_ = was_written_ || known->written;
    forget();
  }
  look_for_run();
  if (was_written_ && info()) refuse_replaced("it was removed, and another has made it again");
  if (info() || storage().list(paths_->log()).empty()) return;
  look_for_run();  // made meanwhile, if all is well: run.json comes before the first commit
  if (!info())
    raise(ErrorCode::run_damaged,
          "Run " + run_id + " has a log but no run.json (" + paths_->run_json() + "). Rebuild the run.",
          {.run_id = run_id, .path = paths_->run_json()});
}

// Reads run.json where the run is not known yet: somebody may have made it since the last look.
void Run::look_for_run() {
  if (info()) return;
  std::optional<std::string> text = read_all(storage(), paths_->run_json());
  if (!text) return;
  const RunInfo info = decode_run(*text, paths_->run_json(), run_id);
  know(info, *std::move(text));
}

void Run::know(const RunInfo& info, std::string text) {
  std::lock_guard held(info_mutex_);
  if (found_) return;
  if (info.durability == Durability::commit) upgrade_storage();
  found_ =
      std::make_shared<FoundRun>(info, std::move(text), storage().hold(paths_->log()), storage(), *paths_);
}

// Under info_mutex_.
void Run::upgrade_storage() {
  if (settings.durability == Durability::commit || options_.storage || storages_.size() > 1) return;
  storages_.push_back(local_storage(Durability::commit, posix_os(), new_id_, options_.working_folder));
  active_ = storages_.back().get();
}

void Run::use_durable_storage() {
  std::lock_guard held(info_mutex_);
  upgrade_storage();
}

std::shared_ptr<FoundRun> Run::found() const {
  std::lock_guard held(info_mutex_);
  return found_;
}

std::shared_ptr<Log> Run::log() const {
  const std::shared_ptr<FoundRun> run = found();
  return run ? std::shared_ptr<Log>(run, &run->log) : nullptr;
}

std::optional<RunInfo> Run::info() const {
  const std::shared_ptr<FoundRun> run = found();
  return run ? std::optional(run->info) : std::nullopt;
}

std::int64_t Run::bucket_size() const {
  const std::shared_ptr<FoundRun> run = found();
  return run ? run->info.tick_bucket_size : settings.tick_bucket_size;
}

std::shared_ptr<Storage> Run::shared_storage() const {
  std::lock_guard held(info_mutex_);
  return storages_.back();
}

// ---- whether it is still the same run ----

Run::Standing Run::standing_of(const FoundRun& run) {
  const std::optional<std::string> text = read_all(storage(), paths_->run_json());
  const bool log_in_place = run.folder ? run.folder->is_in_place() : !storage().exists(paths_->log());
  if (text && *text == run.text && log_in_place) return Standing::same;
  return text || storage().exists(paths_->log()) ? Standing::another : Standing::gone;
}

// Whether the log still has the commit that the snapshot ends with: a backup may have been copied over it.
bool Run::still_holds_position(const Lock&, const FoundRun& run) {
  if (position_.seq == 0 || !run.folder) return true;
  Storage& storage = run.folder->storage();
  if (const auto line = read_all(storage, paths_->commit(position_.seq)))
    if (line->find("\"id\":\"" + position_.id + '"') != std::string::npos) return true;
  const FoldRange range = run.log.range_of(position_.seq);
  if (fold_seen_ == position_.seq && storage.exists(paths_->fold(range.first, range.last))) return true;
  if (!run.log.holds(position_.seq, position_.id)) return false;
  fold_seen_ = position_.seq;
  return true;
}

void Run::refuse_replaced(const std::string& why) const {
  raise(ErrorCode::run_replaced,
        "Run " + run_id + " (" + paths_->run() + ") is not the one that this Dataset has opened: " + why +
            ". Open the run again.",
        {.run_id = run_id, .path = paths_->run()});
}

void Run::require_in_place(const std::shared_ptr<const FoundRun>& run) {
  if (!run) return;
  if (found() != run) refuse_replaced("it was replaced meanwhile");
  const Standing standing = standing_of(*run);
  if (standing == Standing::gone) refuse_replaced("its folder is gone");
  if (standing == Standing::another) refuse_replaced("another run, or another log, has taken its place");
  Lock held = lock();
  if (fenced_at_ > 0) refuse_fenced();
}

bool Run::is_in_place(const std::shared_ptr<const FoundRun>& run) noexcept {
  try {
    require_in_place(run);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void Run::refuse_fenced() const {
  raise(
      ErrorCode::run_replaced,
      "A rebuild of run " + run_id + " (" + paths_->run() + ") has begun (commit " +
          std::to_string(fenced_at_) +
          ") and has not ended. Open the run again when it has; if nobody rebuilds it any more, rebuild it.",
      {.run_id = run_id, .path = paths_->run(), .seq = fenced_at_});
}

void Run::forget() {
  Lock held = lock();
  forget_snapshot(held);
  trusted_.clear();
  std::lock_guard info_held(info_mutex_);
  if (found_) was_there_ = true;
  found_.reset();
}

void Run::forget_snapshot(const Lock&) {
  tables_.clear();
  tokens_.reset();
  steps_ = {};
  position_ = {};
  fenced_at_ = fold_seen_ = durable_ = 0;
}

// ---- opening for writing ----

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

void Run::reopen_rebuilt() {
  std::lock_guard one_at_a_time(open_mutex_);
  forget();
  was_there_ = was_written_ = false;
  look_for_run();
}

// Its folders, and run.json where it is missing. Returns what the caller should warn of, or "".
std::string Run::make_run() {
  std::string warning;
  if (was_there_)
    warning = "Run " + run_id + " is gone from " + paths_->run() +
              ", with the rows that were recorded before. It is made again, empty.";
  storage().make_folder(paths_->run());
  storage().require_put_if_absent(paths_->run());
  storage().make_folder(paths_->log());
  storage().make_folder(paths_->tables());
  RunInfo made;
  made.run_id = run_id;
  made.id = new_id();
  made.created_at = now();
  made.tick_bucket_size = settings.tick_bucket_size;
  made.durability = settings.durability;
  put_once(paths_->run_json(), encode_run(made));
  look_for_run();  // it is perhaps another writer's
  if (!info())
    raise(ErrorCode::run_damaged, paths_->run_json() + " is gone right after it was written.",
          {.run_id = run_id, .path = paths_->run_json()});
  if (was_written_ && info()->id != made.id) refuse_replaced("it was removed, and another has made it again");
  was_there_ = was_written_ = false;
  return warning;
}

// A file that means the same whoever puts it. Whether it was put is no question of a commit.
void Run::put_once(const std::string& path, const std::string& text) {
  try {
    storage().put_if_absent(path, text);
  } catch (const IoCommitUnknownError& e) {
    raise(ErrorCode::write_failed, e.what(), e.facts());
  }
}

// The settings must fit the run. Its folders are relied on from here on.
void Run::accept_run() {
  RunInfo run = *info();
  if (run.tick_bucket_size != settings.tick_bucket_size)
    refuse_bucket_size(run_id, settings.tick_bucket_size, run.tick_bucket_size, "keeps buckets of ");
  if (run.durability == Durability::none && settings.durability == Durability::commit)
    raise(ErrorCode::config_value,
          "Run " + run_id +
              " was made with durability \"none\" and cannot become durable. Open it with durability = "
              "\"none\", or record into a new run.",
          {.run_id = run_id, .key = "durability", .value = "commit"});
  if (!found()->folder) {
    require_no_history();
    storage().make_folder(paths_->log());
    forget();
    was_there_ = false;
    look_for_run();
  }
  const std::shared_ptr<FoundRun> ready = found();
  if (!ready || !ready->folder) refuse_replaced("its log/ is gone right after it was made");
  trust(paths_->log());
  ready->accepted = true;
}

// Where log/ is missing: no manifest may name a commit.
void Run::require_no_history() {
  for (const std::string& name : table_names()) {
    const std::string path = paths_->manifest(name);
    const std::optional<std::string> text = read_all(storage(), path);
    if (text && decode_manifest(*text, name, path).position > 0)
      raise(ErrorCode::log_damaged,
            "Run " + run_id + " has lost its log (" + paths_->log() + "), which " + path +
                " refers to. Rebuild the run.",
            {.run_id = run_id, .table = name, .path = paths_->log()});
  }
  require_manifests();
}

// Where there is no log, or no run: a table with buckets has lost its manifest, and so its history.
void Run::require_manifests() {
  for (const Entry& table : storage().list(paths_->tables())) {
    if (!table.is_folder || !core::find_stored_table(table.name)) continue;
    if (storage().exists(paths_->manifest(table.name))) continue;
    const std::string folder = paths_->table(table.name);
    for (const Entry& bucket : storage().list(folder))
      if (parse_bucket_folder(bucket.name))
        raise(ErrorCode::table_missing,
              "Table " + table.name + " of run " + run_id + " has lost its manifest (" +
                  paths_->manifest(table.name) + "), and the run its log, though " +
                  join(folder, bucket.name) + " is there. Rebuild the run.",
              {.run_id = run_id, .table = table.name, .path = paths_->manifest(table.name)});
  }
}

void Run::check_legacy_bucket_sizes() {
  for (const std::string& name : table_names()) {
    std::string path = paths_->manifest(name);
    std::optional<std::string> text = read_all(storage(), path);
    if (!text) continue;
    TableState state = decode_manifest(*text, name, path);
    if (state.manifest_position >= 0) look_for_run();  // made meanwhile, if all is well
    if (info()) return;
    if (state.manifest_position >= 0)
      raise(ErrorCode::run_damaged,
            "Run " + run_id + " has no run.json, yet " + path + " was written by crv. Rebuild the run.",
            {.run_id = run_id, .table = name, .path = paths_->run_json()});
    for (const auto& [bucket, parts] : state.buckets())
      for (const PartRecord& part : parts)
        if (part.meta.tick_min / settings.tick_bucket_size != bucket ||
            part.meta.tick_max / settings.tick_bucket_size != bucket)
          raise(ErrorCode::bucket_size_mismatch,
                "The settings say tick_bucket_size = " + std::to_string(settings.tick_bucket_size) +
                    ", but table " + name + " of run " + run_id + " keeps ticks " +
                    std::to_string(part.meta.tick_min) + " to " + std::to_string(part.meta.tick_max) +
                    " in bucket " + std::to_string(bucket) + ".",
                {.run_id = run_id,
                 .table = name,
                 .key = "tick_bucket_size",
                 .value = std::to_string(settings.tick_bucket_size),
                 .bucket = bucket});
  }
}

void Run::trust(const std::string& folder) {
  {
    std::lock_guard held(mutex_);
    if (trusted_.contains(folder)) return;
  }
  storage().sync_up(folder, "");
  trust_as_synced(folder);
}

void Run::trust_as_synced(const std::string& folder) {
  std::lock_guard held(mutex_);
  trusted_.insert(folder);
}

bool Run::trusts(const std::string& folder) {
  std::lock_guard held(mutex_);
  return trusted_.contains(folder);
}

// ---- the snapshot ----

std::vector<std::string> Run::table_names() {
  std::vector<std::string> names;
  for (const Entry& entry : storage().list(paths_->tables()))
    if (entry.is_folder && core::find_stored_table(entry.name) &&
        storage().exists(paths_->manifest(entry.name)))
      names.push_back(entry.name);
  return names;
}

void Run::apply(const Commit& commit) {
  for (auto& [name, state] : tables_)
    if (state.position < commit.seq) state.apply(commit);
  if (tokens_ && tokens_->seq < commit.seq) {
    remember_tokens(commit, tokens_->last);
    tokens_->seq = commit.seq;
  }
  if (position_.seq >= commit.seq) return;
  position_ = {commit.seq, commit.id, std::max(position_.format, commit.format())};
  if (commit.kind == CommitKind::fence && fenced_at_ == 0) fenced_at_ = commit.seq;
}

// Reads what the log has beyond the snapshot, from the table on that lags most.
void Run::advance(const Lock& held) {
  const std::shared_ptr<FoundRun> run = found();
  if (!run) return;
  if (position_.seq == 0) position_.id = run->info.identity();
  LogPosition at = position_;
  for (const auto& [name, state] : tables_)
    if (state.position < at.seq) at = {state.position, state.position_id, state.format};
  if (at.seq == 0) at.id = run->info.identity();
  try {
    run->log.read_after(at.seq, [&](std::int64_t seq, std::string_view line, const std::string& path) {
      const Commit commit = decode_commit(line, path, seq);
      step(at, commit, path);
      apply(commit);
    });
  } catch (const Error&) {
    throw;
  } catch (...) {  // out of memory: a state may be half way through a commit
    forget_snapshot(held);
    throw;
  }
}

void Run::check_not_ahead(const TableState& state) {
  if (state.position <= 0) return;
  for (int look = 0; look < 2; ++look) {
    look_for_run();
    const std::shared_ptr<FoundRun> run = found();
    if (!run) break;
    if (run->log.holds(state.position, state.position_id)) return;
    if (standing_of(*run) != Standing::same) refuse_replaced("it was replaced while it was read");
  }
  raise(
      ErrorCode::manifest_ahead,
      "The manifest of table " + state.table + " in run " + run_id + " is folded to commit " +
          std::to_string(state.position) +
          ", which the log does not hold. The run may be a copy made while it was written; rebuild it.",
      {.run_id = run_id, .table = state.table, .path = paths_->manifest(state.table), .seq = state.position});
}

// Reads the manifest; what the log has after it is advance()'s matter.
TableState* Run::load(const Lock&, std::string_view name) {
  std::string path = paths_->manifest(name);
  std::optional<TableState> found = read_object(storage(), path, [&](Reader& file) {
    return info() ? open_manifest(file, std::string(name), path, bucket_size())
                  : decode_manifest(read_whole(file, path), std::string(name), path);
  });
  if (!found) return nullptr;
  TableState& state = *found;
  if (state.position != position_.seq || state.position_id != position_.id) check_not_ahead(state);
  if (tables_.empty() && position_.seq == 0 && state.position > 0)
    position_ = {state.position, state.position_id, state.format};
  return &tables_.insert_or_assign(std::string(name), std::move(state)).first->second;
}

TableState* Run::known_table(const Lock&, std::string_view name) {
  auto it = tables_.find(name);
  return it == tables_.end() ? nullptr : &it->second;
}

std::vector<std::string> Run::known_tables(const Lock&) {
  std::vector<std::string> names;
  for (const auto& [name, state] : tables_) names.push_back(name);
  return names;
}

TableState* Run::table(const Lock& held, std::string_view name) {
  if (!storage().exists(paths_->manifest(name))) {
    if (auto it = tables_.find(name); it != tables_.end()) tables_.erase(it);
    return nullptr;
  }
  look_for_run();
  // Without a log, only the manifest can have changed.
  if (!known_table(held, name) || !info()) load(held, name);
  advance(held);
  return known_table(held, name);
}

std::vector<TableState*> Run::all_tables(const Lock& held) {
  look_for_run();
  std::vector<TableState*> all;
  const std::vector<std::string> names = table_names();
  for (const std::string& name : names)
    if (!known_table(held, name) || !info()) load(held, name);
  advance(held);
  for (const std::string& name : names)
    if (TableState* state = known_table(held, name)) all.push_back(state);
  return all;
}

void Run::identify_parts(const Lock&, TableState& state) {
  if (state.unknown_parts() == 0) return;
  std::vector<PartRecord> found;
  for (const auto& [bucket, parts] : state.buckets())
    for (const PartRecord& part : parts)
      if (part.schema.empty()) found.push_back(part);
  for (PartRecord& part : found) {
    PartFooter footer =
        read_part_facts(storage(), paths_->part(state.table, part.bucket, part.meta.path)).footer;
    if (info() && !footer.append_id.empty()) {  // an append of crv wrote it, and no commit names it
      state.remove({part.bucket, part.meta.path});
      continue;
    }
    part.schema = schema_id(footer.columns);
    state.learn({part.schema, part.seq, std::move(footer.columns)});
    state.add(part);
  }
}

std::optional<std::pair<std::int64_t, std::int64_t>> Run::last_token(const Lock& held,
                                                                     const std::string& writer) {
  if (!tokens_) {
    advance(held);
    const std::shared_ptr<Log> log = this->log();
    Tokens tokens;
    for (FoldRange range = log->range_of(std::max<std::int64_t>(position_.seq, 1)); range.first >= 1;
         range = {range.first - (range.last - range.first + 1), range.first - 1}) {
      std::optional<Fold> fold = log->fold_of(range);
      if (!fold) continue;
      tokens = {std::move(fold->tokens), range.last};
      break;
    }
    log->read_after(tokens.seq, [&](std::int64_t seq, std::string_view line, const std::string& path) {
      remember_tokens(decode_commit(line, path, seq), tokens.last);
      tokens.seq = seq;
    });
    tokens_ = std::move(tokens);
    advance(held);  // the snapshot must not be behind the tokens
  }
  auto it = tokens_->last.find(writer);
  return it == tokens_->last.end() ? std::nullopt : std::optional(it->second);
}

std::optional<std::int64_t> Run::commit_of(const Lock&, const Token& token) {
  if (steps_.writer != token.writer) steps_ = {token.writer, {}, 0};
  auto it = steps_.commits.find(token.number);
  if (it == steps_.commits.end()) {
    log()->read_after(steps_.seq, [&](std::int64_t seq, std::string_view line, const std::string& path) {
      for (const Token& used : tokens_of(decode_commit(line, path, seq)))
        if (used.writer == token.writer) steps_.commits[used.number] = seq;
      steps_.seq = seq;
    });
    it = steps_.commits.find(token.number);
  }
  return it == steps_.commits.end() ? std::nullopt : std::optional(it->second);
}

// ---- tables for writing ----

bool Run::log_names(std::string_view table) {
  bool named = false;
  std::string text = "\"table\":\"" + std::string(table) + '"';
  log()->read_after(0, [&](std::int64_t, std::string_view line, const std::string&) {
    named = named || line.find(text) != std::string_view::npos;
  });
  return named;
}

void Run::make_table(std::string_view name, Buckets buckets) {
  bool lost = false;
  if (buckets == Buckets::mean_loss)
    for (const Entry& entry : storage().list(paths_->table(name)))
      lost = lost || parse_bucket_folder(entry.name).has_value();
  if (lost || log_names(name)) {
    if (storage().exists(paths_->manifest(name))) return;  // another writer has just made it
    raise(ErrorCode::table_missing,
          "Table " + std::string(name) + " of run " + run_id + " has lost its manifest (" +
              paths_->manifest(name) + "), though rows were written to it. Rebuild it.",
          {.run_id = run_id, .table = std::string(name), .path = paths_->manifest(name)});
  }
  TableState empty{std::string(name)};
  std::shared_ptr<const FoundRun> run;
  {
    Lock held = lock();
    run = current();
    advance(held);
    empty.position = position_.seq;
    empty.position_id = position_.seq > 0 ? position_.id : "";
    empty.format = position_.format;
  }
  sync_log();  // nothing durable may name a commit that a power cut can still take away
  require_in_place(run);
  empty.created_at = empty.updated_at = now();
  storage().make_folder(paths_->table(name));
  put_once(paths_->manifest(name), encode_manifest(empty));
}

void Run::table_for_writing(std::string_view name, Buckets buckets) {
  std::string folder = paths_->table(name);
  bool known = false;
  if (trusts(folder)) {
    Lock held = lock();
    known = known_table(held, name) && storage().exists(paths_->manifest(name));
  }
  if (!known) {
    if (!storage().exists(paths_->manifest(name))) make_table(name, buckets);
    if (!trusts(folder)) storage().sync_up(folder, "");
  }
  if ((!known || buckets == Buckets::are_known) && has_unadopted_parts(name, buckets)) adopt(name);
  if (!known) trust_as_synced(folder);  // last: an append relies on a table that is made and adopted
}

void Run::adopt_older_parts(std::string_view name) {
  if (!has_unadopted_parts(name, Buckets::mean_loss)) return;
  require_writable();
  open_for_writing();
  table_for_writing(name);
}

// Parts that only a manifest of the older package has listed. A sealed manifest may list some, too: 0.1 wrote
// such; to look for them costs reading all of it.
bool Run::has_unadopted_parts(std::string_view name, Buckets buckets) {
  Lock held = lock();
  TableState* state = table(held, name);
  if (!state) return false;
  if (state->manifest_position >= 0 && buckets == Buckets::mean_loss) return false;
  return !unadopted_parts(*state).empty();
}

std::vector<PartRecord> Run::unadopted_parts(const TableState& state) {
  std::vector<PartRecord> found;
  for (const auto& [bucket, parts] : state.buckets())
    for (const PartRecord& part : parts)
      if (part.seq == 0) found.push_back(part);
  return found;
}

// Takes the parts that the older package listed into the log, as its next commit. Its files were never
// synced. What an append of crv wrote and no commit names is no row of the table, whoever listed it.
void Run::adopt(std::string_view name) {
  std::vector<PartRecord> listed;
  const std::shared_ptr<const FoundRun> run = current();
  {
    Lock held = lock();
    if (TableState* state = table(held, name)) listed = unadopted_parts(*state);
  }
  std::map<std::string, std::pair<PartRecord, Columns>> adopted;
  std::set<std::string> folders;
  for (PartRecord& part : listed) {
    const std::string path = paths_->part(name, part.bucket, part.meta.path);
    PartFacts facts = read_part_facts(storage(), path);
    if (!facts.footer.append_id.empty()) {
      Lock held = lock();
      if (TableState* state = known_table(held, name)) state->remove({part.bucket, part.meta.path});
      continue;
    }
    if (facts.tick_min / bucket_size() != part.bucket || facts.tick_max / bucket_size() != part.bucket)
      raise(ErrorCode::bucket_size_mismatch,
            path + " holds ticks " + std::to_string(facts.tick_min) + " to " +
                std::to_string(facts.tick_max) + ", which do not belong to bucket " +
                std::to_string(part.bucket) + " of " + std::to_string(bucket_size()) + " ticks.",
            {.run_id = run_id,
             .table = std::string(name),
             .key = "tick_bucket_size",
             .path = path,
             .bucket = part.bucket});
    storage().flush(path);
    folders.insert(parent_of(path));
    part.schema = schema_id(facts.footer.columns);
    part.checksum = checksum_of(storage(), path);
    adopted.try_emplace(part.meta.path, part, std::move(facts.footer.columns));
  }
  for (const std::string& folder : folders) storage().sync(folder);
  if (!folders.empty()) storage().sync(paths_->table(name));
  commit(run, [&](const Lock& held) -> std::optional<Commit> {
    TableState* state = table(held, name);
    if (!state) return std::nullopt;
    TableChange change{
        .table = std::string(name), .schemas = {}, .added = {}, .removed = {}, .condemned = {}};
    for (const PartRecord& part : unadopted_parts(*state)) {
      const auto it = adopted.find(part.meta.path);
      if (it == adopted.end() || state->is_gone(part.meta.path)) continue;
      const auto& [record, columns] = it->second;
      const bool known = std::any_of(change.schemas.begin(), change.schemas.end(),
                                     [&](auto& s) { return s.first == record.schema; });
      if (!known) change.schemas.emplace_back(record.schema, columns);
      change.added.push_back(record);
    }
    if (change.added.empty()) return std::nullopt;
    Commit adopting;
    adopting.kind = CommitKind::adopt;
    adopting.id = new_id();
    adopting.tables.push_back(std::move(change));
    return adopting;
  });
}

// ---- the protocol (docs/impl.md, "Append", from step 4 on) ----

void Run::sync_log() {
  if (const std::shared_ptr<Log> log = this->log()) sync_log(*log);
}

void Run::sync_log(Log& log) {
  try {
    log.sync();
  } catch (const IoWriteError&) {
    stop_writing(
        "The log of run " + run_id +
        " could not be made durable, so nobody can say what of it survives a power cut. Open the run "
        "again to see what stands.");
    throw;
  }
}

std::optional<Commit> Run::commit(const std::shared_ptr<const FoundRun>& pinned, const Make& make,
                                  bool* put) {
  bool unused = false;
  bool& may_stand = put ? *put : unused;
  std::lock_guard one_at_a_time(commit_mutex_);
  require_writable();
  const std::shared_ptr<FoundRun> run = found();
  try {
    while (true) {
      std::optional<Commit> made;
      std::int64_t before = 0;
      {
        Lock held = lock();
        if (!run || run != pinned || found() != run)
          refuse_replaced("it was replaced while this was written");
        made = make(held);
        if (fenced_at_ > 0) refuse_fenced();  // also where there is nothing to commit: see Append
        if (!made) return std::nullopt;
        if (!still_holds_position(held, *run))
          refuse_replaced("commit " + std::to_string(position_.seq) +
                          ", which this Dataset has read, is not in its log any more");
        before = position_.seq;
        made->prev = before > 0 ? position_.id : run->info.identity();
      }
      made->seq = before + 1;  // 4: every commit below has been read
      made->time = now();
      made->writer = writer_id_;
      const std::string line = encode(*made);
      if (durable_ != before) sync_log(run->log);
      if (!place(*run, *made, line, may_stand)) {  // 5, 6
        Lock held = lock();
        advance(held);
        continue;
      }
      acknowledge(*run, *made);  // 7
      Lock held = lock();
      if (found() == run) try {
          if (position_.seq < made->seq) apply(*made);
          durable_ = made->seq;
        } catch (...) {  // the snapshot may be half way: it is read again
          forget_snapshot(held);
        }
      return made;
    }
  } catch (const IoCommitUnknownError&) {
    stop_writing(
        "A commit of this Dataset to run " + run_id +
        " has an unknown outcome, since the disk failed. Open the run again to see whether it stands.");
    throw;
  } catch (...) {
    if (may_stand)
      stop_writing("A commit of this Dataset to run " + run_id + " was interrupted. Open the run again.");
    throw;
  }
}

// False where the number is taken. `may_stand` is false again only where the commit was refused for certain.
bool Run::place(FoundRun& run, const Commit& commit, const std::string& line, bool& may_stand) {
  may_stand = true;
  try {
    const bool ours = run.log.put(commit.seq, commit.id, line) == Log::Placed::ours;
    may_stand = ours;
    if (ours) run.written = true;
    return ours;
  } catch (const IoCommitUnknownError&) {
    throw;
  } catch (const IoWriteError&) {
    may_stand = false;
    throw;
  } catch (const IoConfigError&) {
    may_stand = false;
    throw;
  }
}

// Once the commit is durable, and the log that it is in is still the run's.
void Run::acknowledge(FoundRun& run, const Commit& commit) {
  Standing standing = Standing::same;
  try {
    sync_log(run.log);
    standing = standing_of(run);
    if (standing == Standing::same && commit.seq > 1 && !run.log.holds(commit.seq - 1, commit.prev))
      standing = Standing::another;  // a backup was put back over the log
  } catch (const Error& e) {
    raise(ErrorCode::commit_unknown,
          "Commit " + std::to_string(commit.seq) + " is in the log, but may not survive: " + e.what(),
          e.facts());
  } catch (const std::exception& e) {
    raise(ErrorCode::commit_unknown,
          "Commit " + std::to_string(commit.seq) + " is in the log, but may not survive: " + e.what(),
          {.run_id = run_id, .seq = commit.seq});
  }
  if (standing != Standing::same)
    refuse_replaced("its log was moved, removed or overwritten while commit " + std::to_string(commit.seq) +
                    " was made, so that no reader finds it");
}

}  // namespace crv::io
