#include "io/support/sim_os.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <system_error>
#include <utility>

#include "io/support/sim_disk.h"

namespace crv::io {
namespace {

// Set while this thread runs a hook, whose own calls are not shown to it.
thread_local bool in_hook = false;

constexpr const char* kDevice = "0:42";

int as_int(std::int64_t result) {
  return static_cast<int>(result);
}

}  // namespace

const char* name_of(OsCall call) {
  static constexpr const char* kNames[] = {"open_to_read",
                                           "open_new",
                                           "open_folder",
                                           "write",
                                           "pread",
                                           "fsync",
                                           "syncfs",
                                           "close",
                                           "fstat",
                                           "stat",
                                           "link",
                                           "rename",
                                           "rename_if_absent",
                                           "unlink",
                                           "mkdir",
                                           "list",
                                           "file_system",
                                           "open_to_write",
                                           "read",
                                           "wait_readable",
                                           "fchmod",
                                           "lstat",
                                           "real_path"};
  return kNames[static_cast<std::size_t>(call)];
}

bool changes_disk(OsCall call) {
  switch (call) {
    case OsCall::open_new:
    case OsCall::write:
    case OsCall::fsync:
    case OsCall::syncfs:
    case OsCall::link:
    case OsCall::rename:
    case OsCall::rename_if_absent:
    case OsCall::unlink:
    case OsCall::mkdir:
    case OsCall::fchmod:
      return true;
    default:
      return false;
  }
}

std::string to_string(const SimOp& op) {
  std::string out = std::string(name_of(op.call)) + " " + op.path;
  if (!op.to.empty()) out += " -> " + op.to;
  return out + " = " +
         (op.result < 0 ? std::generic_category().message(as_int(-op.result)) : std::to_string(op.result));
}

SimOs::SimOs() : disk_(std::make_unique<SimDisk>()) {}
SimOs::~SimOs() = default;

std::shared_ptr<SimOs> SimOs::clone() const {
  auto out = std::make_shared<SimOs>();
  const std::lock_guard lock(mutex_);
  *out->disk_ = *disk_;
  out->features_ = features_;
  return out;
}

std::shared_ptr<SimOs> SimOs::after_power_cut(const PowerCut& cut) const {
  auto out = clone();
  out->disk_->power_cut(cut);
  return out;
}

std::vector<SimOp> SimOs::ops() const {
  const std::lock_guard lock(mutex_);
  return ops_;
}

void SimOs::clear_ops() {
  const std::lock_guard lock(mutex_);
  ops_.clear();
}

std::size_t SimOs::open_files() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

void SimOs::fail_at(std::int64_t nth, int error, SimFault fault) {
  const std::lock_guard lock(mutex_);
  planned_[calls_ + nth] = {error, fault};
}

void SimOs::stop_after(std::int64_t count) {
  const std::lock_guard lock(mutex_);
  stop_after_ = calls_ + count;
}

bool SimOs::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void SimOs::clear_faults() {
  const std::lock_guard lock(mutex_);
  planned_.clear();
  stop_after_ = INT64_MAX;
  stopped_ = false;
}

void SimOs::set_hook(std::function<int(const SimOp&)> hook) {
  const std::lock_guard lock(mutex_);
  hook_ = hook ? std::make_shared<const std::function<int(const SimOp&)>>(std::move(hook)) : nullptr;
}

void SimOs::set_features(const SimFeatures& features) {
  const std::lock_guard lock(mutex_);
  features_ = features;
}

std::map<std::string, std::string> SimOs::files() const {
  const std::lock_guard lock(mutex_);
  return disk_->files();
}

std::vector<std::string> SimOs::folders() const {
  const std::lock_guard lock(mutex_);
  return disk_->folders();
}

std::string SimOs::dump() const {
  const std::lock_guard lock(mutex_);
  return disk_->dump();
}

void SimOs::put(const std::string& path, const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  disk_->put(path, bytes);
}

void SimOs::put_folder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  disk_->put_folder(path);
}

void SimOs::move(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  disk_->move(from, to);
}

void SimOs::erase(const std::string& path) {
  const std::lock_guard lock(mutex_);
  disk_->erase(path);
}

