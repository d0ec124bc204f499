// Files that belong to a run but to none of its tables: <run>/artifacts/lab/<subdir>/.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "crv/io/settings.h"

namespace crv::io {

struct FileStat {
  std::string path;
  std::int64_t bytes = 0;  // 0 where there is no such file
  std::string created_at;  // time of this call, ISO 8601, UTC
  std::int64_t rows = 0;   // only of a frame that was written
};

// <run>/artifacts. No I/O.
std::string artifacts_root(const IoSettings& settings, const std::string& run_id);
// <run>/artifacts/lab/<subdir>, made where it is missing. subdir: tidy, probes, policy or audit, else
// IoArgumentError.
std::string lab_dir(const IoSettings& settings, const std::string& run_id, const std::string& subdir);
FileStat file_stat(const std::string& path);
// Whole or absent, and durable when they return. Folders on the way are made. Throws IoWriteError.
FileStat write_text_atomic(const std::string& path, const std::string& text);
FileStat write_parquet_atomic(const std::string& path, const arrow::Table& table);

}  // namespace crv::io
