// scan: what a snapshot holds of a table, planned from the manifest and the log alone, read lazily and in
// order.
#include <algorithm>
#include <deque>
#include <future>
#include <map>
#include <set>
#include <utility>

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "crv/core/error.h"
#include "io/arrow_types.h"
#include "io/parallel.h"
#include "io/part.h"
#include "io/sums.h"
#include "io/verbs.h"

namespace crv::io {

struct Scan::State {
  std::shared_ptr<Storage> storage;
  std::string run_id, table;
  std::int64_t tick_bucket_size = 0;
  PartQuery query;
  std::optional<std::int64_t> limit;
  std::shared_ptr<arrow::Schema> schema;
  std::vector<PartPlan> plan;
  // Of each part in `plan`, the same for all scans that are made of one.
  struct Detail {
    std::string checksum;  // empty: not known
    std::shared_ptr<const std::set<std::string>>
        unknown;  // columns with lists whose elements nobody knew, or null
  };
  std::shared_ptr<const std::vector<Detail>> details;
  std::shared_ptr<SoundParts> sound;
};

namespace {

constexpr std::int64_t worth_threads = 50'000;  // rows below which starting threads costs more than it saves

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
      rows = capped_sum(rows, plan.part.rows);
    }
    ahead_ = rows >= worth_threads ? cores() + 1 : 1;
  }

  std::shared_ptr<arrow::Schema> schema() const override { return state_->schema; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    if (!failed_.ok()) return failed_;
    try {
      *out = next();
    } catch (...) {  // nothing may leave through Arrow's C interface
      failed_ = status_of(std::current_exception());
    }
    return failed_;
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
  arrow::Status failed_;  // the first failure: the reader is no further use
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

Columns select_columns(const Columns& all, const std::vector<std::string>& names, const std::string& table) {
  Columns wanted;
  for (const std::string& name : names) {
    const Field* field = find(all, name);
    if (!field || find(wanted, name)) {
      std::string there;
      for (const Field& f : all) there += (there.empty() ? "" : ", ") + f.name;
      raise(ErrorCode::bad_projection,
            field ? "Column \"" + name + "\" was asked for twice."
                  : "Table " + table + " has no column \"" + name + "\". It has: " + there + ".",
            {.table = table, .column = name, .value = name});
    }
    wanted.push_back(*field);
  }
  return wanted;
}

bool has_unknown_elements(const Type& type) {
  return std::any_of(type.fields.begin(), type.fields.end(), [&](const Field& field) {
    return field.type.kind == Type::Kind::null ? type.kind == Type::Kind::list
                                               : has_unknown_elements(field.type);
  });
}

using UnknownBySchema = std::map<std::string, std::shared_ptr<const std::set<std::string>>>;

UnknownBySchema unknown_by_schema(const TableState& state) {
  UnknownBySchema all;
  for (const SeenSchema& schema : state.schemas()) {
    std::set<std::string> columns;
    for (const Field& column : schema.columns)
      if (has_unknown_elements(column.type)) columns.insert(column.name);
    if (!columns.empty()) all[schema.id] = std::make_shared<const std::set<std::string>>(std::move(columns));
  }
  return all;
}

void check_limit(std::int64_t limit, const std::string& table) {
  if (limit >= 0) return;
  raise(ErrorCode::bad_limit, "A limit of " + std::to_string(limit) + " rows makes no sense.",
        {.table = table, .key = "limit", .value = std::to_string(limit)});
}

void check_options(const ScanOptions& options, const std::string& table) {
  if (options.limit) check_limit(*options.limit, table);
  if (options.batch_rows <= 0)
    raise(ErrorCode::bad_argument, "batch_rows must be above 0.",
          {.key = "batch_rows", .value = std::to_string(options.batch_rows)});
}

constexpr const char* limit_reason = "limit";

void skip(PartPlan& plan, std::string reason) {
  plan.kept = false;
  plan.reason = std::move(reason);
}

// Rows of a part that are surely in the scan's tick range.
std::int64_t certain_rows(const Scan::State& state, const PartSummary& part) {
  const PartQuery& q = state.query;
  return part.tick_min >= q.tick_min && part.tick_max <= q.tick_max ? part.rows : 0;
}

void plan_part(Scan::State& state, const PartRecord& part, const std::string& path, std::int64_t* certain) {
  const PartQuery& q = state.query;
  PartPlan plan;
  plan.part = {part.bucket, path, part.meta.rows, part.meta.bytes, part.meta.tick_min, part.meta.tick_max};
  const auto [first, last] = ticks_of_bucket(part.bucket, state.tick_bucket_size);
  plan.kept = true;
  plan.reason = "kept";
  if (last < q.tick_min || first > q.tick_max)
    skip(plan, "bucket");
  else if (part.meta.tick_max < q.tick_min || part.meta.tick_min > q.tick_max || q.tick_min > q.tick_max)
    skip(plan, "tick range");
  else if (state.limit && *certain >= *state.limit)
    skip(plan, limit_reason);
  else
    *certain = capped_sum(*certain, certain_rows(state, plan.part));
  state.plan.push_back(std::move(plan));
}

// Whether the limit leaves out rows, so that each part that is read counts for which rows are the first.
bool limit_cuts(const Scan::State& state) {
  if (!state.limit) return false;
  std::int64_t left = *state.limit;
  return std::any_of(state.plan.begin(), state.plan.end(), [&](const PartPlan& plan) {
    if (!plan.kept) return plan.reason == limit_reason;
    if (plan.part.rows > left) return true;
    left -= plan.part.rows;
    return false;
  });
}

[[noreturn]] void refuse_part(const Scan::State& state, const PartSummary& part, ErrorCode code,
                              const std::string& why) {
  raise(code, "Part " + part.path + ' ' + why,
        {.run_id = state.run_id, .table = state.table, .path = part.path});
}

// Parts up to this size are checked as a whole, footer included; of larger ones only the pages that are
// wanted are read.
constexpr std::int64_t small_part = 1 << 20;  // bytes

void check_part(const Scan::State& state, const PartSummary& part) {
  const std::optional<Storage::Stat> stat = state.storage->stat(part.path);
  if (!stat) refuse_part(state, part, ErrorCode::part_missing, "is listed, but not there.");
  if (stat->size != part.bytes)
    refuse_part(
        state, part, ErrorCode::part_damaged,
        "has " + std::to_string(stat->size) + " bytes; " + std::to_string(part.bytes) + " were written.");
}

void check_bytes(const Scan::State& state, const PartSummary& part, const std::string& checksum) {
  if (part.bytes > small_part)
    return PartReader(*state.storage, part.path, state.query, state.table, state.run_id, part.bytes)
        .check_pages();
  if (state.sound->holds(part.path)) return;
  const std::unique_ptr<Reader> object = state.storage->open(part.path);
  if (!object) refuse_part(state, part, ErrorCode::part_missing, "is listed, but not there.");
  if (checksum_of(*object) != checksum)
    refuse_part(state, part, ErrorCode::part_damaged, "does not hold the bytes that were written.");
  state.sound->add(part.path);
}

}  // namespace

