// More than 400 lines, since what counts as evidence should be read in one place.
#include "io/dataset/evidence.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "crv/core/descriptor.h"
#include "crv/core/error.h"
#include "io/base/clock.h"
#include "io/log/manifest_file.h"

namespace crv::io {
namespace {

// Numbers of the log whose commits cannot be read and whose ids nobody knows: a commit that no evidence tells
// of can only have stood there. As ranges, since a stray file may bear any number.
class Gaps {
 public:
  void add(std::int64_t first, std::int64_t last) {
    if (first <= last) ranges_[first] = last;
  }
  void remove(std::int64_t number) { static_cast<void>(take_in(number, number)); }
  // Takes the highest number strictly between `low` and `high`; nothing where there is none.
  std::optional<std::int64_t> take_between(std::int64_t low, std::int64_t high) {
    if (low == INT64_MAX || high == INT64_MIN) return std::nullopt;
    return take_in(low + 1, high - 1);
  }
  bool is_empty() const { return ranges_.empty(); }
  // From the highest on, up to `most`.
  std::vector<std::int64_t> numbers(std::size_t most) const {
    std::vector<std::int64_t> all;
    for (auto range = ranges_.rbegin(); range != ranges_.rend(); ++range)
      for (std::int64_t number = range->second; number >= range->first && all.size() < most; --number)
        all.push_back(number);
    return all;
  }

 private:
  std::optional<std::int64_t> take_in(std::int64_t low, std::int64_t high) {
    auto range = ranges_.upper_bound(high);
    if (range == ranges_.begin()) return std::nullopt;
    --range;
    const auto [first, last] = *range;
    const std::int64_t taken = std::min(last, high);
    if (taken < low) return std::nullopt;
    ranges_.erase(range);
    add(first, taken - 1);
    if (taken < last) add(taken + 1, last);
    return taken;
  }

  std::map<std::int64_t, std::int64_t> ranges_;  // first to last
};

// A part that a commit or a manifest names.
struct Named {
  std::int64_t seq = 0;
  std::size_t index = 0;
  PartRecord record;
};

struct Key {
  std::string table;
  std::int64_t bucket = 0;
  std::string file;
  auto operator<=>(const Key&) const = default;
};

Key key_of(const FoundPart& part) {
  return {part.table, part.bucket, part.file};
}

// The parts of one append that no evidence names.
struct Loose {
  std::vector<const FoundPart*> parts;
  std::string created_at;  // of the latest
  std::string token;
  const PartFooter& footer() const { return parts.front()->facts->footer; }
};

class Judge {
 public:
  Judge(Run& run, const Evidence& evidence, const Survey& found, const std::string& table)
      : run_(run), evidence_(evidence), log_(evidence.log), found_(found), asked_(table) {}

  Verdict operator()() {
    read_commits();
    find_gaps();
    for (const auto& [table, state] : evidence_.manifests)
      if (belongs(state)) read_manifest(state);
    sort_parts();
    take_whole_of_known_commits();
    take_what_missing_commits_can_name();
    leave_out_replaced();
    find_definitions();
    leave_out_undefined();
    write_down();
    return std::move(verdict_);
  }

 private:
  // ---- what is named ----

  void read_commits() {
    gone_ = log_.gone;
    for (const auto& [seq, commit] : log_.commits) {
      for (const TableChange& change : commit.tables)
        for (std::size_t i = 0; i < change.added.size(); ++i) {
          PartRecord part = change.added[i];
          if (commit.token) part.token = token_text(*commit.token);
          added_.insert({seq, change.table, part.bucket, part.meta.path});
          name(change.table, {seq, i, std::move(part)});
        }
      remember_gone(commit, gone_);
      for (const Token& token : tokens_of(commit)) {
        used_tokens_.insert(token_text(token));
        numbers_[token.writer].emplace(token.number, seq);
      }
      if (commit.complete_through)
        complete_through_ =
            std::max(complete_through_.value_or(*commit.complete_through), *commit.complete_through);
    }
    for (const auto& [writer, last] : log_.tokens) numbers_[writer].emplace(last.first, last.second);
  }

