// One physical type per path: nested columns, and columns that no descriptor knows, in the form that parts
// hold.
#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "io/arrow/place.h"
#include "io/schema/types.h"

namespace crv::io {

struct Normalized {
  Type type;                                    // with paths of unknown type as Kind::null
  std::shared_ptr<arrow::ChunkedArray> values;  // nullptr where the type as a whole is unknown
};

// Integers become int64, floats double, text utf8 or large_utf8 (a column itself may stay string_view),
// dictionaries what they hold, lists of any kind and maps list or large_list; other types that Parquet holds
// go to their canonical form, moments with an offset to UTC. `held` (may be nullptr) is what the run
// remembers of the column: an integer path that is f64 there becomes double, decimals become numbers and
// integers decimals where the path holds such, as number_text.h says, a path without a value takes its type
// from there. `declared` (may be nullptr): paths where text is declared, see declared.h; numbers become text
// there, unless the run holds numbers. Buffers that fit are shared. Throws IoSchemaError: wrong_type,
// lossy_cast, type_conflict, reserved_name, duplicate_column.
Normalized normalize(const arrow::ChunkedArray& column, const Place& place, const Type* held,
                     const Type* declared = nullptr);

}  // namespace crv::io
