// Objects in memory, for tests that need bytes and no disk.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "io/storage/storage.h"

namespace crv::io {

class MemoryStorage : public Storage {
 public:
  std::map<std::string, std::string> objects;

  std::unique_ptr<Folder> hold(const std::string&) override { return nullptr; }
  std::string absolute(const std::string& path) override { return path; }

  std::unique_ptr<Reader> open(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    const auto found = objects.find(path);
    return found == objects.end() ? nullptr : std::make_unique<MemoryReader>(found->second, *this);
  }
  std::unique_ptr<Writer> create(const std::string& path) override {
    return std::make_unique<MemoryWriter>(*this, path);
  }
  bool put_if_absent(const std::string& path, std::string_view bytes) override {
    return objects.emplace(path, bytes).second;
  }
  void replace(const std::string& path, std::string_view bytes) override { objects[path] = bytes; }
  bool remove(const std::string& path) override { return objects.erase(path) == 1; }
  void move(const std::string& from, const std::string& to) override {
    auto node = objects.extract(from);
    node.key() = to;
    objects.insert(std::move(node));
  }
  bool exists(const std::string& path) override { return objects.contains(path); }
  std::optional<Stat> stat(const std::string& path) override {
    if (!exists(path)) return std::nullopt;
    return Stat{static_cast<std::int64_t>(objects[path].size()), 0};
  }
  std::vector<Entry> list(const std::string&) override { return {}; }
  bool make_folder(const std::string&) override { return true; }
  void sync(const std::string&) override {}
  void flush(const std::string&) override {}
  void sync_up(const std::string&, const std::string&) override {}
  void require_put_if_absent(const std::string&) override {}

  // What readers have asked for so far, in bytes.
  std::int64_t bytes_read() const {
    const std::lock_guard lock(mutex_);
    return bytes_read_;
  }

 private:
  class MemoryReader : public Reader {
   public:
    MemoryReader(std::string bytes, MemoryStorage& storage) : bytes_(std::move(bytes)), storage_(storage) {}
    std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }
    std::int64_t read_at(std::int64_t offset, std::int64_t length, void* out) override {
      const std::int64_t count = std::clamp<std::int64_t>(size() - offset, 0, length);
      std::memcpy(out, bytes_.data() + offset, static_cast<std::size_t>(count));
      const std::lock_guard lock(storage_.mutex_);
      storage_.bytes_read_ += count;
      return count;
    }

   private:
    std::string bytes_;
    MemoryStorage& storage_;
  };
  class MemoryWriter : public Writer {
   public:
    MemoryWriter(MemoryStorage& storage, std::string path) : storage_(storage), path_(std::move(path)) {}
    void write(const void* data, std::int64_t length) override {
      bytes_.append(static_cast<const char*>(data), static_cast<std::size_t>(length));
    }
    void finish() override { storage_.objects[path_] = bytes_; }

   private:
    MemoryStorage& storage_;
    std::string path_, bytes_;
  };

  mutable std::mutex mutex_;
  std::int64_t bytes_read_ = 0;
};

}  // namespace crv::io