  void name(const std::string& table, const Named& named) {
    named_tables_.insert(table);
    named_.try_emplace(Key{table, named.record.bucket, named.record.meta.path}, named);
  }

  // The log reaches as far as a file or a manifest of it tells.
  void find_gaps() {
    std::int64_t end = log_.highest;
    for (const auto& [table, state] : evidence_.manifests)
      if (belongs(state)) end = std::max(end, state.position);
    std::int64_t next = 1;
    for (const auto& [seq, commit] : log_.commits) {
      gaps_.add(next, seq - 1);
      next = seq + 1;
      if (seq > 1 && !commit.prev.empty() && !log_.commits.contains(seq - 1))
        known_commit(seq - 1, commit.prev);
    }
    gaps_.add(next, end);
    for (const auto& [seq, id] : lost_commits_) gaps_.remove(seq);
  }

  void known_commit(std::int64_t seq, const std::string& id) {
    lost_commits_.try_emplace(seq, id);
    lost_ids_.try_emplace(id, seq);
  }

  // Whether the manifest was folded from this log: the commit that it ends with tells; where that cannot be
  // read, all others that it lists parts of must agree.
  bool belongs(const TableState& state) const {
    if (state.position <= 0) return false;
    if (const std::string id = log_.id_of(state.position); !id.empty()) return id == state.position_id;
    for (const auto& [bucket, parts] : state.buckets())
      for (const PartRecord& part : parts)
        if (log_.commits.contains(part.seq) &&
            !added_.contains({part.seq, state.table, bucket, part.meta.path}))
          return false;
    return true;
  }

  void read_manifest(const TableState& state) {
    if (!log_.commits.contains(state.position)) known_commit(state.position, state.position_id);
    gaps_.remove(state.position);
    manifest_ends_[state.table] = state.position;
    for (const auto& [bucket, parts] : state.buckets())
      for (std::size_t i = 0; i < parts.size(); ++i)
        if (parts[i].seq > 0) name(state.table, {parts[i].seq, i, parts[i]});
    const GoneNames gone = state.gone();
    gone_[state.table].insert(gone.begin(), gone.end());
    const std::int64_t unreadable = unreadable_below(state.position);
    // Added by a commit, not listed later on: a commit that cannot be read has removed it.
    for (const auto& [key, named] : named_) {
      if (key.table != state.table || named.seq > state.position || state.holds(key.file)) continue;
      if (named.seq <= unreadable) gone_[state.table].try_emplace(key.file, key.bucket);
    }
  }

  // The highest number up to `end` whose commit cannot be read; 0 where there is none.
  std::int64_t unreadable_below(std::int64_t end) const {
    auto commit = log_.commits.upper_bound(end);
    while (commit != log_.commits.begin() && (--commit)->first == end) --end;
    return end;
  }

  bool is_gone(const FoundPart& part) const {
    const auto names = gone_.find(part.table);
    return names != gone_.end() && names->second.contains(part.file);
  }

  // ---- the parts that are there ----

  void sort_parts() {
    std::set<Key> there;
    for (const FoundPart& part : found_.parts) {
      const auto named = named_.find(key_of(part));
      there.insert(key_of(part));
      if (is_gone(part)) continue;
      if (!part.facts) {
        verdict_.damaged.push_back(part.path + ": " + part.error);
      } else if (named != named_.end()) {
        take_named(part, named->second);
      } else if (part.foreign) {
        verdict_.foreign.push_back(part.path + ": " + part.error);
      } else if (part.facts->footer.append_id.empty() && is_unlisted(part)) {
        verdict_.uncommitted.push_back(part.path);
      } else if (part.facts->footer.append_id.empty()) {
        live_[key_of(part)] = {&part, legacy_place(part)};
        verdict_.legacy.push_back(part.path);
        verdict_.adopted.push_back(&part);
      } else {
        Loose& loose = loose_[part.facts->footer.append_id];
        loose.parts.push_back(&part);
        loose.created_at = std::max(loose.created_at, part.facts->footer.created_at);
        loose.token = part.facts->footer.token;
      }
    }
    for (const auto& [key, named] : named_)
      if (const auto gone = gone_.find(key.table);
          !there.contains(key) && (gone == gone_.end() || !gone->second.contains(key.file)))
        verdict_.damaged.push_back(run_.paths().part(key.table, key.bucket, key.file) +
                                   ": it was committed, but is missing");
  }

