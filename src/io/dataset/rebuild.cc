// rebuild: a table's manifest made anew, from the log where it stands; else the whole run is put together
// again (recover.h). Where the log stands this runs beside any number of writers.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "crv/core/suggest.h"
#include "io/base/clock.h"
#include "io/dataset/recover.h"
#include "io/dataset/verbs.h"
#include "io/log/manifest_file.h"
#include "io/run/survey.h"

namespace crv::io {
namespace {

class Rebuild {
 public:
  Rebuild(Run& run, std::string table, const Progress& progress)
      : run_(run),
        storage_(run.storage()),
        paths_(run.paths()),
        table_(std::move(table)),
        progress_(progress),
        listed_(table_) {}

  RebuildReport operator()(Upkeep& upkeep) {
    upkeep.drain();
    if (!log_stands() && holds_anything()) return recover(run_, table_, progress_);
    report_.from_log = true;
    if (!holds_table()) return nothing();
    run_.open();
    const std::shared_ptr<const FoundRun> run = run_.current();
    const Survey found = survey(run_, {table_}, bucket_size_, progress_);
    const TableState state = state_from_log();
    if (!is_table(state)) return nothing();
    const std::vector<const FoundPart*> legacy = legacy_parts(found, state);
    tell_missing(found, state);
    const Commit adopting = commit_of(legacy);
    write_manifest(run, with_legacy(state, adopting));
    if (!legacy.empty() && adopt(run, legacy, adopting)) {
      upkeep.refresh(table_);
      tell_manifest();
    }
    return std::move(report_);
  }

  // The table as operator() would make it; nothing is written.
  TableManifest look() {
    if (!log_stands()) return look_for_evidence(run_, table_);
    const Survey found = survey(run_, {table_}, bucket_size_, progress_);
    const TableState state = state_from_log();
    return with_legacy(state, commit_of(legacy_parts(found, state))).manifest();
  }

 private:
  // ---- whether the log stands ----

  // Twice, before anything is called damaged: the run may have been put back in order meanwhile.
  bool log_stands() { return look_at_log() || look_at_log(); }

  // Each thing is looked at before what may only be ahead of it: the names in log/, the manifests, the
  // commits.
  bool look_at_log() {
    commits_.clear();
    const std::optional<std::string> text = read_all(storage_, paths_.run_json());
    if (!text) return false;
    RunInfo info;
    try {
      info = decode_run(*text, paths_.run_json(), run_.run_id);
    } catch (const IoManifestError& e) {
      if (e.code() == ErrorCode::format_too_new) throw;
      return false;
    }
    bucket_size_ = info.tick_bucket_size;
    const std::unique_ptr<Folder> folder = storage_.hold(paths_.log());
    if (!folder) return false;
    const std::vector<Entry> names = folder->storage().list(paths_.log());
    if (std::any_of(names.begin(), names.end(), [](const Entry& entry) {
          return entry.is_folder && (parse_commit_file(entry.name) || parse_fold_file(entry.name));
        }))
      return false;
    const std::vector<TableState> manifests = read_manifests();
    try {
      read_commits(info, folder->storage());
    } catch (const IoManifestError& e) {
      if (e.code() == ErrorCode::format_too_new) throw;
      return false;
    }
    return reaches(names) && reaches(manifests) && !is_fenced() && !lacks_manifests() &&
           folder->is_in_place();
  }

  std::vector<TableState> read_manifests() {
    std::vector<TableState> manifests;
    for (const std::string& table : table_folders(run_)) {
      const std::string path = paths_.manifest(table);
      try {
        if (const auto text = read_all(storage_, path))
          manifests.push_back(decode_manifest(*text, table, path));
      } catch (const IoManifestError& e) {
        if (e.code() == ErrorCode::format_too_new) throw;
        if (table == table_ && report_.damaged.empty()) report_.damaged.push_back(path);
      }
    }
    listed_ = TableState(table_);
    for (const TableState& state : manifests)
      if (state.table == table_) listed_ = state;
    return manifests;
  }

  void read_commits(const RunInfo& info, Storage& storage) {
    LogPosition at{0, info.identity(), 1};
    Log(storage, paths_, info.commits_per_fold)
        .read_after(0, [&](std::int64_t seq, std::string_view line, const std::string& path) {
          Commit commit = decode_commit(line, path, seq);
          step(at, commit, path);
          commits_.push_back(std::move(commit));
        });
  }

  // Files of the log above its end: something below them is lost.
  bool reaches(const std::vector<Entry>& names) const {
    return std::none_of(names.begin(), names.end(), [&](const Entry& entry) {
      const auto fold = parse_fold_file(entry.name);
      const auto seq = parse_commit_file(entry.name);
      return (fold && fold->last > std::ssize(commits_)) || (seq && *seq > std::ssize(commits_));
    });
  }

  bool reaches(const std::vector<TableState>& manifests) const {
    return std::all_of(manifests.begin(), manifests.end(), [&](const TableState& state) {
      return state.position <= 0 ||
             (state.position <= std::ssize(commits_) &&
              commits_[static_cast<std::size_t>(state.position - 1)].id == state.position_id);
    });
  }

