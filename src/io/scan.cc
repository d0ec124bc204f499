// scan: what a snapshot holds of a table, planned from the manifest and the log alone, read lazily and in
// order.
#include <algorithm>
#include <deque>
#include <future>
#include <set>
#include <utility>

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "crv/core/error.h"
#include "io/arrow_types.h"
#include "io/parallel.h"
#include "io/part.h"
#include "io/verbs.h"

namespace crv::io {

struct Scan::State {
  std::shared_ptr<Storage> storage;
  std::string run_id, table;
  PartQuery query;
  std::optional<std::int64_t> limit;
  std::shared_ptr<arrow::Schema> schema;
  std::vector<PartPlan> plan;
};

namespace {

constexpr std::int64_t worth_threads = 50'000;  // rows below which starting threads costs more than it saves

// A crv::Error on its way through Arrow.
class ErrorDetail : public arrow::StatusDetail {
 public:
  explicit ErrorDetail(std::exception_ptr error) : error_(std::move(error)) {}
  const char* type_id() const override { return "crv::Error"; }
  std::string ToString() const override { return "crv::Error"; }
  [[noreturn]] void rethrow() const { std::rethrow_exception(error_); }

 private:
  std::exception_ptr error_;
};

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

// Reads the kept parts in order, a few parts and row groups ahead.
class ScanReader : public arrow::RecordBatchReader {
 public:
  explicit ScanReader(std::shared_ptr<const Scan::State> state)
      : state_(std::move(state)), left_(state_->limit.value_or(INT64_MAX)), workers_(cores()) {
    std::int64_t rows = 0;
    for (const PartPlan& plan : state_->plan) {
      if (!plan.kept) continue;
      kept_.push_back(&plan.part);
      rows += plan.part.rows;
    }
    ahead_ = rows >= worth_threads ? cores() + 1 : 1;
  }

  std::shared_ptr<arrow::Schema> schema() const override { return state_->schema; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    try {
      *out = next();
      return arrow::Status::OK();
    } catch (const Error& e) {
      return arrow::Status::IOError(e.what()).WithDetail(
          std::make_shared<ErrorDetail>(std::current_exception()));
    }
  }

 private:
  struct Opened {
    std::shared_ptr<PartReader> part;
    Batches first;
  };

  std::shared_ptr<arrow::RecordBatch> next() {
    while (left_ > 0) {
      if (!ready_.empty()) {
        std::shared_ptr<arrow::RecordBatch> batch = std::move(ready_.front());
        ready_.pop_front();
        if (batch->num_rows() == 0) continue;
        if (batch->num_rows() > left_) batch = batch->Slice(0, left_);
        left_ -= batch->num_rows();
        return batch;
      }
      if (!fetch()) return nullptr;
    }
    return nullptr;
  }

  // Fills ready_ from the next row group; false at the end.
  bool fetch() {
    if (part_ && next_group_ + static_cast<std::int64_t>(groups_.size()) < part_->row_groups())
      start_groups();
    if (!groups_.empty()) {
      take(groups_.front().get());
      groups_.pop_front();
      ++next_group_;
      return true;
    }
    while (parts_.size() < ahead_ && next_part_ < kept_.size()) start_part(*kept_[next_part_++]);
    if (parts_.empty()) return false;
    Opened opened = parts_.front().get();
    parts_.pop_front();
    part_ = std::move(opened.part);
    next_group_ = 1;
    take(std::move(opened.first));
    return true;
  }

  void take(Batches batches) {
    for (auto& batch : batches) ready_.push_back(std::move(batch));
  }

  void start_part(const PartSummary& part) {
    std::function<Opened()> task = [state = state_, &part] {
      Opened opened;
      opened.part = std::make_shared<PartReader>(*state->storage, part.path, state->query, state->table,
                                                 state->run_id, part.bytes);
      if (opened.part->row_groups() > 0) opened.first = opened.part->read_row_group(0);
      return opened;
    };
    parts_.push_back(start(std::move(task)));
  }

