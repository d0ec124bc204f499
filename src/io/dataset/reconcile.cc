// write_manifest: for callers who keep a manifest themselves. What it lists more or less than the run does
// becomes a commit like any other; the file itself stays the log's.
#include <algorithm>
#include <set>
#include <utility>

#include "crv/core/error.h"
#include "crv/core/suggest.h"
#include "io/arrow/arrow_types.h"
#include "io/dataset/verbs.h"
#include "io/part/part.h"

namespace crv::io {
namespace {

class Reconcile {
 public:
  Reconcile(Run& run, const TableManifest& wanted) : run_(run), wanted_(wanted) {}

  void operator()(Upkeep& upkeep) {
    run_.open();
    run_.require_writable();
    for (const PartitionMeta& partition : wanted_.partitions)
      for (const PartMeta& part : partition.parts) check_name(partition.bucket_id, part);
    run_.open_for_writing(Buckets::are_known);
    opened_ = run_.current();
    check_baseline();
    run_.make_table_ready(wanted_.table, Buckets::are_known);
    look_at_new_parts();
    std::optional<Commit> done =
        run_.commit(opened_, [&](Snapshot& snapshot) { return make_commit(snapshot); });
    if (!done) return upkeep.refresh(wanted_.table);
    upkeep.after_commit(done->seq, {wanted_.table});
    upkeep.refresh_after_commit(wanted_.table);
  }

 private:
  [[noreturn]] void refuse(std::int64_t bucket, const PartMeta& part, const std::string& why) {
    raise(ErrorCode::bad_argument, "Table " + wanted_.table + ", part " + part.path + ": " + why + '.',
          {.run_id = run_.run_id, .table = wanted_.table, .value = part.path, .bucket = bucket});
  }

  void check_name(std::int64_t bucket, const PartMeta& part) {
    if (bucket < 0) refuse(bucket, part, "bucket " + std::to_string(bucket) + " is below 0");
    if (!is_part_file(part.path)) refuse(bucket, part, "its path is no part's bare file name");
    if (!listed_.insert(part.path).second) refuse(bucket, part, "it is listed twice");
  }

  // Reads and flushes what the run does not list yet; without the lock, since that may take a while.
  void look_at_new_parts() {
    std::vector<std::pair<std::int64_t, const PartMeta*>> added;
    {
      const auto snapshot = run_.snapshot();
      const TableState* state = snapshot->table(wanted_.table);
      if (!state) refuse_missing();
      for (const PartitionMeta& partition : wanted_.partitions)
        for (const PartMeta& part : partition.parts)
          if (!state->find(partition.bucket_id, part.path)) added.emplace_back(partition.bucket_id, &part);
    }
    std::set<std::string> folders;
    for (const auto& [bucket, part] : added) {
      look_at(bucket, *part);
      folders.insert(run_.paths().bucket(wanted_.table, bucket));
    }
    for (const std::string& folder : folders) run_.storage().sync(folder);
    if (!folders.empty()) run_.storage().sync(run_.paths().table(wanted_.table));
  }

  void look_at(std::int64_t bucket, const PartMeta& part) {
    const std::string path = run_.paths().part(wanted_.table, bucket, part.path);
    PartFacts facts = read_part_facts(run_.storage(), path);
    const PartFooter& footer = facts.footer;
    if (!footer.append_id.empty())
      refuse(bucket, part, "an append of crv wrote it, and only that append's own commit may name it");
    if ((!footer.table.empty() && footer.table != wanted_.table) ||
        (!footer.run_id.empty() && footer.run_id != run_.run_id))
      refuse(bucket, part, "it belongs to table " + footer.table + " of run " + footer.run_id);
    if (!lie_in_bucket(facts.tick_min, facts.tick_max, bucket, run_.bucket_size()))
      refuse(bucket, part,
             "its ticks " + span(facts.tick_min, facts.tick_max) + " do not belong to bucket " +
                 std::to_string(bucket));
    if (facts.rows != part.rows || facts.bytes != part.bytes || facts.tick_min != part.tick_min ||
        facts.tick_max != part.tick_max)
      refuse(bucket, part,
             "it has " + numbers(facts.rows, facts.bytes) + ", ticks " +
                 span(facts.tick_min, facts.tick_max) + "; the manifest says " +
                 numbers(part.rows, part.bytes) + ", ticks " + span(part.tick_min, part.tick_max));
    run_.storage().flush(path);
    PartRecord record = record_of(bucket, part.path, facts);
    record.meta.created_at = part.created_at.empty() ? run_.now() : part.created_at;
    record.checksum = checksum_of(run_.storage(), path);
    new_parts_.emplace_back(std::move(record), footer.columns);
  }

