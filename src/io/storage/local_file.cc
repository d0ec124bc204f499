#include "io/storage/local_file.h"

#include <cerrno>

#include "io/storage/os_errors.h"

namespace crv::io {

PendingFile::PendingFile(Os& os, const BasePath& base, std::string path, const std::string& id)
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

void PendingFile::write(const char* data, std::size_t length) {
  while (length > 0) {
    const auto written = uninterrupted([&] { return os_.write(fd_, data, length); });
    if (written < 0) fail_write("cannot write", path_, static_cast<int>(-written));
    if (written == 0) fail_write("cannot write", path_, ENOSPC);
    data += written;
    length -= static_cast<std::size_t>(written);
  }
}

void PendingFile::close(bool durable) {
  if (durable) {
    if (const int r = os_.fsync(fd_); r < 0) fail_write("cannot flush to disk", path_, -r);
  }
  const int r = os_.close(std::exchange(fd_, -1));
  if (r < 0) fail_write("cannot close", path_, -r);
}

int PendingFile::unlink() {
  exists_ = false;
  const int r = os_.unlink(temporary_);
  return r == -ENOENT ? 0 : -r;
}

void PendingFile::discard() {
  if (fd_ >= 0) os_.close(std::exchange(fd_, -1));
  if (exists_) unlink();
}

namespace {

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
  LocalWriter(std::shared_ptr<Os> os, const BasePath& base, const std::string& path, const std::string& id,
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
      if (bytes.size() > kBufferBytes)
        pending_->write(bytes.data(), bytes.size());
      else
        buffer_ += bytes;
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
  std::optional<PendingFile> pending_;  // empty once it is finished or has failed
  std::string path_;
  OsPath target_;
  std::string buffer_;
  bool durable_;
};

}  // namespace

std::unique_ptr<Reader> make_local_reader(std::shared_ptr<Os> os, std::string path, int fd) {
  return std::make_unique<LocalReader>(std::move(os), std::move(path), fd);
}

std::unique_ptr<Writer> make_local_writer(std::shared_ptr<Os> os, const BasePath& base,
                                          const std::string& path, const std::string& id, bool durable) {
  return std::make_unique<LocalWriter>(std::move(os), base, path, id, durable);
}

}  // namespace crv::io