  void start_groups() {
    while (groups_.size() < ahead_ &&
           next_group_ + static_cast<std::int64_t>(groups_.size()) < part_->row_groups()) {
      std::int64_t group = next_group_ + static_cast<std::int64_t>(groups_.size());
      std::function<Batches()> task = [part = part_, group] { return part->read_row_group(group); };
      groups_.push_back(start(std::move(task)));
    }
  }

  template <class T>
  std::future<T> start(std::function<T()> task) {
    if (ahead_ > 1) return workers_.start(std::move(task));
    return std::async(std::launch::deferred, std::move(task));
  }

  std::shared_ptr<const Scan::State> state_;
  std::vector<const PartSummary*> kept_;
  std::size_t next_part_ = 0, ahead_ = 1;
  std::int64_t left_ = 0;
  std::deque<std::shared_ptr<arrow::RecordBatch>> ready_;
  std::shared_ptr<PartReader> part_;
  std::int64_t next_group_ = 0;
  std::deque<std::future<Batches>> groups_;
  std::deque<std::future<Opened>> parts_;
  Workers workers_;  // last: its threads end before what they use
};

// ---- planning ----

Type default_type(core::DType dtype) {
  Type type;
  switch (dtype) {
    case core::DType::i64:
      type.kind = Type::Kind::i64;
      break;
    case core::DType::f64:
      type.kind = Type::Kind::f64;
      break;
    case core::DType::str:
      type.kind = Type::Kind::str;
      break;
    case core::DType::structure:
      return struct_of({});
    case core::DType::list_of_structures:
      return list_of(struct_of({}));
  }
  return type;
}

const Field* find(const Columns& columns, std::string_view name) {
  auto it = std::find_if(columns.begin(), columns.end(), [&](const Field& f) { return f.name == name; });
  return it == columns.end() ? nullptr : &*it;
}

bool is_scalar(core::DType dtype) {
  return dtype != core::DType::structure && dtype != core::DType::list_of_structures;
}

Columns select(const Columns& all, const ScanOptions& options, const std::string& table) {
  if (!options.columns) return all;
  Columns wanted;
  for (const std::string& name : *options.columns) {
    const Field* field = find(all, name);
    if (!field || find(wanted, name)) {
      std::string names;
      for (const Field& f : all) names += (names.empty() ? "" : ", ") + f.name;
      raise(ErrorCode::bad_projection,
            field ? "Column \"" + name + "\" was asked for twice."
                  : "Table " + table + " has no column \"" + name + "\". It has: " + names + ".",
            {.table = table, .column = name, .value = name});
    }
    wanted.push_back(*field);
  }
  return wanted;
}

void check_options(const ScanOptions& options, const std::string& table) {
  const TickRange& ticks = options.ticks;
  if (ticks.min && ticks.max && *ticks.min > *ticks.max)
    raise(ErrorCode::bad_where,
          "The tick range is empty: its minimum " + std::to_string(*ticks.min) + " is above its maximum " +
              std::to_string(*ticks.max) + ".",
          {.table = table, .key = "tick_min", .value = std::to_string(*ticks.min)});
  if (options.limit && *options.limit < 0)
    raise(ErrorCode::bad_limit, "A limit of " + std::to_string(*options.limit) + " rows makes no sense.",
          {.table = table, .key = "limit", .value = std::to_string(*options.limit)});
  if (options.batch_rows <= 0)
    raise(ErrorCode::bad_argument, "batch_rows must be above 0.",
          {.key = "batch_rows", .value = std::to_string(options.batch_rows)});
}

void plan_part(Scan::State& state, const PartRecord& part, const std::string& path, std::int64_t bucket_size,
               std::int64_t* certain) {
  const PartQuery& q = state.query;
  PartPlan plan;
  plan.part = {part.bucket, path, part.meta.rows, part.meta.bytes, part.meta.tick_min, part.meta.tick_max};
  std::int64_t first = part.bucket * bucket_size, last = first + (bucket_size - 1);
  if (last < q.tick_min || first > q.tick_max)
    plan.reason = "bucket";
  else if (part.meta.tick_max < q.tick_min || part.meta.tick_min > q.tick_max)
    plan.reason = "tick range";
  else if (state.limit && *certain >= *state.limit)
    plan.reason = "limit";
  else {
    plan.kept = true;
    plan.reason = "kept";
    if (part.meta.tick_min >= q.tick_min && part.meta.tick_max <= q.tick_max) *certain += part.meta.rows;
  }
  state.plan.push_back(std::move(plan));
}

}  // namespace

Columns scan_columns(const TableState& state, const core::TableDescriptor& descriptor) {
  Columns all;
  for (const core::ColumnDescriptor& column : descriptor.columns) {
    const Field* seen = find(state.columns(), column.name);
    bool from_parts = seen && !is_scalar(column.dtype) && seen->type.kind != Type::Kind::null;
    all.push_back({column.name, from_parts ? seen->type : default_type(column.dtype)});
  }
  for (const Field& field : state.columns())
    if (!descriptor.find(field.name)) all.push_back(field);
  return all;
}

Scan scan(Run& run, std::string_view table, const ScanOptions& options) {
  std::string name(table);
  check_options(options, name);
  const core::TableDescriptor* descriptor = core::find_stored_table(table);
  if (!descriptor)
    raise(ErrorCode::unknown_table_in_scan, "There is no table \"" + name + "\".",
          {.run_id = run.run_id, .table = name, .value = name});
  run.open();
  auto state = std::make_shared<Scan::State>();
  state->storage = run.shared_storage();
  state->run_id = run.run_id;
  state->table = name;
  state->limit = options.limit;
  state->query.tick_min = options.ticks.min.value_or(INT64_MIN);
  state->query.tick_max = options.ticks.max.value_or(INT64_MAX);
  state->query.batch_rows = options.batch_rows;
  auto lock = run.lock();
  TableState* snapshot = run.table(lock, table);
  if (!snapshot)
    raise(ErrorCode::table_missing,
          "Run " + run.run_id + " has no manifest of table " + name + " (" + run.paths().manifest(name) +
              "). If rows were written to it, rebuild it.",
          {.run_id = run.run_id, .table = name, .path = run.paths().manifest(name)});
  run.identify_parts(lock, *snapshot);
  state->query.wanted = select(scan_columns(*snapshot, *descriptor), options, name);
  state->schema = to_arrow(state->query.wanted);
  std::int64_t certain = 0;
  for (const auto& [bucket, parts] : snapshot->buckets())
    for (const PartRecord& part : parts)
      plan_part(*state, part, run.paths().part(name, bucket, part.meta.path), run.bucket_size(), &certain);
  return Scan(std::move(state));
}

Scan::Scan(std::shared_ptr<const State> state) : state_(std::move(state)) {}
const std::shared_ptr<arrow::Schema>& Scan::schema() const {
  return state_->schema;
}
const std::vector<PartPlan>& Scan::plan() const {
  return state_->plan;
}

std::string Scan::explain() const {
  std::int64_t kept = 0, rows = 0, bytes = 0;
  std::string lines;
  for (const PartPlan& plan : state_->plan) {
    if (plan.kept) {
      ++kept;
      rows += plan.part.rows;
      bytes += plan.part.bytes;
    }
    lines += (plan.kept ? "  read " : "  skip ") + plan.part.path + "  ticks " +
             std::to_string(plan.part.tick_min) + ".." + std::to_string(plan.part.tick_max) + ", " +
             std::to_string(plan.part.rows) + " rows" + (plan.kept ? "" : "  (" + plan.reason + ")") + '\n';
  }
  return "table " + state_->table + " of run " + state_->run_id + ": reads " + std::to_string(kept) + " of " +
         std::to_string(state_->plan.size()) + " parts, at most " + std::to_string(rows) + " rows, " +
         std::to_string(bytes) + " bytes\n" + lines;
}

std::shared_ptr<arrow::RecordBatchReader> Scan::reader() const {
  return std::make_shared<ScanReader>(state_);
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

void rethrow(const arrow::Status& status) {
  if (auto* detail = dynamic_cast<const ErrorDetail*>(status.detail().get())) detail->rethrow();
  raise(ErrorCode::read_failed, status.ToString());
}

}  // namespace crv::io
