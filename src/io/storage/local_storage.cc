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
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "crv/core/error.h"
#include "io/storage/paths.h"

namespace crv::io {
namespace {

std::string advice_for(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space, then try again";
    case EACCES:
    case EPERM:
      return "; check who owns it and its permissions";
    case EROFS:
      return "; the file system is mounted read-only";
    default:
      return "";
  }
}

[[noreturn]] void fail(ErrorCode code, const std::string& what, const std::string& path, int error) {
  raise(code,
        what + " \"" + path + "\": " + std::generic_category().message(error) + " (errno " +
            std::to_string(error) + ")" + advice_for(error),
        {.path = path, .os_error = error});
}

[[noreturn]] void fail_write(const std::string& what, const std::string& path, int error) {
  fail(ErrorCode::write_failed, what, path, error);
}

[[noreturn]] void fail_read(const std::string& what, const std::string& path, int error) {
  fail(ErrorCode::read_failed, what, path, error);
}

[[noreturn]] void fail_unsafe(const std::string& folder, const std::string& why, int error = 0) {
  raise(ErrorCode::unsafe_storage,
        "commits would not be safe in \"" + folder + "\": its file system " + why +
            ". Keep runs on one that links atomically: ext4, XFS, Btrfs, or NFS with lookupcache=positive",
        {.path = folder, .os_error = error});
}

// Calls again while a signal got in between. Never for fsync and close, where a second call may hide the
// first's loss.
template <class Call>
auto uninterrupted(const Call& call) {
  auto r = call();
  while (r == -EINTR) r = call();
  return r;
}

// As uninterrupted, for calls that only look: on NFS a name that another host has removed or replaced may
// lead to a stale handle once; the next look asks the server.
template <class Call>
int on_live_handles(const Call& call) {
  int r = uninterrupted(call);
  for (int i = 0; r == -ESTALE && i < 3; ++i) r = uninterrupted(call);
  return r;
}

// What a file system without hard links, or without rename-if-absent, says.
bool not_offered(int error) {
  return error == EPERM || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

// True if `error` of open, link or rename says that the name was surely not made.
bool refused(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENOSPC:
    case EDQUOT:
    case EMLINK:
    case EXDEV:
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

// Folders as they stand in a path: no '/' twice or at the end.
std::string without_empty_steps(const std::string& folder) {
  std::string out;
  for (const char c : folder) {
    if (c != '/' || !out.ends_with('/')) out += c;
  }
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

// A folder held open, and the path by which callers name it.
struct Held {
  Held(std::shared_ptr<Os> system, std::string folder, int descriptor)
      : os(std::move(system)), path(std::move(folder)), fd(descriptor) {}
  ~Held() { os->close(fd); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  std::shared_ptr<Os> os;
  std::string path;
  int fd;
};

// From callers' paths to the system's: relative ones start from `base`, those in the held folder from it.
struct Base {
  std::string folder;  // absolute; empty: the working folder of each call
  std::shared_ptr<const Held> held;

  OsPath at(const std::string& path) const {
    if (held && path.starts_with(held->path)) {
      if (path.size() == held->path.size()) return {".", held->fd};
      if (path[held->path.size()] == '/') return {path.substr(held->path.size() + 1), held->fd};
    }
    return by_path(path);
  }
  OsPath by_path(const std::string& path) const {
    return folder.empty() || path.starts_with('/') ? path : join(folder, path);
  }
};

// Folders, and files of others, whose fsync has failed.
class Unsynced {
 public:
  bool holds(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return paths_.contains(path);
  }
  void add(const std::string& path) {
    const std::lock_guard lock(mutex_);
    paths_.insert(path);
  }

 private:
  std::mutex mutex_;
  std::set<std::string> paths_;
};

[[noreturn]] void fail_unsynced(const std::string& what, const std::string& path) {
  raise(ErrorCode::write_failed,
        "cannot flush to disk " + what + "\"" + path +
            "\": it failed before, so what was written may be lost. Open the run again to see what stands",
        {.path = path, .os_error = EIO});
}

// An object on its way to its name. Removes its temporary file unless it was published or already removed.
class Pending {
 public:
  Pending(Os& os, const Base& base, std::string path, const std::string& id)
      : os_(os),
        path_(std::move(path)),
        temporary_(base.at(join(parent_of(path_), temporary_name(base_name_of(path_), id)))) {
    fd_ = uninterrupted([&] { return os_.open_new(temporary_); });
    if (fd_ < 0) {
      if (fd_ != -EEXIST && !refused(-fd_)) os_.unlink(temporary_);
      fail_write("cannot create a file for", path_, -fd_);
    }
    exists_ = true;
  }
  ~Pending() { discard(); }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  const OsPath& temporary() const { return temporary_; }

  void write(const char* data, std::size_t length) {
    while (length > 0) {
      const auto written = uninterrupted([&] { return os_.write(fd_, data, length); });
      if (written < 0) fail_write("cannot write", path_, static_cast<int>(-written));
      if (written == 0) fail_write("cannot write", path_, ENOSPC);
      data += written;
      length -= static_cast<std::size_t>(written);
    }
  }

  void close(bool durable) {
    if (durable) {
      if (const int r = os_.fsync(fd_); r < 0) fail_write("cannot flush to disk", path_, -r);
    }
    const int r = os_.close(std::exchange(fd_, -1));
    if (r < 0) fail_write("cannot close", path_, -r);
  }

  // The temporary name was given up in a rename.
  void renamed() { exists_ = false; }

  // Removes the temporary name: 0 or an errno. Another may have tidied it away, which is as good.
  int unlink() {
    exists_ = false;
    const int r = os_.unlink(temporary_);
    return r == -ENOENT ? 0 : -r;
  }

  // For error paths: the first error is the one to tell, so what fails here is not told.
  void discard() {
    if (fd_ >= 0) os_.close(std::exchange(fd_, -1));
    if (exists_) unlink();
  }

 private:
  Os& os_;
  std::string path_;
  OsPath temporary_;
  int fd_ = -1;
  bool exists_ = false;
};

class LocalReader final : public Reader {
 public:
  LocalReader(std::shared_ptr<Os> os, std::string path, int fd)
      : os_(std::move(os)), path_(std::move(path)), fd_(fd) {
    OsStat stat;
    int r = os_->fstat(fd_, stat);
    if (r == 0 && stat.is_folder) r = -EISDIR;
    if (r < 0) {
      os_->close(fd_);
      fail_read("cannot read", path_, -r);
    }
    size_ = stat.size;
  }
  ~LocalReader() override { os_->close(fd_); }
  LocalReader(const LocalReader&) = delete;
  LocalReader& operator=(const LocalReader&) = delete;

  std::int64_t size() const override { return size_; }

  std::int64_t read_at(std::int64_t offset, std::int64_t length, void* out) override {
    if (offset < 0 || length < 0) fail_read("cannot read before the start of", path_, EINVAL);
    std::int64_t done = 0;
    while (done < length) {
      const auto got = uninterrupted([&] {
        return os_->pread(fd_, static_cast<char*>(out) + done, static_cast<std::size_t>(length - done),
                          offset + done);
      });
      if (got < 0) fail_read("cannot read", path_, static_cast<int>(-got));
      if (got == 0) break;
      done += got;
    }
    return done;
  }

 private:
  std::shared_ptr<Os> os_;
  std::string path_;
  int fd_;
  std::int64_t size_ = 0;
};

class LocalWriter final : public Writer {
 public:
  LocalWriter(std::shared_ptr<Os> os, const Base& base, const std::string& path, const std::string& id,
              bool durable)
      : os_(std::move(os)),
        pending_(std::in_place, *os_, base, path, id),
        path_(path),
        target_(base.at(path)),
        durable_(durable) {}

  // Parquet's writer comes with a few bytes at a time; the system gets them in pieces worth a call.
  void write(const void* data, std::int64_t length) override {
    guarded([&] {
      const std::string_view bytes(static_cast<const char*>(data), static_cast<std::size_t>(length));
      if (buffer_.size() + bytes.size() > kBufferBytes) flush();
      if (bytes.size() > kBufferBytes) {
        pending_->write(bytes.data(), bytes.size());
      } else {
        buffer_ += bytes;
      }
    });
  }

  void finish() override {
    guarded([&] {
      flush();
      pending_->close(durable_);
      publish();
    });
    pending_.reset();
  }

 private:
  static constexpr std::size_t kBufferBytes = 256 * 1024;

  void flush() {
    pending_->write(buffer_.data(), buffer_.size());
    buffer_.clear();
  }

  template <class Work>
  void guarded(const Work& work) {
    if (!pending_) fail_write("nothing more can be written to", path_, EBADF);
    try {
      work();
    } catch (...) {
      pending_.reset();
      throw;
    }
  }

  void publish() {
    int r = os_->rename_if_absent(pending_->temporary(), target_);
    if (r == 0) {
      pending_->renamed();
      return;
    }
    if (not_offered(-r)) {
      r = os_->link(pending_->temporary(), target_);
      if (r == 0) {
        const int error = pending_->unlink();
        if (error == 0) return;
        os_->unlink(target_);
        fail_write("cannot remove the temporary file of", path_, error);
      }
    }
    if (r != -EEXIST && !refused(-r) && has_our_file()) os_->unlink(target_);
    fail_write("cannot give its name to", path_, -r);
  }

  // After an answer that leaves open whether the name was made.
  bool has_our_file() {
    OsStat temporary, named;
    const int r = os_->stat(pending_->temporary(), temporary);
    if (r == -ENOENT) return true;  // it was renamed
    return r == 0 && os_->stat(target_, named) == 0 && named.device == temporary.device &&
           named.inode == temporary.inode;
  }

  std::shared_ptr<Os> os_;
  std::optional<Pending> pending_;  // empty once it is finished or has failed
  std::string path_;
  OsPath target_;
  std::string buffer_;
  bool durable_;
};

class LocalStorage final : public Storage {
 public:
  LocalStorage(Durability durability, std::shared_ptr<Os> os, IdSource new_id, std::string working_folder)
      : durable_(durability == Durability::commit),
        os_(std::move(os)),
        new_id_(std::move(new_id)),
        base_{working_folder.empty() ? os_->working_folder() : std::move(working_folder), nullptr} {}
  // The same storage, with a folder held.
  LocalStorage(const LocalStorage& other, std::shared_ptr<const Held> held)
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
    return std::make_unique<LocalReader>(os_, path, fd);
  }

  std::unique_ptr<Writer> create(const std::string& path) override {
    return std::make_unique<LocalWriter>(os_, base_, path, new_id_(), durable_);
  }

  bool put_if_absent(const std::string& path, std::string_view bytes) override {
    return put(path, bytes, durable_);
  }

  void replace(const std::string& path, std::string_view bytes) override {
    Pending pending(*os_, base_, path, new_id_());
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
    for (auto& entry : found) {
      if (!is_temporary_name(entry.name)) out.push_back({std::move(entry.name), entry.is_folder});
    }
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
  Base base_;
  std::shared_ptr<Unsynced> unsynced_ = std::make_shared<Unsynced>();
};

class LocalFolder final : public Folder {
 public:
  LocalFolder(const LocalStorage& storage, std::shared_ptr<const Held> held, OsPath path)
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
  std::shared_ptr<const Held> held_;
  OsPath path_;
  LocalStorage storage_;
};

std::unique_ptr<Folder> LocalStorage::hold(const std::string& folder) {
  const OsPath path = base_.by_path(here_if_empty(folder));
  const int fd = on_live_handles([&] { return os_->open_folder(path); });
  if (fd == -ENOENT) return nullptr;
  if (fd < 0) fail_read("cannot open the folder", folder, -fd);
  return std::make_unique<LocalFolder>(*this, std::make_shared<Held>(os_, folder, fd), path);
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
  Pending pending(*os_, base_, path, new_id_());
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
    fail(code, "cannot give its name to", path, -r);
  }
  if (linked) {
    if (const int error = pending.unlink()) {
      fail(ErrorCode::commit_unknown, "cannot remove the temporary file of", path, error);
    }
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
  if (const int r = os_->file_system(base_.at(here_if_empty(folder)), fs); r < 0) {
    fail_read("cannot look at the file system of", folder, -r);
  }
  if (fs.is_nfs && caches_absent_names(fs.mountinfo, fs.device)) {
    fail_unsafe(folder, "is NFS, mounted so that it remembers which names are absent");
  }
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
