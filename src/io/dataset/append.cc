// append: whole or absent, over all its buckets and tables. The steps are those of docs/impl.md, "Append"; 4
// to 7 are Run::commit.
#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "crv/core/error.h"
#include "crv/core/suggest.h"
#include "io/arrow/arrow_types.h"
#include "io/base/parallel.h"
#include "io/conform/accepted.h"
#include "io/conform/conform.h"
#include "io/dataset/verbs.h"
#include "io/part/part.h"
#include "io/rules/quarantine.h"
#include "io/run/upkeep.h"

#include <arrow/table.h>

namespace crv::io {
namespace {

// The part of an append that goes to one table.
struct Piece {
  const core::TableDescriptor* descriptor = nullptr;
  const Frame* frame = nullptr;  // of the caller; none of rows for the quarantine
  Conformed conformed;
  std::vector<PartRecord> parts;  // one a bucket, once written
};

class Append {
 public:
  Append(Run& run, const AppendOptions& options) : run_(run), options_(options) {}

  std::vector<AppendSummary> operator()(std::span<const TableFrame> frames) {
    for (const TableFrame& frame : frames)
      pieces_.push_back({&descriptor_of(frame.table), &frame.frame, {}, {}});
    given_ = pieces_.size();
    if (options_.token) check_token(*options_.token);
    check_on_invalid();
    run_.open();
    run_.require_writable();
    conform_all();
    if (std::all_of(pieces_.begin(), pieces_.end(),
                    [](const Piece& p) { return p.conformed.buckets.empty(); }))
      return summaries();
    run_.open_for_writing();
    opened_ = run_.current();
    for (const std::string& table : tables()) run_.table_for_writing(table);
    if (auto first = first_summary()) return *first;
    while (true) {
      conform_all();  // again: opening may have taken in parts of the older package, or another writer's
      write_parts();
      if (auto done = put_commit()) return *done;
    }
  }

 private:
  const core::TableDescriptor& descriptor_of(const std::string& table) {
    if (const core::TableDescriptor* found = core::find_table(table)) return *found;
    raise(ErrorCode::unknown_table, core::no_such_table(table),
          {.run_id = run_.run_id, .table = table, .value = table});
  }

  void check_on_invalid() const {
    if (options_.on_invalid == OnInvalid::raise || options_.validate_rows) return;
    raise(ErrorCode::bad_argument,
          "on_invalid = quarantine needs validate_rows: without it no row is looked at.",
          {.key = "on_invalid", .value = "quarantine"});
  }
  bool quarantines() const { return options_.on_invalid == OnInvalid::quarantine; }

  // Tables that get rows, each once.
  std::set<std::string> tables() const {
    std::set<std::string> names;
    for (const Piece& piece : pieces_)
      if (!piece.conformed.buckets.empty()) names.insert(piece.descriptor->name);
    return names;
  }

  // 1. Check and conform every frame against the snapshot. Nothing is written if one fails.
  void conform_all() {
    std::map<std::string, Columns> held;
    for (const Piece& piece : pieces_)
      held.try_emplace(piece.descriptor->name, held_columns(piece.descriptor->name));
    if (quarantines()) held.try_emplace(kQuarantine, held_columns(kQuarantine));
    if (conformed_to_ == held) return;
    conformed_to_ = held;
    pieces_.resize(given_);
    for (Piece& piece : pieces_) {
      const std::string& table = piece.descriptor->name;
      ConformOptions how{.strict_schema = run_.settings.strict_schema,
                         .validate_schema = options_.validate_schema,
                         .validate_rows = options_.validate_rows,
                         .quarantine = quarantines(),
                         .tick_bucket_size = run_.bucket_size()};
      try {
        piece.conformed = conform(*piece.frame->table(), *piece.descriptor, held[table], how);
      } catch (const IoSchemaError& e) {
        if (e.code() != ErrorCode::type_conflict) throw;
        refuse_conflict(table, e.facts().column, e.what(), e.facts());
      }
      std::vector<TypeConflict> conflicts;
      held[table] = unite(held[table], piece.conformed.columns, conflicts);
    }
    add_quarantine(held[kQuarantine]);
  }

  // The bad rows of all pieces as one piece more, after those that the caller gave.
  void add_quarantine(const Columns& held) {
    std::vector<std::shared_ptr<arrow::Table>> rejected;
    for (const Piece& piece : pieces_)
      if (piece.conformed.rejected) rejected.push_back(piece.conformed.rejected);
    if (rejected.empty()) return;
    Piece piece;
    piece.descriptor = core::find_stored_table(kQuarantine);
    const auto rows = check(arrow::ConcatenateTables(rejected), ErrorCode::wrong_type);
    piece.conformed = conform(*rows, *piece.descriptor, held, {.tick_bucket_size = run_.bucket_size()});
    pieces_.push_back(std::move(piece));
  }

