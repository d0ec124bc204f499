// rebuild: a table's manifest made anew, from the log where it stands, else from the parts' footers.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "crv/core/error.h"
#include "io/manifest_file.h"
#include "io/survey.h"
#include "io/verbs.h"

namespace crv::io {
namespace {

// What the log tells, read without trust.
struct OldLog {
  bool stands = true;
  std::optional<RunInfo> info;
  std::vector<Commit> commits;                  // every one that can be read, in order
  std::map<std::string, TableState> manifests;  // every one that can be read
  std::vector<std::string> damaged;             // paths
};

class Rebuild {
 public:
  Rebuild(Run& run, std::string table, const Progress& progress)
      : run_(run), table_(std::move(table)), progress_(progress) {}

  RebuildReport operator()() {
    look_at_history();
    report_.damaged = old_.damaged;
    report_.from_log = old_.stands && old_.info;
    report_.from_log ? from_log() : from_footers();
    return std::move(report_);
  }

  // The table as operator() would make it; nothing is written.
  TableManifest look() {
    look_at_history();
    TableState state(table_);
    Survey found;
    Commit brought;
    if (old_.stands && old_.info) {
      state = state_from_log();
      for (const FoundPart* part : legacy_parts(found, state)) add(brought, *part);
    } else {
      age(state, run_.now());
      for (const FoundPart* part : whole_parts(found))
        if (part->table == table_) add(brought, *part);
    }
    for (const TableChange& change : brought.tables)
      for (const PartRecord& part : change.added) state.add(part);
    return state.manifest();
  }

 private:
  // ---- what is left ----

  void look_at_history() {
    run_.prepare();
    read_run_json();
    if (old_.info) read_log();
    read_manifests();
  }

  void read_run_json() {
    const std::string path = run_.paths().run_json();
    try {
      if (auto text = read_all(run_.storage(), path)) old_.info = decode_run(*text, path, run_.run_id);
    } catch (const IoManifestError& e) {
      if (e.code() == ErrorCode::format_too_new) throw;
      old_.damaged.push_back(path);
    }
  }

  void read_log() {
    Log log(run_.storage(), run_.paths(), old_.info->commits_per_fold);
    std::int64_t end = 0;
    try {
      end = log.read_after(0, [&](std::int64_t seq, std::string_view line, const std::string& path) {
        old_.commits.push_back(decode_commit(line, path, seq));
      });
    } catch (const IoManifestError& e) {
      if (e.code() == ErrorCode::format_too_new) throw;
      old_.damaged.push_back(e.facts().path);
      old_.stands = false;
    }
    if (!old_.stands || stops_early(end)) read_loose_commits();
  }

  // Whether files of the log lie above its end: then something below them is lost.
  bool stops_early(std::int64_t end) {
    for (const Entry& entry : run_.storage().list(run_.paths().log())) {
      auto fold = parse_fold_file(entry.name);
      auto seq = parse_commit_file(entry.name);
      if ((fold && fold->first > end) || (seq && *seq > end)) old_.stands = false;
    }
    return !old_.stands;
  }

  // Of a log that does not stand, every commit that can be read by itself.
  void read_loose_commits() {
    std::map<std::int64_t, Commit> found;
    for (const Entry& entry : run_.storage().list(run_.paths().log())) {
      std::string path = join(run_.paths().log(), entry.name);
      try {
        std::optional<std::string> text = read_all(run_.storage(), path);
        if (auto seq = parse_commit_file(entry.name); seq && text)
          found.try_emplace(*seq, decode_commit(*text, path, *seq));
        if (auto range = parse_fold_file(entry.name); range && text) {
          Fold fold = decode_fold(*text, path, range->first, range->last);
          for (std::int64_t seq = fold.first; seq <= fold.last; ++seq)
            found.insert_or_assign(
                seq, decode_commit(fold.lines[static_cast<std::size_t>(seq - fold.first)], path, seq));
        }
      } catch (const IoManifestError&) {
        if (std::find(old_.damaged.begin(), old_.damaged.end(), path) == old_.damaged.end())
          old_.damaged.push_back(path);
      }
    }
    old_.commits.clear();
    for (auto& [seq, commit] : found) old_.commits.push_back(std::move(commit));
  }

