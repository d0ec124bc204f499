#include "io/formats/csv_cells.h"

#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/api.h>

#include "core/number_text.h"
#include "core/text.h"
#include "crv/core/error.h"
#include "crv/core/json.h"
#include "crv/core/shown.h"
#include "io/arrow/arrow_types.h"
#include "io/arrow/json_column.h"
#include "io/arrow/place.h"
#include "io/conform/cast.h"

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
      if (!go_on) return false;
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
  if (cell.starts_with('-')) cell.remove_prefix(1);
  return !cell.empty() && cell.find_first_not_of("0123456789") == std::string_view::npos &&
         (cell.size() == 1 || cell.front() != '0');
}

std::optional<std::int64_t> parse_integer(std::string_view cell) {
  return looks_integral(cell) ? core::parse_number<std::int64_t>(cell) : std::nullopt;
}

// "-0" is a number with a sign that no integer holds.
std::optional<std::int64_t> parse_guessed_integer(std::string_view cell) {
  return cell == "-0" ? std::nullopt : parse_integer(cell);
}

// An integer as frames have them: also as a decimal that is one, 2.0 or 1e3.
std::optional<std::int64_t> parse_table_integer(std::string_view cell) {
  if (cell.find_first_of(".eE") == std::string_view::npos) return parse_integer(cell);
  const auto number = core::parse_decimal(cell);
  return number ? core::to_i64(*number) : std::nullopt;
}

constexpr std::array<std::pair<std::string_view, double>, 3> kWords{{
    {"nan", std::numeric_limits<double>::quiet_NaN()},
    {"inf", std::numeric_limits<double>::infinity()},
    {"infinity", std::numeric_limits<double>::infinity()},
}};

std::optional<double> parse_word(std::string_view cell) {
  const bool negative = cell.starts_with('-');
  const auto lower = core::fold_case(cell.substr(negative ? 1 : 0));
  for (const auto& [word, value] : kWords)
    if (lower == word && !(negative && std::isnan(value))) return negative ? -value : value;
  return std::nullopt;
}

std::optional<double> parse_number(std::string_view cell) {
  if (const auto word = parse_word(cell)) return word;
  if (looks_integral(cell)) {
    const auto integer = parse_integer(cell);
    const bool exact = integer && *integer >= -core::kExactInF64 && *integer <= core::kExactInF64;
    const double value = exact ? static_cast<double>(*integer) : 0;
    return exact ? std::optional(cell == "-0" ? -0.0 : value) : std::nullopt;
  }
  const auto digit = cell.find_first_not_of('-');
  if (digit > 1 || cell[digit] < '0' || cell[digit] > '9') return std::nullopt;
  const bool padded =
      cell[digit] == '0' && digit + 1 < cell.size() && cell[digit + 1] >= '0' && cell[digit + 1] <= '9';
  return padded ? std::nullopt : core::parse_number<double>(cell);
}

// As crv writes it.
std::optional<bool> parse_bool(std::string_view cell) {
  return cell == "true" || cell == "false" ? std::optional(cell == "true") : std::nullopt;
}

// A word that a float column holds; as a label of a column that nobody knows only as crv, Python and JSON
// write it.
std::optional<double> parse_guessed_number(std::string_view cell) {
  const bool upper = cell.find_first_of("AIN") != std::string_view::npos;
  const bool known = cell == "NaN" || cell == "Infinity" || cell == "-Infinity";
  return upper && !known ? std::nullopt : parse_number(cell);
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
    if (value) builder.UnsafeAppend(*value);
    return value.has_value();
  });
  return all ? one_chunk(builder) : nullptr;
}

Chunked guess(const Chunked& cells) {
  if (cells->null_count() == cells->length())
    return std::make_shared<arrow::ChunkedArray>(std::make_shared<arrow::NullArray>(cells->length()));
  if (each_cell(*cells, [](std::int64_t, const auto& cell) { return is_null_or_empty(cell); })) return cells;
  if (auto integers = numbers<arrow::Int64Builder>(*cells, parse_guessed_integer)) return integers;
  if (auto floats = numbers<arrow::DoubleBuilder>(*cells, parse_guessed_number)) return floats;
  return cells;
}

Json parse_cell(std::string_view text, const std::string& column, std::int64_t row) {
  try {
    return parse_json(text, RepeatedKeys::refused);
  } catch (const Error& error) {
    const std::string& below = error.facts().column;
    ErrorFacts facts;
    facts.column = column + (below.empty() || below.starts_with('[') ? "" : ".") + below;
    facts.row = row;
    facts.value = shortened(text);
    raise(error.code(),
          "column " + column + ", row " + std::to_string(row) + ": " +
              (error.code() == ErrorCode::bad_json ? "the cell is not JSON: " : "") + error.what(),
          facts);
  }
}

Chunked json_cells(const arrow::ChunkedArray& cells, const std::string& name, const Type* declared) {
  JsonColumn column(name, declared);
  each_cell(cells, [&](std::int64_t row, const std::optional<std::string_view>& cell) {
    if (!is_null_or_empty(cell)) column.append(row, parse_cell(*cell, name, row), row);
    return true;
  });
  return std::make_shared<arrow::ChunkedArray>(column.finish(cells.length()));
}

// Text for the strict cast: nulls for empty cells, and integers as that takes them.
Chunked strict_text(const arrow::ChunkedArray& cells, bool integers) {
  arrow::StringBuilder builder;
  each_cell(cells, [&](std::int64_t, const std::optional<std::string_view>& cell) {
    const auto integer = integers && cell ? parse_table_integer(*cell) : std::nullopt;
    if (is_null_or_empty(cell))
      check(builder.AppendNull(), ErrorCode::read_failed);
    else
      check(builder.Append(integer ? std::to_string(*integer) : std::string(*cell)), ErrorCode::read_failed);
    return true;
  });
  return one_chunk(builder);
}

}  // namespace

Chunked cells_to_column(const Chunked& cells, const core::ColumnDescriptor* column, const std::string& name,
                        const Type* declared) {
  if (!column) return guess(cells);
  using Kind = core::Type::Kind;
  switch (column->type.kind) {
    case Kind::i64:
      if (auto integers = numbers<arrow::Int64Builder>(*cells, parse_table_integer)) return integers;
      return strict_text(*cells, true);
    case Kind::f64:
      if (auto floats = numbers<arrow::DoubleBuilder>(*cells, parse_number)) return floats;
      return strict_text(*cells, false);
    case Kind::boolean:
      if (auto bools = numbers<arrow::BooleanBuilder>(*cells, parse_bool)) return bools;
      return strict_text(*cells, false);
    case Kind::other:
      return strict_text(*cells, false);
    case Kind::structure:
    case Kind::list:
      return json_cells(*cells, name, declared);
    default:
      return cells;
  }
}

}  // namespace crv::io
