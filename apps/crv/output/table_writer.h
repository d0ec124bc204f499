// The rows of a scan as a table for people: aligned, a header over it, long cells cut.
#pragma once

#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "crv/io/formats.h"

namespace crv::cli {

// By what name --format knows it, beside those of io::format_names().
inline constexpr const char* kTableFormat = "table";

// Writes to a file, or to standard output, as io::open_text does.
std::unique_ptr<io::BatchWriter> open_table(const std::string& path, const arrow::Schema& schema);

}  // namespace crv::cli