  bool is_fenced() const {
    return std::any_of(commits_.begin(), commits_.end(),
                       [](const Commit& commit) { return commit.kind == CommitKind::fence; });
  }

  // A table's manifest is durable before its first bucket is made: where there are rows, either it or a
  // commit to the table is there.
  bool lacks_manifests() {
    std::set<std::string> named;
    for (const Commit& commit : commits_)
      for (const TableChange& change : commit.tables) named.insert(change.table);
    const std::vector<std::string> tables = table_folders(run_);
    return std::any_of(tables.begin(), tables.end(), [&](const std::string& table) {
      return !named.contains(table) && !storage_.exists(paths_.manifest(table)) &&
             run_.any_bucket(table).has_value() && (core::find_stored_table(table) || holds_own_parts(table));
    });
  }

  // Another folder below tables/ may look like that of a table, too.
  bool holds_own_parts(const std::string& table) {
    const Survey found = survey(run_, {table}, bucket_size_, {});
    return std::ranges::any_of(found.parts, [](const FoundPart& part) {
      return part.facts && !part.foreign && part.facts->footer.definition;
    });
  }

  // Nothing is made from nothing.
  RebuildReport nothing() {
    if (!core::find_stored_table(table_)) run_.tables().refuse(table_, ErrorCode::unknown_table);
    TableState state(table_);
    state.created_at = state.updated_at = run_.now();
    report_.manifest = state.manifest();
    return std::move(report_);
  }

  bool holds_anything() {
    const std::vector<std::string> tables = table_folders(run_);
    return storage_.exists(paths_.run_json()) || storage_.exists(paths_.log()) ||
           std::any_of(tables.begin(), tables.end(), [&](const std::string& table) {
             return storage_.exists(paths_.manifest(table)) || run_.any_bucket(table);
           });
  }

  bool holds_table() {
    return storage_.exists(paths_.table(table_)) ||
           std::any_of(commits_.begin(), commits_.end(), [&](const Commit& c) { return c.find(table_); });
  }

  // ---- from the log ----

  // As of now: whatever was committed before a part was found is in it.
  TableState state_from_log() {
    if (!log_stands())
      raise(ErrorCode::run_replaced,
            "Run " + run_.run_id + " (" + paths_.run() +
                ") was damaged or replaced while it was rebuilt. Try again.",
            {.run_id = run_.run_id, .path = paths_.run()});
    TableState state(table_);
    state.created_at = listed_.created_at;
    for (const Commit& commit : commits_) state.apply(commit);
    if (state.created_at.empty()) state.created_at = run_.now();
    if (state.updated_at.empty()) state.updated_at = state.created_at;
    return state;
  }

  // Parts of the older package that the log does not know. What else there is goes into the report.
  std::vector<const FoundPart*> legacy_parts(const Survey& found, const TableState& state) {
    std::vector<const FoundPart*> legacy;
    const auto committed = state.parts_by_name();
    for (const FoundPart& part : found.parts) {
      if (part.failure) std::rethrow_exception(part.failure);
      const auto named = committed.find(part.file);
      const bool listed = named != committed.end() && named->second->bucket == part.bucket;
      if (!part.facts || (part.foreign && !(listed && part.unnamed)))
        (part.facts && !listed ? report_.foreign : report_.damaged).push_back(part.path + ": " + part.error);
      else if (!listed && part.facts->footer.append_id.empty() && !state.is_gone(part.file))
        legacy.push_back(&part);
      else if (!listed)
        report_.uncommitted.push_back(part.path);
    }
    report_.foreign.insert(report_.foreign.end(), found.strange.begin(), found.strange.end());
    sort_as_listed(legacy);
    return legacy;
  }

  // By bucket, as the table's manifest lists them; what it does not, last and by ticks.
  void sort_as_listed(std::vector<const FoundPart*>& legacy) const {
    std::map<std::string, std::size_t> places;
    for (const auto& [bucket, parts] : listed_.buckets())
      for (const PartRecord& part : parts) places.emplace(part.meta.path, places.size());
    using Order = std::tuple<std::int64_t, std::size_t, std::int64_t, std::string>;
    const auto order = [&](const FoundPart* part) {
      const auto place = places.find(part->file);
      return Order{part->bucket, place == places.end() ? SIZE_MAX : place->second, part->facts->tick_min,
                   part->file};
    };
    std::sort(legacy.begin(), legacy.end(),
              [&](const FoundPart* a, const FoundPart* b) { return order(a) < order(b); });
  }

  std::string created_at(const FoundPart& part, const PartRecord* listed) {
    if (listed && listed->bucket == part.bucket) return listed->meta.created_at;
    const auto stat = storage_.stat(part.path);
    return iso_time(stat ? stat->modified_us : 0);
  }

