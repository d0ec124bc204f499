// Reads the text of a manifest straight into a table's state: one of 10,000 parts has six megabytes, and
// every new process that appends or scans reads it.
#pragma once

#include <string_view>

#include "io/checked_json.h"
#include "io/table_state.h"

namespace crv::io {

// Throws what `origin` says where the text is no sound manifest. `ours`: else the older package wrote it.
TableState read_manifest(std::string_view text, bool ours, const Origin& origin);

}  // namespace crv::io