// Every system call goes through here. `work(fault)` carries it out, under the lock, and is told of a fault
// that has an effect of its own: it gives the result that the call would have had.
template <class Work>
std::int64_t SimOs::call(SimOp op, const Work& work, int fd) {
  std::shared_ptr<const std::function<int(const SimOp&)>> hook;
  {
    const std::lock_guard lock(mutex_);
    if (!stopped_) hook = hook_;
  }
  int refused_by_hook = 0;
  if (hook && !in_hook) {
    in_hook = true;
    try {
      refused_by_hook = (*hook)(op);
    } catch (...) {
      in_hook = false;
      throw;
    }
    in_hook = false;
  }

  const std::lock_guard lock(mutex_);
  if (calls_ >= stop_after_) stopped_ = true;
  if (stopped_) {
    if (op.call == OsCall::close) open_.erase(fd);
    return -EIO;
  }
  ++calls_;
  Planned plan;
  if (const auto it = planned_.find(calls_); it != planned_.end()) plan = it->second;
  if (refused_by_hook != 0) plan = {refused_by_hook, SimFault::refused};
  const auto open = open_.find(fd);
  if (open != open_.end() && open->second.fails_with != 0 && op.call != OsCall::close) {
    plan = {std::exchange(open->second.fails_with, 0), SimFault::refused};
  }
  if (plan.fault == SimFault::short_write) {
    if (op.call == OsCall::write && open != open_.end()) {
      open->second.fails_with = plan.error;
      plan.error = 0;
    } else {
      plan.fault = SimFault::refused;
    }
  }
  op.result = work(plan);
  if (plan.error != 0) op.result = -plan.error;
  ops_.push_back(op);
  return op.result;
}

std::string SimOs::path_of(int fd) const {
  const std::lock_guard lock(mutex_);
  const auto it = open_.find(fd);
  return it == open_.end() ? "(not open)" : it->second.path;
}

std::string SimOs::text_of(const OsPath& path) const {
  if (path.folder == OsPath::working_folder || path.path.starts_with('/')) return path.path;
  return path.path == "." ? path_of(path.folder) : path_of(path.folder) + "/" + path.path;
}

SimDisk::From SimOs::from(const OsPath& path) const {
  if (path.folder == OsPath::working_folder) return {path.path};
  const auto it = open_.find(path.folder);
  return it == open_.end() ? SimDisk::From{""} : SimDisk::From{path.path, it->second.node};
}

int SimOs::opened(std::size_t node, const std::string& path) {
  open_[next_fd_] = {node, path};
  return next_fd_++;
}

namespace {

template <class Plan>
bool refused(const Plan& plan) {
  return plan.error != 0 && plan.fault == SimFault::refused;
}

}  // namespace

int SimOs::opened_file(OsCall how, const OsPath& path) {
  const std::string text = text_of(path);
  return as_int(call({how, text, "", 0}, [&](const Planned& plan) -> std::int64_t {
    if (plan.error != 0) return 0;
    const auto node = disk_->find(from(path));
    if (how == OsCall::open_to_write && node >= 0 && disk_->is_folder(node)) return -EISDIR;
    return node < 0 ? node : opened(static_cast<std::size_t>(node), text);
  }));
}

int SimOs::open_to_read(const OsPath& path) {
  return opened_file(OsCall::open_to_read, path);
}

int SimOs::open_to_write(const OsPath& path) {
  return opened_file(OsCall::open_to_write, path);
}

int SimOs::open_new(const OsPath& path) {
  const std::string text = text_of(path);
  return as_int(call({OsCall::open_new, text, "", 0}, [&](const Planned& plan) -> std::int64_t {
    if (refused(plan)) return 0;
    const auto node = disk_->create(from(path), false);
    return node < 0 || plan.error != 0 ? node : opened(static_cast<std::size_t>(node), text);
  }));
}

int SimOs::open_folder(const OsPath& path) {
  const std::string text = text_of(path);
  return as_int(call({OsCall::open_folder, text, "", 0}, [&](const Planned& plan) -> std::int64_t {
    if (plan.error != 0) return 0;
    const auto node = disk_->find(from(path));
    if (node < 0) return node;
    return disk_->is_folder(node) ? opened(static_cast<std::size_t>(node), text) : -ENOTDIR;
  }));
}

