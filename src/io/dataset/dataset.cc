#include "crv/io/dataset.h"

#include <algorithm>
#include <utility>

#include "core/number_text.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "crv/core/suggest.h"
#include "io/base/os.h"
#include "io/dataset/scan_plan.h"
#include "io/dataset/verbs.h"
#include "io/run/run.h"
#include "io/run/upkeep.h"
#include "io/storage/local_storage.h"

namespace crv::io {
namespace {

constexpr int kMostTurns = 8;  // of making a manifest anew that is behind as soon as it is written

// An integer, an integral float or decimal text.
std::optional<std::int64_t> integral(const Json& value) {
  if (const auto* text = value.get_if<std::string>()) return core::parse_number<std::int64_t>(*text);
  return core::whole_number(value);
}

// Whether the folder is one: the older package made tables/ only, and a run may have lost what it had.
bool holds_run(Storage& storage, const RunPaths& paths) {
  return storage.exists(paths.run_json()) || storage.exists(paths.log()) || storage.exists(paths.tables());
}

// A value for an error.
std::string in_json(const Json& value) {
  return shortened(write_json(value, {.any_bytes = true}));
}

}  // namespace

struct Dataset::State {
  State(IoSettings settings, std::string run_id, DatasetOptions options)
      : held(std::move(settings), std::move(run_id), std::move(options)) {}

  Run& run() {
    if (is_inherited())
      raise(ErrorCode::dataset_closed,
            "This Dataset of run " + held.run_id +
                " was made by the process that this one was forked from. Make a new one.",
            {.run_id = held.run_id});
    return held;
  }
  // In a forked child: the threads that work for it are not here, and its locks may be held for ever.
  bool is_inherited() const { return process != process_id(); }

