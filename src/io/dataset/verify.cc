// verify: reads everything and says what is wrong. Changes nothing.
#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "crv/core/error.h"
#include "io/base/parallel.h"
#include "io/base/sums.h"
#include "io/conform/accepted.h"
#include "io/dataset/definitions.h"
#include "io/dataset/verbs.h"
#include "io/log/manifest_file.h"
#include "io/run/survey.h"

namespace crv::io {
namespace {

class Verify {
 public:
  Verify(Run& run, bool full, const Progress& progress) : run_(run), full_(full), progress_(progress) {}

  VerifyReport operator()() {
    run_.prepare();
    if (!open()) return std::move(report_);
    look();
    // Twice, before anything is called damaged: another process may just have put the run in order.
    if (!report_.ok && open()) look();
    std::vector<std::string> folders = table_folders(run_);
    std::erase_if(folders, [&](const std::string& table) { return !is_known(table); });
    const Survey found = survey(run_, folders, run_.bucket_size(), progress_);
    read_what_came_later();
    for (const std::string& table : folders) check_table(table, found);
    for (const std::string& path : found.strange)
      find("note", "foreign_file", path, "This is no file of crv.");
    for (const auto& [table, state] : states_)
      if (is_table(state) && std::find(folders.begin(), folders.end(), table) == folders.end())
        find("error", "table_missing", run_.paths().table(table),
             "The log names the table, but it has no folder.");
    report_.ok = std::none_of(report_.findings.begin(), report_.findings.end(),
                              [](const Finding& f) { return f.severity == "error"; });
    return std::move(report_);
  }

 private:
  void find(const std::string& severity, const std::string& code, const std::string& path,
            const std::string& message) {
    std::lock_guard held(mutex_);
    report_.findings.push_back({severity, code, path, message});
    if (severity == "error") report_.ok = false;
  }

  void find(const Error& e, const std::string& path) {
    find("error", crv::name_of(e.code()), e.facts().path.empty() ? path : e.facts().path, e.what());
  }

  // Another folder below tables/ may have the name of a table, too.
  bool is_known(const std::string& table) const {
    const auto state = states_.find(table);
    return core::find_stored_table(table) || (state != states_.end() && is_table(state->second));
  }

  bool open() {
    try {
      run_.open();
    } catch (const IoManifestError& e) {
      find(e, run_.paths().run_json());
      return false;
    }
    if (!run_.storage().exists(run_.paths().run())) {
      find("error", "run_missing", run_.paths().run(), "There is no such run.");
      return false;
    }
    return true;
  }

  // Each thing is looked at before what may only be ahead of it: the names in log/, the manifests, the
  // commits.
  void look() {
    report_ = {};
    manifests_.clear();
    without_manifest_.clear();
    bad_manifests_.clear();
    states_.clear();
    position_ = {};
    of_ = run_.current();
    std::vector<Entry> names;
    if (of_) names = run_.storage().list(run_.paths().log());
    for (const std::string& table : table_folders(run_)) read_manifest(table);
    if (of_) read_log(names);
    tell_bad_manifests();
    for (const auto& [table, listed] : manifests_) {
      if (log_sound_ && listed.position > position_.seq) tell_ahead(listed);
      const auto [state, fresh] = states_.try_emplace(table, listed);
      if (fresh) continue;
      for (const auto& [bucket, parts] : listed.buckets())
        for (const PartRecord& part : parts)
          if (part.seq == 0) state->second.add(part);
    }
  }

  void read_manifest(const std::string& table) {
    const std::string path = run_.paths().manifest(table);
    try {
      if (const std::optional<std::string> text = read_all(run_.storage(), path))
        manifests_.emplace(table, decode_manifest(*text, table, path));
      else
        without_manifest_.insert(table);
    } catch (const IoManifestError& e) {
      bad_manifests_.emplace(table, e);
    }
  }

