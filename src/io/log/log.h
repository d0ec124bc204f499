// The log of a run: commits in order without a hole, folded range by range. With run_state, the only code
// that decides what is visible.
//
// What holds at every moment, whatever was cut or paused (checked as a model by tests/model/commit_log.py):
//   1. Commit n is line n of the fold of its range if that exists, else the single file n. Where there is
//      neither, the log ends.
//   2. A single file is put if absent, and only by a writer that has read all commits below it and knows the
//      one before it to be durable: so a power cut leaves no hole.
//   3. A fold holds all commits of its range, byte for byte. Two that fold one range write the same bytes.
//      Single files are removed only after the fold was read back and the folder was synced after that.
//   4. A writer that put its single file and then finds the fold of its range looks at its line there:
//      another's means that it slept while the number was folded away, and its commit is dead.
//   5. A reader that used single files looks for the fold once more at the end: a dead commit may stand under
//      a number that is folded.
//
// `storage` should hold the log's folder (Storage::hold): a log that was moved aside then never gets a commit
// into its successor.
//
// Thread safety: all calls may be made from several threads; each does its own I/O and keeps no state.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "io/log/commit.h"
#include "io/storage/paths.h"
#include "io/storage/storage.h"

namespace crv::io {

class Log {
 public:
  Log(Storage& storage, const RunPaths& paths, std::int64_t commits_per_fold)
      : storage_(storage), paths_(paths), per_fold_(commits_per_fold) {}

  using Visit = std::function<void(std::int64_t seq, std::string_view line, const std::string& path)>;
  // Visits every commit after `after`, in order, and returns the number of the last one (`after` if there is
  // none).
  std::int64_t read_after(std::int64_t after, const Visit& visit) const;
  // The line of one commit; nothing where the log does not reach it.
  std::optional<std::string> line_of(std::int64_t seq) const;
  // Whether any commit names the table, by the text of the lines: they are not decoded for it.
  bool names(std::string_view table) const;
  // Whether the commit of that number has that id.
  bool holds(std::int64_t seq, const std::string& id) const;

  enum class Placed {
    ours,   // it stands at `seq`; durable once sync() returns
    taken,  // another commit stands there
  };
  // Puts a commit at `seq`. The caller has read all commits below and made the one before durable.
  // IoWriteError: the log is without it. IoCommitUnknownError, which stands for anything else that goes
  // wrong: it may be there.
  Placed put(std::int64_t seq, const std::string& id, std::string_view line);
  // Everything that is in the log now survives a power cut. IoWriteError where the disk fails; after that
  // nobody can say what of the log is durable.
  void sync();

  FoldRange range_of(std::int64_t seq) const;
  // Nothing where the range is not folded.
  std::optional<Fold> fold_of(FoldRange range) const;
  // Folds the range if it is whole, ranges below it first; removes single files that are folded. True if
  // folded. `sync` does what sync() does, for a caller who must know of its failure.
  bool fold(FoldRange range, const std::function<void()>& sync = {});

 private:
  std::int64_t visit_lines(const Fold& fold, std::int64_t from, const std::string& path,
                           const Visit& visit) const;
  Placed look_at_taken(std::int64_t seq, const std::string& id);
  Placed look_for_fold(std::int64_t seq, const std::string& id);
  std::optional<std::string> single(std::int64_t seq) const;
  std::optional<Fold> make_fold(FoldRange range);
  void check_fold(FoldRange range) const;

  Storage& storage_;
  const RunPaths& paths_;
  std::int64_t per_fold_;
};

}  // namespace crv::io
