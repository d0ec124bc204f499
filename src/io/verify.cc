// verify: reads everything and says what is wrong. Changes nothing.
#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "crv/core/error.h"
#include "io/accepted.h"
#include "io/manifest_file.h"
#include "io/parallel.h"
#include "io/sums.h"
#include "io/survey.h"
#include "io/verbs.h"

namespace crv::io {
namespace {

class Verify {
 public:
  Verify(Run& run, bool full, const Progress& progress) : run_(run), full_(full), progress_(progress) {}

  VerifyReport operator()() {
    run_.prepare();
    if (!open()) return std::move(report_);
    read_log();
    for (const std::string& table : table_folders(run_)) check_table(table);
    for (const auto& [table, state] : states_)
      if (!checked_.contains(table))
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

  bool open() {
    try {
      run_.open();
    } catch (const IoManifestError& e) {
      find(e, run_.paths().run_json());
      return false;
    }
    if (!run_.storage().exists(run_.paths().run())) {
      find("error", "run_damaged", run_.paths().run(), "There is no such run.");
      return false;
    }
    return true;
  }

  void read_log() {
    if (!run_.info()) return;
    std::int64_t end = 0;
    try {
      end = run_.log()->read_after(0, [&](std::int64_t seq, std::string_view line, const std::string& path) {
        Commit commit = decode_commit(line, path, seq);
        for (const TableChange& change : commit.tables)
          if (auto [state, fresh] = states_.try_emplace(change.table, TableState(change.table)); fresh)
            state->second.position = seq - 1;
        for (auto& [table, state] : states_) state.apply(commit);
        ids_.push_back(commit.id);
      });
    } catch (const IoManifestError& e) {
      log_sound_ = false;
      find(e, run_.paths().log());
    }
    report_.commits = static_cast<std::int64_t>(ids_.size());
    if (!log_sound_) return;
    for (const Entry& entry : run_.storage().list(run_.paths().log())) check_log_file(entry, end);
  }

  void check_log_file(const Entry& entry, std::int64_t end) {
    std::string path = join(run_.paths().log(), entry.name);
    auto seq = parse_commit_file(entry.name);
    auto fold = parse_fold_file(entry.name);
    if (!seq && !fold)
      find("note", "foreign_file", path, "This is no file of the log.");
    else if ((seq ? *seq : fold->first) > end)
      find("error", "log_damaged", path,
           "It stands above the end of the log, which is commit " + std::to_string(end) +
               ": something below it is lost.");
  }

  void check_table(const std::string& table) {
    checked_.insert(table);
    ++report_.tables;
    const TableState* state = check_manifest(table);
    Survey found = survey(run_, {table}, run_.bucket_size(), progress_);
    for (const std::string& path : found.strange)
      find("note", "foreign_file", path, "This is no file of crv.");
    std::map<std::string, const FoundPart*> on_disk;
    for (const FoundPart& part : found.parts) {
      on_disk[part.file] = &part;
      if (state && !state->holds(part.file))
        find("note", part.foreign ? "part_foreign" : "uncommitted_part", part.path,
             part.error.empty() ? "No commit names this part."
                                : "No commit names this part; " + part.error + '.');
    }
    if (!state) return;
    for (const TypeConflict& c : state->conflicts())
      find("error", "type_conflict", run_.paths().table(table),
           "Path " + c.path + " holds " + type_to_text(c.held) + " in one part and " +
               type_to_text(c.offered) + " in another.");
    check_parts(*state, on_disk);
  }

  // What the table should be: from the log, or where there is none from its manifest.
  const TableState* check_manifest(const std::string& table) {
    std::string path = run_.paths().manifest(table);
    auto from_log = states_.find(table);
    try {
      std::optional<std::string> text = read_all(run_.storage(), path);
      if (!text) {
        if (from_log != states_.end() ||
            has_buckets(table))  // else its first append ended before it wrote a row
          find("error", "table_missing", path, "The table has no manifest. Rebuild it.");
        return from_log == states_.end() ? nullptr : &from_log->second;
      }
      TableState listed = decode_manifest(*text, table, path);
      if (listed.position > 0 && log_sound_) compare_with_log(listed, path);
      if (from_log == states_.end()) return &states_.emplace(table, std::move(listed)).first->second;
      for (const auto& [bucket, parts] : listed.buckets())
        for (const PartRecord& part : parts)
          if (part.seq == 0) from_log->second.add(part);
      return &from_log->second;
    } catch (const IoManifestError& e) {
      find(e, path);
      return from_log == states_.end() ? nullptr : &from_log->second;
    }
  }

  bool has_buckets(const std::string& table) {
    std::vector<Entry> entries = run_.storage().list(run_.paths().table(table));
    return std::any_of(entries.begin(), entries.end(),
                       [](const Entry& e) { return parse_bucket_folder(e.name).has_value(); });
  }

  void compare_with_log(const TableState& listed, const std::string& path) {
    auto at = static_cast<std::size_t>(listed.position - 1);
    if (at >= ids_.size() || ids_[at] != listed.position_id) {
      find("error", "manifest_ahead", path,
           "It is folded to commit " + std::to_string(listed.position) + ", which the log does not hold.");
      return;
    }
    auto from_log = states_.find(listed.table);
    for (const auto& [bucket, parts] : listed.buckets())
      for (const PartRecord& part : parts)
        if (part.seq != 0 && (from_log == states_.end() ||
                              (!from_log->second.holds(part.meta.path) && part.seq > listed.position)))
          find("error", "manifest_damaged", path, "It lists " + part.meta.path + ", which no commit names.");
  }

  void check_parts(const TableState& state, const std::map<std::string, const FoundPart*>& on_disk) {
    std::vector<const PartRecord*> parts;
    for (const auto& [bucket, records] : state.buckets())
      for (const PartRecord& part : records) parts.push_back(&part);
    report_.parts += static_cast<std::int64_t>(parts.size());
    constexpr std::size_t step = 64;
    for (std::size_t from = 0; from < parts.size(); from += step) {
      if (progress_) progress_(static_cast<std::int64_t>(from), static_cast<std::int64_t>(parts.size()));
      in_parallel(std::min(step, parts.size() - from),
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
    if (found == on_disk.end() || found->second->bucket != part.bucket)
      return find("error", "part_missing", path, "The part is committed, but not there.");
    const FoundPart& there = *found->second;
    if (!there.facts) return find("error", "part_damaged", path, there.error);
    if (there.foreign && !there.unnamed)
      return find("error", "part_foreign", path, "The part is not what its name says: " + there.error + '.');
    const PartFacts& facts = *there.facts;
    if (facts.rows != part.meta.rows || facts.bytes != part.meta.bytes ||
        facts.tick_min != part.meta.tick_min || facts.tick_max != part.meta.tick_max)
      find("error", "part_damaged", path, "Rows, bytes or ticks are not those that were committed.");
    if (part.checksum.empty()) {
      find("note", "no_checksum", path, "The older package wrote this part; its bytes cannot be checked.");
    } else if (full_) {
      std::unique_ptr<Reader> reader = run_.storage().open(path);
      if (!reader || checksum_of(*reader) != part.checksum)
        find("error", "part_damaged", path,
             "Its bytes are not those that were committed: the checksum differs.");
    }
    if (!part.schema.empty() && schema_id(facts.footer.columns) != part.schema)
      find("error", "part_damaged", path, "Its columns are not those that were committed.");
    if (!same_types(facts.footer.columns, facts.stored))
      find("error", "part_damaged", path,
           "It does not store its columns in the types that its footer tells.");
    find_unreadable_in(path);
    if (facts.footer.append_id.empty() && !same_types(facts.footer.columns, state.columns()))
      find("note", "widened_path", path,
           "The older package wrote integers where the table holds floats; they are widened when read.");
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

  Run& run_;
  bool full_;
  const Progress& progress_;
  std::mutex mutex_;
  VerifyReport report_;
  std::map<std::string, TableState> states_;
  std::set<std::string> checked_;
  std::vector<std::string> ids_;
  bool log_sound_ = true;
};

}  // namespace

VerifyReport verify(Run& run, bool full, const Progress& progress) {
  return Verify(run, full, progress)();
}

}  // namespace crv::io
