// The steps, each of which a second try finds done or does (docs/impl.md, "Rebuild"):
//
//   1. Look, without changing anything: whatever cannot be read or does not fit ends it here.
//   2. Fence the old log: no writer commits to it any more. `id` is the fence's id above its end, and becomes
//      that of the new run.
//   3. Look again, judge, and put the new log beside the old one: aside/<id>/new.
//   4. Move run.json to aside/<id>/. Without it nobody writes to the run or trusts what he reads.
//   5. Move log/ to aside/<id>/log, and aside/<id>/new to log/.
//   6. Write the manifests anew.
//   7. Put the new run.json.
//
// All names follow from the id of the fence, and each move is to a name that must be free. So of any number
// of rebuilds each finds what the others have done, and one that slept can move nothing any more. (An
// exchange of the two logs in one step would leave no moment without a log, but done twice it undoes itself.)
#include "io/dataset/recover.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <utility>

#include "crv/core/error.h"
#include "io/dataset/evidence.h"
#include "io/log/manifest_file.h"

namespace crv::io {
namespace {

constexpr int kMostTurns = 8;  // of rebuilds that get in each other's way
constexpr std::int64_t kMostFencesOfAGap = 1024;

// Moves what is there to a name that is free. False where it is not there any more, or the name is taken.
bool move_if_possible(Storage& storage, const std::string& from, const std::string& to) {
  try {
    storage.move(from, to);
    return true;
  } catch (const IoWriteError& e) {
    const int error = e.facts().os_error;
    if (error == ENOENT || error == EEXIST || error == ENOTEMPTY) return false;
    throw;
  }
}

class Recovery {
 public:
  Recovery(Run& run, std::string table, const Progress& progress)
      : run_(run),
        storage_(run.storage()),
        paths_(run.paths()),
        table_(std::move(table)),
        progress_(progress) {}

  RebuildReport operator()() {
    run_.require_writable();
    report_.manifest = new_state(table_, run_.now()).manifest();
    resume_swap();
    look();
    if (is_unfinished()) {
      finish();
      return std::move(report_);
    }
    static_cast<void>(judge(run_, evidence_, found_, table_));  // 1
    fence();                                                    // 2
    Verdict verdict;
    for (int turn = 1;; ++turn) {  // 3
      look();
      verdict = judge(run_, evidence_, found_, table_);
      make_durable(verdict.adopted);
      put_new_log(verdict.commit);
      if (all_there(verdict.adopted)) break;
      if (turn == kMostTurns) refuse_changing();
    }
    set_run_json_aside();  // 4
    swap_logs();           // 5
    finish();              // 6, 7
    tell(verdict);
    return std::move(report_);
  }

  TableManifest preview() {
    look();
    Verdict verdict = judge(run_, evidence_, found_, table_);
    verdict.commit.seq = 1;
    verdict.commit.time = run_.now();
    TableState state = new_state(table_, verdict.commit.time);
    state.apply(verdict.commit);
    return state.manifest();
  }

 private:
  std::string aside(const std::string& name) const { return join(paths_.aside(id_), name); }

  [[noreturn]] void refuse_changing() const {
    raise(
        ErrorCode::run_replaced,
        "Run " + run_.run_id + " (" + paths_.run() +
            ") changes while it is rebuilt: another process rebuilds, restores or removes it. Try again when "
            "it has ended.",
        {.run_id = run_.run_id, .path = paths_.run()});
  }

  // ---- 1: what is left ----

  void look() {
    require_folders(run_);
    evidence_ = gather(run_);
    const std::int64_t size =
        evidence_.info ? evidence_.info->tick_bucket_size : run_.settings.tick_bucket_size;
    found_ = survey(run_, evidence_.folders, size, progress_);
    for (const FoundPart& part : found_.parts) {
      if (part.failure) std::rethrow_exception(part.failure);
      if (!evidence_.info) require_bucket_fits(part, size);
    }
  }

  // Without run.json only the parts can tell whether the settings are right.
  void require_bucket_fits(const FoundPart& part, std::int64_t size) const {
    if (!part.facts) return;
    const PartFacts& facts = *part.facts;
    const bool ours = (facts.footer.run_id.empty() || facts.footer.run_id == run_.run_id) &&
                      (facts.footer.table.empty() || facts.footer.table == part.table);
    if (!ours ||
        (facts.tick_min >= 0 && facts.tick_min / size == part.bucket && facts.tick_max / size == part.bucket))
      return;
    raise(ErrorCode::bucket_size_mismatch,
          "The settings say tick_bucket_size = " + std::to_string(size) + ", and run.json of run " +
              run_.run_id + " cannot be read, but of " + part.path + " " + part.error +
              ". Nothing was changed. Rebuild with the size that the run was recorded with.",
          {.run_id = run_.run_id,
           .table = part.table,
           .key = "tick_bucket_size",
           .value = std::to_string(size),
           .path = part.path,
           .bucket = part.bucket});
  }

