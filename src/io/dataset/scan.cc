// scan: what a snapshot holds of a table, planned from the manifest and the log alone, read lazily and in
// order.
#include <algorithm>
#include <array>
#include <deque>
#include <future>
#include <set>
#include <utility>

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "core/text.h"
#include "core/utf8.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "crv/core/suggest.h"
#include "io/arrow/arrow_types.h"
#include "io/base/once.h"
#include "io/base/os.h"
#include "io/base/parallel.h"
#include "io/base/sums.h"
#include "io/conform/accepted.h"
#include "io/dataset/verbs.h"
#include "io/part/part.h"

namespace crv::io {

namespace {

// Whether a part is read, and why not.
enum class Verdict : std::uint8_t { kept, bucket, tick_range, limit, filter };
constexpr std::array<const char*, 5> reasons{"kept", "bucket", "tick range", "limit", "filter"};

using Names = std::set<std::string>;

// What other engines cannot read of the parts of one schema.
struct Obstacles {
  Names columns;       // with lists whose elements nobody knew
  bool whole = false;  // a type that Polars does not know: it then reads no column of the part
};

}  // namespace

struct Scan::State {
  std::shared_ptr<Storage> storage;
  std::string run_id, table;
  std::int64_t tick_bucket_size = 0;
  PartQuery query;
  std::optional<std::int64_t> limit;
  std::shared_ptr<arrow::Schema> schema;
  RunPaths paths;
  std::shared_ptr<const PartList> parts;
  std::vector<Verdict> verdicts;  // one a part
  // By schema, or null.
  std::shared_ptr<const std::vector<std::shared_ptr<const Obstacles>>> unreadable;
  bool for_polars = false;
  std::shared_ptr<SoundParts> sound;
  // What plan() tells, made when it is first asked for.
  struct Told {
    Once once;
    std::vector<PartPlan> plan;
  };
  std::shared_ptr<Told> told = std::make_shared<Told>();