  void tell_missing(const Survey& found, const TableState& state) {
    std::set<std::string> there;
    for (const FoundPart& part : found.parts) there.insert(part.path);
    for (const auto& [bucket, parts] : state.buckets())
      for (const PartRecord& part : parts) {
        const std::string path = paths_.part(table_, bucket, part.meta.path);
        if (!there.contains(path) && !storage_.exists(path))
          report_.damaged.push_back(path + ": it is committed, but missing");
      }
  }

  // The table with those parts before they are committed, as the older package's manifest has them: whoever
  // reads it meanwhile misses none.
  TableState with_legacy(TableState state, const Commit& adopting) const {
    for (const TableChange& change : adopting.tables) {
      for (const auto& [id, columns] : change.schemas) state.learn({id, 0, columns});
      for (const PartRecord& part : change.added) state.add(part);
    }
    return state;
  }

  // False where others have committed all of it meanwhile.
  bool adopt(const std::shared_ptr<const FoundRun>& run, const std::vector<const FoundPart*>& legacy,
             const Commit& adopting) {
    std::set<std::string> folders;
    for (const FoundPart* part : legacy) {
      storage_.flush(part->path);
      folders.insert(parent_of(part->path));
    }
    for (const std::string& folder : folders) storage_.sync(folder);
    storage_.sync_up(paths_.table(table_), "");
    const std::optional<Commit> done = run_.commit(run, [&](Snapshot& snapshot) -> std::optional<Commit> {
      const TableState* now = snapshot.table(table_);
      Commit commit = adopting;
      commit.id = run_.new_id();
      for (TableChange& change : commit.tables)
        std::erase_if(change.added, [&](const PartRecord& part) {
          return !now || now->is_gone(part.meta.path) || is_committed(*now, part);
        });
      std::erase_if(commit.tables, [](const TableChange& change) { return change.added.empty(); });
      return commit.tables.empty() ? std::nullopt : std::optional(std::move(commit));
    });
    if (!done) return false;
    for (const FoundPart* part : legacy) report_.legacy.push_back(part->path);
    return true;
  }

  void tell_manifest() {
    const auto snapshot = run_.snapshot();
    if (const TableState* state = snapshot->table(table_)) report_.manifest = state->manifest();
  }

  static bool is_committed(const TableState& state, const PartRecord& part) {
    const PartRecord* held = state.find(part.bucket, part.meta.path);
    return held && held->seq > 0;
  }

  Commit commit_of(const std::vector<const FoundPart*>& legacy) {
    Commit adopting;
    adopting.kind = CommitKind::adopt;
    if (legacy.empty()) return adopting;
    const auto listed = listed_.parts_by_name();
    TableChange& change = adopting.change_of(table_);
    for (const FoundPart* part : legacy) {
      const auto before = listed.find(part->file);
      add(change, *part, before == listed.end() ? nullptr : before->second);
    }
    return adopting;
  }

  void add(TableChange& change, const FoundPart& part, const PartRecord* listed) {
    const PartFacts& facts = *part.facts;
    PartRecord record = record_of(part.bucket, part.file, facts);
    record.meta.created_at = created_at(part, listed);
    record.checksum = checksum_of(storage_, part.path);
    change.add(std::move(record), facts.footer.columns, false);
  }

  // Whatever stands there, unless it is sound and newer.
  void write_manifest(const std::shared_ptr<const FoundRun>& run, const TableState& state) {
    report_.manifest = state.manifest();
    const std::string text = encode_manifest(state);
    storage_.make_folder(paths_.table(table_));
    run_.sync_log();
    run_.require_in_place(run);
    const std::string path = paths_.manifest(table_);
    try {
      const auto there = read_all(storage_, path);
      if (there && decode_manifest(*there, table_, path).position > state.position) return;
    } catch (const IoManifestError&) {  // that is why it is written
    }
    storage_.replace(path, text);
    storage_.sync_up(paths_.table(table_), paths_.run());
  }

  Run& run_;
  Storage& storage_;
  const RunPaths& paths_;
  std::string table_;
  const Progress& progress_;
  std::vector<Commit> commits_;  // of the log as it was last looked at
  std::int64_t bucket_size_ = 0;
  TableState listed_;  // what the table's manifest says, where it can be read
  RebuildReport report_;
};

}  // namespace

namespace {

// Whether the run has a definition of it shows only when it is rebuilt.
std::string require_name(Run& run, std::string_view table) {
  if (!core::find_stored_table(table) &&
      (!core::is_table_name(table) || !run.storage().exists(run.paths().table(table))))
    run.tables().refuse(table, ErrorCode::unknown_table);
  return std::string(table);
}

}  // namespace

RebuildReport rebuild(Run& run, Upkeep& upkeep, std::string_view table, const Progress& progress) {
  run.prepare();
  run.use_durable_storage();
  return Rebuild(run, require_name(run, table), progress)(upkeep);
}

TableManifest look_for_parts(Run& run, std::string_view table) {
  run.prepare();
  const Progress silent;
  return Rebuild(run, require_name(run, table), silent).look();
}

}  // namespace crv::io
