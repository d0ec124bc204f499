// Rows become parts: on disk and durable, but not yet committed.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "crv/io/options.h"
#include "crv/io/token.h"
#include "io/conform/conform.h"
#include "io/log/commit.h"
#include "io/run/run.h"

namespace crv::io {

// The rows of one table, and the parts that they became: one a bucket, in the buckets' order.
struct TableParts {
  Table table;
  Conformed rows;
  std::vector<PartRecord> parts;  // once written
};

// Writes the parts of one commit. One object may write several times: what a commit was refused for is
// removed, and written again as it must be then. Not for several threads at once.
class PartsWriter {
 public:
  // `progress` may be empty, and must outlive this.
  PartsWriter(Run& run, const Progress& progress) : run_(run), progress_(progress) {}

  // Writes a part of each bucket of each of `tables`, in parallel, for the commit with that id. All of them
  // are durable when this returns: their bytes, their names and the folders that hold these. On failure,
  // whatever `progress` throws included, none is left.
  void write(std::span<TableParts> tables, const std::string& commit_id, const std::optional<Token>& token);
  // What was written is no part of anything. A file that cannot be removed stays, uncommitted, with a
  // warning.
  void remove(std::span<TableParts> tables) noexcept;
  // The commit stands: the buckets' folders need not be synced again.
  void trust_folders();

 private:
  struct Work {
    TableParts* table = nullptr;
    std::size_t bucket = 0;  // its index
  };
  void plan(TableParts& table, std::size_t bucket);
  void make_folders(std::span<const TableParts> tables);
  void write_all(const std::vector<Work>& work, const std::string& commit_id,
                 const std::optional<Token>& token);
  void write_one(const Work& work, std::size_t count, const std::string& commit_id,
                 const std::optional<Token>& token);
  void sync_folders();
  std::string path_of(const TableParts& table, const PartRecord& part) const;

  Run& run_;
  const Progress& progress_;
  std::set<std::string> folders_;                  // of the buckets that were written to
  std::set<std::string> tables_with_new_buckets_;  // names
};

}  // namespace crv::io
