// Between Arrow's types and crv's, and from one shape of a column to another.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "crv/core/error.h"
#include "io/schema/types.h"

namespace crv::io {

// Arrow's Result and Status become crv errors here and nowhere else. A status made by status_of() throws what
// it carries, as it was. Otherwise `code` is thrown, with errno where the status has one; a part_damaged with
// an errno is a read_failed, since then it was the disk. Path and column of `facts` stand in the message.
void check(const arrow::Status& status, ErrorCode code, const ErrorFacts& facts = {});
template <class T>
T check(arrow::Result<T> result, ErrorCode code, const ErrorFacts& facts = {}) {
  if (!result.ok()) check(result.status(), code, facts);
  return std::move(result).MoveValueUnsafe();
}

// A failed status that takes an exception through Arrow, to check() on the other side or to a reader's
// caller.
arrow::Status status_of(std::exception_ptr error);
// The exception that a status of status_of() carries; null for any other.
std::exception_ptr exception_of(const arrow::Status& status);

// Makes Arrow's compute functions known to it. To be called before any of them is; cheap after the first
// time.
void ensure_compute();

// The Arrow type that a scan yields for a type: int64, double, utf8, bool, list, struct, all of them
// nullable; list elements are called "element". Kind::null: arrow null(). Throws IoManifestError
// (log_damaged) for the text of an `other` that no from_arrow() makes.
std::shared_ptr<arrow::DataType> to_arrow(const Type& type);
std::shared_ptr<arrow::Schema> to_arrow(const Columns& columns);

// The type of an Arrow type: any integer i64, any float f64, any text str, any list and a map (of structs of
// key and value) a list; a dictionary or extension is what it holds. A struct of nothing but "_empty" has no
// fields. Others have one name for each way of storing them: timestamp[s] is timestamp[ms], date64 is date32,
// large_binary is binary, a decimal goes by its precision. Throws IoSchemaError: wrong_type for what Parquet
// cannot hold or what is nested too deep, duplicate_column for a name that stands twice.
Type from_arrow(const arrow::DataType& type, const std::string& path);
Columns from_arrow(const arrow::Schema& schema);

// `array` in the shape of `type`, as exactly to_arrow(type): fields that are missing are null, those not
// asked for are dropped ("_empty", too), integers are widened to f64 as they are, null arrays are typed, and
// so are the null structs that stand for list elements of unknown type; dictionaries decoded. Shares the
// buffers of what has the right shape already. A null stays null, and a struct that is none stays none.
// Throws IoReadError (part_damaged) with `facts` where array and type do not meet.
std::shared_ptr<arrow::Array> adapt(const std::shared_ptr<arrow::Array>& array, const Type& type,
                                    const ErrorFacts& facts = {});

}  // namespace crv::io
