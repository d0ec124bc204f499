#include "io/arrow/place.h"

#include <utility>

#include <arrow/array.h>
#include <arrow/chunked_array.h>

#include "core/utf8.h"
#include "crv/core/shown.h"
#include "crv/io/json_rows.h"

namespace crv::io {

namespace {

// `table "t", column "c", row 7`, without a table that is not known.
std::string shown(const ErrorFacts& cell) {
  const std::string table = cell.table.empty() ? "" : "table \"" + cell.table + "\", ";
  return table + "column \"" + cell.column + "\", row " + std::to_string(cell.row.value_or(0));
}

}  // namespace

Place::Place(std::string table, const std::string& column, const arrow::ChunkedArray& values)
    : table_(std::move(table)), path_(as_utf8(column)) {
  std::int64_t row = 0;
  for (const auto& chunk : values.chunks()) {
    first_rows_.push_back(row);
    row += chunk->length();
  }
}

Place Place::field(const std::string& name) const {
  Place place;
  place.table_ = table_;
  place.path_ = path_ + "." + as_utf8(name);
  place.parent_ = this;
  place.listener_ = listener_;
  place.depth_ = depth_ + 1;
  return place;
}

Place Place::element(Outward outward) const {
  Place place;
  place.table_ = table_;
  place.path_ = path_ + "[]";
  place.parent_ = this;
  place.listener_ = listener_;
  place.depth_ = depth_ + 1;
  place.outward_ = std::move(outward);
  return place;
}

std::int64_t Place::row_of(std::size_t chunk, std::int64_t index) const {
  if (!parent_) return first_rows_.at(chunk) + index;
  return parent_->row_of(chunk, outward_ ? outward_(chunk, index) : index);
}

ErrorFacts Place::facts() const {
  ErrorFacts facts;
  facts.table = table_;
  facts.column = path_;
  return facts;
}

void Place::fail(ErrorCode code, const std::string& why) const {
  raise(report_as_code_ ? code_ : code, "table \"" + table_ + "\", column \"" + path_ + "\": " + why,
        facts());
}

void Place::fail_at(ErrorCode code, const arrow::Array& chunk_values, std::size_t chunk, std::int64_t index,
                    const std::string& why) const {
  fail_at(code, row_of(chunk, index), text_of(cell_to_json(chunk_values, index)), why);
}

void Place::refuse_at(ErrorCode code, const arrow::Array& chunk_values, std::size_t chunk, std::int64_t index,
                      const std::string& why) const {
  if (!listener_) fail_at(code, chunk_values, chunk, index, why);
  (*listener_)({report_as_code_ ? code_ : code, path_, row_of(chunk, index), why,
                [&] { return text_of(cell_to_json(chunk_values, index)); }});
}

void Place::fail_at(ErrorCode code, std::int64_t row, const std::string& value,
                    const std::string& why) const {
  ErrorFacts where = facts();
  where.row = row;
  where.value = value;
  refuse(report_as_code_ ? code_ : code, where, why);
}

void refuse(ErrorCode code, const ErrorFacts& cell, const std::string& why) {
  raise(code, shown(cell) + ", value " + (cell.value.empty() ? "\"\"" : cell.value) + ": " + why, cell);
}

void refuse_bytes(ErrorFacts cell, std::string_view text) {
  cell.value = shortened(text);
  raise(ErrorCode::wrong_type, shown(cell) + ": this text is not UTF-8", cell);
}

std::string text_of(const Json& value) {
  const auto* text = value.get_if<std::string>();
  return shortened(text != nullptr ? *text : write_json(value, {.any_bytes = true}));
}

}  // namespace crv::io
