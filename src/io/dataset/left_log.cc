#include "io/dataset/left_log.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "crv/core/error.h"
#include "crv/core/json.h"

namespace crv::io {
namespace {

class LeftReader {
 public:
  // `missing_before`: paths that were listed, and yet not there, at the look before.
  LeftReader(Storage& storage, const RunPaths& paths, std::set<std::string> missing_before)
      : storage_(storage), paths_(paths), missing_before_(std::move(missing_before)) {}

  // False where a file went meanwhile: a writer has folded it.
  bool operator()() {
    std::map<std::int64_t, std::string> singles, folded;
    std::vector<FoldRange> folds;
    for (const Entry& entry : storage_.list(paths_.log())) {
      const std::string path = join(paths_.log(), entry.name);
      const auto range = parse_fold_file(entry.name);
      const auto seq = parse_commit_file(entry.name);
      if (!range && !seq) continue;
      if (entry.is_folder || (seq ? *seq : range->last) > highest_number)
        damaged(path, seq ? *seq : range->last);
      else if (range)
        folds.push_back(*range);
      else
        singles.emplace(*seq, path);
    }
    for (const FoldRange& range : folds)
      if (!read_fold(range)) return false;
    for (const auto& [seq, path] : singles)
      if (in_fold(seq))
        folded.emplace(seq, path);
      else if (!read_single(seq, path))
        return false;
    // Those beside their fold come last and from the end on: the commit after each says whether it counts.
    for (auto single = folded.rbegin(); single != folded.rend(); ++single)
      if (!left.commits.contains(single->first) && !read_single(single->first, single->second)) return false;
    return true;
  }

  LeftLog left;
  std::set<std::string> missing;  // listed, and not there

 private:
  bool read_fold(FoldRange range) {
    const std::string path = paths_.fold(range.first, range.last);
    const std::optional<std::string> text = read_all(storage_, path);
    if (!text) return is_missing(path, range.last);
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
    for (const auto& [table, definition] : fold.definitions)
      if (Definition& held = left.definitions[table]; is_later(definition, held)) held = definition;
  }

  bool read_single(std::int64_t seq, const std::string& path) {
    const std::optional<std::string> text = read_all(storage_, path);
    if (!text) return is_missing(path, seq);
    try {
      Commit commit = decode_commit(*text, path, seq);
      if (!in_fold(seq) || is_named_by_next(commit)) take(std::move(commit));
    } catch (const IoManifestError& e) {
      if (e.code() == ErrorCode::format_too_new) throw;
      damaged(path, seq);
    }
    return true;
  }

  bool in_fold(std::int64_t seq) const {
    return std::any_of(left.folds.begin(), left.folds.end(),
                       [&](FoldRange r) { return r.first <= seq && seq <= r.last; });
  }

  // Beside a fold a single file may be a dead commit, which names the same one before it as the right one
  // does.
  bool is_named_by_next(const Commit& commit) const {
    const auto next = left.commits.find(commit.seq + 1);
    return next != left.commits.end() && next->second.prev == commit.id;
  }

  // True where it was not there at the look before, either: the name leads nowhere.
  bool is_missing(const std::string& path, std::int64_t seq) {
    missing.insert(path);
    if (missing_before_.contains(path)) damaged(path, seq);
    return missing_before_.contains(path);
  }

  void damaged(const std::string& path, std::int64_t seq) {
    left.damaged.push_back(path);
    if (seq <= highest_number) note_number(seq);
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

  // A name with a higher one is a stray: it leaves no number for a commit and a fence after it.
  static constexpr std::int64_t highest_number = INT64_MAX - 2;

  Storage& storage_;
  const RunPaths& paths_;
  const std::set<std::string> missing_before_;
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
  std::set<std::string> missing;
  for (int look = 1;; ++look) {
    LeftReader reader(storage, paths, std::move(missing));
    if (reader()) return std::move(reader.left);
    if (look == most_looks)
      raise(ErrorCode::read_failed, "Files of " + paths.log() + " go faster than they can be read.",
            {.path = paths.log()});
    missing = std::move(reader.missing);
  }
}

}  // namespace crv::io
