// How an object gets its name, whole or not at all:
//   1. its bytes go to a temporary name in the same folder (open with O_EXCL, write until all is written);
//   2. fsync, close, both checked;
//   3. the name appears in one step that cannot replace anything: link, or rename without replace where the
//      file system has only that (the other way round for a Writer, whose name is unique anyway; a plain
//      rename for replace());
//   4. the temporary name goes, if step 3 has not taken it.
// An error before step 3 removes the temporary file. At step 3 the system either refuses (the name was not
// made) or leaves it open (EIO, a server that does not answer): see refused().
#include "io/storage/local_storage.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "crv/core/error.h"
#include "io/base/guarded.h"
#include "io/storage/local_file.h"
#include "io/storage/os_errors.h"
#include "io/storage/paths.h"

namespace crv::io {
namespace {

[[noreturn]] void fail_unsafe(const std::string& folder, const std::string& why, int error = 0) {
  raise(ErrorCode::unsafe_storage,
        "commits would not be safe in \"" + folder + "\": its file system " + why +
            ". Keep runs on one that links atomically: ext4, XFS, Btrfs, or NFS with lookupcache=positive",
        {.path = folder, .os_error = error});
}

// Folders as they stand in a path: no '/' twice or at the end.
std::string without_empty_steps(const std::string& folder) {
  std::string out;
  for (const char c : folder)
    if (c != '/' || !out.ends_with('/')) out += c;
  if (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

// "" is the working directory, and nothing stands above it or "/".
std::optional<std::string> folder_above(const std::string& folder) {
  if (folder.empty() || folder == "/") return std::nullopt;
  const auto name = base_name_of(folder);
  if (name == "." || name == "..") return join(folder, "..");
  return parent_of(folder);
}

// Folders, and files of others, whose fsync has failed.
class Unsynced {
 public:
  bool holds(const std::string& path) { return paths_.hold()->contains(path); }
  void add(const std::string& path) { paths_.hold()->insert(path); }

 private:
  Guarded<std::set<std::string>> paths_;
};

[[noreturn]] void fail_unsynced(const std::string& what, const std::string& path) {
  raise(ErrorCode::write_failed,
        "cannot flush to disk " + what + "\"" + path +
            "\": it failed before, so what was written may be lost. Open the run again to see what stands",
        {.path = path, .os_error = EIO});
}

class LocalStorage final : public Storage {
 public:
  LocalStorage(Durability durability, std::shared_ptr<Os> os, IdSource new_id, std::string working_folder)
      : durable_(durability == Durability::commit),
        os_(std::move(os)),
        new_id_(std::move(new_id)),
        base_{working_folder.empty() ? os_->working_folder() : std::move(working_folder), nullptr} {}
  // The same storage, with a folder held.
  LocalStorage(const LocalStorage& other, std::shared_ptr<const HeldFolder> held)
      : durable_(other.durable_),
        os_(other.os_),
        new_id_(other.new_id_),
        base_{other.base_.folder, std::move(held)},
        unsynced_(other.unsynced_) {}

  std::unique_ptr<Folder> hold(const std::string& folder) override;
  std::string absolute(const std::string& path) override { return base_.by_path(path).path; }

  std::unique_ptr<Reader> open(const std::string& path) override {
    const int fd = on_live_handles([&] { return os_->open_to_read(base_.at(path)); });
    if (fd == -ENOENT) return nullptr;
    if (fd < 0) fail_read("cannot open", path, -fd);
    return make_local_reader(os_, path, fd);
  }

  std::unique_ptr<Writer> create(const std::string& path) override {
    return make_local_writer(os_, base_, path, new_id_(), durable_);
  }

  bool put_if_absent(const std::string& path, std::string_view bytes) override {
    return put(path, bytes, durable_);
  }

  void replace(const std::string& path, std::string_view bytes) override {
    PendingFile pending(*os_, base_, path, new_id_());
    pending.write(bytes.data(), bytes.size());
    pending.close(durable_);
    if (const int r = os_->rename(pending.temporary(), base_.at(path)); r < 0)
      fail_write("cannot replace", path, -r);
    pending.renamed();
  }

  bool remove(const std::string& path) override {
    const int r = os_->unlink(base_.at(path));
    if (r < 0 && r != -ENOENT) fail_write("cannot remove", path, -r);
    return r == 0;
  }

  void move(const std::string& from, const std::string& to) override {
    int r = os_->rename_if_absent(base_.at(from), base_.at(to));
    if (r < 0 && not_offered(-r)) {
      // A sole user may look first. rename alone would replace a file or an empty folder.
      OsStat there;
      r = os_->stat(base_.at(to), there);
      if (r == 0) r = -EEXIST;
      if (r == -ENOENT) r = os_->rename(base_.at(from), base_.at(to));
    }
    if (r < 0) fail_write("cannot move \"" + from + "\" to", to, -r);
  }

  bool exists(const std::string& path) override { return stat(path).has_value(); }

  std::optional<Stat> stat(const std::string& path) override {
    OsStat found;
    const int r = on_live_handles([&] { return os_->stat(base_.at(path), found); });
    if (r == -ENOENT) return std::nullopt;
    if (r < 0) fail_read("cannot look at", path, -r);
    return Stat{.size = found.size, .modified_us = found.modified_us};
  }

  std::vector<Entry> list(const std::string& folder) override {
    std::vector<OsEntry> found;
    const int r = on_live_handles([&] { return os_->list(base_.at(here_if_empty(folder)), found); });
    if (r < 0 && r != -ENOENT) fail_read("cannot list", here_if_empty(folder), -r);
    std::vector<Entry> out;
    for (auto& entry : found)
      if (!is_temporary_name(entry.name)) out.push_back({std::move(entry.name), entry.is_folder});
    std::sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return out;
  }

  bool make_folder(const std::string& folder) override {
    const auto path = without_empty_steps(folder);
    if (path.empty()) return false;
    int r = os_->mkdir(base_.at(path));
    if (r == -ENOENT && !parent_of(path).empty()) {
      make_folder(parent_of(path));
      r = os_->mkdir(base_.at(path));
    }
    if (r == 0) return true;
    if (r == -EEXIST) {
      OsStat there;
      r = os_->stat(base_.at(path), there);
      if (r == 0 && there.is_folder) return false;
      if (r == 0) r = -ENOTDIR;
    }
    fail_write("cannot make the folder", folder, -r);
  }

  void sync(const std::string& folder) override {
    if (!durable_) return;
    if (const int r = sync_folder(here_if_empty(folder)); r < 0)
      fail_write("cannot flush to disk the folder", here_if_empty(folder), -r);
  }

  void flush(const std::string& path) override {
    if (unsynced_->holds(path)) fail_unsynced("", path);
    const int fd = uninterrupted([&] { return os_->open_to_read(base_.at(path)); });
    if (fd < 0) fail_write("cannot open, to flush it to disk,", path, -fd);
    const int synced = durable_ ? os_->fsync(fd) : 0;
    if (synced < 0) unsynced_->add(path);
    const int closed = os_->close(fd);
    if (synced < 0 || closed < 0) fail_write("cannot flush to disk", path, synced < 0 ? -synced : -closed);
  }

  void sync_up(const std::string& folder, const std::string& top) override;
  void require_put_if_absent(const std::string& folder) override;

 private:
  static std::string here_if_empty(const std::string& folder) { return folder.empty() ? "." : folder; }

  // Throws where an earlier fsync of the folder failed; -errno for what fails now.
  int sync_folder(const std::string& folder, bool whole_file_system = false);
  bool put(const std::string& path, std::string_view bytes, bool durable);

  bool durable_;
  std::shared_ptr<Os> os_;
  IdSource new_id_;
  BasePath base_;
  std::shared_ptr<Unsynced> unsynced_ = std::make_shared<Unsynced>();
};

class LocalFolder final : public Folder {
 public:
  LocalFolder(const LocalStorage& storage, std::shared_ptr<const HeldFolder> held, OsPath path)
      : held_(std::move(held)), path_(std::move(path)), storage_(storage, held_) {}

  Storage& storage() override { return storage_; }

  bool is_in_place() override {
    OsStat ours;
    OsStat there;
    if (const int r = held_->os->fstat(held_->fd, ours); r < 0 && r != -ESTALE)
      fail_read("cannot look at", held_->path, -r);
    const int r = on_live_handles([&] { return held_->os->stat(path_, there); });
    if (r == -ENOENT || r == -ENOTDIR) return false;
    if (r < 0) fail_read("cannot look at", held_->path, -r);
    return there.device == ours.device && there.inode == ours.inode;
  }

 private:
  std::shared_ptr<const HeldFolder> held_;
  OsPath path_;
  LocalStorage storage_;
};

std::unique_ptr<Folder> LocalStorage::hold(const std::string& folder) {
  const OsPath path = base_.by_path(here_if_empty(folder));
  const int fd = on_live_handles([&] { return os_->open_folder(path); });
  if (fd == -ENOENT) return nullptr;
  if (fd < 0) fail_read("cannot open the folder", folder, -fd);
  return std::make_unique<LocalFolder>(*this, std::make_shared<HeldFolder>(os_, folder, fd), path);
}

int LocalStorage::sync_folder(const std::string& given, bool whole_file_system) {
  const std::string folder = without_empty_steps(given);
  if (unsynced_->holds(folder)) fail_unsynced("the folder ", folder);
  if (base_.held && folder == base_.held->path && !whole_file_system) {
    const int synced = os_->fsync(base_.held->fd);
    if (synced < 0) unsynced_->add(folder);
    return synced;
  }
  const int fd = uninterrupted([&] { return os_->open_folder(base_.at(folder)); });
  if (fd < 0) return fd;
  const int synced = whole_file_system ? os_->syncfs(fd) : os_->fsync(fd);
  if (synced < 0) unsynced_->add(folder);
  const int closed = os_->close(fd);
  return synced < 0 ? synced : closed;
}

bool LocalStorage::put(const std::string& path, std::string_view bytes, bool durable) {
  PendingFile pending(*os_, base_, path, new_id_());
  pending.write(bytes.data(), bytes.size());
  pending.close(durable);

  int r = os_->link(pending.temporary(), base_.at(path));
  const bool linked = r == 0;
  if (r < 0 && not_offered(-r)) {
    r = os_->rename_if_absent(pending.temporary(), base_.at(path));
    if (r == 0) pending.renamed();
    if (r < 0 && not_offered(-r))
      fail_unsafe(parent_of(path), "can neither link nor rename without replacing", -r);
  }
  if (r == -EEXIST) {
    if (const int error = pending.unlink()) fail_write("cannot remove", pending.temporary().path, error);
    return false;
  }
  if (r < 0) {
    const auto code = refused(-r) ? ErrorCode::write_failed : ErrorCode::commit_unknown;
    fail_call(code, "cannot give its name to", path, -r);
  }
  if (linked) {
    if (const int error = pending.unlink())
      fail_call(ErrorCode::commit_unknown, "cannot remove the temporary file of", path, error);
  }
  return true;
}

void LocalStorage::sync_up(const std::string& folder, const std::string& top) {
  if (!durable_) return;
  const auto last = without_empty_steps(top);
  std::string below;
  bool passed_top = false;
  for (std::optional<std::string> at = without_empty_steps(folder); at; at = folder_above(*at)) {
    int r = sync_folder(here_if_empty(*at));
    // A folder that may be passed but not read, as /home is on some hosts: all of the file system, then.
    if (r == -EACCES && !below.empty()) r = sync_folder(below, true);
    if (r < 0) fail_write("cannot flush to disk the folder", here_if_empty(*at), -r);
    if (passed_top) return;
    passed_top = !last.empty() && *at == last;
    below = *at;
  }
  if (passed_top || last.empty()) return;
  raise(ErrorCode::bad_argument, "\"" + top + "\" does not stand above \"" + folder + "\"", {.path = folder});
}

void LocalStorage::require_put_if_absent(const std::string& folder) {
  OsFileSystem fs;
  if (const int r = os_->file_system(base_.at(here_if_empty(folder)), fs); r < 0)
    fail_read("cannot look at the file system of", folder, -r);
  if (fs.is_nfs && caches_absent_names(fs.mountinfo, fs.device))
    fail_unsafe(folder, "is NFS, mounted so that it remembers which names are absent");
  const auto probe = join(folder, temporary_name("probe", new_id_()));
  bool safe = false;
  try {
    safe = put(probe, "1", false) && !put(probe, "2", false) && read_all(*this, probe) == "1";
  } catch (const IoCommitUnknownError& e) {
    os_->unlink(base_.at(probe));
    raise(ErrorCode::write_failed, e.what(), e.facts());
  } catch (...) {
    os_->unlink(base_.at(probe));
    throw;
  }
  remove(probe);
  if (!safe) fail_unsafe(folder, "replaces a name that is taken");
}

// Comma-separated options hold one of those with which a name's absence is always asked of the server.
bool asks_for_absent_names(std::string_view options) {
  while (!options.empty()) {
    const auto option = options.substr(0, options.find(','));
    if (option == "lookupcache=none" || option == "lookupcache=pos" || option == "lookupcache=positive")
      return true;
    options.remove_prefix(std::min(options.size(), option.size() + 1));
  }
  return false;
}

}  // namespace

std::shared_ptr<Storage> local_storage(Durability durability, std::shared_ptr<Os> os, IdSource new_id,
                                       std::string working_folder) {
  return std::make_shared<LocalStorage>(durability, std::move(os), std::move(new_id),
                                        std::move(working_folder));
}

// A line: id parent major:minor root mount-point options [more...] - type source super-options
bool caches_absent_names(std::string_view mountinfo, std::string_view device) {
  bool found = false;
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
    if (fields.size() < 6 || fields[2] != device) continue;
    if (!asks_for_absent_names(fields[5]) && !asks_for_absent_names(fields.back())) return true;
    found = true;
  }
  return !found;
}

}  // namespace crv::io
