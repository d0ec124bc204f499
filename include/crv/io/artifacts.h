// Files that belong to a run but to none of its tables: <run>/artifacts/lab/<subdir>/.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "crv/io/settings.h"

namespace crv::io {

struct FileStat {
  std::string path;
  std::int64_t bytes = 0;  // 0 where there is no such file
  std::string created_at;  // time of this call, ISO 8601, UTC
  std::int64_t rows = 0;   // only of a frame that was written
};

// The folders that a run's artifacts are sorted into.
inline constexpr std::array<std::string_view, 4> kLabSubdirs{"tidy", "probes", "policy", "audit"};

// <run>/artifacts. No I/O. Throws IoArgumentError (bad_run_id).
std::string artifacts_root(const IoSettings& settings, const std::string& run_id);
// <run>/artifacts/lab/<subdir>, made where it is missing. A subdir that is none of kLabSubdirs is an
// IoArgumentError.
std::string lab_dir(const IoSettings& settings, const std::string& run_id, const std::string& subdir);
// Throws IoReadError where the disk does not say.
FileStat file_stat(const std::string& path);
// Both make the folders on the way and put a whole new file there, whatever stood there. They return when it
// survives a power cut. After an IoWriteError the old file stands there, or the new one: whole, either way. A
// path that names no file is an IoArgumentError. `table` is written as Parquet (zstd), without any key of
// crv's.
FileStat write_text_atomic(const std::string& path, const std::string& text);
FileStat write_parquet_atomic(const std::string& path, const arrow::Table& table);

}  // namespace crv::io
