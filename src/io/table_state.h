// A table at one point of the log: its manifest and the commits after it, folded together. No I/O.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "crv/io/manifest.h"
#include "io/commit.h"
#include "io/types.h"

namespace crv::io {

struct SeenSchema {
  std::string id;
  std::int64_t seq = 0;  // the commit that brought it
  Columns columns;
};

class TableState {
 public:
  explicit TableState(std::string name) : table(std::move(name)) {}

  std::string table;
  std::string created_at, updated_at;
  // The commit up to which everything is folded in, and its id ("" at 0).
  std::int64_t position = 0;
  std::string position_id;
  // What manifest.json on disk was last known to be folded to; -1: the older package wrote it.
  std::int64_t manifest_position = 0;

  // Folds in the next commit, whether it names the table or not.
  void apply(const Commit& commit);
  // Adding a part that is there already only fills in what was not known of it.
  void add(PartRecord part);
  void remove(const PartName& part);
  void learn(const SeenSchema& schema);

  bool holds(const std::string& part_file) const { return names_.contains(part_file); }
  const PartRecord* find(std::int64_t bucket,
                         std::string_view part_file) const;  // nullptr where there is none
  // Named by a gc: nobody may commit it any more.
  bool is_condemned(const std::string& part_file) const { return condemned_.contains(part_file); }
  bool knows_schema(std::string_view id) const;
  const std::map<std::int64_t, std::vector<PartRecord>>& buckets() const { return buckets_; }
  const std::vector<SeenSchema>& schemas() const { return schemas_; }
  // Least types that hold all schemas so far. Parts of the older package count once they have been looked at.
  const Columns& columns() const { return columns_; }
  // Where the parts of the older package do not meet; each says so when it is read.
  const std::vector<TypeConflict>& conflicts() const { return conflicts_; }
  // The first commit whose schema holds `path` with a type of its own; 0 where none does.
  std::int64_t first_commit_of(std::string_view path) const;
  std::int64_t parts() const { return parts_; }
  // Parts without a schema: of the older package, not looked at yet.
  std::int64_t unknown_parts() const { return unknown_parts_; }

  TableManifest manifest() const;

 private:
  std::map<std::int64_t, std::vector<PartRecord>> buckets_;
  std::unordered_set<std::string> names_, condemned_;
  std::vector<SeenSchema> schemas_;
  Columns columns_;
  std::vector<TypeConflict> conflicts_;
  std::int64_t parts_ = 0, unknown_parts_ = 0;
};

}  // namespace crv::io
