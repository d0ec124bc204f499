// Columns of the user's own tables whose types the canonical tables do not have: declared lists, structs,
// moments, bools, and columns that were inferred from rows.
#pragma once

#include <functional>

#include <arrow/type_fwd.h>

#include "crv/core/descriptor.h"
#include "io/arrow/place.h"
#include "io/conform/normalize.h"
#include "io/schema/types.h"

namespace crv::io {

// What a definition tells of the type of an inferred column: its kind. What is inside of it, the schemas of the
// log tell.
Type outline_of(const Type& type);

// As normalize(), to the type that the column declares; `held` (may be nullptr) is what the run remembers of it.
// Moments in any zone become those moments in the declared zone and unit. Throws IoSchemaError: wrong_type or
// unknown_column with the path where the values are not of that type, lossy_cast, and what normalize() throws.
Normalized conform_declared(const core::ColumnDescriptor& column, const arrow::ChunkedArray& given,
                            const Place& place, const Type* held);

// Refuses each list that has not as many elements as the column's rule says.
void check_lengths(const core::ColumnDescriptor& column, const arrow::ChunkedArray& lists,
                   const Place& place);

// Calls `found` for each value that stands further up in the column already. Int64, double and text.
void find_repeated(const arrow::ChunkedArray& values,
                   const std::function<void(std::size_t chunk, std::int64_t i)>& found);

}  // namespace crv::io