  void take_named(const FoundPart& part, const Named& named) {
    const PartFacts& facts = *part.facts;
    const PartMeta& meta = named.record.meta;
    if (part.foreign && !part.unnamed) return verdict_.damaged.push_back(part.path + ": " + part.error);
    if (facts.rows != meta.rows || facts.bytes != meta.bytes)
      return verdict_.damaged.push_back(part.path + ": its rows or bytes are not those that were committed");
    live_[key_of(part)] = {&part, {named.seq, named.index}, &named.record};
    const std::string& id = facts.footer.append_id;
    if (!id.empty() && !log_.commits.contains(named.seq)) {
      gaps_.remove(named.seq);
      known_commit(named.seq, id);
    }
    if (!named.record.token.empty())
      used_tokens_.insert(named.record.token);
    else if (!facts.footer.token.empty())
      used_tokens_.insert(facts.footer.token);
  }

  // Of a table that only the older package has written to, its manifest tells; a rebuild of another table
  // does not add to it.
  bool is_unlisted(const FoundPart& part) {
    const auto manifest = evidence_.manifests.find(part.table);
    return part.table != asked_ && manifest != evidence_.manifests.end() &&
           manifest->second.manifest_position < 0 && legacy_place(part).seq == INT64_MAX;
  }

  struct Listed {
    std::int64_t seq = INT64_MAX;
    std::size_t index = 0;
  };

  // Parts of the older package come as their manifest lists them.
  Listed legacy_place(const FoundPart& part) {
    if (listed_.empty())
      for (const auto& [table, state] : evidence_.manifests)
        for (const auto& [bucket, parts] : state.buckets())
          for (std::size_t i = 0; i < parts.size(); ++i)
            listed_.try_emplace({table, bucket, parts[i].meta.path}, Listed{parts[i].seq, i});
    const auto place = listed_.find(key_of(part));
    return place == listed_.end() ? Listed{} : place->second;
  }

  // ---- what no evidence names ----

  // Commits that cannot be read, but whose ids are known.
  void take_whole_of_known_commits() {
    for (auto loose = loose_.begin(); loose != loose_.end();) {
      const auto lost = lost_ids_.find(loose->first);
      if (lost == lost_ids_.end()) {
        ++loose;
        continue;
      }
      take(loose->second, lost->second);
      loose = loose_.erase(loose);
    }
  }

  void take(const Loose& loose, std::int64_t seq) {
    for (const FoundPart* part : loose.parts) {
      live_[key_of(*part)] = {part, {seq, 0}};
      verdict_.adopted.push_back(part);
    }
    if (!loose.token.empty()) used_tokens_.insert(loose.token);
  }

  // Whether commits are missing without a trace: nothing is left of the log, though the table holds rows.
  bool log_is_lost() const {
    if (!log_.is_empty()) return false;
    if (!evidence_.has_log) return true;
    return std::any_of(evidence_.manifests.begin(), evidence_.manifests.end(),
                       [](const auto& manifest) { return manifest.second.position > 0; });
  }

  // A table with rows has a manifest, and commits that name it.
  bool history_is_lost(const Loose& loose) const {
    return std::any_of(loose.parts.begin(), loose.parts.end(), [&](const FoundPart* part) {
      return !evidence_.manifests.contains(part->table) && !named_tables_.contains(part->table);
    });
  }

  bool can_count(const Loose& loose) const {
    return loose.token.empty() || !used_tokens_.contains(loose.token);
  }