  void read_manifests() {
    for (const std::string& table : table_folders(run_)) {
      std::string path = run_.paths().manifest(table);
      try {
        std::optional<std::string> text = read_all(run_.storage(), path);
        if (!text) continue;
        TableState state = decode_manifest(*text, table, path);
        if (state.position > 0 && !log_holds(state.position, state.position_id)) old_.stands = false;
        old_.manifests.emplace(table, std::move(state));
      } catch (const IoManifestError& e) {
        if (e.code() == ErrorCode::format_too_new) throw;
        old_.damaged.push_back(path);
      }
    }
  }

  bool log_holds(std::int64_t seq, const std::string& id) const {
    return seq <= static_cast<std::int64_t>(old_.commits.size()) &&
           old_.commits[static_cast<std::size_t>(seq - 1)].id == id;
  }

  // ---- from the log ----

  void from_log() {
    TableState state = state_from_log();
    Survey found;
    const std::vector<const FoundPart*> legacy = legacy_parts(found, state);
    run_.open_for_writing();
    write_manifest(state);
    if (!legacy.empty()) adopt(legacy);
  }

  // Parts of the older package that the log does not know. What else there is goes into the report.
  std::vector<const FoundPart*> legacy_parts(Survey& found, const TableState& state) {
    found = survey(run_, {table_}, old_.info->tick_bucket_size, progress_);
    std::set<std::string> removed;
    for (const Commit& commit : old_.commits)
      if (const TableChange* change = commit.find(table_))
        for (const PartName& part : change->removed) removed.insert(part.file);
    std::set<std::string> on_disk;
    std::vector<const FoundPart*> legacy;
    for (const FoundPart& part : found.parts) {
      on_disk.insert(part.file);
      bool listed = state.holds(part.file);
      if (!part.facts || part.foreign)
        (part.facts && !listed ? report_.foreign : report_.damaged).push_back(part.path + ": " + part.error);
      else if (!listed && part.facts->footer.append_id.empty() && !removed.contains(part.file))
        legacy.push_back(&part);
      else if (!listed)
        report_.uncommitted.push_back(part.path);
    }
    for (const auto& [bucket, parts] : state.buckets())
      for (const PartRecord& part : parts)
        if (!on_disk.contains(part.meta.path))
          report_.damaged.push_back(run_.paths().part(table_, bucket, part.meta.path) +
                                    ": it is committed, but missing");
    report_.foreign.insert(report_.foreign.end(), found.strange.begin(), found.strange.end());
    sort_as_known(legacy);
    return legacy;
  }

  TableState state_from_log() {
    TableState state(table_);
    age(state, "");
    for (const Commit& commit : old_.commits) state.apply(commit);
    if (state.created_at.empty()) state.created_at = state.updated_at = run_.now();
    if (state.updated_at.empty()) state.updated_at = state.created_at;
    return state;
  }

  // A table keeps the time at which it was made, where that is known.
  void age(TableState& state, const std::string& otherwise) const {
    const auto old = old_.manifests.find(state.table);
    state.created_at = old != old_.manifests.end() ? old->second.created_at : otherwise;
    state.updated_at = otherwise;
  }

  void adopt(const std::vector<const FoundPart*>& legacy) {
    std::optional<Commit> done =
        run_.commit(run_.current(), [&](const Run::Lock& lock) -> std::optional<Commit> {
          TableState* now = run_.table(lock, table_);
          Commit commit;
          commit.kind = CommitKind::adopt;
          commit.id = run_.new_id();
          for (const FoundPart* part : legacy)
            if (now && !now->holds(part->file)) add(commit, *part);
          return commit.tables.empty() ? std::nullopt : std::optional(commit);
        });
    if (!done) return;
    auto lock = run_.lock();
    write_manifest(*run_.table(lock, table_));
  }

  // ---- from the footers ----

  void from_footers() {
    Survey found;
    start_new_log(whole_parts(found));
  }

  // Parts of whole appends and of the older package, in order. What else there is goes into the report.
  std::vector<const FoundPart*> whole_parts(Survey& found) {
    std::int64_t size = old_.info ? old_.info->tick_bucket_size : run_.settings.tick_bucket_size;
    found = survey(run_, table_folders(run_), size, progress_);
    report_.foreign = found.strange;
    std::vector<const FoundPart*> whole;
    for (const FoundPart& part : found.parts) {
      if (part.facts && !part.foreign)
        whole.push_back(&part);
      else
        (part.foreign ? report_.foreign : report_.damaged).push_back(part.path + ": " + part.error);
    }
    refuse_other_bucket_size(found, whole, size);
    drop_half_appends(whole);
    drop_replaced(whole);
    sort_as_known(whole);
    return whole;
  }