  Columns held_columns(const std::string& table) {
    auto lock = run_.lock();
    TableState* state = run_.table(lock, table);
    if (!state) return {};
    run_.identify_parts(lock, *state);
    return state->columns();
  }

  [[noreturn]] void refuse_conflict(const std::string& table, const std::string& path, std::string why,
                                    ErrorFacts facts) {
    auto lock = run_.lock();
    TableState* state = run_.known_table(lock, table);
    std::int64_t seq = state ? state->first_commit_of(path) : 0;
    facts.run_id = run_.run_id;
    if (seq > 0) {
      facts.seq = seq;
      why += " Commit " + std::to_string(seq) + " of run " + run_.run_id + " set the type of this path.";
    }
    raise(ErrorCode::type_conflict, why, std::move(facts));
  }

  // 3. One part a bucket, in parallel, durable when this returns; on failure none is left.
  void write_parts() {
    id_ = run_.new_id();
    std::vector<std::pair<Piece*, std::size_t>> work;
    for (Piece& piece : pieces_) {
      piece.parts.assign(piece.conformed.buckets.size(), {});
      for (std::size_t i = 0; i < piece.parts.size(); ++i) {
        plan_part(piece, i);
        work.emplace_back(&piece, i);
      }
    }
    try {
      make_bucket_folders();
      std::atomic<std::int64_t> done = 0;
      const auto caller = std::this_thread::get_id();
      in_parallel(work.size(), [&](std::size_t i) {
        if (options_.progress && std::this_thread::get_id() == caller)
          options_.progress(done, static_cast<std::int64_t>(work.size()));
        write_part_of(*work[i].first, work[i].second, work.size());
        ++done;
      });
      if (options_.progress)
        options_.progress(static_cast<std::int64_t>(work.size()), static_cast<std::int64_t>(work.size()));
      std::vector<std::string> folders = bucket_folders();
      in_parallel(folders.size(), [&](std::size_t i) { run_.storage().sync(folders[i]); });
      for (const std::string& table : tables_with_new_buckets_)
        run_.storage().sync(run_.paths().table(table));
      for (const std::string& folder : folders) known_buckets_.insert(folder);
    } catch (...) {
      remove_parts();
      throw;
    }
  }

  void plan_part(Piece& piece, std::size_t i) {
    const Conformed::Bucket& bucket = piece.conformed.buckets[i];
    PartRecord& part = piece.parts[i];
    part.bucket = bucket.id;
    part.meta.path = part_file(run_.new_id());
    part.meta.rows = bucket.rows->num_rows();
    part.meta.tick_min = bucket.tick_min;
    part.meta.tick_max = bucket.tick_max;
    part.meta.created_at = run_.now();
    part.schema = schema_id(piece.conformed.columns);
  }

  std::string path_of(const Piece& piece, const PartRecord& part) {
    return run_.paths().part(piece.descriptor->name, part.bucket, part.meta.path);
  }

  void write_part_of(Piece& piece, std::size_t i, std::size_t count) {
    PartRecord& part = piece.parts[i];
    PartFooter footer;
    footer.schema_version = piece.descriptor->version.text();
    footer.table = piece.descriptor->name;
    footer.run_id = run_.run_id;
    footer.append_id = id_;
    footer.append_parts = static_cast<std::int64_t>(count);
    if (options_.token) footer.token = token_text(*options_.token);
    footer.created_at = part.meta.created_at;
    footer.columns = piece.conformed.columns;
    std::unique_ptr<Writer> writer = run_.storage().create(path_of(piece, part));
    EncodedPart encoded = write_part(*writer, *piece.conformed.buckets[i].rows, footer,
                                     {run_.settings.compression, run_.settings.row_group_size});
    part.meta.bytes = encoded.bytes;
    part.checksum = encoded.checksum;
  }

  std::vector<std::string> bucket_folders() {
    std::set<std::string> folders;
    for (const Piece& piece : pieces_)
      for (const PartRecord& part : piece.parts)
        folders.insert(run_.paths().bucket(piece.descriptor->name, part.bucket));
    return {folders.begin(), folders.end()};
  }

  // A bucket folder that this Dataset has not relied on before is synced into its table's folder, whoever
  // made it.
  void make_bucket_folders() {
    tables_with_new_buckets_.clear();
    for (const Piece& piece : pieces_)
      for (const PartRecord& part : piece.parts) {
        std::string folder = run_.paths().bucket(piece.descriptor->name, part.bucket);
        if (run_.trusts(folder)) continue;
        run_.storage().make_folder(folder);
        tables_with_new_buckets_.insert(piece.descriptor->name);
      }
  }

