#include "io/rules/quarantine.h"

#include <algorithm>
#include <span>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/chunked_array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "crv/io/json_rows.h"
#include "io/arrow/arrow_types.h"
#include "io/arrow/gather.h"
#include "io/base/parallel.h"

namespace crv::io {

namespace {

constexpr std::int64_t kBatchRows = 131072;

// What Arrow's Take does not know, or not inside of other types.
bool can_gather(const arrow::DataType& type, bool nested) {
  switch (type.id()) {
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return !nested;
    case arrow::Type::LIST_VIEW:
    case arrow::Type::LARGE_LIST_VIEW:
      return false;
    case arrow::Type::DICTIONARY:
    case arrow::Type::EXTENSION:
      return !nested;
    default:
      return std::ranges::all_of(type.fields(),
                                 [](const auto& field) { return can_gather(*field->type(), true); });
  }
}

// The rows of a chunk as slices, for any type.
arrow::ArrayVector slices_of(const arrow::Array& chunk, std::span<const std::int64_t> rows) {
  arrow::ArrayVector slices;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    slices.push_back(chunk.Slice(rows[begin], static_cast<std::int64_t>(end - begin)));
    begin = end;
  }
  return slices;
}

// Rows of a batch, ascending, as one or more chunks of each column.
std::vector<arrow::ArrayVector> take_rows(const arrow::RecordBatch& batch,
                                          const std::vector<std::int64_t>& rows) {
  std::vector<arrow::ArrayVector> columns;
  const std::shared_ptr<arrow::Array> indices =
      std::make_shared<arrow::Int64Array>(static_cast<std::int64_t>(rows.size()), arrow::Buffer::Wrap(rows));
  const bool all = static_cast<std::int64_t>(rows.size()) == batch.num_rows();
  for (const auto& column : batch.columns())
    if (all)
      columns.push_back({column});
    else if (can_gather(*column->type(), false))
      columns.push_back({gather(column, indices)});
    else
      columns.push_back(slices_of(*column, rows));
  return columns;
}

// The rows that went bad, as columns of the table `quarantine`.
class BadRows {
 public:
  explicit BadRows(std::string table) : table_(std::move(table)) {}

  void add(std::int64_t tick, const BrokenRule& rule, const JsonObject& row) {
    check(ticks_.Append(std::max<std::int64_t>(tick, 0)), ErrorCode::wrong_type);
    add(source_, table_);
    add(rule_, rule.rule);
    add(column_, rule.column);
    add(reason_, rule.reason);
    add(row_, write_json(row));
  }

  std::shared_ptr<arrow::Table> finish() {
    arrow::FieldVector fields{arrow::field("tick", arrow::int64())};
    arrow::ArrayVector arrays{check(ticks_.Finish(), ErrorCode::wrong_type)};
    const auto take = [&](const char* name, arrow::LargeStringBuilder& texts) {
      fields.push_back(arrow::field(name, arrow::large_utf8()));
      arrays.push_back(check(texts.Finish(), ErrorCode::wrong_type));
    };
    take("source_table", source_);
    take("rule", rule_);
    take("column", column_);
    take("reason", reason_);
    take("row_json", row_);
    return arrow::Table::Make(arrow::schema(std::move(fields)), arrays);
  }

 private:
  static void add(arrow::LargeStringBuilder& texts, const std::string& text) {
    check(texts.Append(text), ErrorCode::wrong_type);
  }

  std::string table_;
  arrow::Int64Builder ticks_;
  arrow::LargeStringBuilder source_, rule_, column_, reason_, row_;
};

JsonObject row_of(const arrow::RecordBatch& batch, std::int64_t row) {
  JsonObject object;
  for (int c = 0; c < batch.num_columns(); ++c)
    object.push_back(batch.schema()->field(c)->name(), cell_to_json(*batch.column(c), row));
  return object;
}

// For each row the first rule that it breaks, as its index in `broken`; -1 for a good one.
std::vector<std::int32_t> first_rules(std::int64_t rows, const BrokenRules& broken) {
  std::vector<std::int32_t> first(static_cast<std::size_t>(rows), -1);
  for (std::size_t r = 0; r < broken.size(); ++r) {
    for (const std::int64_t row : broken[r].rows) {
      std::int32_t& rule = first[static_cast<std::size_t>(row)];
      if (rule < 0) rule = static_cast<std::int32_t>(r);
    }
  }
  return first;
}

std::vector<std::int64_t> values_of(const arrow::ChunkedArray& ticks) {
  std::vector<std::int64_t> values;
  values.reserve(static_cast<std::size_t>(ticks.length()));
  for (const auto& chunk : ticks.chunks()) {
    const auto& array = static_cast<const arrow::Int64Array&>(*chunk);
    for (std::int64_t i = 0; i < array.length(); ++i) values.push_back(array.IsNull(i) ? 0 : array.Value(i));
  }
  return values;
}

struct SortedBatch {
  std::vector<arrow::ArrayVector> good;  // chunks by column
  std::shared_ptr<arrow::Table> bad;
};

}  // namespace

SortedRows sort_rows(const arrow::Table& frame, const arrow::ChunkedArray& ticks, const BrokenRules& broken,
                     const std::string& table, std::size_t threads) {
  const std::vector<std::int32_t> first = first_rules(frame.num_rows(), broken);
  const std::vector<std::int64_t> tick_of = values_of(ticks);
  arrow::TableBatchReader reader(frame);
  reader.set_chunksize(kBatchRows);
  const auto batches = check(reader.ToRecordBatches(), ErrorCode::wrong_type);
  std::vector<std::size_t> begins;
  std::size_t begin = 0;
  for (const auto& batch : batches) {
    begins.push_back(begin);
    begin += static_cast<std::size_t>(batch->num_rows());
  }
  std::vector<SortedBatch> sorted(batches.size());
  in_parallel(threads, batches.size(), [&](std::size_t b) {
    std::vector<std::int64_t> good;
    BadRows bad(table);
    for (std::int64_t i = 0; i < batches[b]->num_rows(); ++i) {
      const std::size_t row = begins[b] + static_cast<std::size_t>(i);
      if (first[row] < 0)
        good.push_back(i);
      else
        bad.add(tick_of[row], broken[static_cast<std::size_t>(first[row])], row_of(*batches[b], i));
    }
    sorted[b] = {take_rows(*batches[b], good), bad.finish()};
  });

  SortedRows result;
  std::vector<std::shared_ptr<arrow::Table>> bad;
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
  for (const SortedBatch& batch : sorted) bad.push_back(batch.bad);
  for (int c = 0; c < frame.num_columns(); ++c) {
    arrow::ArrayVector chunks;
    for (const SortedBatch& batch : sorted) {
      const arrow::ArrayVector& some = batch.good[static_cast<std::size_t>(c)];
      chunks.insert(chunks.end(), some.begin(), some.end());
    }
    columns.push_back(
        std::make_shared<arrow::ChunkedArray>(std::move(chunks), frame.schema()->field(c)->type()));
  }
  result.bad = check(arrow::ConcatenateTables(bad), ErrorCode::wrong_type);
  const std::int64_t good_rows = frame.num_rows() - result.bad->num_rows();
  result.good = arrow::Table::Make(frame.schema(), std::move(columns), good_rows);
  return result;
}

}  // namespace crv::io
