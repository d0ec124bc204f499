// The disk inside SimOs: files, names, and what of them is durable. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/os.h"

namespace crv::io {

struct PowerCut;

class SimDisk {
 public:
  SimDisk();

  // A path and the folder that it starts from; an absolute path ignores it.
  struct From {
    std::string path;
    std::size_t folder = 0;  // the root
  };

  // A node, or -errno.
  std::int64_t find(const From& path) const;
  std::int64_t create(const From& path, bool folder);

  bool is_folder(std::int64_t node) const { return nodes_[static_cast<std::size_t>(node)].folder; }
  OsStat stat(std::size_t node) const;
  std::string_view bytes(std::size_t node) const { return *nodes_[node].bytes; }
  std::vector<OsEntry> list(std::size_t folder) const;

  void write(std::size_t node, std::string_view bytes);                              // at the end
  void set_mode(std::size_t node, std::uint32_t mode) { nodes_[node].mode = mode; }  // durable at once
  // `well`: else what should have been flushed is lost at the next power cut, whoever flushes later.
  void fsync(std::size_t node, bool well);
  void fsync_all(bool well);

  // 0 or -errno.
  int link(const From& from, const From& to);
  int rename(const From& from, const From& to, bool may_replace);
  int unlink(const From& path);

  void power_cut(const PowerCut& cut);

  std::map<std::string, std::string> files() const;
  std::vector<std::string> folders() const;
  std::string dump() const;
  void put(const std::string& path, const std::string& bytes);
  void put_folder(const std::string& path);
  void erase(const std::string& path);
  void move(const std::string& from, const std::string& to);

 private:
  static constexpr std::int64_t kNone = -1;
  using Names = std::map<std::string, std::size_t, std::less<>>;

  struct Node {
    bool folder = false;
    Names names, durable_names;                                            // of a folder
    std::shared_ptr<std::string> bytes = std::make_shared<std::string>();  // shared until written to
    std::shared_ptr<std::string> durable_bytes = bytes;
    bool dirty = false;
    bool lost = false;     // an fsync failed: no later one makes the bytes durable
    bool removed = false;  // a folder that was erased: it takes no more names
    std::int64_t modified_us = 0;
    std::uint32_t mode = 0644;
  };
  // One name of a folder gets another node, or none.
  struct Change {
    std::size_t folder = 0;
    std::string name;
    std::int64_t node = kNone;
  };
  // Changes that are made durable together.
  struct Step {
    std::vector<Change> changes;
    bool lost = false;  // an fsync failed
    bool touches(std::size_t folder) const;
  };
  // Where a path's last name stands or would stand.
  struct Place {
    int error = 0;
    std::size_t folder = 0;
    std::string name;  // empty: the root itself
    std::int64_t node = kNone;
  };

  Place place_of(const From& path) const;
  void mark_removed(std::size_t node);
  void apply(std::vector<Change> changes);
  static void apply(const Change& change, Names& names);
  void make_durable(const Step& step);
  std::size_t add_node(bool folder);
  void drop_unreachable();
  using Visit = std::function<void(const std::string& path, std::size_t folder, const std::string& name,
                                   const Node& node)>;
  void walk(std::size_t folder, const std::string& prefix, const Visit& visit) const;

  std::vector<Node> nodes_;  // 0: the root
  std::vector<Step> steps_;  // not durable yet, in order
  std::int64_t clock_us_ = 1'700'000'000'000'000;
};

}  // namespace crv::io
