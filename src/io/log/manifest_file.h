// The text of manifest.json (docs/format.md): the contract's object, and what crv adds to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/log/table_state.h"
#include "io/storage/storage.h"

namespace crv::io {

std::string encode_manifest(const TableState& state);

// Throws IoManifestError (manifest_damaged, format_too_new). One without last_seq is of the older package:
// its parts carry neither checksum nor schema, and manifest_position is -1.
TableState decode_manifest(std::string_view text, const std::string& table, const std::string& path);

// The same from the storage, quickly where crv wrote it: see manifest_stream. Each part must lie in its
// bucket of `bucket_size` ticks.
TableState open_manifest(Reader& file, const std::string& table, const std::string& path,
                         std::int64_t bucket_size);

}  // namespace crv::io
