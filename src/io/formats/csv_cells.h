// What the cells of a CSV column mean. A CSV reader knows text only; the table, or the cells themselves, say
// the rest.
#pragma once

#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "crv/core/descriptor.h"
#include "io/schema/types.h"

namespace crv::io {

// `cells` is a column of text. A column of the table (`column` not null) that holds text stays as it is. One
// of integers or floats stays text where a cell is no such number, for conform casts that strictly; 2.0 and
// 1e3 are integers, nan, inf and infinity in any case are floats. One of bools has true and false; one of
// moments and other types stays text, which conform reads as what is declared. One of structs or lists is read as JSON;
// `declared` as JsonColumn has it. Any other column becomes int64 if every cell is an integer, else float64
// if every cell is a number that a double holds without loss, else text; null if no cell has a value. Where
// the column holds no text, an empty quoted cell is null. Throws SchemaError (bad_json) with column and row.
std::shared_ptr<arrow::ChunkedArray> cells_to_column(const std::shared_ptr<arrow::ChunkedArray>& cells,
                                                     const core::ColumnDescriptor* column,
                                                     const std::string& name, const Type* declared = nullptr);

}  // namespace crv::io
