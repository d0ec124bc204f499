// Sole owner of names on disk: each one that crv writes is made here, each one read from disk is checked
// here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "io/base/hex.h"

namespace crv::io {

// Joins with one '/', as os.path.join does: a part that begins with '/' starts anew.
std::string join(std::string_view a, std::string_view b);
std::string parent_of(std::string_view path);  // "" where there is no '/'
std::string base_name_of(std::string_view path);

// The laxer rule by which a Dataset takes a run id: UTF-8, not empty, not "." or "..", no '/' or '\', no
// control character. Throws IoArgumentError (bad_run_id).
void check_run_id(std::string_view run_id);

// All names of one run. A plain value; nothing is touched on disk. A table, file or label that is not the
// name of one thing in a folder, and a number out of range, are IoArgumentError (bad_argument).
class RunPaths {
 public:
  RunPaths(std::string root_dir, std::string run_id);  // checks the run id

  const std::string& root_dir() const { return root_dir_; }
  const std::string& run_id() const { return run_id_; }
  const std::string& run() const { return run_; }  // <root>/runs/<run_id>
  std::string run_json() const;
  std::string bundle_manifest() const;
  std::string log() const;
  std::string commit(std::int64_t seq) const;                     // log/<20 digits>.json
  std::string fold(std::int64_t first, std::int64_t last) const;  // log/<first>-<last>.jsonl, 20 digits each
  std::string tables() const;
  std::string table(std::string_view table) const;
  std::string manifest(std::string_view table) const;
  std::string bucket(std::string_view table, std::int64_t bucket) const;
  std::string part(std::string_view table, std::int64_t bucket, std::string_view file) const;
  std::string artifacts() const;
  std::string aside(std::string_view label) const;  // aside/<label>: what a rebuild replaced

 private:
  std::string root_dir_, run_id_, run_;
};

std::string runs_root(std::string_view root_dir);                        // <root>/runs
std::string bucket_key(std::int64_t bucket);                             // "000123": at least six digits
std::string part_file(std::string_view id);                              // part-<id>.parquet
std::string_view part_id(std::string_view name);                         // the other way; "" of another name
std::string temporary_name(std::string_view name, std::string_view id);  // .<name>.<id>.tmp

bool is_temporary_name(std::string_view name);  // exactly .<name>.<32 hex>.tmp
bool is_part_file(std::string_view name);       // exactly part-<32 hex>.parquet
// These take the canonical form only: "bucket=000123", not "bucket=123".
std::optional<std::int64_t> parse_bucket_folder(std::string_view name);
std::optional<std::int64_t> parse_bucket_key(std::string_view key);
std::optional<std::int64_t> parse_commit_file(std::string_view name);
struct FoldRange {
  std::int64_t first = 0, last = 0;
};
std::optional<FoldRange> parse_fold_file(std::string_view name);

// The contract's helpers. IoArgumentError if bucket_size <= 0 or tick < 0.
std::int64_t bucket_id_for_tick(std::int64_t tick, std::int64_t bucket_size);
// First and last tick of a bucket from 0 on; the largest number where they would be beyond it.
struct BucketTicks {
  std::int64_t first = 0, last = 0;
};
BucketTicks ticks_of_bucket(std::int64_t bucket, std::int64_t bucket_size);
// Whether all ticks from `first` to `last`, numbers that nobody has checked yet, belong to that bucket.
inline bool lie_in_bucket(std::int64_t first, std::int64_t last, std::int64_t bucket,
                          std::int64_t bucket_size) {
  return first >= 0 && first / bucket_size == bucket && last / bucket_size == bucket;
}
std::string validate_run_id(std::string_view run_id);   // letters, digits, . _ : - and neither "." nor ".."
std::string normalize_run_id(std::string_view run_id);  // trims, spaces to '_', then as above

}  // namespace crv::io
