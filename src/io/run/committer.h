// The commit protocol: docs/impl.md, "Append", from step 4 on, numbered there as in the code.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "io/base/guarded.h"
#include "io/log/commit.h"
#include "io/run/run_location.h"
#include "io/run/snapshot.h"

namespace crv::io {

// Every commit of a Dataset goes through here. One thread at a time puts commits, and holds the others up
// over its fsyncs; readers it does not. After an error that leaves open what a power cut would leave of the
// log, nothing is written any more: a later success would acknowledge what stands on it.
class Committer {
 public:
  Committer(RunLocation& location, Guarded<Snapshot>& snapshot) : location_(location), snapshot_(snapshot) {}

  // Makes the commit to put, seeing the snapshot; nullopt: there is nothing (more) to commit. May throw to
  // refuse. It is called again whenever commits of others were passed.
  using Make = std::function<std::optional<Commit>(Snapshot&)>;
  // Puts a commit at the end of the log of `run`, for which it was made, and returns once it is durable.
  // nullopt if `make` returned that. IoRunReplaced where another run is known by then, or the log is not the
  // run's any more. `put` is set before the commit can be in the log: whatever is thrown after that
  // (IoCommitUnknownError, IoRunReplaced), its parts must stay.
  std::optional<Commit> commit(const std::shared_ptr<const FoundRun>& run, const Make& make,
                               bool* put = nullptr);

  // Everything in the log so far survives a power cut. A failure ends this Dataset's writing.
  void sync_log();
  void sync_log(Log& log);
  // Throws dataset_closed after stop_writing().
  void require_writable();
  void stop_writing(const std::string& why);  // the first reason stays
  // Throws IoRunReplaced where `run` is not the run under this name any more, or a rebuild of it has begun:
  // before anything that was made from it is written for others to read. nullptr: there is nothing to check.
  void require_in_place(const std::shared_ptr<const FoundRun>& run);

 private:
  void refuse_fenced(const Snapshot& snapshot) const;
  Commit prepare(Snapshot& snapshot, const FoundRun& run, Commit made) const;
  static bool place(FoundRun& run, const Commit& commit, const std::string& line, bool& may_stand);
  void acknowledge(FoundRun& run, const Commit& commit);

  RunLocation& location_;
  Guarded<Snapshot>& snapshot_;
  std::mutex one_at_a_time_;
  Guarded<std::string> stopped_;  // why this Dataset writes no more; empty: it does
};

}  // namespace crv::io