  // Each missing commit can have named one append whose parts are all there. Of appends with one token one
  // counts at most, and none where the token is used.
  void take_what_missing_commits_can_name() {
    const bool lost = log_is_lost();
    const bool gaps = !gaps_.is_empty();
    std::vector<const Loose*> candidates;  // the latest first
    for (const auto& [id, loose] : loose_)
      if (std::ssize(loose.parts) >= loose.footer().append_parts && !stands_for_what_is_there(loose))
        candidates.push_back(&loose);
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Loose* a, const Loose* b) { return a->created_at > b->created_at; });
    std::set<const Loose*> taken;
    take_by_time(candidates, taken);
    for (const Loose* loose : candidates) {
      if (taken.contains(loose) || !can_count(*loose)) continue;
      const auto [low, high] = bounds_of(*loose);
      const std::optional<std::int64_t> seq = gaps_.take_between(low, high);
      if (!seq && !lost && (gaps || !history_is_lost(*loose))) continue;
      take(*loose, seq.value_or(INT64_MAX));
      taken.insert(loose);
    }
    for (const auto& [id, loose] : loose_)
      if (!taken.contains(&loose))
        for (const FoundPart* part : loose.parts) verdict_.uncommitted.push_back(part->path);
  }

  // From the end of the log on, each gap takes the latest append that was written before the next commit was
  // made. Clocks of several hosts may disagree, so what fits no gap may still take one that is left.
  void take_by_time(const std::vector<const Loose*>& candidates, std::set<const Loose*>& taken) {
    constexpr std::size_t most_gaps = 10'000;
    if (candidates.empty()) return;
    for (const std::int64_t number : gaps_.numbers(most_gaps)) {
      const auto next = log_.commits.upper_bound(number);
      for (const Loose* loose : candidates) {
        if (taken.contains(loose) || !can_count(*loose)) continue;
        if (next != log_.commits.end() && loose->created_at > next->second.time) continue;
        const auto [low, high] = bounds_of(*loose);
        if (number <= low || number >= high) continue;
        take(*loose, number);
        taken.insert(loose);
        gaps_.remove(number);
        break;
      }
    }
  }

  // A merged part of which all that it replaces is still there: those count.
  bool stands_for_what_is_there(const Loose& loose) const {
    if (std::all_of(loose.parts.begin(), loose.parts.end(),
                    [](const FoundPart* part) { return part->facts->footer.replaces.empty(); }))
      return false;
    std::set<std::string> files;
    for (const FoundPart& part : found_.parts)
      if (part.facts) files.insert(part.file);
    return std::any_of(loose.parts.begin(), loose.parts.end(), [&](const FoundPart* part) {
      const auto& parents = part->facts->footer.replaces;
      return !parents.empty() && std::all_of(parents.begin(), parents.end(),
                                             [&](const std::string& file) { return files.contains(file); });
    });
  }

  // The numbers between which its commit must lie: above the manifests of its tables, which do not list it,
  // and between the lower and the higher numbers of its token's writer.
  std::pair<std::int64_t, std::int64_t> bounds_of(const Loose& loose) const {
    std::int64_t low = 0, high = INT64_MAX;
    for (const FoundPart* part : loose.parts)
      if (const auto end = manifest_ends_.find(part->table); end != manifest_ends_.end())
        low = std::max(low, end->second);
    const std::optional<Token> token = parse_token_text(loose.token);
    const auto numbers = token ? numbers_.find(token->writer) : numbers_.end();
    if (numbers == numbers_.end()) return {low, high};
    for (const auto& [number, seq] : numbers->second) {
      if (number < token->number) low = std::max(low, seq);
      if (number > token->number) high = std::min(high, seq);
      if (number == token->number) return {seq - 1, seq + 1};  // the last line of a fold tells
    }
    return {low, high};
  }

