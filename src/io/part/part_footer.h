// The footer keys of a part, as they stand in Parquet's key-value metadata.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <arrow/type_fwd.h>

#include "io/part/part.h"

namespace crv::io {

// crv's keys in the order of docs/format.md, then ARROW:schema, which tells Arrow's readers of `stored`:
// plain types, unlike the one that Parquet's writer would make from the caller's.
std::shared_ptr<const arrow::KeyValueMetadata> footer_keys(const PartFooter& footer,
                                                           const arrow::Schema& stored);

// What the keys say, but for `columns` and `definition`. A null `keys` is a file without any. Throws IoReadError
// (part_damaged) for keys whose text is not what crv writes.
PartFooter parse_footer_keys(const arrow::KeyValueMetadata* keys, const std::string& path);
// crv_columns; nothing where the file has none.
std::optional<Columns> parse_footer_columns(const arrow::KeyValueMetadata* keys, const std::string& path);
// crv_definition; nullptr where the file has none.
Definition parse_footer_definition(const arrow::KeyValueMetadata* keys, const std::string& path);

}  // namespace crv::io
