// append: whole or absent, over all its buckets and tables. The steps are those of docs/impl.md, "Append"; 3
// is PartsWriter's, 4 to 7 are the Committer's.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <arrow/table.h>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "io/arrow/arrow_types.h"
#include "io/conform/accepted.h"
#include "io/conform/conform.h"
#include "io/dataset/definitions.h"
#include "io/dataset/parts_writer.h"
#include "io/dataset/used_token.h"
#include "io/dataset/verbs.h"
#include "io/rules/quarantine.h"

namespace crv::io {
namespace {

// Its pieces are what goes to one table each: those that the caller gave, in the caller's order, and one more
// of the bad rows of all of them where there are such.
class Append {
 public:
  Append(Run& run, Upkeep& upkeep, const AppendOptions& options)
      : run_(run), upkeep_(upkeep), options_(options), writer_(run, options.progress) {}

  std::vector<AppendSummary> operator()(std::span<const TableFrame> frames) {
    frames_ = frames;
    if (options_.token) check_token(*options_.token);
    check_on_invalid();
    run_.open();
    for (const TableFrame& frame : frames)
      if (core::find_stored_table(frame.table)) static_cast<void>(run_.tables().require_open(frame.table));
    run_.require_writable();
    conform_all();
    // Rows of a wrong shape, or none at all, must not leave a run, a folder or a file behind: so far nothing
    // was made.
    if (tables().empty()) return summaries();
    run_.open_for_writing();
    opened_ = run_.current();
    for (const std::string& table : tables()) run_.make_table_ready(table);
    if (auto first = first_summary()) return *first;
    while (true) {
      conform_all();  // again: opening may have taken in parts of the older package, or another writer's
      id_ = run_.new_id();
      writer_.write(pieces_, id_, options_.token);
      if (auto done = put_commit()) return *done;
    }
  }

 private:
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
    for (const TableParts& piece : pieces_)
      if (!piece.rows.buckets.empty()) names.insert(piece.table->name);
    return names;
  }

  // What frames of a table are conformed to.
  struct Basis {
    Definition definition;  // nullptr: a built-in table, or one that is not defined yet
    Columns columns;        // that the run holds

    bool operator==(const Basis& other) const {
      return columns == other.columns && same(definition, other.definition);
    }
  };

  // 1. Check and conform every frame against the snapshot. Nothing is written if one fails. Frames of one
  // table are conformed one after the other, each to what the ones before it hold, too.
  void conform_all() {
    std::map<std::string, Basis> basis;
    for (const TableFrame& frame : frames_) basis.try_emplace(frame.table, basis_of(frame.table));
    if (quarantines()) basis.try_emplace(kQuarantine, basis_of(kQuarantine));
    if (conformed_to_ == basis) return;
    conformed_to_ = basis;
    pieces_.assign(frames_.size(), {});
    for (std::size_t i = 0; i < pieces_.size(); ++i) conform_piece(i, basis[frames_[i].table]);
    for (TableParts& piece : pieces_)
      if (Definition& grown = basis[piece.table->name].definition) piece.table = final_version(grown);
    add_quarantine(basis[kQuarantine].columns);
  }

  // Leaves in `basis` what it is for the frames after it.
  void conform_piece(std::size_t i, Basis& basis) {
    const arrow::Table& frame = *frames_[i].frame.table();
    const std::string& name = frames_[i].table;
    const bool own = !core::find_stored_table(name);
    TableParts& piece = pieces_[i];
    if (!own)
      piece.table = run_.tables().find(name);
    else
      piece.table = options_.create ? with_columns_of(frame, name, basis.definition) : basis.definition;
    if (!piece.table) run_.tables().refuse(name, ErrorCode::unknown_table);
    piece.rows = conform_one(frame, *piece.table, basis.columns);
    if (piece.rows.buckets.empty()) return;
    std::vector<TypeConflict> conflicts;  // none: it was conformed to them
    basis.columns = unite(basis.columns, piece.rows.columns, conflicts);
    if (own) basis.definition = widened_by(piece.table, piece.rows.columns);
  }

  // Of a table of the user's own as this append leaves it.
  Definition final_version(const Definition& grown) {
    return next_version(*grown, conformed_to_->at(grown->name).definition, run_.now());
  }

  bool defines(const TableParts& piece) const {
    if (core::find_stored_table(piece.table->name) || piece.rows.buckets.empty()) return false;
    return !same(piece.table, conformed_to_->at(piece.table->name).definition);
  }