  // The same, to be changed.
  std::shared_ptr<State> copy() const {
    auto made = std::make_shared<State>(*this);
    made->told = std::make_shared<Told>();
    return made;
  }
  PartSummary summary(const PackedPart& part) const {
    return {part.bucket,   paths.part(table, part.bucket, file_name(part)),
            part.rows,     part.bytes,
            part.tick_min, part.tick_max};
  }
  std::vector<std::size_t> kept() const {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < verdicts.size(); ++i)
      if (verdicts[i] == Verdict::kept) all.push_back(i);
    return all;
  }
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
    for (const std::size_t i : state_->kept()) {
      kept_.push_back(state_->summary(state_->parts->parts[i]));
      rows = capped_sum(rows, kept_.back().rows);
    }
    ahead_ = rows >= worth_threads ? cores() + 1 : 1;
  }

  std::shared_ptr<arrow::Schema> schema() const override { return state_->schema; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    if (!failed_.ok()) return failed_;
    try {
      if (process_ != process_id())
        raise(ErrorCode::read_failed, "This reader was begun by the process that this one was forked from.",
              {.run_id = state_->run_id, .table = state_->table});
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
    std::string path;
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
    while (parts_.size() < ahead_ && next_part_ < kept_.size()) start_part(kept_[next_part_++]);
    if (parts_.empty()) return false;
    Opened opened = parts_.front().get();
    parts_.pop_front();
    part_ = std::move(opened.part);
    path_ = std::move(opened.path);
    next_group_ = 1;
    take(std::move(opened.first));
    return true;
  }

  void take(Batches batches) {
    for (auto& batch : batches) {
      if (state_->for_polars) require_utf8(*batch);
      ready_.push_back(std::move(batch));
    }
  }

  void require_utf8(const arrow::RecordBatch& batch) const {
    const std::optional<std::string> column = find_text_not_utf8(batch);
    if (!column) return;
    raise(ErrorCode::part_damaged,
          "Part " + path_ + ", column \"" + *column +
              "\", holds text that is not UTF-8, which Polars cannot hold. An older writer took it. "
              "scan_arrow() and `crv scan` read it.",
          {.run_id = state_->run_id, .table = state_->table, .column = *column, .path = path_});
  }

  void start_part(const PartSummary& part) {
    std::function<Opened()> task = [state = state_, &part] {
      Opened opened;
      opened.path = part.path;
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
  const std::int64_t process_ = process_id();
  std::vector<PartSummary> kept_;
  std::size_t next_part_ = 0, ahead_ = 1;
  std::int64_t left_ = 0;
  arrow::Status failed_;  // the first failure: the reader is no further use
  std::deque<std::shared_ptr<arrow::RecordBatch>> ready_;
  std::shared_ptr<PartReader> part_;
  std::string path_;  // of part_
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
      std::vector<std::string> there;
      for (const Field& f : all) there.push_back(f.name);
      raise(ErrorCode::bad_projection,
            field ? "Column \"" + name + "\" was asked for twice."
                  : "Table " + table + " has no column \"" + shortened(name) + '"' +
                        did_you_mean(name, there, ".") + " It has: " + core::join(there) + ".",
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

std::vector<std::shared_ptr<const Obstacles>> obstacles_by_schema(const TableState& state,
                                                                  const PartList& parts) {
  std::vector<std::shared_ptr<const Obstacles>> all(parts.schemas.size());
  for (const SeenSchema& schema : state.schemas()) {
    const auto at = std::find(parts.schemas.begin(), parts.schemas.end(), schema.id);
    if (at == parts.schemas.end()) continue;
    Obstacles found;
    for (const Field& column : schema.columns) {
      if (has_unknown_elements(column.type)) found.columns.insert(column.name);
      found.whole = found.whole || !is_readable_by_polars(column.type);
    }
    if (found.whole || !found.columns.empty())
      all[static_cast<std::size_t>(at - parts.schemas.begin())] =
          std::make_shared<const Obstacles>(std::move(found));
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

// Rows of a part that are surely in the scan's tick range.
std::int64_t certain_rows(const Scan::State& state, const PackedPart& part) {
  const PartQuery& q = state.query;
  return part.tick_min >= q.tick_min && part.tick_max <= q.tick_max ? part.rows : 0;
}

Verdict plan_part(const Scan::State& state, const PackedPart& part, std::int64_t* certain) {
  const PartQuery& q = state.query;
  const auto [first, last] = ticks_of_bucket(part.bucket, state.tick_bucket_size);
  if (last < q.tick_min || first > q.tick_max) return Verdict::bucket;
  if (part.tick_min > q.tick_max || part.tick_max < q.tick_min || q.tick_min > q.tick_max)
    return Verdict::tick_range;
  if (state.limit && *certain >= *state.limit) return Verdict::limit;
  *certain = capped_sum(*certain, certain_rows(state, part));
  return Verdict::kept;
}

// Whether the limit leaves out rows, so that each part that is read counts for which rows are the first.
bool limit_cuts(const Scan::State& state) {
  if (!state.limit) return false;
  std::int64_t left = *state.limit;
  for (std::size_t i = 0; i < state.verdicts.size(); ++i) {
    if (state.verdicts[i] == Verdict::limit) return true;
    if (state.verdicts[i] != Verdict::kept) continue;
    if (state.parts->parts[i].rows > left) return true;
    left -= state.parts->parts[i].rows;
  }
  return false;
}

// The same ticks as closed ranges, ascending, with gaps between them.
std::vector<TickRange> merged(std::vector<TickRange> ranges) {
  const auto begins_earlier = [](const TickRange& a, const TickRange& b) { return *a.min < *b.min; };
  if (!std::is_sorted(ranges.begin(), ranges.end(), begins_earlier))
    std::sort(ranges.begin(), ranges.end(), begins_earlier);
  std::vector<TickRange> all;
  for (const TickRange& range : ranges) {
    if (*range.min > *range.max) continue;
    if (!all.empty() && (*all.back().max == INT64_MAX || *range.min <= *all.back().max + 1))
      all.back().max = std::max(*all.back().max, *range.max);
    else
      all.push_back(range);
  }
  return all;
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
    raise(ErrorCode::unknown_table_in_scan, core::no_such_table(name),
          {.run_id = run.run_id, .table = name, .value = name});
  run.open();
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
                                                         .sound = run.sound_parts()});
  state->query.tick_min = options.ticks.min.value_or(INT64_MIN);
  state->query.tick_max = options.ticks.max.value_or(INT64_MAX);
  state->query.batch_rows = options.batch_rows;
  auto lock = run.lock();
  TableState* snapshot = run.table(lock, table);
  if (!snapshot) {
    require_run(run.settings, run.run_id, run.shared_storage());
    raise(ErrorCode::table_missing,
          "Run " + run.run_id + " has no manifest of table " + name + " (" + run.paths().manifest(name) +
              "). If rows were written to it, rebuild it.",
          {.run_id = run.run_id, .table = name, .path = run.paths().manifest(name)});
  }
  run.identify_parts(lock, *snapshot);
  state->query.wanted = scan_columns(*snapshot, *descriptor);
  if (options.columns) state->query.wanted = select_columns(state->query.wanted, *options.columns, name);
  state->schema = to_arrow(state->query.wanted);
  state->parts = snapshot->list();
  state->unreadable = std::make_shared<const std::vector<std::shared_ptr<const Obstacles>>>(
      obstacles_by_schema(*snapshot, *state->parts));
  state->verdicts.reserve(state->parts->parts.size());
  std::int64_t certain = 0;
  for (const PackedPart& part : state->parts->parts)
    state->verdicts.push_back(plan_part(*state, part, &certain));
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
                      reasons[static_cast<std::size_t>(state_->verdicts[i])]});
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
  std::vector<TickRange> closed;
  for (const TickRange& range : ranges)
    closed.push_back({range.min.value_or(INT64_MIN), range.max.value_or(INT64_MAX)});
  const std::vector<TickRange> wanted = merged(std::move(closed));
  auto pruned = state_->copy();
  for (std::size_t i = 0; i < pruned->verdicts.size(); ++i) {
    const PackedPart& part = pruned->parts->parts[i];
    // The first range that does not end before the part begins.
    const auto range = std::partition_point(wanted.begin(), wanted.end(),
                                            [&](const TickRange& r) { return *r.max < part.tick_min; });
    const bool meets = range != wanted.end() && *range->min <= part.tick_max;
    if (pruned->verdicts[i] == Verdict::kept && !meets) pruned->verdicts[i] = Verdict::filter;
  }
  return Scan(std::move(pruned));
}

Scan Scan::head(std::int64_t rows) const {
  check_limit(rows, state_->table);
  auto limited = state_->copy();
  limited->limit = std::min(rows, state_->limit.value_or(INT64_MAX));
  std::int64_t certain = 0;
  for (std::size_t i = 0; i < limited->verdicts.size(); ++i) {
    if (limited->verdicts[i] != Verdict::kept) continue;
    if (certain >= *limited->limit)
      limited->verdicts[i] = Verdict::limit;
    else
      certain = capped_sum(certain, certain_rows(*limited, limited->parts->parts[i]));
  }
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
  if (std::none_of(state_->unreadable->begin(), state_->unreadable->end(),
                   [](const auto& obstacles) { return obstacles != nullptr; }))
    return true;
  const std::vector<std::size_t> kept = state_->kept();
  return std::none_of(kept.begin(), kept.end(), [&](std::size_t i) {
    const std::shared_ptr<const Obstacles>& there = (*state_->unreadable)[state_->parts->parts[i].schema];
    return there && (there->whole ||
                     std::any_of(state_->query.wanted.begin(), state_->query.wanted.end(),
                                 [&](const Field& column) { return there->columns.contains(column.name); }));
  });
}

std::vector<TickRange> Scan::ticks() const {
  const PartQuery& query = state_->query;
  std::vector<TickRange> ranges;
  for (const std::size_t i : state_->kept()) {
    const PackedPart& part = state_->parts->parts[i];
    const std::int64_t first = std::max(part.tick_min, query.tick_min);
    const std::int64_t last = std::min(part.tick_max, query.tick_max);
    // Most parts go on where the one before ended, so that few ranges are kept on the way.
    if (!ranges.empty() && first >= *ranges.back().min && first - 1 <= *ranges.back().max)
      ranges.back().max = std::max(*ranges.back().max, last);
    else
      ranges.push_back({first, last});
  }
  return merged(std::move(ranges));
}

void Scan::check_parts(bool checksums) const {
  const std::vector<std::size_t> kept = state_->kept();
  in_parallel(kept.size(), [&](std::size_t i) {
    const PackedPart& packed = state_->parts->parts[kept[i]];
    const PartSummary part = state_->summary(packed);
    check_part(*state_, part);
    if (checksums && packed.checksum_kind != PackedPart::Checksum::none)
      check_bytes(*state_, part, checksum_text(packed));
  });
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

}  // namespace crv::io