  // After a failure: what was written is no part of anything. A file that cannot be removed stays
  // uncommitted; the error that led here is the one to tell.
  void remove_parts() noexcept {
    for (Piece& piece : pieces_)
      for (const PartRecord& part : piece.parts) try {
          run_.storage().remove(path_of(piece, part));
        } catch (const std::exception& e) {
          run_.warn(std::string("A part of a failed append could not be removed: ") + e.what());
        }
  }

  enum class Verdict { good, stale };

  // Sees whether the parts still fit what others have committed meanwhile.
  Verdict check_against(const TableState& state, const Piece& piece) {
    std::vector<TypeConflict> conflicts;
    Columns united = unite(state.columns(), piece.conformed.columns, conflicts);
    // What does not fit any more may be single rows: conforming anew tells them apart, or refuses.
    if (!conflicts.empty() && quarantines()) return Verdict::stale;
    if (!conflicts.empty()) {
      const TypeConflict& c = conflicts.front();
      std::int64_t seq = state.first_commit_of(c.path);
      raise(ErrorCode::type_conflict,
            "Table " + state.table + ", path " + c.path + ": this append holds " + type_to_text(c.offered) +
                ", but commit " + std::to_string(seq) + " set it to " + type_to_text(c.held) +
                ", and the two do not meet.",
            {.run_id = run_.run_id,
             .table = state.table,
             .column = c.path,
             .value = type_to_text(c.offered),
             .seq = seq});
    }
    if (!same_types(piece.conformed.columns, united)) return Verdict::stale;
    if (find_name_clash(piece.conformed.columns, state.columns())) return Verdict::stale;
    for (const PartRecord& part : piece.parts)
      if (state.is_gone(part.meta.path)) return Verdict::stale;
    return Verdict::good;
  }

  // nullopt where the parts have to be written again. Once the commit may be in the log, its parts stay,
  // whatever is thrown.
  std::optional<std::vector<AppendSummary>> put_commit() {
    bool stale = false, may_stand = false;
    std::optional<std::vector<AppendSummary>> first;
    std::vector<AppendSummary> ours;
    std::optional<Commit> done;
    try {
      ours = summaries();
      const std::set<std::string> names = tables();
      const std::vector<std::string> written(names.begin(), names.end());
      done = run_.commit(
          opened_,
          [&](const Run::Lock& lock) -> std::optional<Commit> {
            first = repeated(lock);
            if (first) return std::nullopt;
            for (const Piece& piece : pieces_)
              if (!piece.parts.empty())
                stale = stale || check_against(known_table(lock, piece), piece) == Verdict::stale;
            return stale ? std::nullopt : std::optional(make_commit(lock));
          },
          &may_stand);
      if (done) {
        run_.upkeep().after_commit(done->seq, written);
        trust_buckets();
        return ours;
      }
    } catch (...) {
      if (done) return ours;
      // Where the run was replaced, the parts stay, too: a rebuild may have taken them in.
      if (!may_stand && run_.is_in_place(opened_)) remove_parts();
      throw;
    }
    remove_parts();
    if (first) make_durable();
    return first;
  }

  const TableState& known_table(const Run::Lock& lock, const Piece& piece) {
    const std::string& table = piece.descriptor->name;
    if (const TableState* state = run_.known_table(lock, table)) return *state;
    raise(ErrorCode::table_missing,
          "Table " + table + " of run " + run_.run_id + " has lost its manifest (" +
              run_.paths().manifest(table) + ") while this was appended. Rebuild it.",
          {.run_id = run_.run_id, .table = table, .path = run_.paths().manifest(table)});
  }

  void trust_buckets() {
    if (run_.current() != opened_) return;
    for (const std::string& folder : known_buckets_) run_.trust_as_synced(folder);
  }

  // What an earlier append has committed is acknowledged again.
  void make_durable() {
    run_.sync_log();
    run_.require_in_place(opened_);
  }

  Commit make_commit(const Run::Lock& lock) {
    Commit commit;
    commit.id = id_;
    commit.kind = CommitKind::append;
    commit.token = options_.token;
    commit.complete_through = options_.complete_through;
    for (const Piece& piece : pieces_) {
      if (piece.parts.empty()) continue;
      TableChange& change = change_of(commit, piece.descriptor->name);
      const std::string& schema = piece.parts.front().schema;
      bool brought = std::any_of(change.schemas.begin(), change.schemas.end(),
                                 [&](auto& s) { return s.first == schema; });
      if (!brought && !run_.known_table(lock, change.table)->knows_schema(schema))
        change.schemas.emplace_back(schema, piece.conformed.columns);
      change.added.insert(change.added.end(), piece.parts.begin(), piece.parts.end());
    }
    return commit;
  }