  // Another folder below tables/ may look like that of a table. The log tells, if it can be read.
  void tell_bad_manifests() {
    for (const auto& [table, e] : bad_manifests_)
      if (core::find_stored_table(table) || states_.contains(table) || !log_sound_)
        find(e, run_.paths().manifest(table));
  }

  void read_log(const std::vector<Entry>& names) {
    log_sound_ = true;
    position_ = {0, of_->info.identity(), 1};
    try {
      of_->log.read_after(0, [&](std::int64_t, std::string_view line, const std::string& path) {
        const Commit commit = decode_commit(line, path, position_.seq + 1);
        step(position_, commit, path);
        if (commit.kind == CommitKind::fence)
          find("error", "log_damaged", path,
               "A rebuild of the run has begun here, and not ended. Rebuild it.");
        for (const TableChange& change : commit.tables)
          if (auto [state, fresh] = states_.try_emplace(change.table, TableState(change.table)); fresh)
            state->second.position = commit.seq - 1;
        for (auto& [table, state] : states_) state.apply(commit);
        for (const auto& [table, listed] : manifests_)
          if (listed.position == commit.seq) compare_with_log(listed);
      });
    } catch (const IoManifestError& e) {
      log_sound_ = false;
      find(e, run_.paths().log());
    }
    report_.commits = position_.seq;
    if (log_sound_)
      for (const Entry& entry : names) check_log_file(entry);
  }

  void check_log_file(const Entry& entry) {
    std::string path = join(run_.paths().log(), entry.name);
    auto seq = parse_commit_file(entry.name);
    auto fold = parse_fold_file(entry.name);
    if (!seq && !fold)
      find("note", "foreign_file", path, "This is no file of the log.");
    else if ((seq ? *seq : fold->first) > position_.seq)
      find("error", "log_damaged", path,
           "It stands above the end of the log, which is commit " + std::to_string(position_.seq) +
               ": something below it is lost.");
  }

  void tell_ahead(const TableState& listed) {
    find("error", "manifest_ahead", run_.paths().manifest(listed.table),
         "It is folded to commit " + std::to_string(listed.position) + ", which the log does not hold.");
  }

  // A manifest against the log as of its last commit: the one that was read just now.
  void compare_with_log(const TableState& listed) {
    if (listed.position_id != position_.id) return tell_ahead(listed);
    const std::string path = run_.paths().manifest(listed.table);
    const TableState nothing(listed.table);
    const auto found = states_.find(listed.table);
    const TableState& state = found == states_.end() ? nothing : found->second;
    const auto committed = state.parts_by_name(), in_manifest = listed.parts_by_name();
    for (const auto& [bucket, parts] : listed.buckets())
      for (const PartRecord& part : parts) {
        if (part.seq == 0) continue;
        const auto named = committed.find(part.meta.path);
        if (named == committed.end())
          find("error", "manifest_damaged", path, "It lists " + part.meta.path + ", which no commit names.");
        else if (!same(part, *named->second))
          find("error", "manifest_damaged", path,
               "What it tells of " + part.meta.path + " is not what commit " +
                   std::to_string(named->second->seq) + " says.");
      }
    for (const auto& [bucket, parts] : state.buckets())
      for (const PartRecord& part : parts)
        if (!in_manifest.contains(part.meta.path))
          find("error", "manifest_damaged", path,
               "It lacks " + part.meta.path + ", which commit " + std::to_string(part.seq) + " added.");
    if (!crv::io::same(state.definition, listed.definition))
      find("error", "manifest_damaged", path,
           "What it tells of the table's definition is not what the commits up to " +
               std::to_string(listed.position) + " say.");
    for (const SeenSchema& schema : state.schemas())
      if (!listed.knows_schema(schema.id))
        find("error", "manifest_damaged", path,
             "It lacks schema " + schema.id + ", which commit " + std::to_string(schema.seq) + " brought.");
  }

