// Reads the text of a manifest, whoever wrote it, straight into a table's state. One that crv wrote is read
// by manifest_stream, which is quicker, but for what stands around its parts.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "io/log/checked_json.h"
#include "io/log/table_state.h"

namespace crv::io {

// Throws what `origin` says where the text is no sound manifest. `ours`: else the older package wrote it.
TableState read_manifest(std::string_view text, bool ours, const Origin& origin);

// Of a manifest of crv's own whose parts were taken out of its text: the rest, and the number of parts that
// it tells; nothing where it tells none.
struct ManifestHead {
  TableState state;
  std::optional<std::int64_t> part_count;
};
ManifestHead read_manifest_head(std::string_view text, const Origin& origin);

}  // namespace crv::io
