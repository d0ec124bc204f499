#include "io/base/os.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <system_error>

#include "core/random.h"
#include "core/text.h"
#include "io/base/hex.h"

namespace crv::io {
namespace {

template <class T>
T result(T value) {
  return value < 0 ? -errno : value;
}

// Anybody may set a file's time: what is beyond microseconds in 64 bits is the nearest that is not.
std::int64_t microseconds_of(const timespec& time) {
  constexpr std::int64_t most = INT64_MAX / 1'000'000 - 1;
  return std::clamp<std::int64_t>(time.tv_sec, -most, most) * 1'000'000 + time.tv_nsec / 1'000;
}

OsStat converted(const struct ::stat& s) {
  return {.is_folder = S_ISDIR(s.st_mode),
          .size = s.st_size,
          .modified_us = microseconds_of(s.st_mtim),
          .device = s.st_dev,
          .inode = s.st_ino,
          .is_file = S_ISREG(s.st_mode),
          .mode = s.st_mode & 07777U};
}

// 1 or 0, or -errno. A link that leads nowhere is no folder.
int is_folder(int folder_fd, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN && entry.d_type != DT_LNK) return entry.d_type == DT_DIR;
  struct ::stat s {};
  if (::fstatat(folder_fd, entry.d_name, &s, 0) == 0) return S_ISDIR(s.st_mode);
  return errno == ENOENT || errno == ELOOP ? 0 : -errno;
}

class PosixOs final : public Os {
 public:
  std::string working_folder() override {
    std::error_code failed;
    return std::filesystem::current_path(failed).string();
  }

  int open_to_read(const OsPath& path) override {
    return result(::openat(path.folder, path.path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  int open_new(const OsPath& path) override {
    return result(::openat(path.folder, path.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  }
  int open_folder(const OsPath& path) override {
    return result(::openat(path.folder, path.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }

  std::int64_t write(int fd, const void* data, std::size_t length) override {
    return result<std::int64_t>(::write(fd, data, length));
  }
  std::int64_t pread(int fd, void* out, std::size_t length, std::int64_t offset) override {
    return result<std::int64_t>(::pread(fd, out, length, offset));
  }
  int fsync(int fd) override { return result(::fsync(fd)); }
  int syncfs(int fd) override { return result(::syncfs(fd)); }
  int close(int fd) override { return result(::close(fd)); }
  int fstat(int fd, OsStat& out) override {
    struct ::stat s {};
    const int r = result(::fstat(fd, &s));
    if (r == 0) out = converted(s);
    return r;
  }

  int stat(const OsPath& path, OsStat& out) override {
    struct ::stat s {};
    const int r = result(::fstatat(path.folder, path.path.c_str(), &s, 0));
    if (r == 0) out = converted(s);
    return r;
  }
  int link(const OsPath& from, const OsPath& to) override {
    return result(::linkat(from.folder, from.path.c_str(), to.folder, to.path.c_str(), 0));
  }
  int rename(const OsPath& from, const OsPath& to) override { return renamed(from, to, 0); }
  int rename_if_absent(const OsPath& from, const OsPath& to) override {
    return renamed(from, to, RENAME_NOREPLACE);
  }
  int unlink(const OsPath& path) override { return result(::unlinkat(path.folder, path.path.c_str(), 0)); }
  int mkdir(const OsPath& path) override { return result(::mkdirat(path.folder, path.path.c_str(), 0777)); }

  int list(const OsPath& folder, std::vector<OsEntry>& out) override {
    out.clear();
    const int fd = open_folder(folder);
    if (fd < 0) return fd;
    DIR* stream = ::fdopendir(fd);
    if (!stream) {
      const int error = errno;
      ::close(fd);
      return -error;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> closed_at_the_end(stream, ::closedir);
    for (errno = 0; const dirent* entry = ::readdir(stream); errno = 0) {
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      const int folder_entry = is_folder(::dirfd(stream), *entry);
      if (folder_entry < 0) return folder_entry;
      out.push_back({std::move(name), folder_entry > 0});
    }
    return -errno;
  }

  int file_system(const OsPath& path, OsFileSystem& out) override {
    const int fd = open_to_read(path);
    if (fd < 0) return fd;
    struct ::statfs fs {};
    struct ::stat s {};
    const int r = result(::fstatfs(fd, &fs) < 0 || ::fstat(fd, &s) < 0 ? -1 : 0);
    ::close(fd);
    if (r < 0) return r;
    out.is_nfs = fs.f_type == NFS_SUPER_MAGIC;
    out.device = std::to_string(major(s.st_dev)) + ":" + std::to_string(minor(s.st_dev));
    out.mountinfo.clear();
    if (!out.is_nfs) return 0;
    std::ifstream file("/proc/self/mountinfo");
    out.mountinfo.assign(std::istreambuf_iterator<char>(file), {});
    return 0;
  }

  int open_to_write(const OsPath& path) override {
    return result(::openat(path.folder, path.path.c_str(), O_WRONLY | O_CLOEXEC));
  }
  std::int64_t read(int fd, void* out, std::size_t length) override {
    return result<std::int64_t>(::read(fd, out, length));
  }
  int wait_readable(int fd, int milliseconds) override {
    pollfd waited{fd, POLLIN, 0};
    return result(::poll(&waited, 1, milliseconds));
  }
  int fchmod(int fd, std::uint32_t mode) override { return result(::fchmod(fd, mode)); }
  int lstat(const OsPath& path, OsStat& out) override {
    struct ::stat s {};
    const int r = result(::fstatat(path.folder, path.path.c_str(), &s, AT_SYMLINK_NOFOLLOW));
    if (r == 0) out = converted(s);
    return r;
  }
  int real_path(const std::string& path, std::string& out) override {
    const std::unique_ptr<char, void (*)(void*)> found(::realpath(path.c_str(), nullptr), std::free);
    if (!found) return -errno;
    out = found.get();
    return 0;
  }

 private:
  static int renamed(const OsPath& from, const OsPath& to, unsigned flags) {
    return result(::renameat2(from.folder, from.path.c_str(), to.folder, to.path.c_str(), flags));
  }
};

}  // namespace

std::shared_ptr<Os> posix_os() {
  static const std::shared_ptr<Os> os = std::make_shared<PosixOs>();
  return os;
}

std::string random_id() {
  return core::to_hex(core::random_bytes<kIdDigits / 2>());
}

std::int64_t process_id() {
  return getpid();
}

std::map<std::string, std::string> environment_variables() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

}  // namespace crv::io
