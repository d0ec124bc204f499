// The text of manifest.json (docs/format.md): the contract's object, and what crv adds to it. No I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/table_state.h"

namespace crv::io {

std::string encode_manifest(const TableState& state);

// Throws IoManifestError (manifest_damaged, format_too_new). One without last_seq is of the older package:
// its parts carry neither checksum nor schema, and manifest_position is -1.
TableState decode_manifest(std::string_view text, const std::string& table, const std::string& path);

}  // namespace crv::io
