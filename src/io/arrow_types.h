// Between Arrow's types and crv's, and from one shape of a column to another.
#pragma once

#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "crv/core/error.h"
#include "io/types.h"

namespace crv::io {

// Arrow's Result and Status become crv errors here and nowhere else. `code` is used unless the status is one of I/O
// that carries an errno.
void check(const arrow::Status& status, ErrorCode code, const ErrorFacts& facts = {});
template <class T>
T check(arrow::Result<T> result, ErrorCode code, const ErrorFacts& facts = {});

// The Arrow type that a scan yields for a type: int64, double, utf8, bool, list, struct. Kind::null: arrow null().
std::shared_ptr<arrow::DataType> to_arrow(const Type& type);
std::shared_ptr<arrow::Schema> to_arrow(const Columns& columns);

// The type of a stored Arrow type: any integer i64, any float f64, any text or dictionary of text str; "_empty" is
// stripped. Throws IoSchemaError (wrong_type) for what Parquet cannot hold.
Type from_arrow(const arrow::DataType& type, const std::string& path);
Columns from_arrow(const arrow::Schema& schema);

// `array` in the shape of `type`, to_arrow(type): missing fields null, i64 widened to f64 as is, "_empty" stripped,
// null arrays typed. Throws IoReadError (part_damaged) where they do not meet.
std::shared_ptr<arrow::Array> adapt(const std::shared_ptr<arrow::Array>& array, const Type& type);

}  // namespace crv::io
