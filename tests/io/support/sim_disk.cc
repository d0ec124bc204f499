#include "io/support/sim_disk.h"

#include <algorithm>
#include <cerrno>
#include <random>
#include <stdexcept>
#include <utility>

#include "io/support/sim_os.h"

namespace crv::io {
namespace {

std::vector<std::string> names_of(const std::string& path) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= path.size();) {
    const auto slash = std::min(path.find('/', at), path.size());
    auto name = path.substr(at, slash - at);
    at = slash + 1;
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      out.push_back(std::move(name));
    } else if (!out.empty()) {
      out.pop_back();
    }
  }
  return out;
}

void require(int result, const std::string& path) {
  if (result < 0) throw std::logic_error("test set-up: " + path + ": errno " + std::to_string(-result));
}

// What a power cut leaves of a file: `now` as a program saw it, `durable` as it was flushed last.
std::string left_of(const std::string& now, const std::string& durable, PowerCut::Fate fate,
                    std::mt19937_64& random) {
  if (fate == PowerCut::Fate::kept) return now;
  if (fate == PowerCut::Fate::lost) return durable;
  // Files only grow, so `durable` is how `now` begins.
  const auto cut = durable.size() + random() % (now.size() - durable.size() + 1);
  switch (random() % 4) {
    case 0:
      return now;
    case 1:
      return durable;
    case 2:
      return now.substr(0, cut);
    default:
      return now.substr(0, cut) + std::string(now.size() - cut, '\0');
  }
}

}  // namespace

SimDisk::SimDisk() {
  add_node(true);
}

std::size_t SimDisk::add_node(bool folder) {
  nodes_.emplace_back();
  nodes_.back().folder = folder;
  nodes_.back().modified_us = ++clock_us_;
  return nodes_.size() - 1;
}

SimDisk::Place SimDisk::place_of(const From& from) const {
  Place at;
  at.node = from.path.starts_with('/') ? 0 : static_cast<std::int64_t>(from.folder);
  if (from.path.empty()) at.error = -ENOENT;
  for (auto& name : names_of(from.path)) {
    if (at.node == kNone) at.error = -ENOENT;
    if (at.error == 0 && !is_folder(at.node)) at.error = -ENOTDIR;
    if (at.error != 0) return at;
    at.folder = static_cast<std::size_t>(at.node);
    const auto& names = nodes_[at.folder].names;
    const auto it = names.find(name);
    at.node = it == names.end() ? kNone : static_cast<std::int64_t>(it->second);
    at.name = std::move(name);
  }
  return at;
}

std::int64_t SimDisk::find(const From& path) const {
  const auto at = place_of(path);
  if (at.error != 0) return at.error;
  return at.node == kNone ? -ENOENT : at.node;
}

std::int64_t SimDisk::create(const From& path, bool folder) {
  const auto at = place_of(path);
  if (at.error != 0) return at.error;
  if (at.node != kNone) return -EEXIST;
  if (nodes_[at.folder].removed) return -ENOENT;
  const auto node = static_cast<std::int64_t>(add_node(folder));
  apply({{at.folder, at.name, node}});
  return node;
}

OsStat SimDisk::stat(std::size_t node) const {
  const auto& n = nodes_[node];
  return {.is_folder = n.folder,
          .size = static_cast<std::int64_t>(n.bytes->size()),
          .modified_us = n.modified_us,
          .device = 42,
          .inode = node,
          .is_file = !n.folder,
          .mode = n.mode};
}

std::vector<OsEntry> SimDisk::list(std::size_t folder) const {
  std::vector<OsEntry> out;
  for (const auto& [name, node] : nodes_[folder].names) out.push_back({name, nodes_[node].folder});
  std::reverse(out.begin(), out.end());  // no program may count on an order
  return out;
}

void SimDisk::write(std::size_t node, std::string_view bytes) {
  auto& n = nodes_[node];
  if (n.bytes.use_count() > 1) n.bytes = std::make_shared<std::string>(*n.bytes);
  n.bytes->append(bytes);
  n.dirty = true;
  n.modified_us = ++clock_us_;
}