  Conformed conform_one(const arrow::Table& frame, const core::TableDescriptor& table, const Columns& held) {
    try {
      return conform(frame, table, held,
                     {.strict_schema = run_.settings.strict_schema,
                      .validate_schema = options_.validate_schema,
                      .validate_rows = options_.validate_rows,
                      .quarantine = quarantines(),
                      .tick_bucket_size = run_.bucket_size(),
                      .threads = run_.threads()});
    } catch (const IoSchemaError& e) {
      if (e.code() != ErrorCode::type_conflict) throw;
      refuse_conflict(table.name, e.facts().column, e.what(), e.facts());
    }
  }

  // The bad rows of all pieces as one piece more, after those that the caller gave.
  void add_quarantine(const Columns& held) {
    std::vector<std::shared_ptr<arrow::Table>> rejected;
    for (const TableParts& piece : pieces_)
      if (piece.rows.rejected) rejected.push_back(piece.rows.rejected);
    if (rejected.empty()) return;
    TableParts piece{run_.tables().find(kQuarantine), {}, {}};
    const auto rows = check(arrow::ConcatenateTables(rejected), ErrorCode::wrong_type);
    piece.rows = conform(*rows, *piece.table, held,
                         {.tick_bucket_size = run_.bucket_size(), .threads = run_.threads()});
    pieces_.push_back(std::move(piece));
  }

  Basis basis_of(const std::string& table) {
    if (!core::is_table_name(table)) return {};
    const auto snapshot = run_.snapshot();
    TableState* state = snapshot->table(table);
    if (!state) return {};
    snapshot->identify_parts(*state);
    return {state->definition, state->columns()};
  }

  [[noreturn]] void refuse_conflict(const std::string& table, const std::string& path, std::string why,
                                    ErrorFacts facts) {
    const auto snapshot = run_.snapshot();
    const TableState* state = snapshot->known_table(table);
    const std::int64_t seq = state ? state->first_commit_of(path) : 0;
    facts.run_id = run_.run_id;
    if (seq > 0) {
      facts.seq = seq;
      why += " Commit " + std::to_string(seq) + " of run " + run_.run_id + " set the type of this path.";
    }
    raise(ErrorCode::type_conflict, why, std::move(facts));
  }

  enum class Verdict { good, stale };

  // Sees whether the parts still fit what others have committed meanwhile.
  Verdict check_against(const TableState& state, const TableParts& piece) {
    std::vector<TypeConflict> conflicts;
    const Columns united = unite(state.columns(), piece.rows.columns, conflicts);
    // What does not fit any more may be single rows: conforming anew tells them apart, or refuses.
    if (!conflicts.empty() && quarantines()) return Verdict::stale;
    if (!conflicts.empty()) {
      const TypeConflict& c = conflicts.front();
      const std::int64_t seq = state.first_commit_of(c.path);
      raise(ErrorCode::type_conflict,
            "Table " + state.table + ", path " + c.path + ": this append holds " + text_of(c.offered) +
                ", but commit " + std::to_string(seq) + " set it to " + text_of(c.held) +
                ", and the two do not meet.",
            {.run_id = run_.run_id,
             .table = state.table,
             .column = c.path,
             .value = text_of(c.offered),
             .seq = seq});
    }
    if (!same_types(piece.rows.columns, united)) return Verdict::stale;
    if (find_name_clash(piece.rows.columns, state.columns())) return Verdict::stale;
    // A rebuild or a gc may have taken the parts for those of a writer that is gone.
    for (const PartRecord& part : piece.parts)
      if (state.is_gone(part.meta.path)) return Verdict::stale;
    return Verdict::good;
  }

  // nullopt where the parts have to be written again. Once the commit may be in the log, its parts stay,
  // whatever is thrown.
  std::optional<std::vector<AppendSummary>> put_commit() {
    bool may_stand = false;
    std::optional<std::vector<AppendSummary>> first;
    std::vector<AppendSummary> ours;
    std::optional<Commit> done;
    try {
      ours = summaries();
      const std::set<std::string> names = tables();
      const std::vector<std::string> written(names.begin(), names.end());
      done = run_.commit(
          opened_, [&](Snapshot& snapshot) { return make_commit(snapshot, first); }, &may_stand);
      if (done) {
        upkeep_.after_commit(done->seq, written);
        if (run_.current() == opened_) writer_.trust_folders();
        return ours;
      }
    } catch (...) {
      if (done) return ours;  // what was committed is acknowledged, whatever comes after it
      // Where the run was replaced, the parts stay, too: a rebuild may have taken them in.
      if (!may_stand && run_.is_in_place(opened_)) writer_.remove(pieces_);
      throw;
    }
    writer_.remove(pieces_);
    if (first) make_durable();
    return first;
  }

