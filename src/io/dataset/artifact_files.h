// Artifacts on a storage of the caller's.
#pragma once

#include <string>
#include <string_view>

#include "crv/io/artifacts.h"
#include "io/storage/storage.h"

namespace crv::io {

FileStat write_text_atomic(Storage& storage, const std::string& path, std::string_view text);
FileStat write_parquet_atomic(Storage& storage, const std::string& path, const arrow::Table& table);

}  // namespace crv::io