  // Parts that all lie in other buckets than the settings say are not foreign: the settings are wrong.
  void refuse_other_bucket_size(const Survey& found, const std::vector<const FoundPart*>& whole,
                                std::int64_t size) {
    if (old_.info || !whole.empty() || found.parts.empty()) return;
    for (const FoundPart& part : found.parts)
      if (part.facts && part.facts->footer.run_id == run_.run_id && part.facts->footer.table == part.table)
        raise(ErrorCode::bucket_size_mismatch,
              "The settings say tick_bucket_size = " + std::to_string(size) + ", but of " + part.path + " " +
                  part.error + '.',
              {.run_id = run_.run_id,
               .table = part.table,
               .key = "tick_bucket_size",
               .value = std::to_string(size),
               .path = part.path,
               .bucket = part.bucket});
  }

  // Of an append that crv wrote all parts must be there, or be replaced by a merged one.
  void drop_half_appends(std::vector<const FoundPart*>& whole) {
    std::map<std::string, std::set<std::string>> present;
    for (const FoundPart* part : whole) present[part->facts->footer.append_id].insert(part->file);
    std::map<std::string, std::string> append_of;
    for (const Commit& commit : old_.commits)
      for (const TableChange& change : commit.tables)
        for (const PartRecord& part : change.added) append_of[part.meta.path] = commit.id;
    for (const FoundPart* part : whole)
      for (const std::string& parent : part->facts->footer.replaces)
        if (auto id = append_of.find(parent); id != append_of.end()) present[id->second].insert(parent);
    std::erase_if(whole, [&](const FoundPart* part) {
      const PartFooter& footer = part->facts->footer;
      if (footer.append_id.empty()) return false;
      if (static_cast<std::int64_t>(present[footer.append_id].size()) >= footer.append_parts) return false;
      report_.uncommitted.push_back(part->path);
      return true;
    });
  }

  // A merged part stands for those it replaces. Where two claim the same one, the one whose other parents are
  // gone was committed.
  void drop_replaced(std::vector<const FoundPart*>& whole) {
    std::set<std::string> there;
    for (const FoundPart* part : whole) there.insert(part->file);
    std::vector<const FoundPart*> merged;
    for (const FoundPart* part : whole)
      if (!part->facts->footer.replaces.empty()) merged.push_back(part);
    auto gone = [&](const FoundPart* part) {
      const auto& parents = part->facts->footer.replaces;
      return std::count_if(parents.begin(), parents.end(),
                           [&](const std::string& p) { return !there.contains(p); });
    };
    std::stable_sort(merged.begin(), merged.end(), [&](auto* a, auto* b) { return gone(a) > gone(b); });
    std::set<std::string> replaced, aside;
    for (const FoundPart* part : merged) {
      const auto& parents = part->facts->footer.replaces;
      bool overlaps = std::any_of(parents.begin(), parents.end(),
                                  [&](const std::string& p) { return replaced.contains(p); });
      if (overlaps)
        aside.insert(part->file);
      else
        replaced.insert(parents.begin(), parents.end());
    }
    for (const Commit& commit : old_.commits)
      for (const TableChange& change : commit.tables)
        for (const PartName& part : change.removed) replaced.insert(part.file);
    std::erase_if(whole, [&](const FoundPart* part) {
      if (aside.contains(part->file)) report_.uncommitted.push_back(part->path);
      return aside.contains(part->file) || replaced.contains(part->file);
    });
  }

  // Commit order where it is known, else bucket, tick_min, time and name.
  void sort_as_known(std::vector<const FoundPart*>& parts) {
    struct Place {
      std::int64_t seq = INT64_MAX;
      std::size_t index = 0;
    };
    std::map<std::string, Place> places;
    for (const auto& [table, state] : old_.manifests)
      for (const auto& [bucket, listed] : state.buckets())
        for (std::size_t i = 0; i < listed.size(); ++i) places[listed[i].meta.path] = {listed[i].seq, i};
    for (const Commit& commit : old_.commits)
      for (const TableChange& change : commit.tables)
        for (std::size_t i = 0; i < change.added.size(); ++i)
          places[change.added[i].meta.path] = {commit.seq, i};
    using Key = std::tuple<std::string, std::int64_t, std::int64_t, std::size_t, std::int64_t, std::string,
                           std::string>;
    std::vector<std::pair<Key, const FoundPart*>> keyed;
    for (const FoundPart* part : parts) {
      Place place = places.contains(part->file) ? places[part->file] : Place{};
      keyed.emplace_back(Key{part->table, part->bucket, place.seq, place.index, part->facts->tick_min,
                             created_at(*part), part->file},
                         part);
    }
    std::sort(keyed.begin(), keyed.end());
    std::transform(keyed.begin(), keyed.end(), parts.begin(), [](const auto& k) { return k.second; });
  }

