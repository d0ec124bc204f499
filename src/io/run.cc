#include "io/run.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <utility>

#include "crv/core/error.h"
#include "io/local_storage.h"
#include "io/manifest_file.h"
#include "io/part.h"
#include "io/upkeep.h"

namespace crv::io {
namespace {

std::int64_t system_now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

[[noreturn]] void refuse_bucket_size(const std::string& run_id, std::int64_t ours, std::int64_t runs,
                                     const std::string& how) {
  raise(ErrorCode::bucket_size_mismatch,
        "The settings say tick_bucket_size = " + std::to_string(ours) + ", but run " + run_id + " " + how +
            std::to_string(runs) + ". Use the run's size, or record into a new run.",
        {.run_id = run_id, .key = "tick_bucket_size", .value = std::to_string(ours)});
}

}  // namespace

std::string iso_time(std::int64_t microseconds) {
  std::time_t seconds = microseconds / 1'000'000;
  std::int64_t fraction = microseconds % 1'000'000;
  if (fraction < 0) {
    fraction += 1'000'000;
    --seconds;
  }
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  if (fraction != 0)
    length += static_cast<std::size_t>(
        std::snprintf(text + length, sizeof text - length, ".%06lld", static_cast<long long>(fraction)));
  return std::string(text, length) + "+00:00";
}

Run::Run(IoSettings given_settings, std::string id, DatasetOptions options)
    : settings(std::move(given_settings)),
      run_id(std::move(id)),
      options_(std::move(options)),
      now_us_(options_.now_us ? options_.now_us : system_now_us),
      new_id_(options_.new_id ? options_.new_id : random_id),
      storage_(options_.storage),
      upkeep_(std::make_unique<Upkeep>(*this)) {}

Run::~Run() = default;

std::string Run::now() {
  return iso_time(now_us_());
}

void Run::warn(const std::string& text) {
  if (options_.on_warning)
    options_.on_warning(text);
  else
    std::cerr << "crv: " + text + "\n";
}

void Run::stop_writing(const std::string& why) {
  std::lock_guard held(stopped_mutex_);
  if (stopped_.empty()) stopped_ = why;
}

void Run::require_writable() const {
  std::lock_guard held(stopped_mutex_);
  if (!stopped_.empty()) raise(ErrorCode::dataset_closed, stopped_, {.run_id = run_id});
}

// ---- opening
// -------------------------------------------------------------------------------------------------------

void Run::prepare() {
  prepared_.run([&] {
    check_settings(settings);
    paths_.emplace(settings.root_dir, run_id);
    if (!storage_) storage_ = local_storage(settings.durability, posix_os(), new_id_);
    writer_id_ = new_id_();
  });
}

void Run::open() {
  prepare();
  opened_.run([&] {
    look_for_run();
    if (info() || storage_->list(paths_->log()).empty()) return;
    look_for_run();  // made meanwhile, if all is well: run.json comes before the first commit
    if (!info())
      raise(ErrorCode::run_damaged,
            "Run " + run_id + " has a log but no run.json (" + paths_->run_json() + "). Rebuild the run.",
            {.run_id = run_id, .path = paths_->run_json()});
  });
}

// Reads run.json where it is not known yet: somebody may have made the run since we looked.
void Run::look_for_run() {
  if (info()) return;
  std::optional<std::string> text = read_all(*storage_, paths_->run_json());
  if (text) know(decode_run(*text, paths_->run_json(), run_id));
}

void Run::know(const RunInfo& info) {
  std::lock_guard held(info_mutex_);
  if (info_) return;
  if (info.durability == Durability::commit && settings.durability == Durability::none && !options_.storage) {
    replaced_ = storage_;  // others may be using it
    storage_ = local_storage(Durability::commit, posix_os(), new_id_);
  }
  log_.emplace(*storage_, *paths_, info.commits_per_fold);
  info_ = info;
}

std::optional<RunInfo> Run::info() const {
  std::lock_guard held(info_mutex_);
  return info_;
}

std::int64_t Run::bucket_size() const {
  std::lock_guard held(info_mutex_);
  return info_ ? info_->tick_bucket_size : settings.tick_bucket_size;
}

std::shared_ptr<Storage> Run::shared_storage() const {
  std::lock_guard held(info_mutex_);
  return storage_;
}

void Run::open_for_writing() {
  open();
  opened_for_writing_.run([&] {
    if (!info()) {
      check_legacy_bucket_sizes();
      make_run();
    }
    accept_run();
  });
}

void Run::open_anew(const std::optional<RunInfo>& kept) {
  prepare();
  opened_.run([&] {
    if (kept) know(*kept);
  });
  opened_for_writing_.run([] {});
  make_run();
  accept_run();
}

// Its folders, and run.json where it is missing.
void Run::make_run() {
  storage_->make_folder(paths_->run());
  storage_->require_put_if_absent(paths_->run());
  storage_->make_folder(paths_->log());
  storage_->make_folder(paths_->tables());
  RunInfo made;
  made.run_id = run_id;
  made.created_at = now();
  made.tick_bucket_size = settings.tick_bucket_size;
  made.durability = settings.durability;
  storage_->put_if_absent(paths_->run_json(), encode_run(made));
  look_for_run();  // it is perhaps another writer's
  if (!info())
    raise(ErrorCode::run_damaged, paths_->run_json() + " is gone right after it was written.",
          {.run_id = run_id, .path = paths_->run_json()});
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
              "\"none\", or "
              "record into a new run.",
          {.run_id = run_id, .key = "durability", .value = "commit"});
  trust(paths_->log());
}

