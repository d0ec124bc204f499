#include "io/csv_cells.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include <arrow/api.h>

#include "crv/core/error.h"
#include "crv/core/json.h"
#include "io/arrow_types.h"
#include "io/json_column.h"

namespace crv::io {
namespace {

using Chunked = std::shared_ptr<arrow::ChunkedArray>;

// Calls visit(row, cell) for each cell, nothing for a null, until it returns false. True if it never did.
template <class Visit>
bool each_cell(const arrow::ChunkedArray& cells, Visit visit) {
  std::int64_t row = 0;
  for (const auto& chunk : cells.chunks()) {
    const auto& text = static_cast<const arrow::StringArray&>(*chunk);
    for (std::int64_t i = 0; i < text.length(); ++i, ++row) {
      const bool go_on = text.IsNull(i) ? visit(row, std::optional<std::string_view>())
                                        : visit(row, std::optional<std::string_view>(text.GetView(i)));
      if (!go_on) {
        return false;
      }
    }
  }
  return true;
}

Chunked one_chunk(arrow::ArrayBuilder& builder) {
  return std::make_shared<arrow::ChunkedArray>(check(builder.Finish(), ErrorCode::read_failed));
}

bool is_null_or_empty(const std::optional<std::string_view>& cell) {
  return !cell || cell->empty();
}

// An integer as JSON writes it: "007" and "+7" are labels, not numbers.
bool looks_integral(std::string_view cell) {
  if (cell.starts_with('-')) {
    cell.remove_prefix(1);
  }
  return !cell.empty() && cell.find_first_not_of("0123456789") == std::string_view::npos &&
         (cell.size() == 1 || cell.front() != '0');
}

std::optional<std::int64_t> parse_integer(std::string_view cell) {
  std::int64_t value = 0;
  const auto* end = cell.data() + cell.size();
  if (!looks_integral(cell)) {
    return std::nullopt;
  }
  const auto parsed = std::from_chars(cell.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(value) : std::nullopt;
}

constexpr std::int64_t kExactIntegers = std::int64_t{1} << 53;  // a double holds each integer up to this one

std::optional<double> parse_number(std::string_view cell) {
  if (cell == "nan" || cell == "inf" || cell == "-inf") {
    return cell == "nan" ? std::nan("") : cell == "inf" ? HUGE_VAL : -HUGE_VAL;
  }
  if (looks_integral(cell)) {
    const auto integer = parse_integer(cell);
    const bool exact = integer && *integer >= -kExactIntegers && *integer <= kExactIntegers;
    return exact ? std::optional(static_cast<double>(*integer)) : std::nullopt;
  }
  const auto digit = cell.find_first_not_of('-');
  if (digit > 1 || cell[digit] < '0' || cell[digit] > '9') {
    return std::nullopt;
  }
  const bool padded =
      cell[digit] == '0' && digit + 1 < cell.size() && cell[digit + 1] >= '0' && cell[digit + 1] <= '9';
  double value = 0;
  const auto* end = cell.data() + cell.size();
  const auto parsed = std::from_chars(cell.data(), end, value);
  return !padded && parsed.ec == std::errc() && parsed.ptr == end ? std::optional(value) : std::nullopt;
}

// The column as numbers; nullptr where a cell is none.
template <class Builder, class Parse>
Chunked numbers(const arrow::ChunkedArray& cells, Parse parse) {
  Builder builder;
  check(builder.Reserve(cells.length()), ErrorCode::read_failed);
  const bool all = each_cell(cells, [&](std::int64_t, const std::optional<std::string_view>& cell) {
    if (is_null_or_empty(cell)) {
      builder.UnsafeAppendNull();
      return true;
    }
    const auto value = parse(*cell);
    if (value) {
      builder.UnsafeAppend(*value);
    }
    return value.has_value();
  });
  return all ? one_chunk(builder) : nullptr;
}

Chunked guess(const Chunked& cells) {
  if (cells->null_count() == cells->length()) {
    return std::make_shared<arrow::ChunkedArray>(std::make_shared<arrow::NullArray>(cells->length()));
  }
  if (each_cell(*cells, [](std::int64_t, const auto& cell) { return is_null_or_empty(cell); })) {
    return cells;
  }
  if (auto integers = numbers<arrow::Int64Builder>(*cells, parse_integer)) {
    return integers;
  }
  if (auto floats = numbers<arrow::DoubleBuilder>(*cells, parse_number)) {
    return floats;
  }
  return cells;
}

Json parse_cell(std::string_view text, const std::string& column, std::int64_t row) {
  try {
    return parse_json(text);
  } catch (const Error& error) {
    ErrorFacts facts;
    facts.column = column;
    facts.row = row;
    facts.value = std::string(text.substr(0, 200));
    raise(error.code(),
          "column " + column + ", row " + std::to_string(row) + ": the cell is not JSON: " + error.what(),
          facts);
  }
}

Chunked json_cells(const arrow::ChunkedArray& cells, const std::string& name) {
  JsonColumn column(name);
  each_cell(cells, [&](std::int64_t row, const std::optional<std::string_view>& cell) {
    if (!is_null_or_empty(cell)) {
      column.append(row, parse_cell(*cell, name, row), row);
    }
    return true;
  });
  return std::make_shared<arrow::ChunkedArray>(column.finish(cells.length()));
}

Chunked without_empty(const Chunked& cells) {
  if (!each_cell(*cells, [](std::int64_t, const auto& cell) { return !cell || !cell->empty(); })) {
    arrow::StringBuilder builder;
    each_cell(*cells, [&](std::int64_t, const auto& cell) {
      check(is_null_or_empty(cell) ? builder.AppendNull() : builder.Append(*cell), ErrorCode::read_failed);
      return true;
    });
    return one_chunk(builder);
  }
  return cells;
}

}  // namespace

Chunked cells_to_column(const Chunked& cells, const core::ColumnDescriptor* column, const std::string& name) {
  if (column == nullptr) {
    return guess(cells);
  }
  switch (column->dtype) {
    case core::DType::str:
      return cells;
    case core::DType::i64:
      return without_empty(cells);
    case core::DType::f64:
      if (auto floats = numbers<arrow::DoubleBuilder>(*cells, parse_number)) {
        return floats;
      }
      return without_empty(cells);
    case core::DType::structure:
    case core::DType::list_of_structures:
      return json_cells(*cells, name);
  }
  return cells;
}

}  // namespace crv::io
