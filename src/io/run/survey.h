// What lies in a run's folders, whatever its log and manifests say: for rebuild and verify.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "crv/io/options.h"
#include "io/part/part.h"
#include "io/run/run.h"

namespace crv::io {

struct FoundPart {
  std::string table;
  std::int64_t bucket = 0;
  std::string file, path;
  std::optional<PartFacts> facts;  // nothing: it is damaged, or the disk failed
  std::string error;               // why
  std::exception_ptr failure;      // the error of a disk that failed: whether the part is sound is not known
  bool foreign = false;            // of another table, run or bucket, or of none that it names
  bool unnamed = false;            // foreign only in that it names none: write_manifest takes such parts
};

struct Survey {
  std::vector<FoundPart> parts;      // by table, bucket, file
  std::vector<std::string> strange;  // files and folders that are not crv's, below root_dir
};

// Looks into every folder of the tables and at every part's footer. A part that goes meanwhile is none.
// `bucket_size`: 0 where it is not known.
Survey survey(Run& run, const std::vector<std::string>& tables, std::int64_t bucket_size,
              const Progress& progress);

// Names of the canonical tables that have a folder, with a manifest or without.
std::vector<std::string> table_folders(Run& run);
// Throws run_damaged where what should be the folder of a table is none: a disk may not be mounted.
void require_folders(Run& run);

}  // namespace crv::io