  static bool same(const PartRecord& a, const PartRecord& b) {
    return a.bucket == b.bucket && a.meta.rows == b.meta.rows && a.meta.bytes == b.meta.bytes &&
           a.meta.tick_min == b.meta.tick_min && a.meta.tick_max == b.meta.tick_max &&
           a.meta.created_at == b.meta.created_at && a.checksum == b.checksum && a.schema == b.schema &&
           a.seq == b.seq;
  }

  // Between the look at the log and that at the parts, writers have gone on.
  void read_what_came_later() {
    if (!of_ || !log_sound_) return;
    try {
      of_->log.read_after(position_.seq,
                          [&](std::int64_t seq, std::string_view line, const std::string& path) {
                            const Commit commit = decode_commit(line, path, seq);
                            for (const TableChange& change : commit.tables) {
                              for (const PartRecord& part : change.added)
                                came_later_.insert({change.table, part.meta.path});
                              for (const auto* names : {&change.removed, &change.condemned})
                                for (const PartName& name : *names)
                                  went_later_.insert({change.table, name.file});
                            }
                          });
    } catch (const IoManifestError& e) {
      find(e, run_.paths().log());
    }
  }

  void check_table(const std::string& table, const Survey& found) {
    ++report_.tables;
    const auto known = states_.find(table);
    const TableState* state = known == states_.end() ? nullptr : &known->second;
    std::map<std::string, const FoundPart*> on_disk;
    const auto committed = state ? state->parts_by_name() : decltype(state->parts_by_name())();
    for (const FoundPart& part : found.parts) {
      if (part.table != table) continue;
      const auto named = committed.find(part.file);
      const PartRecord* record = named == committed.end() ? nullptr : named->second;
      if (record && record->bucket == part.bucket)
        on_disk[part.file] = &part;
      else if (state && !came_later_.contains({table, part.file}))
        tell_unlisted(*state, part, record);
    }
    if (without_manifest_.contains(table) &&
        (state || run_.any_bucket(table)) &&  // else its first append ended before it wrote a row
        !run_.storage().exists(run_.paths().manifest(table)))
      find("error", "table_missing", run_.paths().manifest(table), "The table has no manifest. Rebuild it.");
    if (!state) return;
    for (const TypeConflict& c : state->conflicts())
      find("error", "type_conflict", run_.paths().table(table),
           "Path " + c.path + " holds " + text_of(c.held) + " in one part and " + text_of(c.offered) +
               " in another.");
    check_parts(*state, on_disk);
  }

  // `elsewhere`: the part of that name that is committed, in another bucket; nullptr where there is none.
  void tell_unlisted(const TableState& state, const FoundPart& part, const PartRecord* elsewhere) {
    std::string why =
        state.is_gone(part.file) ? "A commit has removed this part" : "No commit names this part";
    if (elsewhere) {
      copies_.emplace(TableFile(part.table, part.file), part.bucket);
      why = "This is a copy of a part of bucket " + std::to_string(elsewhere->bucket) +
            ", where its commit has it";
    }
    if (!part.error.empty()) why += "; " + part.error;
    find("note", part.foreign ? "part_foreign" : "uncommitted_part", part.path, why + '.');
  }

  void check_parts(const TableState& state, const std::map<std::string, const FoundPart*>& on_disk) {
    std::vector<const PartRecord*> parts;
    for (const auto& [bucket, records] : state.buckets())
      for (const PartRecord& part : records) parts.push_back(&part);
    report_.parts += static_cast<std::int64_t>(parts.size());
    constexpr std::size_t step = 64;
    for (std::size_t from = 0; from < parts.size(); from += step) {
      if (progress_) progress_(static_cast<std::int64_t>(from), static_cast<std::int64_t>(parts.size()));
      in_parallel(run_.threads(), std::min(step, parts.size() - from),
                  [&](std::size_t i) { check_part(state, *parts[from + i], on_disk); });
    }
    for (const PartRecord* part : parts) {
      report_.rows = capped_sum(report_.rows, part->meta.rows);
      report_.bytes = capped_sum(report_.bytes, part->meta.bytes);
    }
  }

