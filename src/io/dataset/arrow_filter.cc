#include "io/dataset/arrow_filter.h"

#include <algorithm>
#include <optional>
#include <set>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/expression.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include "io/arrow/arrow_types.h"

namespace crv::io {
namespace {

using arrow::compute::Expression;

constexpr std::int64_t kMostTicks = 4'000'000;
constexpr std::int64_t kTicksAtOnce = 65'536;

std::shared_ptr<arrow::Schema> key_schema() {
  return arrow::schema({arrow::field("bucket", arrow::int64()), arrow::field("tick", arrow::int64())});
}

// The conditions that must all hold for `filter` to hold.
void split(const Expression& filter, std::vector<Expression>& conditions) {
  const Expression::Call* call = filter.call();
  if (!call || (call->function_name != "and_kleene" && call->function_name != "and")) {
    conditions.push_back(filter);
    return;
  }
  for (const Expression& argument : call->arguments) split(argument, conditions);
}

// Positions in `schema` of the columns that an expression speaks of; nothing where it speaks of others, too.
std::optional<std::set<int>> columns_of(const Expression& expression, const arrow::Schema& schema) {
  std::set<int> columns;
  for (const arrow::FieldRef& field : arrow::compute::FieldsInExpression(expression)) {
    const arrow::Result<arrow::FieldPath> path = field.FindOne(schema);
    if (!path.ok()) return std::nullopt;
    columns.insert(path->indices().front());
  }
  return columns;
}

std::optional<Expression> about_ticks(const Expression& filter) {
  std::vector<Expression> conditions, about;
  split(filter, conditions);
  for (Expression& condition : conditions) {
    const std::optional<std::set<int>> columns = columns_of(condition, *key_schema());
    if (columns && !columns->empty()) about.push_back(std::move(condition));
  }
  if (about.empty()) return std::nullopt;
  const arrow::Result<Expression> bound = arrow::compute::and_(about).Bind(*key_schema());
  return bound.ok() ? std::optional(*bound) : std::nullopt;  // whoever filters the rows will say why
}

bool are_few(const std::vector<TickRange>& ranges) {
  std::int64_t ticks = 0;
  for (const TickRange& range : ranges) {
    if (*range.max - *range.min >= kMostTicks - ticks) return false;
    ticks += *range.max - *range.min + 1;
  }
  return true;
}

// Adds the ticks first..last that `condition` lets through to `passed`, as ranges. False where it fails.
bool try_ticks(const Expression& condition, std::int64_t first, std::int64_t last, std::int64_t bucket_size,
               std::vector<TickRange>& passed) {
  arrow::Int64Builder buckets, ticks;
  for (std::int64_t tick = first; tick <= last; ++tick)
    if (!buckets.Append(tick / bucket_size).ok() || !ticks.Append(tick).ok()) return false;
  const arrow::Result<std::shared_ptr<arrow::Array>> bucket = buckets.Finish(), tick = ticks.Finish();
  if (!bucket.ok() || !tick.ok()) return false;
  const auto batch = arrow::RecordBatch::Make(key_schema(), last - first + 1, {*bucket, *tick});
  const arrow::Result<arrow::Datum> holds =
      arrow::compute::ExecuteScalarExpression(condition, *key_schema(), batch);
  if (!holds.ok() || holds->type()->id() != arrow::Type::BOOL) return false;
  const auto* all = holds->is_scalar() ? &holds->scalar_as<arrow::BooleanScalar>() : nullptr;
  const auto each = all ? nullptr : holds->array_as<arrow::BooleanArray>();
  for (std::int64_t at = first; at <= last; ++at) {
    const std::int64_t i = at - first;
    const bool pass = all ? all->is_valid && all->value : each->IsValid(i) && each->Value(i);
    if (!pass) continue;
    if (!passed.empty() && *passed.back().max == at - 1)
      passed.back().max = at;
    else
      passed.push_back({at, at});
  }
  return true;
}

}  // namespace

FilteredScan prune(const Scan& scan, const std::shared_ptr<arrow::Buffer>& filter) {
  ensure_compute();
  const Expression expression = check(arrow::compute::Deserialize(filter), ErrorCode::bad_argument);
  FilteredScan filtered{scan, scan.schema()->field_names()};
  if (const std::optional<std::set<int>> columns = columns_of(expression, *scan.schema())) {
    filtered.columns.clear();
    for (const int column : *columns) filtered.columns.push_back(scan.schema()->field(column)->name());
  }
  const std::optional<Expression> condition = about_ticks(expression);
  const std::vector<TickRange> ticks = scan.ticks();
  if (!condition || !are_few(ticks)) return filtered;
  std::vector<TickRange> passed;
  for (const TickRange& range : ticks)
    for (std::int64_t first = *range.min; first <= *range.max; first += kTicksAtOnce) {
      const std::int64_t last = std::min(*range.max, first + (kTicksAtOnce - 1));
      if (!try_ticks(*condition, first, last, scan.tick_bucket_size(), passed)) return filtered;
      if (last == *range.max) break;
    }
  filtered.scan = scan.prune(passed);
  return filtered;
}

}  // namespace crv::io
