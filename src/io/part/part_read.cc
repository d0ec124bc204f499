#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include "io/arrow/arrow_types.h"
#include "io/part/part.h"
#include "io/part/part_file.h"

namespace crv::io {

namespace {

using Column = std::shared_ptr<arrow::ChunkedArray>;

// Rows of a row group that a query takes.
struct Selection {
  std::int64_t count = 0, first = 0, last = -1;
  bool contiguous() const { return last - first + 1 == count; }
};

Column filtered(const Column& column, const Selection& selection, const std::shared_ptr<arrow::Array>& mask,
                const ErrorFacts& facts) {
  if (!mask) return column->Slice(selection.first, selection.count);
  ensure_compute();
  return check(arrow::compute::Filter(column, mask), ErrorCode::part_damaged, facts).chunked_array();
}

}  // namespace

struct PartReader::State {
  State(Storage& storage, std::string path, const PartQuery& asked)
      : part(storage, std::move(path)), query(asked), schema(to_arrow(asked.wanted)) {}

  bool filters() const { return query.tick_min > INT64_MIN || query.tick_max < INT64_MAX; }

  void plan() {
    for (int group = 0; group < part.groups(); ++group) {
      if (part.rows_of(group) == 0) continue;
      const std::optional<TickSpan> range = filters() ? part.tick_statistics(group) : std::nullopt;
      if (!range || (range->max >= query.tick_min && range->min <= query.tick_max)) groups.push_back(group);
    }
    for (const Field& column : query.wanted) {
      const std::vector<int>& below = part.leaves(column.name);
      if (below.empty()) missing.push_back(column.name);
      if (!(filters() && column.name == kTick)) leaves.insert(leaves.end(), below.begin(), below.end());
    }
    if (!missing.empty()) check_missing();
  }

  // No checksum guards the names in Parquet's schema: a column must not turn into nulls by a damaged one.
  void check_missing() const {
    for (const Field& column : part.columns())
      if (column.type.kind != Type::Kind::null && std::ranges::find(missing, column.name) != missing.end())
        damaged_part(part.path(), "its footer tells of a column \"" + column.name + "\", which is not there");
  }

  Selection select(const Column& ticks) const {
    Selection selection;
    for_each_tick(part, ticks, [&](std::int64_t row, std::int64_t tick) {
      if (tick < query.tick_min || tick > query.tick_max) return;
      if (selection.count++ == 0) selection.first = row;
      selection.last = row;
    });
    return selection;
  }

  std::shared_ptr<arrow::Array> mask_of(const Column& ticks) const {
    const std::int64_t rows = ticks->length();
    std::shared_ptr<arrow::Buffer> bits =
        check(arrow::AllocateEmptyBitmap(rows), ErrorCode::part_damaged, part.facts());
    for_each_tick(part, ticks, [&](std::int64_t row, std::int64_t tick) {
      if (tick >= query.tick_min && tick <= query.tick_max)
        arrow::bit_util::SetBit(bits->mutable_data(), row);
    });
    return std::make_shared<arrow::BooleanArray>(rows, std::move(bits));
  }

  // The wanted columns that the part has, under their names, with only the selected rows. It may have none.
  std::shared_ptr<arrow::Table> read(int group) const {
    Selection selection{part.rows_of(group), 0, part.rows_of(group) - 1};
    Column ticks;
    std::shared_ptr<arrow::Array> mask;
    if (filters()) {
      ticks = part.read_tick(group);
      selection = select(ticks);
      if (selection.count > 0 && !selection.contiguous()) mask = mask_of(ticks);
    }
    if (selection.count == 0) return nullptr;
    const auto table = leaves.empty() ? nullptr : part.read(group, leaves);
    arrow::FieldVector fields;
    std::vector<Column> columns;
    for (const Field& wanted : query.wanted) {
      Column column = table == nullptr ? nullptr : table->GetColumnByName(wanted.name);
      if (!column && wanted.name == kTick) column = ticks;
      if (!column) continue;
      fields.push_back(arrow::field(wanted.name, column->type()));
      columns.push_back(filtered(column, selection, mask, part.facts()));
    }
    return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns), selection.count);
  }

  std::shared_ptr<arrow::RecordBatch> adapted(const arrow::RecordBatch& batch) const {
    arrow::ArrayVector arrays;
    ErrorFacts facts = part.facts();
    for (int i = 0; i < schema->num_fields(); ++i) {
      const Field& wanted = query.wanted[static_cast<std::size_t>(i)];
      facts.column = wanted.name;
      const auto given = batch.GetColumnByName(wanted.name);
      arrays.push_back(given != nullptr
                           ? adapt(given, wanted.type, facts)
                           : check(arrow::MakeArrayOfNull(schema->field(i)->type(), batch.num_rows()),
                                   ErrorCode::part_damaged, facts));
    }
    return arrow::RecordBatch::Make(schema, batch.num_rows(), std::move(arrays));
  }

  PartFile part;
  PartQuery query;
  std::shared_ptr<arrow::Schema> schema;
  std::vector<int> groups;           // that can match
  std::vector<std::string> missing;  // columns that are wanted and not in the part
  std::vector<int> leaves;           // to be read; without tick's where the filter reads it anyway
};

PartReader::PartReader(Storage& storage, std::string path, const PartQuery& query, std::string_view table,
                       std::string_view run_id, std::int64_t expected_bytes)
    : state_(std::make_unique<State>(storage, std::move(path), query)) {
  const PartFile& part = state_->part;
  if (expected_bytes >= 0 && part.bytes() != expected_bytes) {
    damaged_part(part.path(), "it has " + std::to_string(part.bytes()) + " bytes instead of " +
                                  std::to_string(expected_bytes));
  }
  const PartFooter& footer = part.footer();
  const auto must_be = [&](const char* what, const std::string& found, std::string_view expected) {
    if (found.empty() || found == expected) return;
    ErrorFacts facts = part.facts();
    facts.value = found;
    raise(ErrorCode::part_foreign,
          part.path() + ": the part belongs to the " + what + " \"" + found + "\", not \"" +
              std::string(expected) + "\"",
          facts);
  };
  must_be("table", footer.table, table);
  must_be("run", footer.run_id, run_id);
  state_->plan();
}

PartReader::~PartReader() = default;

std::int64_t PartReader::row_groups() const {
  return static_cast<std::int64_t>(state_->groups.size());
}

void PartReader::check_pages() const {
  std::vector<int> leaves = state_->leaves;
  if (state_->filters()) {
    const std::vector<int>& tick = state_->part.leaves(kTick);
    leaves.insert(leaves.end(), tick.begin(), tick.end());
  }
  for (const int group : state_->groups) state_->part.check_pages(group, leaves);
}

std::vector<std::shared_ptr<arrow::RecordBatch>> PartReader::read_row_group(std::int64_t i) {
  const State& state = *state_;
  return reading_part(state.part.path(), [&] {
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    const auto table = state.read(state.groups.at(static_cast<std::size_t>(i)));
    if (!table) return batches;
    arrow::TableBatchReader reader(*table);
    reader.set_chunksize(state.query.batch_rows);
    for (;;) {
      const auto batch = check(reader.Next(), ErrorCode::part_damaged, state.part.facts());
      if (!batch) return batches;
      batches.push_back(state.adapted(*batch));
    }
  });
}

}  // namespace crv::io