std::int64_t SimOs::write(int fd, const void* data, std::size_t length) {
  return call(
      {OsCall::write, path_of(fd), "", 0},
      [&](const Planned& plan) -> std::int64_t {
        const auto it = open_.find(fd);
        if (it == open_.end()) return -EBADF;
        if (refused(plan)) return 0;
        const auto taken = plan.fault == SimFault::short_write ? length / 2 : length;
        disk_->write(it->second.node, std::string_view(static_cast<const char*>(data), taken));
        return static_cast<std::int64_t>(taken);
      },
      fd);
}

std::int64_t SimOs::read(int fd, void* out, std::size_t length) {
  return call(
      {OsCall::read, path_of(fd), "", 0},
      [&](const Planned& plan) -> std::int64_t {
        const auto it = open_.find(fd);
        if (it == open_.end()) return -EBADF;
        if (plan.error != 0) return 0;
        if (disk_->is_folder(static_cast<std::int64_t>(it->second.node))) return -EISDIR;
        const auto got = disk_->bytes(it->second.node).substr(it->second.read, length);
        std::memcpy(out, got.data(), got.size());
        it->second.read += got.size();
        return static_cast<std::int64_t>(got.size());
      },
      fd);
}

int SimOs::wait_readable(int fd, int) {
  return as_int(call(
      {OsCall::wait_readable, path_of(fd), "", 0},
      [&](const Planned&) -> std::int64_t { return open_.contains(fd) ? 1 : -EBADF; }, fd));
}

int SimOs::fchmod(int fd, std::uint32_t mode) {
  return as_int(call(
      {OsCall::fchmod, path_of(fd), "", 0},
      [&](const Planned& plan) -> std::int64_t {
        const auto it = open_.find(fd);
        if (it == open_.end()) return -EBADF;
        if (!refused(plan)) disk_->set_mode(it->second.node, mode);
        return 0;
      },
      fd));
}

std::int64_t SimOs::pread(int fd, void* out, std::size_t length, std::int64_t offset) {
  return call(
      {OsCall::pread, path_of(fd), "", 0},
      [&](const Planned& plan) -> std::int64_t {
        const auto it = open_.find(fd);
        if (it == open_.end()) return -EBADF;
        if (plan.error != 0) return 0;
        if (disk_->is_folder(static_cast<std::int64_t>(it->second.node))) return -EISDIR;
        const auto bytes = disk_->bytes(it->second.node);
        if (offset >= static_cast<std::int64_t>(bytes.size())) return 0;
        const auto got = bytes.substr(static_cast<std::size_t>(offset), length);
        std::memcpy(out, got.data(), got.size());
        return static_cast<std::int64_t>(got.size());
      },
      fd);
}

int SimOs::fsync(int fd) {
  return as_int(call(
      {OsCall::fsync, path_of(fd), "", 0},
      [&](const Planned& plan) -> std::int64_t {
        const auto it = open_.find(fd);
        if (it == open_.end()) return -EBADF;
        disk_->fsync(it->second.node, !refused(plan));
        return 0;
      },
      fd));
}

int SimOs::syncfs(int fd) {
  return as_int(call(
      {OsCall::syncfs, path_of(fd), "", 0},
      [&](const Planned& plan) -> std::int64_t {
        if (!open_.contains(fd)) return -EBADF;
        disk_->fsync_all(!refused(plan));
        return 0;
      },
      fd));
}

int SimOs::close(int fd) {
  return as_int(call(
      {OsCall::close, path_of(fd), "", 0},
      [&](const Planned&) -> std::int64_t { return open_.erase(fd) == 1 ? 0 : -EBADF; }, fd));
}

int SimOs::fstat(int fd, OsStat& out) {
  return as_int(call(
      {OsCall::fstat, path_of(fd), "", 0},
      [&](const Planned& plan) -> std::int64_t {
        const auto it = open_.find(fd);
        if (it == open_.end()) return -EBADF;
        if (plan.error == 0) out = disk_->stat(it->second.node);
        return 0;
      },
      fd));
}