bool SimDisk::Step::touches(std::size_t folder) const {
  return std::any_of(changes.begin(), changes.end(), [&](const Change& c) { return c.folder == folder; });
}

void SimDisk::apply(const Change& change, Names& names) {
  if (change.node == kNone) {
    names.erase(change.name);
  } else {
    names[change.name] = static_cast<std::size_t>(change.node);
  }
}

void SimDisk::apply(std::vector<Change> changes) {
  for (const auto& change : changes) {
    apply(change, nodes_[change.folder].names);
    nodes_[change.folder].modified_us = ++clock_us_;
  }
  steps_.push_back({std::move(changes), false});
}

void SimDisk::make_durable(const Step& step) {
  for (const auto& change : step.changes) apply(change, nodes_[change.folder].durable_names);
}

void SimDisk::fsync(std::size_t node, bool well) {
  auto& n = nodes_[node];
  if (n.folder) {
    for (auto& step : steps_) {
      if (!step.touches(node)) continue;
      if (!well) step.lost = true;
      if (!step.lost) make_durable(step);
    }
    std::erase_if(steps_, [&](const Step& step) { return !step.lost && step.touches(node); });
  } else {
    if (!well && n.dirty) n.lost = true;
    if (!n.lost) n.durable_bytes = n.bytes;
    n.dirty = false;
  }
}

void SimDisk::fsync_all(bool well) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) fsync(i, well);
}

int SimDisk::link(const From& from, const From& to) {
  const auto source = place_of(from);
  const auto target = place_of(to);
  if (source.error != 0) return source.error;
  if (source.node == kNone) return -ENOENT;
  if (target.error != 0) return target.error;
  if (target.node != kNone) return -EEXIST;
  if (is_folder(source.node)) return -EPERM;
  if (nodes_[target.folder].removed) return -ENOENT;
  apply({{target.folder, target.name, source.node}});
  return 0;
}

int SimDisk::rename(const From& from, const From& to, bool may_replace) {
  const auto source = place_of(from);
  const auto target = place_of(to);
  if (source.error != 0) return source.error;
  if (source.node == kNone) return -ENOENT;
  if (target.error != 0) return target.error;
  if (target.node != kNone) {
    if (!may_replace) return -EEXIST;
    if (target.node == source.node) return 0;
    if (is_folder(target.node) && !is_folder(source.node)) return -EISDIR;
    if (!is_folder(target.node) && is_folder(source.node)) return -ENOTDIR;
    if (is_folder(target.node) && !nodes_[static_cast<std::size_t>(target.node)].names.empty())
      return -ENOTEMPTY;
  }
  if (nodes_[target.folder].removed) return -ENOENT;
  apply({{source.folder, source.name, kNone}, {target.folder, target.name, source.node}});
  return 0;
}

int SimDisk::unlink(const From& path) {
  const auto at = place_of(path);
  if (at.error != 0) return at.error;
  if (at.node == kNone) return -ENOENT;
  if (is_folder(at.node)) return -EISDIR;
  apply({{at.folder, at.name, kNone}});
  return 0;
}

void SimDisk::power_cut(const PowerCut& cut) {
  std::mt19937_64 random(cut.seed);
  for (const auto& step : steps_) {
    const bool by_chance = cut.names == PowerCut::Fate::by_chance;
    if (by_chance ? random() % 2 == 0 : cut.names == PowerCut::Fate::kept) make_durable(step);
  }
  steps_.clear();
  for (auto& node : nodes_) {
    node.names = node.durable_names;
    if (node.bytes != node.durable_bytes) {
      node.bytes =
          std::make_shared<std::string>(left_of(*node.bytes, *node.durable_bytes, cut.bytes, random));
      node.durable_bytes = node.bytes;
    }
    node.dirty = node.lost = false;
  }
  drop_unreachable();
}

