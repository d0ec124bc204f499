// What a Dataset knows of its run: the tables it has touched, folded up to one commit of the log.
//
// Reached through Run::snapshot() only, which locks it. A call reads what is new in the log, at some 10 us a
// commit, and never waits for a writer. Pointers to tables are valid as long as it is held.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/log/commit.h"
#include "io/log/table_state.h"
#include "io/run/run_location.h"

namespace crv::io {

class Snapshot {
 public:
  explicit Snapshot(RunLocation& location) : location_(location) {}

  // The table at the end of the log; nullptr where it has no manifest. Looks each time whether manifest.json
  // is still there.
  TableState* table(std::string_view name);
  // All tables that have a manifest and are built in or defined, at one moment: manifests first, then the log.
  std::vector<TableState*> all_tables();
  // As table(), without looking at the disk: as it was last read.
  TableState* known_table(std::string_view name);
  std::vector<std::string> known_tables() const;
  // Looks into parts of the older package whose columns are not known yet.
  void identify_parts(TableState& state);

  // The commit that a token names which is below its writer's last. Reads the whole log once a writer.
  std::optional<std::int64_t> commit_of(const Token& token);
  // Last number and seq of a token's writer. Reads the newest fold once.
  std::optional<std::pair<std::int64_t, std::int64_t>> last_token(const std::string& writer);

  // ---- for the commit protocol and Run ----

  const LogPosition& position() const { return position_; }  // the last commit that is folded in
  std::int64_t fenced_at() const { return fenced_at_; }      // the first fence at or below it; 0: none
  // Whether the log still has the commit at position(): a backup may have been copied over it.
  bool still_holds_position(const FoundRun& run);
  // Reads what the log has beyond the position.
  void advance();
  // Folds in a commit that this Dataset has put and made durable.
  void apply_own(const Commit& commit);
  std::int64_t durable() const { return durable_; }  // the last of these; 0: none
  // Forgets everything: it is read again when it is asked for.
  void forget();

 private:
  void load(std::string_view name);
  void read_manifest(std::string_view name);
  void apply(const Commit& commit);
  void check_not_ahead(const TableState& state);

  RunLocation& location_;
  std::map<std::string, TableState, std::less<>> tables_;
  LogPosition position_;
  std::int64_t fenced_at_ = 0;
  std::int64_t fold_seen_ = 0;  // position_ was found in the fold of its range
  std::int64_t durable_ = 0;
  struct Tokens {
    TokenTable last;
    std::int64_t seq = 0;  // up to this commit
  };
  std::optional<Tokens> tokens_;
  struct Steps {
    std::string writer;
    std::map<std::int64_t, std::int64_t> commits;  // by number
    std::int64_t seq = 0;                          // up to this commit
  };
  Steps steps_;  // of the writer that commit_of() was asked for last
};

// Parts that no commit names: of the older package, as its manifest lists them.
std::vector<PartRecord> unadopted_parts(const TableState& state);

}  // namespace crv::io