  // A rebuild has put its new log in place, and was stopped before run.json.
  bool is_unfinished() const {
    const LeftLog& log = evidence_.log;
    return !evidence_.info && evidence_.run_json.empty() && !log.is_fenced() && log.damaged.empty() &&
           std::ssize(log.commits) == log.highest && !log.is_empty() && is_new(log.commits.at(1));
  }

  static bool is_new(const Commit& first) {
    return first.kind == CommitKind::rebuild && is_hex_id(first.prev);
  }

  // A rebuild was stopped where neither log/ nor run.json is in its place.
  void resume_swap() {
    if (storage_.exists(paths_.log()) || storage_.exists(paths_.run_json())) return;
    for (const Entry& entry : storage_.list(parent_of(paths_.aside("x")))) {
      if (!entry.is_folder || !is_hex_id(entry.name)) continue;
      const std::string folder = paths_.aside(entry.name);
      const std::optional<Commit> first = first_commit_in(join(folder, "new"));
      if (!first || first->prev != entry.name || !storage_.exists(join(folder, "next.json"))) continue;
      if (move_if_possible(storage_, join(folder, "new"), paths_.log())) return sync_moved(folder);
    }
  }

  // The first commit of a log that a rebuild has made; nothing where the folder holds another log, or none.
  std::optional<Commit> first_commit_in(const std::string& folder) const {
    std::string path = join(folder, base_name_of(paths_.commit(1)));
    std::optional<std::string> text = read_all(storage_, path);
    if (!text) {  // it may be folded by now
      for (const Entry& entry : storage_.list(folder))
        if (const auto range = parse_fold_file(entry.name); range && range->first == 1)
          path = join(folder, entry.name);
      text = read_all(storage_, path);
      if (!text) return std::nullopt;
      text->resize(std::min(text->find('\n'), text->size()));
    }
    try {
      Commit first = decode_commit(*text, path, 1);
      return is_new(first) ? std::optional(std::move(first)) : std::nullopt;
    } catch (const IoManifestError& e) {
      if (e.code() == ErrorCode::format_too_new) throw;
      return std::nullopt;
    }
  }

  // ---- 2: the fence ----

  void fence() {
    const std::unique_ptr<Folder> folder = storage_.hold(paths_.log());
    id_ = run_.new_id();
    if (!folder) return;  // nobody can put anything into what is not there
    for (int turn = 1;; ++turn) {
      const LeftLog left = read_left_log(folder->storage(), paths_);
      std::int64_t next = 1;
      for (const auto& [seq, commit] : left.commits) {
        put_fences(folder->storage(), left, next, seq - 1);
        next = seq + 1;
      }
      put_fences(folder->storage(), left, next, left.highest);
      if (const auto top = left.fences.find(left.highest + 1); top != left.fences.end()) {
        id_ = top->second.id;
        return folder->storage().sync(paths_.log());
      }
      if (turn == 10 * kMostTurns) refuse_changing();
      put_fence(folder->storage(), left, left.highest + 1);
    }
  }

  // At free numbers of a gap. A writer can only be at one that follows a commit, so a stray file with a high
  // number needs no fence at each of those below.
  void put_fences(Storage& storage, const LeftLog& left, std::int64_t first, std::int64_t last) {
    for (std::int64_t seq = first; seq <= last && seq - first < kMostFencesOfAGap; ++seq) {
      const bool folded = std::any_of(left.folds.begin(), left.folds.end(),
                                      [&](FoldRange r) { return r.first <= seq && seq <= r.last; });
      if (!folded && !left.fences.contains(seq)) put_fence(storage, left, seq);
    }
  }

  void put_fence(Storage& storage, const LeftLog& left, std::int64_t seq) {
    Commit fence;
    fence.kind = CommitKind::fence;
    fence.seq = seq;
    fence.id = run_.new_id();
    fence.prev = seq > 1 ? left.id_of(seq - 1) : "";
    fence.time = run_.now();
    fence.writer = run_.new_id();
    storage.put_if_absent(paths_.commit(seq), encode(fence));
  }

  // ---- 3: the new log ----

