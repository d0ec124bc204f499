// A disk in memory that forgets what was not flushed: for tests of what faults and power cuts leave behind.
//
//   auto disk = std::make_shared<SimOs>();
//   auto storage = local_storage(Durability::commit, disk, counting_ids());
//   disk->stop_after(7);                                    // 7 more calls are carried out, then the power
//   goes EXPECT_THROW(storage->replace("a/x", "new"), IoWriteError); auto later =
//   disk->after_power_cut(PowerCut::by_chance(seed));   // another SimOs: what stands there afterwards
//   EXPECT_THAT(later->files(), ...);
//
// What is durable: the bytes of a file once fsync of the file returned, a name (new, replaced, removed) once
// fsync of its folder returned. Each change of a name that is not durable yet is kept or dropped by itself,
// in any combination; both names of a rename go together. A failed fsync loses what it should have flushed
// for good, though it stays readable until the power goes, and a second fsync claims success: as Linux does.
//
// "a/b", "/a/b" and "./a/b" are one path. Safe for several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/base/os.h"
#include "io/support/sim_disk.h"

namespace crv::io {

enum class OsCall {
  open_to_read,
  open_new,
  open_folder,
  write,
  pread,
  fsync,
  syncfs,
  close,
  fstat,
  stat,
  link,
  rename,
  rename_if_absent,
  unlink,
  mkdir,
  list,
  file_system,
  open_to_write,
  read,
  wait_readable,
  fchmod,
  lstat,
  real_path,
};
const char* name_of(OsCall call);
// False for calls that only look: stopping before one of these leaves the same disk as before the next one.
bool changes_disk(OsCall call);

// One system call. Paths as the caller gave them, from the working folder; of a call on an open file or
// folder the path it was opened by.
struct SimOp {
  OsCall call{};
  std::string path;
  std::string to;           // of link and the renames
  std::int64_t result = 0;  // 0 or more, or -errno; 0 while a hook looks at it
};
std::string to_string(const SimOp& op);  // "link a/.x.0123.tmp -> a/x = 0"

// How a call fails.
enum class SimFault {
  refused,     // it did nothing (but a failed fsync loses data, and a failed close closes)
  reply_lost,  // it was carried out, and fails all the same
  // A write takes half of its bytes, and the next call on that file fails (with error 0 it does not). Other
  // calls: refused.
  short_write,
};

// What becomes of that which was not flushed.
struct PowerCut {
  enum class Fate { lost, kept, by_chance };
  Fate names = Fate::lost;
  // by_chance: of each file all, a part, zeros in the place of some, or none.
  Fate bytes = Fate::lost;
  std::uint64_t seed = 0;

  static PowerCut all_lost() { return {}; }
  static PowerCut all_kept() { return {.names = Fate::kept, .bytes = Fate::kept}; }
  static PowerCut names_kept_bytes_lost() { return {.names = Fate::kept, .bytes = Fate::lost}; }
  static PowerCut by_chance(std::uint64_t seed) {
    return {.names = Fate::by_chance, .bytes = Fate::by_chance, .seed = seed};
  }
};

// What the file system offers.
struct SimFeatures {
  bool link = true;
  bool rename_if_absent = true;
  bool nfs = false;
  std::string mountinfo{};  // of device 0:42
};

class SimOs final : public Os {
 public:
  SimOs();
  ~SimOs() override;

  // Another disk with the same files, names and bytes, durable or not: no open files, no faults, no recorded
  // calls.
  std::shared_ptr<SimOs> clone() const;
  // Another disk: what this one is after a power cut. This one goes on.
  std::shared_ptr<SimOs> after_power_cut(const PowerCut& cut) const;

  // ---- what happened ----
  std::vector<SimOp> ops() const;  // since the start or the last clear_ops()
  void clear_ops();
  std::size_t open_files() const;

