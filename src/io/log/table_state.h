// A table at one point of the log: its manifest and the commits after it, folded together. No I/O.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "crv/io/manifest.h"
#include "io/log/commit.h"
#include "io/log/part_list.h"
#include "io/schema/types.h"

namespace crv::io {

struct SeenSchema {
  std::string id;
  std::int64_t seq = 0;  // the commit that brought it
  Columns columns;
};

// Names that are gone, each with its bucket and the commit up to which it was added, if ever.
struct GonePart {
  std::int64_t bucket = 0;
  std::int64_t seq = 0;
};
using GoneParts = std::unordered_map<std::string, GonePart>;

// Parts by bucket, in commit order, and by name.
struct PartSet {
  std::map<std::int64_t, std::vector<PartRecord>> buckets;
  std::unordered_set<std::string> names;
  std::int64_t count = 0;
  std::int64_t unknown = 0;  // without a schema

  void add(PartRecord part);
  void remove(const PartName& part);
  void apply(const TableChange& change, std::int64_t seq, const GoneParts& gone);
};

// A partition without its parts: ticks, rows and bytes over all of them.
PartitionMeta sums_of(std::int64_t bucket, const std::vector<PartRecord>& parts);

// Not for several threads at once, not even to look at: parts may be decoded when they are first asked for.
class TableState {
 public:
  explicit TableState(std::string name) : table(std::move(name)) {}

  std::string table;
  std::string created_at, updated_at;
  Definition definition;  // nullptr for built-in tables, and before the first commit that defines it
  // The commit up to which everything is folded in, and its id ("" at 0).
  std::int64_t position = 0;
  std::string position_id;
  std::int64_t format = 1;  // the highest of the commits up to there
  // What manifest.json on disk was last known to be folded to; -1: the older package wrote it.
  std::int64_t manifest_position = 0;

  // Folds in the next commit, whether it names the table or not. Throws log_damaged where it is another one.
  void apply(const Commit& commit);
  // Adding a part that is there already only fills in what was not known of it.
  void add(PartRecord part);
  void remove(const PartName& part);
  void learn(const SeenSchema& schema);
  // Takes in parts, all of known schema and no name twice, which stay packed until something asks for them as
  // records: neither an append nor a scan does. Only for a state that has none yet.
  void defer(std::shared_ptr<const PartList> parts);
  void load_parts() const { known_parts(); }
  // The parts to plan a scan from.
  std::shared_ptr<const PartList> list() const;

  bool holds(const std::string& part_file) const { return known_parts().names.contains(part_file); }
  const PartRecord* find(std::int64_t bucket,
                         std::string_view part_file) const;  // nullptr where there is none
  // All parts by file name; valid until the table changes. For those who look for many.
  std::unordered_map<std::string_view, const PartRecord*> parts_by_name() const;
  // Removed by a commit, or condemned by a gc: the name never comes back.
  bool is_gone(const std::string& part_file) const { return gone_.contains(part_file); }
  GoneNames gone() const;
  void set_gone(const GoneNames& names);  // of a manifest that is folded to `position`
  bool knows_schema(std::string_view id) const;
  const std::map<std::int64_t, std::vector<PartRecord>>& buckets() const { return known_parts().buckets; }
  const std::vector<SeenSchema>& schemas() const { return schemas_; }
  // Least types that hold all schemas so far. Parts of the older package count once they have been looked at.
  const Columns& columns() const { return columns_; }
  // Where the parts of the older package do not meet; each says so when it is read.
  const std::vector<TypeConflict>& conflicts() const { return conflicts_; }
  // The first commit whose schema holds `path` with a type of its own; 0 where none does.
  std::int64_t first_commit_of(std::string_view path) const;
  // May count a part twice that was added twice, until parts have been asked for.
  std::int64_t parts() const { return deferred_ ? deferred_->count : parts_.count; }
  // Parts without a schema: of the older package, not looked at yet.
  std::int64_t unknown_parts() const { return deferred_ ? 0 : parts_.unknown; }

  TableManifest manifest() const;

 private:
  struct Deferred {
    std::int64_t count = 0;
    std::shared_ptr<const PartList> parts;
    std::vector<std::pair<std::int64_t, TableChange>> later;  // what was added and removed since, by commit
  };
  PartSet& known_parts() const;
  std::shared_ptr<const PartList> list_of_deferred() const;

  mutable PartSet parts_;
  mutable std::optional<Deferred> deferred_;
  mutable std::shared_ptr<const PartList> list_;  // until a part comes or goes
  GoneParts gone_;
  std::vector<SeenSchema> schemas_;
  Columns columns_;
  std::vector<TypeConflict> conflicts_;
};

// Whether the run holds the table: it is built in, or there is a definition of it. What another folder below
// tables/ holds is no table.
bool is_table(const TableState& state);

}  // namespace crv::io