  bool all_there(const std::vector<const FoundPart*>& parts) const {
    return std::all_of(parts.begin(), parts.end(),
                       [&](const FoundPart* part) { return storage_.exists(part->path); });
  }

  // Parts that nobody has acknowledged may never have been synced, nor their folders.
  void make_durable(const std::vector<const FoundPart*>& adopted) {
    for (const FoundPart* part : adopted) storage_.flush(part->path);
    std::set<std::string> folders;
    for (const FoundPart& part : found_.parts) folders.insert(parent_of(part.path));
    for (const std::string& folder : folders) storage_.sync(folder);
    for (const std::string& table : evidence_.folders) storage_.sync_up(paths_.table(table), "");
  }

  void put_new_log(Commit first) {
    storage_.make_folder(paths_.aside(id_));
    RunInfo next;
    next.run_id = run_.run_id;
    next.id = id_;
    next.created_at = evidence_.info ? evidence_.info->created_at : run_.now();
    next.tick_bucket_size =
        evidence_.info ? evidence_.info->tick_bucket_size : run_.settings.tick_bucket_size;
    if (evidence_.info) next.commits_per_fold = evidence_.info->commits_per_fold;
    next.durability = evidence_.info ? evidence_.info->durability : run_.settings.durability;
    put(aside("next.json"), encode_run(next));
    first.seq = 1;
    first.id = run_.new_id();
    first.prev = id_;
    first.time = run_.now();
    first.writer = run_.new_id();
    for (int turn = 1; !is_there_already(first); ++turn) {
      if (storage_.exists(aside("log"))) break;  // another rebuild has swapped meanwhile
      if (turn == kMostTurns) refuse_changing();
      const std::string made = aside(run_.new_id());
      if (storage_.exists(aside("new"))) move_if_possible(storage_, aside("new"), aside(run_.new_id()));
      storage_.make_folder(made);
      put(join(made, base_name_of(paths_.commit(1))), encode(first));
      storage_.sync(made);
      move_if_possible(storage_, made, aside("new"));
    }
    storage_.sync_up(paths_.aside(id_), paths_.run());
  }

  // By a rebuild that was stopped, or by one that runs beside this. Once run.json has been moved it stands,
  // whatever has become of the evidence since.
  bool is_there_already(Commit first) const {
    const std::optional<Commit> there = first_commit_in(aside("new"));
    if (!there || there->prev != id_) return false;
    if (!storage_.exists(paths_.run_json())) return true;
    first.id = there->id;
    first.time = there->time;
    first.writer = there->writer;
    return encode(first) == encode(*there);
  }

  // A file that means the same whoever puts it.
  void put(const std::string& path, const std::string& text) {
    try {
      storage_.put_if_absent(path, text);
    } catch (const IoCommitUnknownError& e) {
      raise(ErrorCode::write_failed, e.what(), e.facts());
    }
  }

  // ---- 4, 5: in its place ----

  void set_run_json_aside() {
    if (!storage_.exists(paths_.run_json())) return;
    if (new_log_stands()) return;  // then it is another rebuild's
    std::string to = aside("run.json");
    if (storage_.exists(to)) to = aside(run_.new_id() + ".run.json");
    if (move_if_possible(storage_, paths_.run_json(), to) && !evidence_.info)
      report_.kept_aside.push_back(to);
    sync_moved(paths_.aside(id_));
  }

  bool new_log_stands() const { return first_commit_in(paths_.log()).has_value() && !is_old(paths_.log()); }

  // Whether the fence that this rebuild found stands in that folder.
  bool is_old(const std::string& folder) const {
    for (const auto& [seq, fence] : evidence_.log.fences) {
      const std::optional<std::string> text =
          read_all(storage_, join(folder, base_name_of(paths_.commit(seq))));
      if (text && text->find("\"id\":\"" + fence.id + '"') != std::string::npos) return true;
    }
    return false;
  }

  // Only the log that was judged is ever moved: one that is not there, or the fenced one.
  void swap_logs() {
    for (int turn = 1; !new_log_stands(); ++turn) {
      if (turn == kMostTurns) refuse_changing();
      if (is_old(paths_.log())) move_if_possible(storage_, paths_.log(), aside("log"));
      if (!storage_.exists(paths_.log())) move_if_possible(storage_, aside("new"), paths_.log());
      sync_moved(paths_.aside(id_));
    }
  }

  void sync_moved(const std::string& folder) {
    storage_.sync_up(folder, paths_.run());
    storage_.sync(paths_.run());
  }

  // ---- 6, 7: manifests and run.json ----