  [[noreturn]] void refuse_missing() const {
    raise(ErrorCode::table_missing,
          "Table " + wanted_.table + " of run " + run_.run_id + " lost its manifest (" +
              run_.paths().manifest(wanted_.table) + ") while this was written. Rebuild it.",
          {.run_id = run_.run_id, .table = wanted_.table, .path = run_.paths().manifest(wanted_.table)});
  }

  static std::string span(std::int64_t first, std::int64_t last) {
    return std::to_string(first) + " to " + std::to_string(last);
  }
  static std::string numbers(std::int64_t rows, std::int64_t bytes) {
    return std::to_string(rows) + " rows in " + std::to_string(bytes) + " bytes";
  }

  // The caller's snapshot must be one of this log: else nobody knows what was committed after it.
  void check_baseline() {
    const std::int64_t seq = wanted_.last_seq;
    if (seq == 0 || wanted_.last_id.empty() || run_.require_log()->holds(seq, wanted_.last_id)) return;
    raise(ErrorCode::run_replaced,
          "The manifest of table " + wanted_.table + " is folded to commit " + std::to_string(seq) +
              " of another log than run " + run_.run_id +
              " has now: the run was rebuilt or made again. "
              "Load the manifest again.",
          {.run_id = run_.run_id, .table = wanted_.table, .value = wanted_.last_id, .seq = seq});
  }

  std::optional<Commit> make_commit(Snapshot& snapshot) {
    const TableState* state = snapshot.table(wanted_.table);
    if (!state) refuse_missing();
    TableChange change{.table = wanted_.table, .schemas = {}, .added = {}, .removed = {}, .condemned = {}};
    Columns held = state->columns();
    for (const auto& [record, columns] : new_parts_) {
      if (state->find(record.bucket, record.meta.path)) continue;
      if (state->is_gone(record.meta.path))
        refuse(record.bucket, record.meta,
               "a commit has removed it, and the name of a part never comes back: append the rows again");
      std::vector<TypeConflict> conflicts;
      held = unite(held, columns, conflicts);
      if (!conflicts.empty()) refuse_conflict(record, conflicts.front());
      change.add(record, columns, state->knows_schema(record.schema));
    }
    // What was committed after the caller's snapshot stays: the caller cannot have meant it.
    for (const auto& [bucket, parts] : state->buckets())
      for (const PartRecord& part : parts)
        if (part.seq <= wanted_.last_seq && !listed_.contains(part.meta.path))
          change.removed.push_back({bucket, part.meta.path});
    if (change.added.empty() && change.removed.empty()) return std::nullopt;
    Commit commit;
    commit.kind = CommitKind::adopt;
    commit.id = run_.new_id();
    commit.tables.push_back(std::move(change));
    return commit;
  }

  [[noreturn]] void refuse_conflict(const PartRecord& part, const TypeConflict& conflict) {
    raise(ErrorCode::type_conflict,
          "Table " + wanted_.table + ", part " + part.meta.path + ", path " + conflict.path + ": it holds " +
              text_of(conflict.offered) + ", the table " + text_of(conflict.held) +
              ", and the two do not meet.",
          {.run_id = run_.run_id,
           .table = wanted_.table,
           .column = conflict.path,
           .value = text_of(conflict.offered)});
  }

  Run& run_;
  const TableManifest& wanted_;
  std::shared_ptr<const FoundRun> opened_;
  std::set<std::string> listed_;
  std::vector<std::pair<PartRecord, Columns>> new_parts_;
};

}  // namespace

void write_manifest(Run& run, Upkeep& upkeep, const TableManifest& manifest) {
  if (!core::find_stored_table(manifest.table)) run.open();
  static_cast<void>(run.tables().require_open(manifest.table));
  Reconcile(run, manifest)(upkeep);
}

}  // namespace crv::io