  void check_part(const TableState& state, const PartRecord& part,
                  const std::map<std::string, const FoundPart*>& on_disk) {
    std::string path = run_.paths().part(state.table, part.bucket, part.meta.path);
    auto found = on_disk.find(part.meta.path);
    if (found == on_disk.end()) {
      if (went_later_.contains({state.table, part.meta.path})) return;
      const auto copy = copies_.find({state.table, part.meta.path});
      find("error", "part_missing", path,
           copy == copies_.end()
               ? "The part is committed, but not there."
               : "The part is committed, but not in its bucket: a file of its name lies in bucket " +
                     std::to_string(copy->second) + '.');
      return;
    }
    const FoundPart& there = *found->second;
    if (there.failure) return find("error", "read_failed", path, there.error);
    if (!there.facts) return find("error", "part_damaged", path, there.error);
    if (there.foreign && !there.unnamed)
      return find("error", "part_foreign", path, "The part is not what its name says: " + there.error + '.');
    const PartFacts& facts = *there.facts;
    if (facts.rows != part.meta.rows || facts.bytes != part.meta.bytes ||
        facts.tick_min != part.meta.tick_min || facts.tick_max != part.meta.tick_max)
      find("error", "part_damaged", path, "Rows, bytes or ticks are not those that were committed.");
    if (part.checksum.empty())
      find("note", "no_checksum", path, "The older package wrote this part; its bytes cannot be checked.");
    else if (full_)
      check_bytes(path, part.checksum);
    if (!part.schema.empty() && schema_id(facts.footer.columns) != part.schema)
      find("error", "part_damaged", path, "Its columns are not those that were committed.");
    if (!same_types(facts.footer.columns, facts.stored))
      find("error", "part_damaged", path,
           "It does not store its columns in the types that its footer tells.");
    if (state.definition && !facts.footer.append_id.empty() && !facts.footer.definition)
      find("error", "part_damaged", path, "Its footer does not tell what table it belongs to.");
    find_unreadable_in(path);
    if (facts.footer.append_id.empty() && !same_types(facts.footer.columns, state.columns()))
      find("note", "widened_path", path,
           "The older package wrote integers where the table holds floats; they are widened when read.");
  }

  void check_bytes(const std::string& path, const std::string& checksum) {
    try {
      if (checksum_of(run_.storage(), path) != checksum)
        find("error", "part_damaged", path,
             "Its bytes are not those that were committed: the checksum differs.");
    } catch (const IoReadError& e) {  // the disk failed, or the part has gone since
      find(e, path);
    }
  }

  // What older writers took, and others cannot read. An error where not even scan() can give it to Polars.
  void find_unreadable_in(const std::string& path) {
    try {
      for (const Unreadable& one : unreadable_in(run_.storage(), path, full_))
        find(one.text ? "error" : "note", "unreadable_by_others", path,
             "Column \"" + one.path + "\": " + one.why);
    } catch (const IoReadError& e) {
      find(e, path);
    }
  }

  using TableFile = std::pair<std::string, std::string>;

  Run& run_;
  bool full_;
  const Progress& progress_;
  std::mutex mutex_;
  VerifyReport report_;
  std::map<std::string, TableState> manifests_;
  std::set<std::string> without_manifest_;
  std::map<std::string, IoManifestError> bad_manifests_;  // by table
  std::shared_ptr<const FoundRun> of_;                    // the run as it was found when this began to look
  // as the log has them at position_; without a log, as the manifests do
  std::map<std::string, TableState> states_;
  LogPosition position_;
  bool log_sound_ = true;
  std::set<TableFile> came_later_, went_later_;
  std::map<TableFile, std::int64_t> copies_;  // the buckets that they lie in
};

}  // namespace

VerifyReport verify(Run& run, bool full, const Progress& progress) {
  return Verify(run, full, progress)();
}

}  // namespace crv::io