Columns scan_columns(const TableState& state, const core::TableDescriptor& descriptor) {
  Columns all;
  std::vector<TypeConflict> conflicts;  // none: nested columns were checked when they came in
  for (const core::ColumnDescriptor& column : descriptor.columns) {
    const Field* seen = find(state.columns(), column.name);
    bool from_parts = seen && !is_scalar(column.dtype) && seen->type.kind != Type::Kind::null;
    const Type known = default_type(column.dtype);
    all.push_back({column.name, from_parts ? unite(seen->type, known, column.name, conflicts) : known});
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
  state->tick_bucket_size = run.bucket_size();
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
  state->query.wanted = scan_columns(*snapshot, *descriptor);
  if (options.columns) state->query.wanted = select_columns(state->query.wanted, *options.columns, name);
  state->schema = to_arrow(state->query.wanted);
  std::int64_t certain = 0;
  const UnknownBySchema unknown = unknown_by_schema(*snapshot);
  auto details = std::make_shared<std::vector<Scan::State::Detail>>();
  for (const auto& [bucket, parts] : snapshot->buckets()) {
    for (const PartRecord& part : parts) {
      plan_part(*state, part, run.paths().part(name, bucket, part.meta.path), &certain);
      const auto found = unknown.find(part.schema);
      details->push_back({part.checksum, found == unknown.end() ? nullptr : found->second});
    }
  }
  state->details = std::move(details);
  state->sound = run.sound_parts();
  return Scan(std::move(state));
}

Scan::Scan(std::shared_ptr<const State> state) : state_(std::move(state)) {}
const std::shared_ptr<arrow::Schema>& Scan::schema() const {
  return state_->schema;
}
std::vector<std::string> Scan::files() const {
  std::vector<std::string> paths;
  for (const PartPlan& plan : state_->plan)
    if (plan.kept) paths.push_back(state_->storage->absolute(plan.part.path));
  return paths;
}

const std::vector<PartPlan>& Scan::plan() const {
  return state_->plan;
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
  auto pruned = std::make_shared<State>(*state_);
  for (PartPlan& plan : pruned->plan) {
    const bool meets = std::any_of(ranges.begin(), ranges.end(), [&](const TickRange& range) {
      const std::int64_t first = std::max(range.min.value_or(INT64_MIN), plan.part.tick_min);
      return first <= std::min(range.max.value_or(INT64_MAX), plan.part.tick_max);
    });
    if (plan.kept && !meets) skip(plan, "filter");
  }
  return Scan(std::move(pruned));
}

Scan Scan::head(std::int64_t rows) const {
  check_limit(rows, state_->table);
  auto limited = std::make_shared<State>(*state_);
  limited->limit = std::min(rows, state_->limit.value_or(INT64_MAX));
  std::int64_t certain = 0;
  for (PartPlan& plan : limited->plan) {
    if (!plan.kept) continue;
    if (certain >= *limited->limit)
      skip(plan, limit_reason);
    else
      certain = capped_sum(certain, certain_rows(*limited, plan.part));
  }
  return Scan(std::move(limited));
}

Scan Scan::select(const std::vector<std::string>& columns) const {
  auto selected = std::make_shared<State>(*state_);
  selected->query.wanted = select_columns(state_->query.wanted, columns, state_->table);
  selected->schema = to_arrow(selected->query.wanted);
  return Scan(std::move(selected));
}

bool Scan::readable_by_others() const {
  for (std::size_t i = 0; i < state_->plan.size(); ++i) {
    const auto& unknown = (*state_->details)[i].unknown;
    if (!state_->plan[i].kept || !unknown) continue;
    for (const Field& column : state_->query.wanted)
      if (unknown->contains(column.name)) return false;
  }
  return true;
}

std::vector<TickRange> Scan::ticks() const {
  const PartQuery& query = state_->query;
  std::vector<TickRange> ranges;
  for (const PartPlan& plan : state_->plan) {
    if (!plan.kept) continue;
    ranges.push_back(
        {std::max(plan.part.tick_min, query.tick_min), std::min(plan.part.tick_max, query.tick_max)});
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const TickRange& a, const TickRange& b) { return *a.min < *b.min; });
  std::vector<TickRange> merged;
  for (const TickRange& range : ranges) {
    if (!merged.empty() && *range.min - 1 <= *merged.back().max)
      merged.back().max = std::max(*merged.back().max, *range.max);
    else
      merged.push_back(range);
  }
  return merged;
}

void Scan::check_parts(bool checksums) const {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < state_->plan.size(); ++i)
    if (state_->plan[i].kept) kept.push_back(i);
  in_parallel(kept.size(), [&](std::size_t i) {
    const PartSummary& part = state_->plan[kept[i]].part;
    check_part(*state_, part);
    const std::string& checksum = (*state_->details)[kept[i]].checksum;
    if (checksums && !checksum.empty()) check_bytes(*state_, part, checksum);
  });
}

std::string Scan::explain() const {
  std::int64_t kept = 0, rows = 0, bytes = 0;
  std::string lines;
  for (const PartPlan& plan : state_->plan) {
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
  check(status, ErrorCode::read_failed);
  raise(ErrorCode::read_failed, "There was nothing to rethrow.");
}

}  // namespace crv::io