  // A merged part and what it replaces never both count. Where two claim the same part, the one that was
  // committed first stands.
  void leave_out_replaced() {
    std::vector<std::pair<Listed, const FoundPart*>> merged;
    for (const auto& [key, live] : live_)
      if (!live.part->facts->footer.replaces.empty()) merged.emplace_back(live.place, live.part);
    std::stable_sort(merged.begin(), merged.end(),
                     [](const auto& a, const auto& b) { return a.first.seq < b.first.seq; });
    std::set<std::pair<std::string, std::string>> replaced;
    for (const auto& [place, part] : merged) {
      const auto& parents = part->facts->footer.replaces;
      const bool overlaps = std::any_of(parents.begin(), parents.end(), [&](const std::string& file) {
        return replaced.contains({part->table, file});
      });
      if (overlaps) {
        verdict_.uncommitted.push_back(part->path);
        live_.erase(key_of(*part));
        continue;
      }
      for (const std::string& file : parents) replaced.emplace(part->table, file);
    }
    std::erase_if(live_, [&](const auto& live) {
      if (!replaced.contains({live.first.table, live.first.file})) return false;
      gone_[live.first.table].try_emplace(live.first.file, live.first.bucket);
      return true;
    });
    std::erase_if(verdict_.adopted, [&](const FoundPart* part) { return !live_.contains(key_of(*part)); });
    std::set<std::string> adopted;
    for (const FoundPart* part : verdict_.adopted) adopted.insert(part->path);
    std::erase_if(verdict_.legacy, [&](const std::string& path) { return !adopted.contains(path); });
  }

  // ---- tables of the user's own ----

  // The latest that anything tells of: a commit or fold of the log, a manifest of it, or the footer of a part
  // that is committed.
  void find_definitions() {
    const auto learn = [&](const std::string& table, const Definition& definition) {
      if (Definition& held = definitions_[table]; is_later(definition, held)) held = definition;
    };
    for (const auto& [table, definition] : log_.definitions) learn(table, definition);
    for (const auto& [seq, commit] : log_.commits)
      for (const TableChange& change : commit.tables) learn(change.table, change.definition);
    for (const auto& [table, state] : evidence_.manifests)
      if (belongs(state)) learn(table, state.definition);
    for (const auto& [key, live] : live_) learn(key.table, live.part->facts->footer.definition);
  }

  bool is_defined(const std::string& table) const {
    const auto definition = definitions_.find(table);
    return core::find_stored_table(table) || (definition != definitions_.end() && definition->second);
  }

  // Parts in a folder that no definition makes a table were not committed by crv.
  void leave_out_undefined() {
    std::erase_if(live_, [&](const auto& live) {
      if (is_defined(live.first.table)) return false;
      verdict_.foreign.push_back(live.second.part->path + ": nothing tells what table " + live.first.table +
                                 " is");
      return true;
    });
    std::erase_if(verdict_.adopted, [&](const FoundPart* part) { return !is_defined(part->table); });
    std::set<std::string> adopted;
    for (const FoundPart* part : verdict_.adopted) adopted.insert(part->path);
    std::erase_if(verdict_.legacy, [&](const std::string& path) { return !adopted.contains(path); });
  }

  // ---- the commit ----

  void write_down() {
    using Order = std::tuple<std::string, std::int64_t, std::int64_t, std::size_t, std::int64_t, std::string,
                             std::string>;
    std::vector<std::pair<Order, const Live*>> ordered;
    for (const auto& [key, live] : live_)
      ordered.emplace_back(Order{key.table, key.bucket, live.place.seq, live.place.index,
                                 live.part->facts->tick_min, created_at(live), key.file},
                           &live);
    std::sort(ordered.begin(), ordered.end());
    verdict_.commit.kind = CommitKind::rebuild;
    verdict_.commit.complete_through = complete_through_;
    for (const auto& [table, definition] : definitions_)
      if (definition && !core::find_stored_table(table))
        verdict_.commit.change_of(table).definition = definition;
    for (const auto& [order, live] : ordered) add(*live);
    for (const auto& [table, names] : gone_)
      if (is_defined(table))
        for (const auto& [file, bucket] : names)
          verdict_.commit.change_of(table).removed.push_back({bucket, file});
    std::sort(verdict_.uncommitted.begin(), verdict_.uncommitted.end());
  }

