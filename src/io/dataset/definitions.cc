#include "io/dataset/definitions.h"

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <arrow/table.h>
#include <arrow/type.h>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "io/conform/accepted.h"
#include "io/conform/own_columns.h"
#include "io/dataset/verbs.h"

namespace crv::io {
namespace {

using Kind = Type::Kind;

constexpr const char* kBucket = "bucket";
constexpr const char* kTick = "tick";

// Kinds only: see outline_of(). What does not meet was refused when the rows were conformed.
Type wider(const Type& held, const Type& offered) {
  if (held.kind == Kind::null) return offered;
  const bool to_f64 = held.kind == Kind::i64 && offered.kind == Kind::f64;
  return to_f64 ? offered : held;
}

core::TableDescriptor with_tick_alone(const std::string& table) {
  return {.name = table,
          .columns = {{.name = kTick, .type = core::plain_type(Kind::i64), .required = true}},
          .version = {}};
}

// A column that becomes f64 must not hold integers that no f64 is equal to.
void check_exact(const TableState& state, const core::TableDescriptor& grown) {
  Columns wanted;
  for (const core::ColumnDescriptor& column : grown.columns) wanted.push_back({column.name, column.type});
  std::vector<TypeConflict> conflicts;
  static_cast<void>(unite(wanted, state.columns(), conflicts));
  if (conflicts.empty()) return;
  const TypeConflict& conflict = conflicts.front();
  raise(ErrorCode::definition_conflict,
        "Table " + state.table + ", path " + conflict.path + ": this definition has " +
            text_of(conflict.held) + ", but the run holds " + text_of(conflict.offered) +
            (conflict.offered.exact ? ", integers beyond 2^53 that no f64 is equal to." : "."),
        {.table = state.table, .column = conflict.path, .value = text_of(conflict.held)});
}

// Defines one table of a run.
class Create {
 public:
  Create(Run& run, Upkeep& upkeep, core::TableDescriptor wanted)
      : run_(run), upkeep_(upkeep), wanted_(accepted_table(std::move(wanted))) {}

  Definition operator()() {
    run_.open();
    now_ = run_.now();
    // What does not meet must not leave a run or a folder behind, and what is there already writes nothing.
    if (Definition defined = look(); same(defined, held_)) return durable(defined);
    run_.require_writable();
    run_.open_for_writing();
    const std::shared_ptr<const FoundRun> opened = run_.current();
    run_.make_table_ready(wanted_.name);
    Definition defined;
    const std::optional<Commit> done = run_.commit(opened, [&](Snapshot& snapshot) -> std::optional<Commit> {
      const TableState* state = snapshot.known_table(wanted_.name);
      if (!state) refuse_lost();
      defined = grown(state);
      if (same(defined, held_)) return std::nullopt;
      Commit commit;
      commit.id = run_.new_id();
      commit.kind = CommitKind::define;
      commit.change_of(wanted_.name).definition = defined;
      return commit;
    });
    if (!done) return durable(defined);
    upkeep_.after_commit(done->seq, {wanted_.name});
    return defined;
  }

 private:
  Definition look() {
    const auto snapshot = run_.snapshot();
    return grown(snapshot->table(wanted_.name));
  }

  // What the table is once this is defined, too. Sets held_ to what it is now.
  Definition grown(const TableState* state) {
    held_ = state ? state->definition : nullptr;
    if (!held_) return next_version(wanted_, nullptr, now_);
    const core::TableDescriptor grown = core::grow(*held_, wanted_);
    check_exact(*state, grown);
    return next_version(grown, held_, now_);
  }

  [[noreturn]] void refuse_lost() const {
    const std::string path = run_.paths().manifest(wanted_.name);
    raise(ErrorCode::table_missing,
          "Table " + wanted_.name + " of run " + run_.run_id + " has lost its manifest (" + path +
              ") while it was defined. Rebuild it.",
          {.run_id = run_.run_id, .table = wanted_.name, .path = path});
  }

  // Another writer may have been cut before it made its commit durable.
  Definition durable(Definition held) {
    run_.sync_log();
    run_.require_in_place(run_.current());
    return held;
  }

  Run& run_;
  Upkeep& upkeep_;
  const core::TableDescriptor wanted_;
  Definition held_;
  std::string now_;
};

}  // namespace

bool same(const Definition& a, const Definition& b) {
  if (!a || !b || a == b) return a == b;
  return a->version == b->version && core::same_definition(*a, *b);
}

Definition with_columns_of(const arrow::Table& frame, const std::string& table, const Definition& held) {
  core::TableDescriptor wanted = held ? *held : core::define_table(with_tick_alone(table));
  std::set<std::string> known;
  for (const core::ColumnDescriptor& column : wanted.columns) known.insert(column.name);
  const std::size_t before = wanted.columns.size();
  for (const auto& field : frame.schema()->fields())
    if (known.insert(field->name()).second)
      wanted.columns.push_back({.name = field->name(), .type = Type(), .inferred = true});
  if (held && wanted.columns.size() == before) return held;
  return std::make_shared<const core::TableDescriptor>(std::move(wanted));
}

Definition widened_by(const Definition& table, const Columns& rows) {
  core::TableDescriptor wide = *table;
  std::map<std::string_view, const Type*> given;
  for (const Field& row : rows) given.emplace(row.name, &row.type);
  for (core::ColumnDescriptor& column : wide.columns)
    if (const auto type = given.find(column.name); column.inferred && type != given.end())
      column.type = wider(column.type, outline_of(*type->second));
  // Checked as any definition: the names of new columns came with the rows.
  return std::make_shared<const core::TableDescriptor>(core::define_table(std::move(wide)));
}

Definition next_version(const core::TableDescriptor& grown, const Definition& held, const std::string& now) {
  if (held && core::same_definition(grown, *held)) return held;
  core::TableDescriptor next = grown;
  next.version = core::SchemaVersion(1, held ? held->version.minor + 1 : 0, now.substr(0, 10));
  return std::make_shared<const core::TableDescriptor>(std::move(next));
}

std::vector<std::string> new_columns(const Definition& grown, const Definition& held) {
  std::map<std::string_view, const Type*> before;
  if (held)
    for (const core::ColumnDescriptor& column : held->columns) before.emplace(column.name, &column.type);
  std::vector<std::string> columns;
  for (const core::ColumnDescriptor& column : grown->columns) {
    const auto type = before.find(column.name);
    if (column.name == kBucket || (type != before.end() && *type->second == column.type)) continue;
    columns.push_back(column.name + ": " + text_of(column.type));
  }
  return columns;
}

Definition create_table(Run& run, Upkeep& upkeep, core::TableDescriptor wanted) {
  return Create(run, upkeep, std::move(wanted))();
}

}  // namespace crv::io
