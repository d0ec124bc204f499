// Sole owner of system calls. Nothing here decides anything: what to do about an error is the caller's
// matter, and a test puts a simulated disk in the place of the real one.
//
// Every call returns what the system call returns (0 or more), or -errno. No call is repeated, none throws.
// Files are made with mode 0666 and folders with 0777, less the umask; file descriptors are not inherited.
// Safe for several threads.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace crv::io {

struct OsStat {
  bool is_folder = false;
  std::int64_t size = 0;                // bytes
  std::int64_t modified_us = 0;         // microseconds since 1970, UTC
  std::uint64_t device = 0, inode = 0;  // equal for two names of one file
  bool is_file = false;                 // a regular one: no folder, pipe or device
  std::uint32_t mode = 0;               // permission bits, 07777
};

struct OsEntry {
  std::string name;
  bool is_folder = false;  // a link to a folder counts as one
};

// What a path lies on.
struct OsFileSystem {
  bool is_nfs = false;
  std::string device;     // "major:minor", as in mountinfo
  std::string mountinfo;  // text of /proc/self/mountinfo; empty where it cannot be read
};

// A path, and the open folder that it starts from.
struct OsPath {
  static constexpr int working_folder = -100;  // AT_FDCWD

  OsPath(std::string text, int from = working_folder)  // NOLINT(google-explicit-constructor)
      : path(std::move(text)), folder(from) {}
  OsPath(const char* text) : path(text) {}  // NOLINT(google-explicit-constructor)

  std::string path;
  int folder = working_folder;  // a file descriptor; an absolute path ignores it
};

class Os {
 public:
  virtual ~Os() = default;

  // The working folder's absolute path; empty where it is not known, or where paths do not depend on it.
  virtual std::string working_folder() = 0;

  // These give a file descriptor.
  virtual int open_to_read(const OsPath& path) = 0;
  virtual int open_new(const OsPath& path) = 0;  // for writing; -EEXIST where the name is taken
  virtual int open_folder(const OsPath& path) = 0;

  virtual std::int64_t write(int fd, const void* data, std::size_t length) = 0;
  virtual std::int64_t pread(int fd, void* out, std::size_t length, std::int64_t offset) = 0;
  virtual int fsync(int fd) = 0;   // of a file or a folder
  virtual int syncfs(int fd) = 0;  // of the whole file system that fd lies on
  virtual int close(int fd) = 0;   // the descriptor is gone even where this fails
  virtual int fstat(int fd, OsStat& out) = 0;

  virtual int stat(const OsPath& path, OsStat& out) = 0;
  virtual int link(const OsPath& from, const OsPath& to) = 0;    // -EEXIST where `to` is taken
  virtual int rename(const OsPath& from, const OsPath& to) = 0;  // replaces `to`
  // -EEXIST where `to` is taken; -EINVAL or -ENOSYS where the file system does not offer it.
  virtual int rename_if_absent(const OsPath& from, const OsPath& to) = 0;
  virtual int unlink(const OsPath& path) = 0;
  virtual int mkdir(const OsPath& path) = 0;
  virtual int list(const OsPath& folder,
                   std::vector<OsEntry>& out) = 0;  // in any order, no "." and ".."
  virtual int file_system(const OsPath& path, OsFileSystem& out) = 0;

  // For files and pipes of a user's own. No storage needs them: a disk that holds runs alone goes without.
  // For writing, as it stands there: a pipe, a device.
  virtual int open_to_write(const OsPath&) { return -ENOSYS; }
  // From where the last read() of this descriptor ended.
  virtual std::int64_t read(int, void*, std::size_t) { return -ENOSYS; }
  // 1: read() would not block, since there are bytes, the end or an error; 0: none within that time.
  virtual int wait_readable(int, int /*milliseconds*/) { return -ENOSYS; }
  virtual int fchmod(int, std::uint32_t /*mode*/) { return -ENOSYS; }
  // Of a link itself.
  virtual int lstat(const OsPath&, OsStat&) { return -ENOSYS; }
  // The absolute path, without links, of what is there.
  virtual int real_path(const std::string&, std::string& /*out*/) { return -ENOSYS; }
};

// The system that this process runs on.
std::shared_ptr<Os> posix_os();

// 32 lower-case hex digits from the system's source of randomness.
std::string random_id();

// Another one in a child that was forked.
std::int64_t process_id();

// The variables of this process.
std::map<std::string, std::string> environment_variables();

}  // namespace crv::io
