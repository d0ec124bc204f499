#include "io/run/committer.h"

#include <utility>

#include "crv/core/error.h"

namespace crv::io {

void Committer::stop_writing(const std::string& why) {
  const auto stopped = stopped_.hold();
  if (stopped->empty()) *stopped = why;
}

void Committer::require_writable() {
  const auto stopped = stopped_.hold();
  if (!stopped->empty()) raise(ErrorCode::dataset_closed, *stopped, {.run_id = location_.run_id});
}

void Committer::refuse_fenced(const Snapshot& snapshot) const {
  if (snapshot.fenced_at() == 0) return;
  const std::string& path = location_.paths().run();
  raise(
      ErrorCode::run_replaced,
      "A rebuild of run " + location_.run_id + " (" + path + ") has begun (commit " +
          std::to_string(snapshot.fenced_at()) +
          ") and has not ended. Open the run again when it has; if nobody rebuilds it any more, rebuild it.",
      {.run_id = location_.run_id, .path = path, .seq = snapshot.fenced_at()});
}

void Committer::require_in_place(const std::shared_ptr<const FoundRun>& run) {
  using Standing = RunLocation::Standing;
  if (!run) return;
  if (location_.found() != run) location_.refuse_replaced("it was replaced meanwhile");
  const Standing standing = location_.standing_of(*run);
  if (standing == Standing::gone) location_.refuse_replaced("its folder is gone");
  if (standing == Standing::another)
    location_.refuse_replaced("another run, or another log, has taken its place");
  const auto snapshot = snapshot_.hold();
  refuse_fenced(*snapshot);
}

void Committer::sync_log() {
  if (const std::shared_ptr<Log> log = location_.log()) sync_log(*log);
}

// A second fsync after one that failed may succeed without having written anything, so there is none.
void Committer::sync_log(Log& log) {
  try {
    log.sync();
  } catch (const IoWriteError&) {
    stop_writing(
        "The log of run " + location_.run_id +
        " could not be made durable, so nobody can say what of it survives a power cut. Open the run "
        "again to see what stands.");
    throw;
  }
}

// 4. Every commit below has been read, and the one before it is named: should another log have taken the
// place of this one, no reader takes the commit for the next of that log.
Commit Committer::prepare(Snapshot& snapshot, const FoundRun& run, Commit made) const {
  if (!snapshot.still_holds_position(run))
    location_.refuse_replaced("commit " + std::to_string(snapshot.position().seq) +
                              ", which this Dataset has read, is not in its log any more");
  made.seq = snapshot.position().seq + 1;
  made.prev = made.seq > 1 ? snapshot.position().id : run.info.identity();
  made.writer = location_.writer_id();
  return made;
}

std::optional<Commit> Committer::commit(const std::shared_ptr<const FoundRun>& pinned, const Make& make,
                                        bool* put) {
  bool unused = false;
  bool& may_stand = put ? *put : unused;
  std::lock_guard one_at_a_time(one_at_a_time_);
  require_writable();
  const std::shared_ptr<FoundRun> run = location_.found();
  try {
    while (true) {
      std::optional<Commit> made;
      bool below_is_durable = false;
      {
        const auto snapshot = snapshot_.hold();
        if (!run || run != pinned || location_.found() != run)
          location_.refuse_replaced("it was replaced while this was written");
        made = make(*snapshot);
        refuse_fenced(*snapshot);  // also where there is nothing to commit: see Append
        if (!made) return std::nullopt;
        made = prepare(*snapshot, *run, *std::move(made));
        below_is_durable = snapshot->durable() == snapshot->position().seq;
      }
      made->time = location_.now();  // without the snapshot: the clock may be the caller's
      const std::string line = encode(*made);
      // The commits of others below may not be durable yet: a power cut must not leave a hole.
      if (!below_is_durable) sync_log(run->log);
      if (!place(*run, *made, line, may_stand)) {  // 5, 6
        snapshot_.hold()->advance();
        continue;
      }
      acknowledge(*run, *made);  // 7
      const auto snapshot = snapshot_.hold();
      if (location_.found() == run) snapshot->apply_own(*made);
      return made;
    }
  } catch (const IoCommitUnknownError&) {
    stop_writing(
        "A commit of this Dataset to run " + location_.run_id +
        " has an unknown outcome, since the disk failed. Open the run again to see whether it stands.");
    throw;
  } catch (...) {
    if (may_stand)
      stop_writing("A commit of this Dataset to run " + location_.run_id +
                   " was interrupted. Open the run again.");
    throw;
  }
}

// False where the number is taken. `may_stand` is false again only where the commit was refused for certain.
bool Committer::place(FoundRun& run, const Commit& commit, const std::string& line, bool& may_stand) {
  may_stand = true;
  try {
    const bool ours = run.log.put(commit.seq, commit.id, line) == Log::Placed::ours;
    may_stand = ours;
    if (ours) run.written = true;
    return ours;
  } catch (const IoCommitUnknownError&) {
    throw;
  } catch (const IoWriteError&) {
    may_stand = false;
    throw;
  } catch (const IoConfigError&) {
    may_stand = false;
    throw;
  }
}

// Once the commit is durable, and the log that it is in is still the run's. Whatever goes wrong from here on,
// the commit may stand: no error of the disk says that it does not.
void Committer::acknowledge(FoundRun& run, const Commit& commit) {
  using Standing = RunLocation::Standing;
  Standing standing = Standing::same;
  try {
    sync_log(run.log);
    standing = location_.standing_of(run);
    if (standing == Standing::same && commit.seq > 1 && !run.log.holds(commit.seq - 1, commit.prev))
      standing = Standing::another;  // a backup was put back over the log
  } catch (const Error& e) {
    raise(ErrorCode::commit_unknown,
          "Commit " + std::to_string(commit.seq) + " is in the log, but may not survive: " + e.what(),
          e.facts());
  } catch (const std::exception& e) {
    raise(ErrorCode::commit_unknown,
          "Commit " + std::to_string(commit.seq) + " is in the log, but may not survive: " + e.what(),
          {.run_id = location_.run_id, .seq = commit.seq});
  }
  if (standing != Standing::same)
    location_.refuse_replaced("its log was moved, removed or overwritten while commit " +
                              std::to_string(commit.seq) + " was made, so that no reader finds it");
}

}  // namespace crv::io
