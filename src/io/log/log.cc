#include "io/log/log.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "crv/core/error.h"
#include "io/base/sums.h"

namespace crv::io {

FoldRange Log::range_of(std::int64_t seq) const {
  std::int64_t first = (seq - 1) / per_fold_ * per_fold_ + 1;
  return {first, capped_sum(first, per_fold_ - 1)};
}

std::optional<std::string> Log::single(std::int64_t seq) const {
  return read_all(storage_, paths_.commit(seq));
}

std::optional<Fold> Log::fold_of(FoldRange range) const {
  std::string path = paths_.fold(range.first, range.last);
  std::optional<std::string> text = read_all(storage_, path);
  if (!text) return std::nullopt;
  return decode_fold(*text, path, range.first, range.last);
}

std::int64_t Log::visit_lines(const Fold& fold, std::int64_t from, const std::string& path,
                              const Visit& visit) const {
  for (std::int64_t seq = from; seq <= fold.last; ++seq)
    visit(seq, fold.lines[static_cast<std::size_t>(seq - fold.first)], path);
  return fold.last + 1;
}

std::int64_t Log::read_after(std::int64_t after, const Visit& visit) const {
  if (after == INT64_MAX) return after;  // no commit has a higher number
  std::int64_t next = after + 1;
  while (true) {
    FoldRange range = range_of(next);
    std::string fold_path = paths_.fold(range.first, range.last);
    if (std::optional<Fold> fold = fold_of(range)) {
      next = visit_lines(*fold, next, fold_path, visit);
      continue;
    }
    std::vector<std::string> lines;
    std::int64_t end = next;
    for (; end <= range.last; ++end) {
      std::optional<std::string> line = single(end);
      if (!line) break;
      lines.push_back(std::move(*line));
    }
    if (std::optional<Fold> fold = fold_of(range)) {
      next = visit_lines(*fold, next, fold_path, visit);
      continue;
    }
    for (std::int64_t seq = next; seq < end; ++seq)
      visit(seq, lines[static_cast<std::size_t>(seq - next)], paths_.commit(seq));
    next = end;
    if (end <= range.last) return end - 1;
  }
}

std::optional<std::string> Log::line_of(std::int64_t seq) const {
  FoldRange range = range_of(seq);
  for (int look = 0; look < 2; ++look) {
    if (std::optional<Fold> fold = fold_of(range))
      return fold->lines[static_cast<std::size_t>(seq - range.first)];
    if (look == 1) break;
    std::optional<std::string> line = single(seq);
    if (!line) continue;
    if (std::optional<Fold> fold = fold_of(range))
      return fold->lines[static_cast<std::size_t>(seq - range.first)];
    return line;
  }
  return std::nullopt;
}

Log::Placed Log::put(std::int64_t seq, const std::string& id, std::string_view line) {
  bool placed = false;
  bool refused = false;
  try {
    try {
      placed = storage_.put_if_absent(paths_.commit(seq), line);
    } catch (const IoCommitUnknownError&) {
      throw;
    } catch (const IoWriteError&) {  // refused, says the disk: believed only where the commit is not there
      refused = !holds(seq, id);
      throw;
    } catch (const IoConfigError&) {  // as above: nothing to put it with
      refused = !holds(seq, id);
      throw;
    }
    return placed ? look_for_fold(seq, id) : look_at_taken(seq, id);
  } catch (const IoCommitUnknownError&) {
    throw;
  } catch (const std::exception& e) {  // the commit may be there by now
    if (refused) throw;
    const auto* error = dynamic_cast<const Error*>(&e);
    raise(ErrorCode::commit_unknown,
          "Commit " + std::to_string(seq) + " may be in the log, or not, after this: " + e.what(),
          error ? error->facts() : ErrorFacts{.path = paths_.commit(seq), .seq = seq});
  }
}

// The number was taken: by us, if an earlier reply was lost.
Log::Placed Log::look_at_taken(std::int64_t seq, const std::string& id) {
  return holds(seq, id) ? Placed::ours : Placed::taken;
}

bool Log::names(std::string_view table) const {
  bool named = false;
  const std::string text = "\"table\":\"" + std::string(table) + '"';
  read_after(0, [&](std::int64_t, std::string_view line, const std::string&) {
    named = named || line.find(text) != std::string_view::npos;
  });
  return named;
}

bool Log::holds(std::int64_t seq, const std::string& id) const {
  std::optional<std::string> there = line_of(seq);
  return there && commit_id_of(*there, paths_.commit(seq), seq) == id;
}

// Our single file stands. If its range is folded by now, only the fold counts.
Log::Placed Log::look_for_fold(std::int64_t seq, const std::string& id) {
  std::optional<Fold> fold = fold_of(range_of(seq));
  if (!fold) return Placed::ours;
  std::string path = paths_.commit(seq);
  const std::string& folded = fold->lines[static_cast<std::size_t>(seq - fold->first)];
  if (commit_id_of(folded, path, seq) == id) return Placed::ours;
  std::optional<std::string> slot = single(seq);
  if (slot && commit_id_of(*slot, path, seq) == id) storage_.remove(path);
  return Placed::taken;
}

void Log::sync() {
  storage_.sync(paths_.log());
}

std::optional<Fold> Log::make_fold(FoldRange range) {
  Fold fold{.first = range.first, .last = range.last};
  if (range.first > 1) {
    FoldRange below = range_of(range.first - 1);
    std::optional<Fold> previous = fold_of(below);
    if (!previous) return std::nullopt;
    fold.tokens = std::move(previous->tokens);
    fold.gone = std::move(previous->gone);
    fold.definitions = std::move(previous->definitions);
    fold.format = previous->format;
  }
  for (std::int64_t seq = range.first; seq <= range.last; ++seq) {
    std::optional<std::string> line = single(seq);
    if (!line) return std::nullopt;
    Commit commit = decode_commit(*line, paths_.commit(seq), seq);
    remember_tokens(commit, fold.tokens);
    remember_gone(commit, fold.gone);
    remember_definitions(commit, fold.definitions);
    fold.format = std::max(fold.format, commit.format());
    if (line->ends_with('\n')) line->pop_back();
    fold.lines.push_back(std::move(*line));
  }
  return fold;
}

// The fold as it is on disk holds sound commits of its whole range.
void Log::check_fold(FoldRange range) const {
  const std::string path = paths_.fold(range.first, range.last);
  const std::optional<Fold> fold = fold_of(range);
  if (!fold)
    raise(ErrorCode::log_damaged, "The fold " + path + " is gone right after it was written.",
          {.path = path, .seq = range.first});
  for (std::int64_t seq = fold->first; seq <= fold->last; ++seq)
    static_cast<void>(decode_commit(fold->lines[static_cast<std::size_t>(seq - fold->first)], path, seq));
}

bool Log::fold(FoldRange range, const std::function<void()>& sync) {
  std::string path = paths_.fold(range.first, range.last);
  if (!storage_.exists(path)) {
    if (range.first > 1 && !storage_.exists(paths_.fold(range.first - per_fold_, range.last - per_fold_)))
      if (!fold(range_of(range.first - 1), sync)) return false;
    std::optional<Fold> made = make_fold(range);
    if (!made) {
      if (!storage_.exists(path)) return false;
    } else {
      const std::string text = encode(*made);
      static_cast<void>(decode_fold(text, path, range.first, range.last));
      storage_.put_if_absent(path, text);
    }
  }
  check_fold(range);
  sync ? sync() : this->sync();
  for (std::int64_t seq = range.first; seq <= range.last; ++seq) storage_.remove(paths_.commit(seq));
  return true;
}

}  // namespace crv::io
