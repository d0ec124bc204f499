// manifest.json read as it comes from the storage, a piece at a time, straight into packed parts: whoever
// opens a run pays for the parts it names, but not for memory that holds the megabytes of their text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/log/part_list.h"
#include "io/storage/storage.h"

namespace crv::io {

struct StreamedManifest {
  std::string around;  // the text, with nothing in its partitions
  PartList list;
};

// Nothing where the text is not, byte for byte, of the form that encode_manifest() writes, sealed, and sound
// in all that it says of its parts; reading it as any JSON then tells what it is. Each part lies in its
// bucket of `bucket_size` ticks, and no name stands twice.
std::optional<StreamedManifest> stream_manifest(Reader& file, std::int64_t bucket_size);

}  // namespace crv::io
