// Files and pipes that are the caller's, not a run's: what rows come from and go to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/util/compression.h>

#include "io/base/os.h"

namespace crv::io {

// A descriptor read from its start to its end.
class FdInput : public arrow::io::InputStream {
 public:
  // "-" is standard input. `stop` is asked while waiting for bytes. Throws IoReadError (read_failed).
  static std::shared_ptr<FdInput> open(const std::string& path, std::function<bool()> stop = {},
                                       std::shared_ptr<Os> os = posix_os());
  // Reads `fd`, which stays the caller's.
  FdInput(int fd, std::string name, std::function<bool()> stop = {}, std::shared_ptr<Os> os = posix_os());
  ~FdInput() override;

  const std::string& name() const { return name_; }
  std::int64_t size() const;  // bytes; -1 where it is no regular file
  std::int64_t position() const { return packer_ ? raw_position_ : position_; }  // of the input's own bytes
  // From here on what is read is what the input's bytes were before gzip, zstd, bzip2 or lz4 compressed them;
  // the first bytes tell which. Only before anything is read or peeked at.
  void unpack();
  bool is_packed() const { return packer_ != nullptr; }
  // The first bytes, up to `length`: fewer only where the input is shorter. Only before anything is read.
  std::string_view peek(std::size_t length);
  // What there is, up to `length` bytes, at least one; 0 only at the end. Throws IoReadError, or IoError
  // (interrupted).
  std::int64_t read_some(void* out, std::int64_t length);
  std::string read_all();

  arrow::Status Close() override;
  bool closed() const override { return fd_ < 0; }
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  arrow::Result<std::int64_t> Read(std::int64_t length, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t length) override;

 private:
  void wait_for_bytes() const;
  std::int64_t read_fd(void* out, std::int64_t length);
  std::int64_t read_bytes(void* out, std::int64_t length);

  std::shared_ptr<Os> os_;
  int fd_;
  bool owned_ = false;
  std::string name_;
  std::function<bool()> stop_;
  std::string head_;  // peeked at, not yet read
  std::size_t head_used_ = 0;
  std::int64_t position_ = 0;      // of what was read
  std::int64_t raw_position_ = 0;  // of the descriptor
  std::shared_ptr<arrow::util::Decompressor> packer_;
  std::string packed_;  // read, from packed_used_ on not yet unpacked
  std::size_t packed_used_ = 0;
  bool holds_more_ = false;  // of what was unpacked
};

// Lines of an input, without their ends ("\n" or "\r\n"), as soon as they are there.
class LineReader {
 public:
  explicit LineReader(FdInput& input) : input_(input) {}
  // The next line, valid until the next call; nothing at the end.
  std::optional<std::string_view> next();
  std::int64_t number() const { return number_; }  // of the line last returned, from 1

 private:
  bool fill();
  FdInput& input_;
  std::string buffer_;
  std::size_t begin_ = 0, searched_ = 0;
  std::int64_t number_ = 0;
};

// Where a BatchWriter's bytes go.
class Output : public arrow::io::OutputStream {
 public:
  // Makes what was written durable and visible. Throws IoWriteError.
  virtual void finish() = 0;
};

// "-": standard output. A regular file or none: written beside it and renamed over it by finish(). Else
// written to directly. Throws IoWriteError.
std::shared_ptr<Output> open_output(const std::string& path, std::shared_ptr<Os> os = posix_os());

}  // namespace crv::io