  static TableChange& change_of(Commit& commit, const std::string& table) {
    for (TableChange& change : commit.tables)
      if (change.table == table) return change;
    commit.tables.push_back({.table = table, .schemas = {}, .added = {}, .removed = {}, .condemned = {}});
    return commit.tables.back();
  }

  // ---- tokens ----

  // The summary of the append that this token already named, made durable; nothing where it is new.
  std::optional<std::vector<AppendSummary>> first_summary() {
    if (!options_.token) return std::nullopt;
    std::optional<std::vector<AppendSummary>> first;
    {
      auto lock = run_.lock();
      first = repeated(lock);
    }
    if (first) make_durable();
    return first;
  }

  std::optional<std::vector<AppendSummary>> repeated(const Run::Lock& lock) {
    if (!options_.token) return std::nullopt;
    auto last = run_.last_token(lock, options_.token->writer);
    if (!last || last->first < options_.token->number) return std::nullopt;
    std::int64_t seq = last->second;
    if (last->first > options_.token->number) {
      const auto older = options_.repeats_steps ? run_.commit_of(lock, *options_.token) : std::nullopt;
      if (!older) refuse_token("is below " + std::to_string(last->first) + ", the writer's last");
      seq = *older;
    }
    std::optional<std::string> line = run_.log()->line_of(seq);
    if (!line)
      raise(ErrorCode::log_damaged, "The log has lost commit " + std::to_string(seq) + ".", {.seq = seq});
    Commit commit = decode_commit(*line, run_.paths().commit(seq), seq);
    if (commit.kind == CommitKind::rebuild)
      for (TableChange& change : commit.tables)
        std::erase_if(change.added,
                      [&](const PartRecord& part) { return part.token != token_text(*options_.token); });
    std::map<std::string, std::int64_t> was, is;
    for (const TableChange& change : commit.tables)
      for (const PartRecord& part : change.added) was[change.table] += part.meta.rows;
    for (const Piece& piece : pieces_)
      if (!piece.conformed.buckets.empty()) is[piece.descriptor->name] += piece.conformed.table->num_rows();
    if (was != is)
      refuse_token("already names an append with other tables or row counts (commit " +
                   std::to_string(commit.seq) + ")");
    return summaries_of(commit);
  }

  [[noreturn]] void refuse_token(const std::string& why) const {
    raise(ErrorCode::token_order,
          "Token number " + std::to_string(options_.token->number) + " of writer \"" +
              options_.token->writer + "\" " + why + '.',
          {.run_id = run_.run_id, .key = "token.number", .value = std::to_string(options_.token->number)});
  }

  // ---- summaries ----

  std::span<const Piece> pieces_given() const { return {pieces_.data(), given_}; }

  AppendSummary summary_of(const Piece& piece, const std::vector<PartRecord>& parts) {
    const std::string& table = piece.descriptor->name;
    AppendSummary summary;
    summary.table = table;
    summary.run_id = run_.run_id;
    for (const PartRecord& part : parts) {
      summary.parts.push_back({part.bucket, run_.paths().part(table, part.bucket, part.meta.path),
                               part.meta.rows, part.meta.bytes, part.meta.tick_min, part.meta.tick_max});
      summary.rows += part.meta.rows;
      summary.buckets.push_back(part.bucket);
    }
    if (quarantines())
      summary.quarantined = piece.conformed.rejected ? piece.conformed.rejected->num_rows() : 0;
    return summary;
  }

  std::vector<AppendSummary> summaries() {
    std::vector<AppendSummary> all;
    for (const Piece& piece : pieces_given()) all.push_back(summary_of(piece, piece.parts));
    return all;
  }

  // One a piece, as the first append gave it; the parts of a table that stands twice are told with its first
  // piece.
  std::vector<AppendSummary> summaries_of(const Commit& commit) {
    std::vector<AppendSummary> all;
    std::set<std::string> told;
    for (const Piece& piece : pieces_given()) {
      const TableChange* change = commit.find(piece.descriptor->name);
      bool first = change && !piece.conformed.buckets.empty() && told.insert(change->table).second;
      all.push_back(summary_of(piece, first ? change->added : std::vector<PartRecord>{}));
      all.back().repeated = true;
    }
    return all;
  }

  Run& run_;
  const AppendOptions& options_;
  std::vector<Piece> pieces_;
  std::size_t given_ = 0;  // pieces of the caller's; one of bad rows may follow them
  std::optional<std::map<std::string, Columns>> conformed_to_;  // what the snapshot held of each table then
  std::string id_;
  std::shared_ptr<const FoundRun> opened_;  // the run that the parts are made for
  std::set<std::string> tables_with_new_buckets_;
  std::set<std::string> known_buckets_;
};

}  // namespace

std::vector<AppendSummary> append(Run& run, std::span<const TableFrame> frames,
                                  const AppendOptions& options) {
  return Append(run, options)(frames);
}

}  // namespace crv::io