  // nullopt where an earlier append has the token, told in `first`, or where the parts are stale.
  std::optional<Commit> make_commit(Snapshot& snapshot, std::optional<std::vector<AppendSummary>>& first) {
    first = repeated(snapshot);
    if (first) return std::nullopt;
    Commit commit;
    commit.id = id_;
    const bool any_defines = std::ranges::any_of(pieces_, [&](const auto& piece) { return defines(piece); });
    commit.kind = any_defines ? CommitKind::define : CommitKind::append;
    commit.token = options_.token;
    commit.complete_through = options_.complete_through;
    for (const TableParts& piece : pieces_) {
      if (piece.parts.empty()) continue;
      const TableState& state = known_table(snapshot, piece.table->name);
      if (!same(state.definition, conformed_to_->at(state.table).definition)) return std::nullopt;
      if (check_against(state, piece) == Verdict::stale) return std::nullopt;
      TableChange& change = commit.change_of(piece.table->name);
      if (defines(piece)) change.definition = piece.table;
      for (const PartRecord& part : piece.parts)
        change.add(part, piece.rows.columns, state.knows_schema(part.schema));
    }
    return commit;
  }

  const TableState& known_table(Snapshot& snapshot, const std::string& table) {
    if (const TableState* state = snapshot.known_table(table)) return *state;
    raise(ErrorCode::table_missing,
          "Table " + table + " of run " + run_.run_id + " has lost its manifest (" +
              run_.paths().manifest(table) + ") while this was appended. Rebuild it.",
          {.run_id = run_.run_id, .table = table, .path = run_.paths().manifest(table)});
  }

  // ---- tokens ----

  // The summary of the append that this token already named, made durable; nothing where it is new.
  std::optional<std::vector<AppendSummary>> first_summary() {
    std::optional<std::vector<AppendSummary>> first;
    {
      const auto snapshot = run_.snapshot();
      first = repeated(*snapshot);
    }
    if (first) make_durable();
    return first;
  }

  std::optional<std::vector<AppendSummary>> repeated(Snapshot& snapshot) {
    if (!options_.token) return std::nullopt;
    RowCounts rows;
    for (const TableParts& piece : pieces_)
      if (!piece.rows.buckets.empty()) rows[piece.table->name] += piece.rows.table->num_rows();
    const auto commit = find_used(run_, snapshot, *options_.token, options_.repeats_steps, rows);
    return commit ? std::optional(summaries_of(*commit)) : std::nullopt;
  }

  // What an earlier append has committed is acknowledged again: its writer may have been cut before it made
  // the commit durable.
  void make_durable() {
    run_.sync_log();
    run_.require_in_place(opened_);
  }

  // ---- summaries ----

  std::span<const TableParts> pieces_given() const { return {pieces_.data(), frames_.size()}; }

  AppendSummary summary_of(const TableParts& piece, const std::vector<PartRecord>& parts) {
    const std::string& table = piece.table->name;
    AppendSummary summary;
    summary.table = table;
    summary.run_id = run_.run_id;
    for (const PartRecord& part : parts) {
      summary.parts.push_back({part.bucket, run_.paths().part(table, part.bucket, part.meta.path),
                               part.meta.rows, part.meta.bytes, part.meta.tick_min, part.meta.tick_max});
      summary.rows += part.meta.rows;
      summary.buckets.push_back(part.bucket);
    }
    if (defines(piece)) summary.defined = new_columns(piece.table, conformed_to_->at(table).definition);
    if (quarantines()) summary.quarantined = piece.rows.rejected ? piece.rows.rejected->num_rows() : 0;
    return summary;
  }

  std::vector<AppendSummary> summaries() {
    std::vector<AppendSummary> all;
    for (const TableParts& piece : pieces_given()) all.push_back(summary_of(piece, piece.parts));
    return all;
  }

  // One a piece, as the first append gave it; the parts of a table that stands twice are told with its first
  // piece.
  std::vector<AppendSummary> summaries_of(const Commit& commit) {
    std::vector<AppendSummary> all;
    std::set<std::string> told;
    for (const TableParts& piece : pieces_given()) {
      const TableChange* change = commit.find(piece.table->name);
      const bool first = change && !piece.rows.buckets.empty() && told.insert(change->table).second;
      all.push_back(summary_of(piece, first ? change->added : std::vector<PartRecord>{}));
      all.back().repeated = true;
      all.back().defined.clear();
    }
    return all;
  }

  Run& run_;
  Upkeep& upkeep_;
  const AppendOptions& options_;
  std::span<const TableFrame> frames_;
  std::vector<TableParts> pieces_;
  std::optional<std::map<std::string, Basis>> conformed_to_;  // what the snapshot held of each table then
  std::string id_;                                            // of the commit that the parts are for
  std::shared_ptr<const FoundRun> opened_;                    // the run that they are made for
  PartsWriter writer_;
};

}  // namespace

std::vector<AppendSummary> append(Run& run, Upkeep& upkeep, std::span<const TableFrame> frames,
                                  const AppendOptions& options) {
  return Append(run, upkeep, options)(frames);
}

}  // namespace crv::io