  void finish() {
    const std::optional<Commit> first = first_commit_in(paths_.log());
    if (!first) refuse_changing();
    id_ = first->prev;
    if (const std::string log = aside("log"); storage_.exists(log))
      report_.kept_aside.insert(report_.kept_aside.begin(), log);
    const RunInfo info = next_run();
    write_manifests(info);
    put_run_json(info);
    run_.reopen_rebuilt();
  }

  // As step 3 wrote it; where it is gone, from the settings.
  RunInfo next_run() {
    const std::string path = aside("next.json");
    if (const auto text = read_all(storage_, path)) try {
        RunInfo next = decode_run(*text, path, run_.run_id);
        if (next.id == id_) return next;
      } catch (const IoManifestError& e) {
        if (e.code() == ErrorCode::format_too_new) throw;
      }
    RunInfo made;
    made.run_id = run_.run_id;
    made.id = id_;
    made.created_at = run_.now();
    made.tick_bucket_size = run_.settings.tick_bucket_size;
    made.durability = run_.settings.durability;
    const LeftLog log = read_left_log(storage_, paths_);
    for (const FoldRange& range : log.folds) made.commits_per_fold = range.last - range.first + 1;
    for (const FoundPart& part : found_.parts) require_bucket_fits(part, made.tick_bucket_size);
    return made;
  }

  TableState new_state(const std::string& table, const std::string& now) const {
    TableState state(table);
    const auto old = evidence_.manifests.find(table);
    state.created_at = old != evidence_.manifests.end() ? old->second.created_at : now;
    return state;
  }

  void write_manifests(const RunInfo& info) {
    storage_.sync(paths_.log());
    std::set<std::string> tables(evidence_.folders.begin(), evidence_.folders.end());
    std::vector<Commit> commits;
    const Log log(storage_, paths_, info.commits_per_fold);
    log.read_after(0, [&](std::int64_t seq, std::string_view line, const std::string& path) {
      commits.push_back(decode_commit(line, path, seq));
      for (const TableChange& change : commits.back().tables) tables.insert(change.table);
    });
    for (const std::string& table : tables) {
      TableState state = new_state(table, commits.front().time);
      for (const Commit& commit : commits) state.apply(commit);
      if (!is_table(state)) continue;
      if (state.updated_at.empty()) state.updated_at = commits.front().time;
      storage_.make_folder(paths_.table(table));
      storage_.replace(paths_.manifest(table), encode_manifest(state));
      storage_.sync_up(paths_.table(table), paths_.run());
      if (table == table_) report_.manifest = state.manifest();
    }
  }

  void put_run_json(const RunInfo& info) {
    const std::string text = encode_run(info);
    for (int turn = 1;; ++turn) {
      put(paths_.run_json(), text);
      const std::optional<std::string> there = read_all(storage_, paths_.run_json());
      if (there && identity_of(*there) == info.id) break;
      const std::optional<Commit> first = first_commit_in(paths_.log());
      if (turn == kMostTurns || !first || first->prev != info.id) refuse_changing();
      if (there) move_if_possible(storage_, paths_.run_json(), aside(run_.new_id() + ".run.json"));
    }
    storage_.sync_up(paths_.run(), "");
  }

  // "" where it is none.
  std::string identity_of(const std::string& run_json) const {
    try {
      return decode_run(run_json, paths_.run_json(), run_.run_id).identity();
    } catch (const IoManifestError& e) {
      if (e.code() == ErrorCode::format_too_new) throw;
      return "";
    }
  }

  void tell(Verdict& verdict) {
    report_.legacy = std::move(verdict.legacy);
    report_.uncommitted = std::move(verdict.uncommitted);
    report_.damaged = evidence_.damaged;
    report_.damaged.insert(report_.damaged.end(), verdict.damaged.begin(), verdict.damaged.end());
    report_.foreign = found_.strange;
    report_.foreign.insert(report_.foreign.end(), verdict.foreign.begin(), verdict.foreign.end());
  }

  Run& run_;
  Storage& storage_;
  const RunPaths& paths_;
  std::string table_;
  const Progress& progress_;
  Evidence evidence_;
  Survey found_;
  std::string id_;
  RebuildReport report_;
};

}  // namespace

RebuildReport recover(Run& run, const std::string& table, const Progress& progress) {
  return Recovery(run, table, progress)();
}

TableManifest look_for_evidence(Run& run, const std::string& table) {
  const Progress silent;
  return Recovery(run, table, silent).preview();
}

}  // namespace crv::io
