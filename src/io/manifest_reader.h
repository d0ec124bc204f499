// Reads the text of a manifest straight into a table's state: one of 10,000 parts has six megabytes, and
// every new process that appends or scans reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "io/checked_json.h"
#include "io/table_state.h"

namespace crv::io {

// Throws what `origin` says where the text is no sound manifest. `ours`: else the older package wrote it.
TableState read_manifest(std::string_view text, bool ours, const Origin& origin);

// The number of parts that the manifest names, whose text has no partitions: for one that is read in two
// steps. Nothing where it names none.
struct ManifestHead {
  TableState state;
  std::optional<std::int64_t> part_count;
};
ManifestHead read_manifest_head(std::string_view text, const Origin& origin);
// The parts of the text of `partitions`, an object, as crv writes it.
std::vector<PartRecord> read_partitions(std::string_view text, const Origin& origin);

}  // namespace crv::io
