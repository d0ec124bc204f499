// Where and how bytes are kept: the only interface between crv and a disk (later: an object store).
//
// Names are paths with '/' between their parts; a folder is what stands before the last '/'. Nothing above
// this interface may assume rename, fsync or a real directory. What each verb guarantees:
//
//   * With Durability::commit, bytes are durable before their name is visible: it never shows half an object.
//   * A new, replaced or removed name is volatile until sync() of its folder: a power cut may keep it or not.
//   * Temporary names (is_temporary_name in paths.h) are unique. They are never listed.
//
// Relative paths are taken from the folder that was the working folder when the storage was made.
//
// Failures are IoWriteError (write_failed) or IoReadError (read_failed), with path and errno. A failed fsync
// or close is never tried again: the object's temporary file is removed and the error goes up. After
// write_failed the name is what it was before (a replaced name may hold the new bytes: whole, either way).
// All verbs may be called from several threads at once, a Writer from one.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crv/core/error.h"

namespace crv::io {

struct Entry {
  std::string name;  // without the folder
  bool is_folder = false;
};

// An object open for reading. It stays readable when its name is removed meanwhile. Safe for several threads.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual std::int64_t size() const = 0;  // bytes
  // Reads up to `length` bytes at `offset` into `out`; fewer only at the end of the object.
  virtual std::int64_t read_at(std::int64_t offset, std::int64_t length, void* out) = 0;
};

// A new object being written. Destroyed without finish(): as if it had never been begun.
class Writer {
 public:
  virtual ~Writer() = default;
  virtual void write(const void* data, std::int64_t length) = 0;
  // Makes the bytes durable and gives the object its name, replacing nothing: the name must be new (it holds
  // an id). After an error of write() or finish() nothing is left of it, and no more can be written.
  virtual void finish() = 0;
};

class Folder;

class Storage {
 public:
  virtual ~Storage() = default;

  // Holds a folder open; nullptr where there is no such folder.
  virtual std::unique_ptr<Folder> hold(const std::string& folder) = 0;
  // A path that other programs of this machine can open, wherever they run.
  virtual std::string absolute(const std::string& path) = 0;

  // nullptr where there is no such object. Any other failure throws.
  virtual std::unique_ptr<Reader> open(const std::string& path) = 0;
  virtual std::unique_ptr<Writer> create(const std::string& path) = 0;

  // Puts `bytes` there unless the name is taken; true if they were put. Another's object is left as it is.
  // False may also mean that they were put but the reply was lost (NFS): read the object to tell. Throws
  // commit_unknown where the failure came at or after the step that makes the name visible, so that the
  // object may stand there: a reply that tells neither, or a temporary name that could not be removed
  // afterwards. Any other error: it was not put.
  virtual bool put_if_absent(const std::string& path, std::string_view bytes) = 0;
  // Puts `bytes` there whole, whatever stood there.
  virtual void replace(const std::string& path, std::string_view bytes) = 0;

  // True if it went, false if there was none.
  virtual bool remove(const std::string& path) = 0;
  // Gives an object or folder another name, which must be free: where it is taken, or there is nothing to
  // move, IoWriteError (EEXIST, ENOTEMPTY or ENOENT), and nothing was done. Where the system cannot rename if
  // absent (NFS) it looks first, so that only a folder with something in it is safe from another's move.
  virtual void move(const std::string& from, const std::string& to) = 0;

  virtual bool exists(const std::string& path) = 0;  // an object or a folder
  // Time of last change in microseconds since 1970 (UTC), and size in bytes; nothing where there is no such
  // object.
  struct Stat {
    std::int64_t size = 0;
    std::int64_t modified_us = 0;
  };
  virtual std::optional<Stat> stat(const std::string& path) = 0;
  // Everything in a folder but temporary names, sorted by name; empty where there is no such folder.
  virtual std::vector<Entry> list(const std::string& folder) = 0;

  // Makes a folder and those above it. True if it made the last one. Volatile until sync of each folder
  // above.
  virtual bool make_folder(const std::string& folder) = 0;
  // Every name put into or removed from `folder` so far survives a power cut once this returns. After a
  // failure every later call for this folder fails, too: the system may have dropped what it could not
  // write, and would report success.
  virtual void sync(const std::string& folder) = 0;
  // The bytes of an object that somebody else wrote survive a power cut once this returns; its name is
  // sync's.
  virtual void flush(const std::string& path) = 0;
  // The folder itself survives: sync of every folder from it up to the parent of `top`, which is it or stands
  // above it (textually). With an empty `top`: as far up as the path goes.
  virtual void sync_up(const std::string& folder, const std::string& top) = 0;

  // Throws IoConfigError (unsafe_storage) where put_if_absent cannot be trusted in `folder`, which exists.
  virtual void require_put_if_absent(const std::string& folder) = 0;
};

// A folder held open: it is the same folder for as long as this lives, whatever its path leads to by then.
class Folder {
 public:
  virtual ~Folder() = default;
  // The storage, with this folder and the names in it found through the folder itself, not by its path.
  // Names in it cannot be made once the folder was removed.
  virtual Storage& storage() = 0;
  // Whether the folder's path still leads to it.
  virtual bool is_in_place() = 0;
};

// Opens an object and returns what `read` makes of it; nothing where there is none. On NFS another host may
// remove or replace the object while it is read: then it is opened again.
template <class Read>
auto read_object(Storage& storage, const std::string& path, const Read& read)
    -> std::optional<decltype(read(std::declval<Reader&>()))> {
  constexpr int tries = 5;
  for (int i = 1;; ++i) {
    try {
      const std::unique_ptr<Reader> object = storage.open(path);
      if (!object) return std::nullopt;
      return read(*object);
    } catch (const IoReadError& e) {
      if (e.facts().os_error != ESTALE || i == tries) throw;
    }
  }
}

// All of an object as text. Throws IoReadError (read_failed) where it became shorter meanwhile.
std::string read_whole(Reader& object, const std::string& path);
// The same by its path; nothing where there is none.
std::optional<std::string> read_all(Storage& storage, const std::string& path);

}  // namespace crv::io