  Run held;
  Upkeep upkeep{held};
  const std::int64_t process = process_id();
};

Dataset::Dataset(IoSettings settings, std::string run_id, DatasetOptions options)
    : state_(std::make_unique<State>(std::move(settings), std::move(run_id), std::move(options))) {}

Dataset::Dataset(Dataset&&) noexcept = default;
Dataset& Dataset::operator=(Dataset&& other) noexcept {
  std::swap(state_, other.state_);  // what this held ends as any Dataset does, with `other`
  return *this;
}

Dataset::~Dataset() {
  if (!state_) return;
  if (state_->is_inherited()) {
    static_cast<void>(state_.release());  // nothing in it can be waited for or destroyed
    return;
  }
  state_->upkeep.finish();
}

const IoSettings& Dataset::settings() const {
  return state_->held.settings;
}
const std::string& Dataset::run_id() const {
  return state_->held.run_id;
}

std::shared_ptr<const core::TableDescriptor> Dataset::find_table(std::string_view name) {
  Run& run = state_->run();
  if (!core::find_stored_table(name)) run.open();
  return run.tables().find(name);
}

std::shared_ptr<const core::TableDescriptor> Dataset::require_table(std::string_view name) {
  Run& run = state_->run();
  if (!core::find_stored_table(name)) run.open();
  return run.tables().require_open(name);
}

std::shared_ptr<const core::TableDescriptor> Dataset::create_table(const core::TableDescriptor& wanted) {
  return io::create_table(state_->run(), state_->upkeep, wanted);
}

AppendSummary Dataset::append(std::string_view table, const Frame& frame, const AppendOptions& options) {
  TableFrame one{std::string(table), frame};
  return io::append(state_->run(), state_->upkeep, {&one, 1}, options).front();
}

std::vector<AppendSummary> Dataset::append(std::span<const TableFrame> frames, const AppendOptions& options) {
  return io::append(state_->run(), state_->upkeep, frames, options);
}

Scan Dataset::scan(std::string_view table, const ScanOptions& options) {
  return io::scan(state_->run(), table, options);
}

std::shared_ptr<arrow::Table> Dataset::read(std::string_view table, const ScanOptions& options) {
  return scan(table, options).collect();
}

std::optional<TableManifest> Dataset::manifest(std::string_view table) {
  Run& run = state_->run();
  run.open();
  if (!run.tables().find(table)) {
    run.paths().table(std::string(table));  // throws where it cannot be the name of any
    return std::nullopt;
  }
  const auto snapshot = run.snapshot();
  TableState* state = snapshot->table(table);
  if (!state) return std::nullopt;
  if (run.info()) snapshot->identify_parts(*state);  // some may belong to no table: see there
  return state->manifest();
}

JsonObject Dataset::columns(std::string_view table) {
  Run& run = state_->run();
  run.open();
  const Table descriptor = run.tables().require(table, ErrorCode::unknown_table);
  const auto snapshot = run.snapshot();
  TableState* state = snapshot->table(table);
  if (!state) return {};
  snapshot->identify_parts(*state);
  return *columns_to_json(scan_columns(*state, *descriptor)).get_if<JsonObject>();
}

RebuildReport Dataset::rebuild_manifest(std::string_view table, const Progress& progress) {
  return rebuild(state_->run(), state_->upkeep, table, progress);
}

TableManifest Dataset::look_for_parts(std::string_view table) {
  return io::look_for_parts(state_->run(), table);
}

void Dataset::write_manifest(const TableManifest& manifest) {
  io::write_manifest(state_->run(), state_->upkeep, manifest);
}

VerifyReport Dataset::verify(bool full, const Progress& progress) {
  return io::verify(state_->run(), full, progress);
}

std::vector<TableInfo> Dataset::tables() {
  Run& run = state_->run();
  run.open();
  std::vector<TableInfo> all;
  const auto snapshot = run.snapshot();
  for (TableState* state : snapshot->all_tables()) {
    if (run.info()) snapshot->identify_parts(*state);
    const TableManifest manifest = state->manifest();
    TableInfo info{manifest.table, manifest.rows(), manifest.bytes(), manifest.parts(), {}, {}, {}};
    info.definition = state->definition;
    for (const PartitionMeta& p : manifest.partitions) {
      info.tick_min = std::min(info.tick_min.value_or(p.tick_min), p.tick_min);
      info.tick_max = std::max(info.tick_max.value_or(p.tick_max), p.tick_max);
      info.buckets.push_back(p.bucket_id);
    }
    all.push_back(std::move(info));
  }
  return all;
}

std::vector<CommitInfo> Dataset::log(std::int64_t after) {
  Run& run = state_->run();
  run.open();
  std::vector<CommitInfo> all;
  const std::shared_ptr<Log> log = run.log();
  if (!log) return all;
  log->read_after(std::max<std::int64_t>(after, 0),
                  [&](std::int64_t seq, std::string_view line, const std::string& path) {
                    Commit commit = decode_commit(line, path, seq);
                    CommitInfo info{commit.seq,
                                    commit.id,
                                    commit.time,
                                    commit.writer,
                                    std::string(name_of(commit.kind)),
                                    commit.token,
                                    commit.complete_through,
                                    {}};
                    for (const TableChange& change : commit.tables) {
                      CommitInfo::Change c{change.table,
                                           static_cast<std::int64_t>(change.added.size()),
                                           0,
                                           0,
                                           static_cast<std::int64_t>(change.removed.size()),
                                           change.definition ? change.definition->version.text() : ""};
                      for (const PartRecord& part : change.added) {
                        c.rows_added += part.meta.rows;
                        c.bytes_added += part.meta.bytes;
                      }
                      info.tables.push_back(std::move(c));
                    }
                    all.push_back(std::move(info));
                  });
  return all;
}

Json Dataset::artifacts() {
  return artifacts_index(state_->run());
}

Json Dataset::write_bundle(const JsonObject& meta, const JsonObject& env, const GitState& git) {
  Run& run = state_->run();
  run.open();
  const std::shared_ptr<const FoundRun> of = run.current();
  return io::write_bundle(run, of, tables(), meta, env, git);
}

void Dataset::refresh_manifests() {
  Run& run = state_->run();
  run.open();
  if (!run.info()) return;  // the older package's manifests are what there is
  std::vector<std::string> names;
  {
    const auto snapshot = run.snapshot();
    for (const TableState* state : snapshot->all_tables()) names.push_back(state->table);
  }
  for (const std::string& name : names) {
    run.adopt_older_parts(name);
    // Another writer may put a manifest that it made earlier in place of ours; then one is made anew.
    for (int turn = 0; turn < kMostTurns; ++turn) {
      state_->upkeep.refresh(name);
      const auto snapshot = run.snapshot();
      const TableState* state = snapshot->table(name);
      if (!state || state->manifest_position < 0 || state->manifest_position >= state->position) break;
    }
  }
}

void Dataset::close() {
  if (state_->is_inherited()) return;
  Run& run = state_->run();
  state_->upkeep.finish();
  run.stop_writing("This Dataset of run " + run.run_id + " is closed.");
}

std::vector<std::string> list_runs(const IoSettings& settings, const std::shared_ptr<Storage>& storage) {
  std::shared_ptr<Storage> where = storage ? storage : local_storage();
  std::vector<std::string> runs;
  for (const Entry& entry : where->list(runs_root(settings.root_dir))) {
    if (!entry.is_folder) continue;
    try {
      if (holds_run(*where, RunPaths(settings.root_dir, entry.name))) runs.push_back(entry.name);
    } catch (const IoArgumentError&) {
      continue;  // not a name that any run can have
    }
  }
  return runs;
}

void require_run(const IoSettings& settings, const std::string& run_id,
                 const std::shared_ptr<Storage>& storage) {
  const std::shared_ptr<Storage> where = storage ? storage : local_storage();
  const RunPaths paths(settings.root_dir, run_id);
  if (holds_run(*where, paths)) return;
  raise(ErrorCode::run_missing,
        "There is no run \"" + run_id + "\" in " + runs_root(settings.root_dir) +
            did_you_mean(run_id, list_runs(settings, where), "."),
        {.run_id = run_id, .path = paths.run()});
}

std::optional<std::int64_t> parse_limit(const Json& limit) {
  if (limit.is_null()) return std::nullopt;
  const std::optional<std::int64_t> rows = integral(limit);
  if (!rows || *rows < 0)
    raise(ErrorCode::bad_limit, "A limit is a number of rows, not " + in_json(limit) + ".",
          {.key = "limit", .value = in_json(limit)});
  return rows;
}

TickRange parse_where(const Json& where) {
  const auto* object = where.get_if<JsonObject>();
  auto refuse = [](const std::string& why, std::string key, std::string value) {
    raise(ErrorCode::bad_where, why, {.key = std::move(key), .value = std::move(value)});
  };
  if (!object && !where.is_null())
    refuse("A tick range is an object with tick_min and tick_max.", "", in_json(where));
  TickRange range;
  if (!object) return range;
  for (const auto& [key, value] : *object) {
    if (key != "tick_min" && key != "tick_max")
      refuse("\"" + key + "\" is no bound of a tick range" +
                 did_you_mean(key, {"tick_min", "tick_max"}, "; there are tick_min and tick_max."),
             key, in_json(value));
    std::optional<std::int64_t>& bound = key == "tick_min" ? range.min : range.max;
    if (value.is_null()) continue;
    bound = integral(value);
    if (!bound)
      refuse(key + " must be an integer of 64 bits, not " + in_json(value) + ".", key, in_json(value));
  }
  return range;
}

}  // namespace crv::io
