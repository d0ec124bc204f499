// scan: what a snapshot holds of a table, planned from the manifest and the log alone, read lazily and in
// order.
#include <utility>

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "core/utf8.h"
#include "crv/core/error.h"
#include "io/arrow/arrow_types.h"
#include "io/base/sums.h"
#include "io/conform/accepted.h"
#include "io/dataset/scan_plan.h"
#include "io/dataset/scan_reader.h"
#include "io/dataset/scan_state.h"
#include "io/dataset/verbs.h"

namespace crv::io {

Scan scan(Run& run, std::string_view table, const ScanOptions& options) {
  std::string name(table);
  check_options(options, name);
  run.open();
  const Table descriptor = run.tables().require(table, ErrorCode::unknown_table_in_scan);
  auto state = std::make_shared<Scan::State>(Scan::State{.storage = run.shared_storage(),
                                                         .run_id = run.run_id,
                                                         .table = name,
                                                         .tick_bucket_size = run.bucket_size(),
                                                         .query = {},
                                                         .limit = options.limit,
                                                         .schema = nullptr,
                                                         .paths = run.paths(),
                                                         .parts = nullptr,
                                                         .verdicts = {},
                                                         .unreadable = nullptr,
                                                         .sound = run.sound_parts(),
                                                         .threads = run.threads()});
  state->query.tick_min = options.ticks.min.value_or(INT64_MIN);
  state->query.tick_max = options.ticks.max.value_or(INT64_MAX);
  state->query.batch_rows = options.batch_rows;
  const auto snapshot = run.snapshot();
  TableState* held = snapshot->table(table);
  if (!held) {
    require_run(run.settings, run.run_id, run.shared_storage());
    raise(ErrorCode::table_missing,
          "Run " + run.run_id + " has no manifest of table " + name + " (" + run.paths().manifest(name) +
              "). If rows were written to it, rebuild it.",
          {.run_id = run.run_id, .table = name, .path = run.paths().manifest(name)});
  }
  snapshot->identify_parts(*held);
  state->query.wanted = scan_columns(*held, *descriptor);
  if (options.columns) state->query.wanted = select_columns(state->query.wanted, *options.columns, name);
  state->schema = to_arrow(state->query.wanted);
  plan_parts(*held, *state);
  return Scan(std::move(state));
}

Scan::Scan(std::shared_ptr<const State> state) : state_(std::move(state)) {}
const std::shared_ptr<arrow::Schema>& Scan::schema() const {
  return state_->schema;
}
std::vector<std::string> Scan::files() const {
  std::vector<std::string> paths;
  for (const std::size_t i : state_->kept())
    paths.push_back(state_->storage->absolute(state_->summary(state_->parts->parts[i]).path));
  return paths;
}

const std::vector<PartPlan>& Scan::plan() const {
  State::Told& told = *state_->told;
  told.once.run([&] {
    std::vector<PartPlan> plan;
    plan.reserve(state_->verdicts.size());
    for (std::size_t i = 0; i < state_->verdicts.size(); ++i)
      plan.push_back({state_->summary(state_->parts->parts[i]), state_->verdicts[i] == Verdict::kept,
                      kReasons[static_cast<std::size_t>(state_->verdicts[i])]});
    told.plan = std::move(plan);
  });
  return told.plan;
}

TickRange Scan::range() const {
  const auto bound = [](std::int64_t tick, std::int64_t open) {
    return tick == open ? std::nullopt : std::optional(tick);
  };
  return {bound(state_->query.tick_min, INT64_MIN), bound(state_->query.tick_max, INT64_MAX)};
}

std::int64_t Scan::tick_bucket_size() const {
  return state_->tick_bucket_size;
}

Scan Scan::prune(std::span<const TickRange> ranges) const {
  if (limit_cuts(*state_)) return *this;
  auto pruned = state_->copy();
  prune_parts(ranges, *pruned);
  return Scan(std::move(pruned));
}

Scan Scan::head(std::int64_t rows) const {
  check_limit(rows, state_->table);
  auto limited = state_->copy();
  limit_parts(rows, *limited);
  return Scan(std::move(limited));
}

Scan Scan::select(const std::vector<std::string>& columns) const {
  auto selected = state_->copy();
  selected->query.wanted = select_columns(state_->query.wanted, columns, state_->table);
  selected->schema = to_arrow(selected->query.wanted);
  return Scan(std::move(selected));
}

Scan Scan::for_polars() const {
  auto changed = state_->copy();
  for (Field& column : changed->query.wanted) column.type = readable_by_polars(column.type);
  changed->schema = to_arrow(changed->query.wanted);
  changed->for_polars = true;
  return Scan(std::move(changed));
}

bool Scan::readable_by_others() const {
  if (!is_utf8(state_->storage->absolute(state_->paths.run()))) return false;  // others know no such path
  return !has_obstacles(*state_);
}

std::vector<TickRange> Scan::ticks() const {
  return kept_ticks(*state_);
}

void Scan::check_parts(bool checksums) const {
  check_kept_parts(*state_, checksums);
}

std::string Scan::explain() const {
  std::int64_t kept = 0, rows = 0, bytes = 0;
  std::string lines;
  for (const PartPlan& plan : this->plan()) {
    if (plan.kept) {
      ++kept;
      rows = capped_sum(rows, plan.part.rows);
      bytes = capped_sum(bytes, plan.part.bytes);
    }
    lines += (plan.kept ? "  read " : "  skip ") + plan.part.path + "  ticks " +
             std::to_string(plan.part.tick_min) + ".." + std::to_string(plan.part.tick_max) + ", " +
             std::to_string(plan.part.rows) + " rows" + (plan.kept ? "" : "  (" + plan.reason + ")") + '\n';
  }
  return "table " + state_->table + " of run " + state_->run_id + ": reads " + std::to_string(kept) + " of " +
         std::to_string(state_->verdicts.size()) + " parts, at most " + std::to_string(rows) + " rows, " +
         std::to_string(bytes) + " bytes\n" + lines;
}

std::shared_ptr<arrow::RecordBatchReader> Scan::reader() const {
  return make_reader(state_);
}

void Scan::export_to(ArrowArrayStream* stream) const {
  check(arrow::ExportRecordBatchReader(reader(), stream), ErrorCode::read_failed);
}

std::shared_ptr<arrow::Table> Scan::collect() const {
  auto source = reader();
  Batches batches;
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    arrow::Status status = source->ReadNext(&batch);
    if (!status.ok()) rethrow(status);
    if (!batch) break;
    batches.push_back(std::move(batch));
  }
  return check(arrow::Table::FromRecordBatches(state_->schema, batches), ErrorCode::read_failed);
}

}  // namespace crv::io