  // ---- what shall go wrong; calls are counted from now on, the next one is 1 ----
  void fail_at(std::int64_t nth, int error, SimFault fault = SimFault::refused);
  // `count` more calls are carried out; all after them fail with EIO, do nothing and are not recorded.
  void stop_after(std::int64_t count);
  bool stopped() const;
  // No more faults, and the power is back without having been cut.
  void clear_faults();
  // Runs before each call, outside the lock, and may use this disk itself (its own calls do not come back to
  // it). Gives 0, or the errno with which the call shall be refused.
  void set_hook(std::function<int(const SimOp&)> hook);
  void set_features(const SimFeatures& features);

  // ---- what is there, as a program sees it now ----
  std::map<std::string, std::string> files() const;  // path without leading '/', to bytes; temporary ones too
  std::vector<std::string> folders() const;
  // One line a name, with what a power cut could still take: for messages of tests.
  std::string dump() const;

  // ---- by another hand than the program's: durable at once, not recorded ----
  void put(const std::string& path, const std::string& bytes);  // with the folders above it
  void put_folder(const std::string& path);
  void erase(const std::string& path);  // a file, or a folder with all in it

  // Gives a file or folder another name, which is free or leads to a file.
  void move(const std::string& from, const std::string& to);

  // ---- Os ----
  std::string working_folder() override { return ""; }
  int open_to_read(const OsPath& path) override;
  int open_new(const OsPath& path) override;
  int open_folder(const OsPath& path) override;
  std::int64_t write(int fd, const void* data, std::size_t length) override;
  std::int64_t pread(int fd, void* out, std::size_t length, std::int64_t offset) override;
  int fsync(int fd) override;
  int syncfs(int fd) override;
  int close(int fd) override;
  int fstat(int fd, OsStat& out) override;
  int stat(const OsPath& path, OsStat& out) override;
  int link(const OsPath& from, const OsPath& to) override;
  int rename(const OsPath& from, const OsPath& to) override;
  int rename_if_absent(const OsPath& from, const OsPath& to) override;
  int unlink(const OsPath& path) override;
  int mkdir(const OsPath& path) override;
  int list(const OsPath& folder, std::vector<OsEntry>& out) override;
  int file_system(const OsPath& path, OsFileSystem& out) override;
  // There are no links, and every read finds bytes or the end.
  int open_to_write(const OsPath& path) override;
  std::int64_t read(int fd, void* out, std::size_t length) override;
  int wait_readable(int fd, int milliseconds) override;
  int fchmod(int fd, std::uint32_t mode) override;
  int lstat(const OsPath& path, OsStat& out) override;
  int real_path(const std::string& path, std::string& out) override;

 private:
  struct Open {
    std::size_t node = 0;
    std::string path;
    int fails_with = 0;    // the next call on it, after a short write
    std::size_t read = 0;  // bytes, by read()
  };
  struct Planned {
    int error = 0;
    SimFault fault = SimFault::refused;
  };

  template <class Work>
  std::int64_t call(SimOp op, const Work& work, int fd = -1);
  int opened(std::size_t node, const std::string& path);
  int opened_file(OsCall how, const OsPath& path);
  int stat_as(OsCall how, const OsPath& path, OsStat& out);
  std::string path_of(int fd) const;
  std::string text_of(const OsPath& path) const;  // as it would be from the working folder
  SimDisk::From from(const OsPath& path) const;   // only under the lock

  mutable std::mutex mutex_;
  std::unique_ptr<SimDisk> disk_;
  SimFeatures features_;
  std::map<int, Open> open_;
  int next_fd_ = 1000;
  std::vector<SimOp> ops_;
  std::int64_t calls_ = 0;
  std::int64_t stop_after_ = INT64_MAX;
  bool stopped_ = false;
  std::map<std::int64_t, Planned> planned_;
  std::shared_ptr<const std::function<int(const SimOp&)>> hook_;
};

// Ids that never repeat: `start`, then one more each time, as 32 hex digits. For local_storage and
// DatasetOptions.
std::function<std::string()> counting_ids(std::uint64_t start = 1);

// The seed of a random test: CRV_TEST_SEED, else 1. Prints it.
std::uint64_t test_seed();

}  // namespace crv::io
