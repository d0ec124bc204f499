// The elements of a column of lists of structs, as values to check.
#pragma once

#include <functional>

#include <arrow/type_fwd.h>

#include "io/rules/cell_checks.h"
#include "io/schema/element_fields.h"

namespace crv::io {

// Whether a column of this type can hold the field.
bool takes(const ElementField& field, const arrow::DataType& type);

// Calls `then` with the elements of a list or large_list of structs, or with one of their fields; `field` -1:
// the elements themselves. What stands below a null, or outside of any list, does not count.
void with_elements(const arrow::Array& lists, int field, const std::function<void(const Cells&)>& then);

}  // namespace crv::io