void Run::check_legacy_bucket_sizes() {
  for (const std::string& name : table_names()) {
    std::string path = paths_->manifest(name);
    std::optional<std::string> text = read_all(*storage_, path);
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
  storage_->sync_up(folder, "");
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

// ---- the snapshot
// --------------------------------------------------------------------------------------------------

std::vector<std::string> Run::table_names() {
  std::vector<std::string> names;
  for (const Entry& entry : storage_->list(paths_->tables()))
    if (entry.is_folder && core::find_stored_table(entry.name) &&
        storage_->exists(paths_->manifest(entry.name)))
      names.push_back(entry.name);
  return names;
}

void Run::apply(const Commit& commit) {
  for (auto& [name, state] : tables_)
    if (state.position < commit.seq) state.apply(commit);
  if (tokens_ && position_ < commit.seq) remember_tokens(commit, *tokens_);
  if (position_ < commit.seq) {
    position_ = commit.seq;
    position_id_ = commit.id;
  }
}

void Run::advance(const Lock&) {
  if (!info()) return;
  log_->read_after(position_, [&](std::int64_t seq, std::string_view line, const std::string& path) {
    apply(decode_commit(line, path, seq));
  });
}

void Run::check_not_ahead(const TableState& state) {
  if (state.position <= 0) return;
  for (int look = 0; look < 2; ++look) {
    look_for_run();
    if (!info()) break;
    std::optional<std::string> line = log_->line_of(state.position);
    if (line && commit_id_of(*line, paths_->commit(state.position), state.position) == state.position_id)
      return;
  }
  raise(
      ErrorCode::manifest_ahead,
      "The manifest of table " + state.table + " in run " + run_id + " is folded to commit " +
          std::to_string(state.position) +
          ", which the log does not hold. The run may be a copy made while it was written; rebuild it.",
      {.run_id = run_id, .table = state.table, .path = paths_->manifest(state.table), .seq = state.position});
}

TableState* Run::load(const Lock& held, std::string_view name) {
  std::string path = paths_->manifest(name);
  std::optional<std::string> text = read_all(*storage_, path);
  if (!text) return nullptr;
  TableState state = info() ? open_manifest(*std::move(text), std::string(name), path, bucket_size())
                            : decode_manifest(*text, std::string(name), path);
  if (state.position != position_ || state.position_id != position_id_) check_not_ahead(state);
  if (tables_.empty() && position_ == 0) {
    position_ = std::max<std::int64_t>(state.position, 0);
    position_id_ = state.position_id;
  }
  std::int64_t from = std::min(state.position, position_);
  TableState& kept = tables_.insert_or_assign(std::string(name), std::move(state)).first->second;
  if (info())
    log_->read_after(from, [&](std::int64_t seq, std::string_view line, const std::string& file) {
      apply(decode_commit(line, file, seq));
    });
  static_cast<void>(held);
  return &kept;
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
  if (!storage_->exists(paths_->manifest(name))) {
    if (auto it = tables_.find(name); it != tables_.end()) tables_.erase(it);
    return nullptr;
  }
  look_for_run();
  TableState* state = known_table(held, name);
  if (!state || !info()) return load(held, name);  // without a log, only the manifest can have changed
  advance(held);
  return state;
}

void Run::identify_parts(const Lock&, TableState& state) {
  if (state.unknown_parts() == 0) return;
  std::vector<PartRecord> found;
  for (const auto& [bucket, parts] : state.buckets())
    for (const PartRecord& part : parts)
      if (part.schema.empty()) found.push_back(part);
  for (PartRecord& part : found) {
    Columns columns =
        read_part_facts(*storage_, paths_->part(state.table, part.bucket, part.meta.path)).footer.columns;
    part.schema = schema_id(columns);
    state.learn({part.schema, part.seq, std::move(columns)});
    state.add(part);
  }
}

std::optional<std::pair<std::int64_t, std::int64_t>> Run::last_token(const Lock&, const std::string& writer) {
  if (!tokens_) {
    TokenTable tokens;
    std::int64_t from = 0;
    for (FoldRange range = log_->range_of(std::max<std::int64_t>(position_, 1)); range.first >= 1;
         range = {range.first - (range.last - range.first + 1), range.first - 1}) {
      std::optional<Fold> fold = log_->fold_of(range);
      if (!fold) continue;
      tokens = std::move(fold->tokens);
      from = range.last;
      break;
    }
    log_->read_after(from, [&](std::int64_t seq, std::string_view line, const std::string& path) {
      Commit commit = decode_commit(line, path, seq);
      remember_tokens(commit, tokens);
      apply(commit);
    });
    tokens_ = std::move(tokens);
  }
  auto it = tokens_->find(writer);
  return it == tokens_->end() ? std::nullopt : std::optional(it->second);
}

void Run::forget_tables() {
  Lock held = lock();
  tables_.clear();
  tokens_.reset();
  position_ = durable_ = 0;
  position_id_.clear();
}

// ---- tables for writing
// --------------------------------------------------------------------------------------------

bool Run::log_names(std::string_view table) {
  bool named = false;
  std::string text = "\"table\":\"" + std::string(table) + '"';
  log_->read_after(0, [&](std::int64_t, std::string_view line, const std::string&) {
    named = named || line.find(text) != std::string_view::npos;
  });
  return named;
}

void Run::make_table(std::string_view name, Buckets buckets) {
  bool lost = false;
  if (buckets == Buckets::mean_loss)
    for (const Entry& entry : storage_->list(paths_->table(name)))
      lost = lost || parse_bucket_folder(entry.name).has_value();
  if (lost || log_names(name))
    raise(ErrorCode::table_missing,
          "Table " + std::string(name) + " of run " + run_id + " has lost its manifest (" +
              paths_->manifest(name) + "), though rows were written to it. Rebuild it.",
          {.run_id = run_id, .table = std::string(name), .path = paths_->manifest(name)});
  TableState empty{std::string(name)};
  {
    Lock held = lock();
    advance(held);
    empty.position = position_;
    empty.position_id = position_id_;
  }
  log_->sync();  // nothing durable may name a commit that a power cut can still take away
  empty.created_at = empty.updated_at = now();
  storage_->make_folder(paths_->table(name));
  storage_->put_if_absent(paths_->manifest(name), encode_manifest(empty));
}

void Run::table_for_writing(std::string_view name, Buckets buckets) {
  std::string folder = paths_->table(name);
  if (trusts(folder)) {
    Lock held = lock();
    if (known_table(held, name) && storage_->exists(paths_->manifest(name))) return;
  }
  if (!storage_->exists(paths_->manifest(name))) make_table(name, buckets);
  trust(folder);
  bool legacy = false;
  {
    Lock held = lock();
    TableState* state = table(held, name);
    legacy = state && state->manifest_position < 0;
  }
  if (legacy) adopt(name);
}

// Takes the parts that the older package listed into the log, as its next commit.
void Run::adopt(std::string_view name) {
  std::map<std::string, PartRecord> looked_at;
  std::vector<SeenSchema> schemas;
  commit([&](const Lock& held) -> std::optional<Commit> {
    TableState* state = table(held, name);
    if (!state) return std::nullopt;
    TableChange change{
        .table = std::string(name), .schemas = {}, .added = {}, .removed = {}, .condemned = {}};
    for (const auto& [bucket, parts] : state->buckets())
      for (const PartRecord& part : parts)
        if (part.seq == 0) change.added.push_back(part);
    std::erase_if(change.added, [&](PartRecord& part) {
      std::string path = paths_->part(name, part.bucket, part.meta.path);
      PartFacts facts = read_part_facts(*storage_, path);
      if (!facts.footer.append_id.empty()) return true;
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
      part.schema = schema_id(facts.footer.columns);
      part.checksum = checksum_of(*storage_->open(path));
      bool known = std::any_of(change.schemas.begin(), change.schemas.end(),
                               [&](auto& s) { return s.first == part.schema; });
      if (!known) change.schemas.emplace_back(part.schema, std::move(facts.footer.columns));
      return false;
    });
    if (change.added.empty()) return std::nullopt;
    Commit adopted;
    adopted.kind = CommitKind::adopt;
    adopted.id = new_id();
    adopted.tables.push_back(std::move(change));
    return adopted;
  });
}

// ---- the protocol (docs/impl.md, "Append", from step 4 on)
// ---------------------------------------------------------

std::optional<Commit> Run::commit(const Make& make) {
  std::lock_guard one_at_a_time(commit_mutex_);
  require_writable();
  try {
    while (true) {
      std::optional<Commit> made;
      std::int64_t before = 0;
      {
        Lock held = lock();
        made = make(held);
        before = position_;
      }
      if (!made) return std::nullopt;
      made->seq = before + 1;  // 4: every commit below has been read
      made->time = now();
      made->writer = writer_id_;
      if (durable_ != before) log_->sync();
      if (log_->put(made->seq, made->id, encode(*made)) == Log::Placed::taken) {  // 5, 6
        Lock held = lock();
        advance(held);
        continue;
      }
      log_->sync();  // 7
      Lock held = lock();
      if (position_ < made->seq) apply(*made);
      durable_ = made->seq;
      return made;
    }
  } catch (const IoCommitUnknownError&) {
    stop_writing(
        "A commit of this Dataset to run " + run_id +
        " has an unknown outcome, since the disk failed. Open the run again to see whether it stands.");
    throw;
  }
}

}  // namespace crv::io
