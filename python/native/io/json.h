// JSON values and Python objects.
#pragma once

#include <cstdint>
#include <string>

#include <nanobind/nanobind.h>

#include "crv/core/json.h"
#include "io/types.h"

namespace crv::python {

nanobind::object to_python(const Json& value);
// None, bool, int, float, str, list, tuple, and a mapping with str keys; also numbers and arrays of NumPy,
// decimals, and what else has __index__ or __float__, where that holds it exactly. Throws TypeError for
// anything else, naming it.
Json from_python(nanobind::handle value);
JsonObject object_from_python(nanobind::handle mapping);

// A cell of a row. `declared` (may be nullptr): what the table says of it, see declared.h; a decimal becomes
// a number or text as number_text.h says. Throws IoSchemaError with path and row: wrong_type, lossy_cast.
Json cell_from_python(nanobind::handle value, const io::Type* declared, const std::string& column,
                      std::int64_t row);

}  // namespace crv::python
