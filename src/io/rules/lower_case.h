// Text columns in lower case.
#pragma once

#include <memory>

#include <arrow/type_fwd.h>

namespace crv::io {

// The table with the ASCII letters of a text column in lower case. A string_view column becomes large_utf8.
std::shared_ptr<arrow::Table> with_lower_case(const std::shared_ptr<arrow::Table>& table, int column);

}  // namespace crv::io