  struct Live {
    const FoundPart* part = nullptr;
    Listed place;
    const PartRecord* record = nullptr;  // as it was named
  };

  void add(const Live& live) {
    const PartFacts& facts = *live.part->facts;
    PartRecord record = record_of(live.part->bucket, live.part->file, facts);
    record.meta.created_at = created_at(live);
    // Never made anew where it is known: it would hide what has become of the bytes since.
    record.checksum = live.record ? live.record->checksum : checksum_of(run_.storage(), live.part->path);
    record.token = live.record && !live.record->token.empty() ? live.record->token : facts.footer.token;
    verdict_.commit.change_of(live.part->table).add(std::move(record), facts.footer.columns, false);
  }

  std::string created_at(const Live& live) const {
    if (live.record && !live.record->meta.created_at.empty()) return live.record->meta.created_at;
    const FoundPart& part = *live.part;
    if (!part.facts->footer.created_at.empty()) return part.facts->footer.created_at;
    if (const auto old = evidence_.manifests.find(part.table); old != evidence_.manifests.end())
      if (const PartRecord* listed = old->second.find(part.bucket, part.file)) return listed->meta.created_at;
    const auto stat = run_.storage().stat(part.path);
    return iso_time(stat ? stat->modified_us : 0);
  }

  Run& run_;
  const Evidence& evidence_;
  const LeftLog& log_;
  const Survey& found_;
  const std::string& asked_;
  std::map<Key, Named> named_;
  std::set<std::string> named_tables_;
  // commit, table, bucket, file
  std::set<std::tuple<std::int64_t, std::string, std::int64_t, std::string>> added_;
  GoneTable gone_;
  DefinitionTable definitions_;
  std::map<std::int64_t, std::string> lost_commits_;  // that cannot be read, but whose ids are known
  std::map<std::string, std::int64_t> lost_ids_;      // the other way round
  Gaps gaps_;
  std::map<std::string, std::int64_t> manifest_ends_;
  std::set<std::string> used_tokens_;
  std::map<std::string, std::multimap<std::int64_t, std::int64_t>> numbers_;  // by writer: number, commit
  std::optional<std::int64_t> complete_through_;
  std::map<std::string, Loose> loose_;  // by append id
  std::map<Key, Live> live_;
  std::map<Key, Listed> listed_;  // by the manifests
  Verdict verdict_;
};

}  // namespace

Evidence gather(Run& run) {
  Evidence evidence;
  Storage& storage = run.storage();
  const RunPaths& paths = run.paths();
  if (auto text = read_all(storage, paths.run_json())) {
    evidence.run_json = *text;
    try {
      evidence.info = decode_run(*text, paths.run_json(), run.run_id);
    } catch (const IoManifestError& e) {
      if (e.code() == ErrorCode::format_too_new || (e.facts().key == "run_id" && !e.facts().value.empty()))
        throw;
      evidence.damaged.push_back(paths.run_json());
    }
  }
  evidence.folders = table_folders(run);
  for (const std::string& table : evidence.folders) {
    const std::string path = paths.manifest(table);
    try {
      if (const auto text = read_all(storage, path))
        evidence.manifests.emplace(table, decode_manifest(*text, table, path));
    } catch (const IoManifestError& e) {
      if (e.code() == ErrorCode::format_too_new) throw;
      evidence.damaged.push_back(path);
    }
  }
  evidence.has_log = storage.exists(paths.log());
  evidence.log = read_left_log(storage, paths);
  evidence.damaged.insert(evidence.damaged.end(), evidence.log.damaged.begin(), evidence.log.damaged.end());
  return evidence;
}

Verdict judge(Run& run, const Evidence& evidence, const Survey& found, const std::string& table) {
  return Judge(run, evidence, found, table)();
}

}  // namespace crv::io
