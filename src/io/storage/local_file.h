// Files of a local disk, one at a time: read where they stand, written under a temporary name until they are
// whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "io/base/os.h"
#include "io/storage/paths.h"
#include "io/storage/storage.h"

namespace crv::io {

// A folder held open, and the path by which callers name it.
struct HeldFolder {
  HeldFolder(std::shared_ptr<Os> system, std::string folder, int descriptor)
      : os(std::move(system)), path(std::move(folder)), fd(descriptor) {}
  ~HeldFolder() { os->close(fd); }
  HeldFolder(const HeldFolder&) = delete;
  HeldFolder& operator=(const HeldFolder&) = delete;

  std::shared_ptr<Os> os;
  std::string path;
  int fd;
};

// From callers' paths to the system's: relative ones start from `base`, those in the held folder from it.
struct BasePath {
  std::string folder;  // absolute; empty: the working folder of each call
  std::shared_ptr<const HeldFolder> held;

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

// An object on its way to its name. Removes its temporary file unless it was published or already removed.
class PendingFile {
 public:
  PendingFile(Os& os, const BasePath& base, std::string path, const std::string& id);
  ~PendingFile() { discard(); }
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const OsPath& temporary() const { return temporary_; }

  void write(const char* data, std::size_t length);
  void close(bool durable);

  // The temporary name was given up in a rename.
  void renamed() { exists_ = false; }

  // Removes the temporary name: 0 or an errno. Another may have tidied it away, which is as good.
  int unlink();
  // For error paths: the first error is the one to tell, so what fails here is not told.
  void discard();

 private:
  Os& os_;
  std::string path_;
  OsPath temporary_;
  int fd_ = -1;
  bool exists_ = false;
};

// Takes over `fd`, which is open for reading.
std::unique_ptr<Reader> make_local_reader(std::shared_ptr<Os> os, std::string path, int fd);
std::unique_ptr<Writer> make_local_writer(std::shared_ptr<Os> os, const BasePath& base,
                                          const std::string& path, const std::string& id, bool durable);

}  // namespace crv::io
