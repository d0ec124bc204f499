// What the catalog declares of a table's paths: the types of its columns, and where text stands in the fields
// of list elements.
#pragma once

#include <string_view>

#include "crv/core/descriptor.h"
#include "io/schema/types.h"

namespace crv::io {

// A struct of the table's columns; what is open is left out or Kind::null.
Type declared_types(const core::TableDescriptor& table);

}  // namespace crv::io
