#include "io/left_log.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "crv/core/error.h"
#include "crv/core/json.h"

namespace crv::io {
namespace {

class LeftReader {
 public:
  LeftReader(Storage& storage, const RunPaths& paths) : storage_(storage), paths_(paths) {}

  // False where a file went meanwhile: a writer has folded it.
  bool operator()() {
    std::vector<std::pair<std::int64_t, std::string>> singles;
    for (const Entry& entry : storage_.list(paths_.log())) {
      if (const auto range = parse_fold_file(entry.name)) {
        if (!read_fold(*range)) return false;
      } else if (const auto seq = parse_commit_file(entry.name)) {
        singles.emplace_back(*seq, join(paths_.log(), entry.name));
      }
    }
    for (const auto& [seq, path] : singles)
      if (!read_single(seq, path)) return false;
    return true;
  }

  LeftLog left;

 private:
  bool read_fold(FoldRange range) {
    const std::string path = paths_.fold(range.first, range.last);
    const std::optional<std::string> text = read_all(storage_, path);
    if (!text) return false;
    left.folds.push_back(range);
    note_number(range.last);
    bool sound = true;
    std::int64_t lines = 0;
    for (std::size_t at = 0; at < text->size(); ++lines) {
      const std::size_t end = std::min(text->find('\n', at), text->size());
      sound = read_line(std::string_view(*text).substr(at, end - at), path, range) && sound;
      at = end + 1;
    }
    if (!sound || lines != range.last - range.first + 2) left.damaged.push_back(path);
    return true;
  }

  // A line of a fold: a commit of its range, or the fold's own line. False where it is neither.
  bool read_line(std::string_view line, const std::string& path, FoldRange range) {
    try {
      if (!is_sealed(line)) return false;
      const Json json = parse_json(line);
      const auto* object = json.get_if<JsonObject>();
      const Json* seq = object ? object->find("seq") : nullptr;
      if (!seq) {
        take_trailer(decode_fold_line(line, path, range.first, range.last));
        return true;
      }
      const auto* number = seq->get_if<std::int64_t>();
      if (!number || *number < range.first || *number > range.last) return false;
      take(decode_commit(line, path, *number));
      return true;
    } catch (const IoManifestError& e) {
      if (e.code() == ErrorCode::format_too_new) throw;
      return false;
    } catch (const SchemaError&) {  // of parse_json
      return false;
    }
  }

  void take_trailer(const Fold& fold) {
    for (const auto& [writer, last] : fold.tokens) {
      const auto [held, fresh] = left.tokens.try_emplace(writer, last);
      if (!fresh && held->second.second < last.second) held->second = last;
    }
    for (const auto& [table, names] : fold.gone) left.gone[table].insert(names.begin(), names.end());
  }

  bool read_single(std::int64_t seq, const std::string& path) {
    const bool folded = std::any_of(left.folds.begin(), left.folds.end(),
                                    [&](FoldRange r) { return r.first <= seq && seq <= r.last; });
    if (folded && left.commits.contains(seq)) return true;  // beside its fold it means nothing
    const std::optional<std::string> text = read_all(storage_, path);
    if (!text) return false;
    try {
      Commit commit = decode_commit(*text, path, seq);
      if (!folded || is_chained(commit)) take(std::move(commit));
      return true;
    } catch (const IoManifestError& e) {
      if (e.code() == ErrorCode::format_too_new) throw;
      left.damaged.push_back(path);
      note_number(seq);
    }
    return true;
  }

  // Beside a fold whose line is damaged a single file may be a dead commit: one that its neighbours know is
  // not.
  bool is_chained(const Commit& commit) const {
    if (const auto next = left.commits.find(commit.seq + 1); next != left.commits.end())
      return next->second.prev == commit.id;
    const auto before = left.commits.find(commit.seq - 1);
    return before != left.commits.end() && before->second.id == commit.prev;
  }

  void take(Commit commit) {
    if (commit.kind == CommitKind::fence) {
      left.fences.emplace(commit.seq, std::move(commit));
      return;
    }
    note_number(commit.seq);
    left.commits.try_emplace(commit.seq, std::move(commit));
  }

  void note_number(std::int64_t seq) { left.highest = std::max(left.highest, seq); }

  Storage& storage_;
  const RunPaths& paths_;
};

}  // namespace

std::string LeftLog::id_of(std::int64_t seq) const {
  if (const auto own = commits.find(seq); own != commits.end()) return own->second.id;
  if (seq == INT64_MAX) return "";
  const auto next = commits.find(seq + 1);
  return next == commits.end() ? "" : next->second.prev;
}

LeftLog read_left_log(Storage& storage, const RunPaths& paths) {
  constexpr int most_looks = 100;
  for (int look = 1;; ++look) {
    LeftReader reader(storage, paths);
    if (reader()) return std::move(reader.left);
    if (look == most_looks)
      raise(ErrorCode::read_failed, "Files of " + paths.log() + " go faster than they can be read.",
            {.path = paths.log()});
  }
}

}  // namespace crv::io
