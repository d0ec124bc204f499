// Rows of Arrow batches as JSON: for JSON lines, for cells of CSV, for tests.
//
// Integers are integers, floats doubles, text text (a byte that is no UTF-8 as "\xe9"), bools bools, null
// null; structs objects, lists and maps arrays (a map's of objects with key and value). Dictionaries are what
// they hold. Dates, times and timestamps are ISO 8601 text ("2025-09-20", "10:15:00.000250",
// "2025-09-20T10:15:00.000250", with a final "Z" where the type has a time zone: the text is UTC then),
// durations integers in the type's unit, decimals text, binary base64. A struct of nothing but "_empty" is
// {}.
#pragma once

#include <cstdint>
#include <vector>

#include <arrow/type_fwd.h>

#include "crv/core/json.h"

namespace crv::io {

Json cell_to_json(const arrow::Array& column, std::int64_t row);

// Rows [begin, end) of a batch, clipped to the rows there are; each with every column, nulls included.
std::vector<JsonObject> rows_to_json(const arrow::RecordBatch& batch, std::int64_t begin = 0,
                                     std::int64_t end = INT64_MAX);
std::vector<JsonObject> rows_to_json(const arrow::Table& table);

}  // namespace crv::io
