// What is left of a run whose log does not stand, and which parts of it were committed. Nothing is written.
//
// Commits that can be read tell first, each by itself; then the manifests of that log, as of their last
// commit; then the parts' footers. A part that the first two name is committed, even if other parts of its
// append are damaged; one that was removed or condemned stays so. A part that nothing names was committed
// only if a missing commit can have named it (see Judge in evidence.cc).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/dataset/left_log.h"
#include "io/run/run.h"
#include "io/run/survey.h"

namespace crv::io {

struct Evidence {
  std::optional<RunInfo> info;  // nothing: run.json is missing or damaged
  std::string run_json;         // its text
  bool has_log = false;         // there is a folder log/
  LeftLog log;
  std::map<std::string, TableState> manifests;  // by table, every one that can be read
  std::vector<std::string> folders;             // of tables
  std::vector<std::string> damaged;             // paths of run.json, files of the log and manifests
};

// Throws IoReadError where the disk fails, format_too_new, and run_damaged where run.json is another run's:
// none of these is damage.
Evidence gather(Run& run);

struct Verdict {
  Commit commit;                              // of kind rebuild: all that was committed, in order
  std::vector<const FoundPart*> adopted;      // of its parts those that no evidence names
  std::vector<std::string> legacy;            // paths of parts of the older package among them
  std::vector<std::string> uncommitted;       // paths of whole parts that are left out
  std::vector<std::string> damaged, foreign;  // paths and why, of parts that are left out
};

// Judges what was found, for a rebuild of `table`: `found` outlives the verdict. The commit has no number,
// id, prev, time and writer yet.
Verdict judge(Run& run, const Evidence& evidence, const Survey& found, const std::string& table);

}  // namespace crv::io
