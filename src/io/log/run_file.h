// run.json: what holds for a whole run. Put once, never changed. No I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crv/io/settings.h"

namespace crv::io {

struct RunInfo {
  std::string run_id;
  std::string id;          // 32 hex digits, random; empty where 0.1 made the run
  std::string created_at;  // ISO 8601, UTC
  std::int64_t tick_bucket_size = 0;
  std::int64_t commits_per_fold = 1024;
  Durability durability = Durability::commit;
  std::string checksum;  // of run.json; empty where it was not read from disk

  // What the first commit names as `prev`: another run made under the same name has another.
  const std::string& identity() const { return id.empty() ? checksum : id; }
};

std::string encode_run(const RunInfo& info);
// Throws IoManifestError (run_damaged, format_too_new): also where it names another run than the one asked
// for.
RunInfo decode_run(std::string_view text, const std::string& path, const std::string& run_id);

}  // namespace crv::io