  std::string created_at(const FoundPart& part) {
    if (!part.facts->footer.created_at.empty()) return part.facts->footer.created_at;
    if (auto old = old_.manifests.find(part.table); old != old_.manifests.end())
      if (const PartRecord* listed = old->second.find(part.bucket, part.file)) return listed->meta.created_at;
    auto stat = run_.storage().stat(part.path);
    return iso_time(stat ? stat->modified_us : 0);
  }

  // The old log goes aside; all that was found is the first commit of a new one.
  void start_new_log(const std::vector<const FoundPart*>& whole) {
    std::string label = run_.new_id();
    set_aside(run_.paths().log(), join(run_.paths().aside(label), "log"));
    if (!old_.info) set_aside(run_.paths().run_json(), join(run_.paths().aside(label), "run.json"));

    run_.open_anew(old_.info);
    Commit first;
    first.kind = CommitKind::rebuild;
    first.id = run_.new_id();
    for (const FoundPart* part : whole) add(first, *part);
    std::optional<Commit> done =
        run_.commit(run_.current(), [&](const Run::Lock&) { return std::optional(first); });
    std::set<std::string> tables{table_};
    for (const std::string& table : table_folders(run_)) tables.insert(table);
    for (const std::string& table : tables) {
      TableState state(table);
      age(state, done->time);
      state.apply(*done);
      state.updated_at = done->time;
      write_manifest(state);
    }
  }

  void set_aside(const std::string& path, const std::string& to) {
    if (!run_.storage().exists(path)) return;
    run_.storage().make_folder(parent_of(to));
    run_.storage().move(path, to);
    run_.storage().sync_up(parent_of(to), run_.paths().run());
    run_.storage().sync(parent_of(path));
    report_.kept_aside.push_back(to);
  }

  // ---- both ----

  void add(Commit& commit, const FoundPart& part) {
    const PartFacts& facts = *part.facts;
    auto change = std::find_if(commit.tables.begin(), commit.tables.end(),
                               [&](auto& c) { return c.table == part.table; });
    if (change == commit.tables.end())
      change = commit.tables.insert(
          change, {.table = part.table, .schemas = {}, .added = {}, .removed = {}, .condemned = {}});
    PartRecord record;
    record.bucket = part.bucket;
    record.meta = {part.file, facts.rows, facts.bytes, facts.tick_min, facts.tick_max, created_at(part)};
    record.schema = schema_id(facts.footer.columns);
    record.checksum = checksum_of(run_.storage(), part.path);
    record.token = facts.footer.token;
    bool known = std::any_of(change->schemas.begin(), change->schemas.end(),
                             [&](auto& s) { return s.first == record.schema; });
    if (!known) change->schemas.emplace_back(record.schema, facts.footer.columns);
    change->added.push_back(std::move(record));
    if (facts.footer.append_id.empty()) report_.legacy.push_back(part.path);
  }

  void write_manifest(const TableState& state) {
    run_.storage().make_folder(run_.paths().table(state.table));
    run_.sync_log();
    run_.storage().replace(run_.paths().manifest(state.table), encode_manifest(state));
    run_.storage().sync_up(run_.paths().table(state.table), run_.paths().run());
    if (state.table == table_) report_.manifest = state.manifest();
  }

  Run& run_;
  std::string table_;
  const Progress& progress_;
  OldLog old_;
  RebuildReport report_;
};

std::string known_table(const Run& run, std::string_view table) {
  if (core::find_stored_table(table)) return std::string(table);
  raise(ErrorCode::unknown_table, "There is no table \"" + std::string(table) + "\".",
        {.run_id = run.run_id, .table = std::string(table), .value = std::string(table)});
}

}  // namespace

RebuildReport rebuild(Run& run, std::string_view table, const Progress& progress) {
  return Rebuild(run, known_table(run, table), progress)();
}

TableManifest look_for_parts(Run& run, std::string_view table) {
  const Progress silent;
  return Rebuild(run, known_table(run, table), silent).look();
}

}  // namespace crv::io