// Keeps a disk that lives through many power cuts small. Only right after one, when names and durable names
// agree.
void SimDisk::drop_unreachable() {
  std::vector<Node> kept;
  std::map<std::size_t, std::size_t> now_at;
  const std::function<std::size_t(std::size_t)> keep = [&](std::size_t old) {
    if (const auto it = now_at.find(old); it != now_at.end()) return it->second;
    const auto at = kept.size();
    now_at[old] = at;
    kept.push_back(nodes_[old]);
    for (const auto& [name, child] : nodes_[old].names) {
      const auto child_at = keep(child);
      kept[at].names[name] = child_at;
    }
    kept[at].durable_names = kept[at].names;
    return at;
  };
  keep(0);
  nodes_ = std::move(kept);
}

void SimDisk::walk(std::size_t folder, const std::string& prefix, const Visit& visit) const {
  for (const auto& [name, node] : nodes_[folder].names) {
    visit(prefix + name, folder, name, nodes_[node]);
    if (nodes_[node].folder) walk(node, prefix + name + "/", visit);
  }
}

std::map<std::string, std::string> SimDisk::files() const {
  std::map<std::string, std::string> out;
  walk(0, "", [&](const std::string& path, std::size_t, const std::string&, const Node& node) {
    if (!node.folder) out[path] = *node.bytes;
  });
  return out;
}

std::vector<std::string> SimDisk::folders() const {
  std::vector<std::string> out;
  walk(0, "", [&](const std::string& path, std::size_t, const std::string&, const Node& node) {
    if (node.folder) out.push_back(path);
  });
  return out;
}

std::string SimDisk::dump() const {
  std::string out;
  walk(0, "", [&](const std::string& path, std::size_t folder, const std::string& name, const Node& node) {
    out += path + (node.folder ? "/" : "  " + std::to_string(node.bytes->size()) + " bytes");
    const auto& durable = nodes_[folder].durable_names;
    const auto it = durable.find(name);
    if (it == durable.end() || &nodes_[it->second] != &node) out += "  (name not flushed)";
    if (node.bytes != node.durable_bytes) out += "  (bytes not flushed)";
    out += "\n";
  });
  for (const auto& step : steps_) {
    for (const auto& change : step.changes) {
      if (change.node == kNone) out += "removal of " + change.name + " not flushed\n";
    }
  }
  return out;
}

void SimDisk::put_folder(const std::string& path) {
  std::string at;
  for (const auto& name : names_of(path)) {
    at += "/" + name;
    if (find({at}) >= 0) continue;
    const auto node = create({at}, true);
    require(static_cast<int>(std::min<std::int64_t>(node, 0)), at);
    make_durable(steps_.back());
    steps_.pop_back();
  }
}

void SimDisk::put(const std::string& path, const std::string& bytes) {
  const auto slash = path.rfind('/');
  if (slash != std::string::npos) put_folder(path.substr(0, slash));
  if (find({path}) >= 0) erase(path);
  const auto node = create({path}, false);
  require(static_cast<int>(std::min<std::int64_t>(node, 0)), path);
  make_durable(steps_.back());
  steps_.pop_back();
  write(static_cast<std::size_t>(node), bytes);
  fsync(static_cast<std::size_t>(node), true);
}

void SimDisk::move(const std::string& from, const std::string& to) {
  require(rename({from}, {to}, true), from);
  make_durable(steps_.back());
  steps_.pop_back();
}

void SimDisk::mark_removed(std::size_t node) {
  if (!nodes_[node].folder) return;
  nodes_[node].removed = true;
  for (const auto& [name, inner] : nodes_[node].names) mark_removed(inner);
}

void SimDisk::erase(const std::string& path) {
  const auto at = place_of({path});
  require(at.error, path);
  require(at.node == kNone ? -ENOENT : 0, path);
  mark_removed(static_cast<std::size_t>(at.node));
  nodes_[at.folder].names.erase(at.name);
  nodes_[at.folder].durable_names.erase(at.name);
  // Changes of that name that were under way must not bring it back.
  for (auto& step : steps_) {
    std::erase_if(step.changes, [&](const Change& c) { return c.folder == at.folder && c.name == at.name; });
  }
  std::erase_if(steps_, [](const Step& step) { return step.changes.empty(); });
}

}  // namespace crv::io