int SimOs::stat_as(OsCall how, const OsPath& path, OsStat& out) {
  return as_int(call({how, text_of(path), "", 0}, [&](const Planned& plan) -> std::int64_t {
    const auto node = disk_->find(from(path));
    if (node < 0) return node;
    if (plan.error == 0) out = disk_->stat(static_cast<std::size_t>(node));
    return 0;
  }));
}

int SimOs::stat(const OsPath& path, OsStat& out) {
  return stat_as(OsCall::stat, path, out);
}

int SimOs::lstat(const OsPath& path, OsStat& out) {
  return stat_as(OsCall::lstat, path, out);
}

int SimOs::real_path(const std::string& path, std::string& out) {
  return as_int(call({OsCall::real_path, path, "", 0}, [&](const Planned& plan) -> std::int64_t {
    const auto node = disk_->find({path});
    if (node < 0) return node;
    if (plan.error == 0) out = path;
    return 0;
  }));
}

int SimOs::link(const OsPath& old_path, const OsPath& new_path) {
  return as_int(
      call({OsCall::link, text_of(old_path), text_of(new_path), 0}, [&](const Planned& plan) -> std::int64_t {
        if (!features_.link) return -EPERM;
        return refused(plan) ? 0 : disk_->link(from(old_path), from(new_path));
      }));
}

int SimOs::rename(const OsPath& old_path, const OsPath& new_path) {
  return as_int(call({OsCall::rename, text_of(old_path), text_of(new_path), 0},
                     [&](const Planned& plan) -> std::int64_t {
                       return refused(plan) ? 0 : disk_->rename(from(old_path), from(new_path), true);
                     }));
}

int SimOs::rename_if_absent(const OsPath& old_path, const OsPath& new_path) {
  return as_int(call({OsCall::rename_if_absent, text_of(old_path), text_of(new_path), 0},
                     [&](const Planned& plan) -> std::int64_t {
                       if (!features_.rename_if_absent) return -EINVAL;
                       return refused(plan) ? 0 : disk_->rename(from(old_path), from(new_path), false);
                     }));
}

int SimOs::unlink(const OsPath& path) {
  return as_int(call({OsCall::unlink, text_of(path), "", 0}, [&](const Planned& plan) -> std::int64_t {
    return refused(plan) ? 0 : disk_->unlink(from(path));
  }));
}

int SimOs::mkdir(const OsPath& path) {
  return as_int(call({OsCall::mkdir, text_of(path), "", 0}, [&](const Planned& plan) -> std::int64_t {
    if (refused(plan)) return 0;
    const auto node = disk_->create(from(path), true);
    return node < 0 ? node : 0;
  }));
}

int SimOs::list(const OsPath& folder, std::vector<OsEntry>& out) {
  return as_int(call({OsCall::list, text_of(folder), "", 0}, [&](const Planned& plan) -> std::int64_t {
    const auto node = disk_->find(from(folder));
    if (node < 0) return node;
    if (!disk_->is_folder(node)) return -ENOTDIR;
    if (plan.error == 0) out = disk_->list(static_cast<std::size_t>(node));
    return 0;
  }));
}

int SimOs::file_system(const OsPath& path, OsFileSystem& out) {
  return as_int(call({OsCall::file_system, text_of(path), "", 0}, [&](const Planned& plan) -> std::int64_t {
    const auto node = disk_->find(from(path));
    if (node < 0) return node;
    if (plan.error == 0) out = {.is_nfs = features_.nfs, .device = kDevice, .mountinfo = features_.mountinfo};
    return 0;
  }));
}

std::function<std::string()> counting_ids(std::uint64_t start) {
  const auto next = std::make_shared<std::atomic<std::uint64_t>>(start);
  return [next] {
    char digits[33];
    std::snprintf(digits, sizeof digits, "%032llx", static_cast<unsigned long long>((*next)++));
    return std::string(digits);
  };
}

std::uint64_t test_seed() {
  const char* given = std::getenv("CRV_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  std::cout << "CRV_TEST_SEED=" << seed << "\n";
  return seed;
}

}  // namespace crv::io
