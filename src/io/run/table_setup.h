// Makes a table ready to be written: its folder, its empty manifest, and the parts that the older package left.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/guarded.h"
#include "io/run/committer.h"
#include "io/run/run_location.h"
#include "io/run/snapshot.h"
#include "io/run/trusted_folders.h"

namespace crv::io {

// What it means that a table has folders of buckets, but no manifest.
enum class Buckets {
  mean_loss,  // its manifest was lost, and with it rows may be: an error
  are_known,  // the caller has put them there
};

class TableSetup {
 public:
  TableSetup(RunLocation& location, Guarded<Snapshot>& snapshot, Committer& committer,
             TrustedFolders& trusted)
      : location_(location), snapshot_(snapshot), committer_(committer), trusted_(trusted) {}

  // Makes the table's folder and empty manifest where they are missing, adopts what the older package wrote.
  void make_ready(std::string_view name, Buckets buckets);
  // Whether a manifest lists parts that no commit names.
  bool has_unadopted_parts(std::string_view name, Buckets buckets);

 private:
  void make_table(std::string_view name, Buckets buckets);
  bool was_used(std::string_view name, Buckets buckets);
  void adopt(std::string_view name);
  struct Adopted;
  void look_into(std::string_view name, PartRecord& part, Adopted& adopted);
  std::optional<Commit> adopting(Snapshot& snapshot, std::string_view name, const Adopted& adopted);

  RunLocation& location_;
  Guarded<Snapshot>& snapshot_;
  Committer& committer_;
  TrustedFolders& trusted_;
};

}  // namespace crv::io
