// JSON values of Python objects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nanobind/nanobind.h>

#include "crv/core/json.h"
#include "io/schema/types.h"
#include "to_python.h"

namespace crv::python {

// None, bool, int, float, str, list, tuple, and a mapping with str keys; also numbers and arrays of NumPy,
// decimals, and what else has __index__ or __float__, where that holds it exactly. Throws TypeError for
// anything else, naming it: also for a text with a lone surrogate, unless `any_text` leaves that to whoever
// gets it, who must refuse what is not UTF-8.
Json from_python(nanobind::handle value, bool any_text = false);
JsonObject object_from_python(nanobind::handle mapping, bool any_text = false);

// The first of a column's values that is nested deeper than any part may hold, or holds itself: pyarrow,
// which makes an array of them, takes memory without end.
std::optional<std::int64_t> first_too_deep(const nanobind::list& values);

// A key of a row. Throws IoSchemaError (wrong_type) with column and row.
std::string column_name(nanobind::handle key, std::int64_t row);

// A cell of a row. `declared` (may be nullptr): what the table says of it, see declared.h; a decimal becomes
// a number or text as number_text.h says. Throws IoSchemaError with path and row: wrong_type, lossy_cast.
Json cell_from_python(nanobind::handle value, const io::Type* declared, const std::string& column,
                      std::int64_t row);

}  // namespace crv::python
